/**
 * A network of fully connected layers: z = W a + b and a = f(z), and back from dL/dz of its outputs to dL/dtheta.
 *
 * It is the walk of xortrain.nets.network, one example at a time; functions come from the generated tables.
 */

import { ACTIVATIONS, OUTPUTS } from "./mathematics.js";

/** The key of the unrolled code for a network; the settings of its activations may differ. */
export function shapeKey({ inputs, layers, bias, skip }) {
  return JSON.stringify([inputs, layers.map(({ units, activation }) => [units, activation]), bias, skip]);
}

/** A network; z, a and delta of each layer are those of the example that was last walked through it. */
export class Network {
  constructor({ inputs, layers, bias, skip }) {
    Object.assign(this, { inputs, layers, bias, skip });
    this.depth = layers.length;
    this.widths = [inputs, ...layers.map((layer) => layer.units)];
    this.fanIn = this.widths.slice(0, -1);
    if (skip) this.fanIn[this.depth - 1] += inputs;
    this.place();
    this.rows = layers.map((layer) => ACTIVATIONS[layer.activation]);
    this.settings = layers.map((layer) => layer.settings);
    this.buffers();
    this.unrolled = OUTPUTS[shapeKey(this)];
  }

  /** Where the parameters of each layer begin in theta: W1, b1, W2, b2, …; -1 where there is no bias. */
  place() {
    this.weights = [];
    this.biases = [];
    this.size = 0;
    for (const [k, { units }] of this.layers.entries()) {
      this.weights.push(this.size);
      this.size += units * this.fanIn[k];
      this.biases.push(this.bias ? this.size : -1);
      if (this.bias) this.size += units;
    }
  }

  buffers() {
    const perLayer = () => this.layers.map((layer) => new Float64Array(layer.units));
    this.z = perLayer();
    this.a = perLayer();
    this.delta = perLayer();
    this.received = [new Float64Array(this.inputs), ...this.a.slice(0, -1)];
    if (!this.skip) return;
    const wide = new Float64Array(this.fanIn[this.depth - 1]);
    this.a[this.depth - 2] = wide.subarray(0, wide.length - this.inputs);
    this.received[this.depth - 1] = wide;
  }

  /** The place in theta of the weight between two units, or of a bias without `from`; layers count from 0. */
  indexOf(layer, to, from) {
    return from === undefined ? this.biases[layer] + to : this.weights[layer] + to * this.fanIn[layer] + from;
  }

  /** {layer, to, from} of a place in theta; `from` is undefined for a bias. */
  connectionOf(index) {
    const layer = this.weights.findLastIndex((first) => first <= index);
    const bias = this.biases[layer];
    if (bias >= 0 && index >= bias) return { layer, to: index - bias };
    const place = index - this.weights[layer];
    return { layer, to: Math.floor(place / this.fanIn[layer]), from: place % this.fanIn[layer] };
  }

  /** The names of all parameters, in order: W1[0, 1] or b1[0]. */
  get names() {
    return Array.from({ length: this.size }, (_, index) => {
      const { layer, to, from } = this.connectionOf(index);
      return from === undefined ? `b${layer + 1}[${to}]` : `W${layer + 1}[${to}, ${from}]`;
    });
  }

  /** The outputs for one example, in an array that the next one overwrites. */
  forward(theta, x) {
    this.received[0] = x;
    if (this.skip) this.received[this.depth - 1].set(x, this.a[this.depth - 2].length);
    for (let k = 0; k < this.depth; k++) {
      const received = this.received[k], z = this.z[k], fanIn = this.fanIn[k], bias = this.biases[k];
      let w = this.weights[k];
      for (let to = 0; to < z.length; to++) {
        let sum = 0;
        for (let from = 0; from < fanIn; from++) sum += received[from] * theta[w++];
        z[to] = bias < 0 ? sum : sum + theta[bias + to];
      }
      this.rows[k].f(z, this.a[k], this.settings[k]);
    }
    return this.a[this.depth - 1];
  }

  /** Add dL/dtheta of the last example to `g`, from dL/dz of the outputs in `delta` of the last layer. */
  backward(theta, g) {
    for (let k = this.depth - 1; k >= 0; k--) {
      const received = this.received[k], delta = this.delta[k], fanIn = this.fanIn[k], bias = this.biases[k];
      let w = this.weights[k];
      for (let to = 0; to < delta.length; to++) {
        for (let from = 0; from < fanIn; from++) g[w++] += delta[to] * received[from];
        if (bias >= 0) g[bias + to] += delta[to];
      }
      if (k > 0) this.back(theta, k);
    }
  }

  /** dL/dz of the layer before layer k. */
  back(theta, k) {
    const delta = this.delta[k], before = this.delta[k - 1], fanIn = this.fanIn[k], first = this.weights[k];
    for (let from = 0; from < before.length; from++) {
      let sum = 0;
      for (let to = 0; to < delta.length; to++) sum += delta[to] * theta[first + to * fanIn + from];
      before[from] = sum;
    }
    this.rows[k - 1].backward(this.z[k - 1], this.a[k - 1], before, this.settings[k - 1]);
  }

  /** The outputs of all units for many points: x is (points, inputs) flat, out[k] (points, units of layer k) flat. */
  evaluate(theta, x, out) {
    const points = x.length / this.inputs;
    if (this.unrolled) return this.unrolled(theta, x, out, this.settings, points);
    const point = new Float64Array(this.inputs);
    for (let n = 0; n < points; n++) {
      for (let k = 0; k < point.length; k++) point[k] = x[n * point.length + k];
      this.forward(theta, point);
      for (let k = 0; k < this.depth; k++) out[k].set(this.a[k], n * this.a[k].length);
    }
    return out;
  }

  /** New arrays for `evaluate`. */
  space(points) {
    return this.layers.map((layer) => new Float64Array(points * layer.units));
  }
}
