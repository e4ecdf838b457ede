/** Stub until the branch with the mathematics is merged. */
export class Network {
  constructor(shape) {
    Object.assign(this, shape);
    let fan = shape.inputs, size = 0;
    this.fanIn = [];
    shape.layers.forEach((layer, k) => {
      const own = fan + (shape.skip && k === shape.layers.length - 1 ? shape.inputs : 0);
      this.fanIn.push(own);
      size += layer.units * (own + (shape.bias ? 1 : 0));
      fan = layer.units;
    });
    this.size = size;
  }
}
