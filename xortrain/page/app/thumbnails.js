/** The field of each unit over the plane of two inputs, as a small picture. */

import { ACTIVATIONS } from "./mathematics.js";

const PIXELS = 24; // on a side

export class Thumbnails {
  constructor(page, { population, place, network }) {
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const { levels, classes } = page.colours[isDark ? "dark" : "light"];
    Object.assign(this, { network, levels: population.arrays[levels], classes: population.arrays[classes] });
    this.points = gridOver(population.rows(population.data.x, place));
    const targets = population.rows(population.data.t, place).flatMap((row) => [...row]);
    this.targets = [targets.reduce((a, b) => Math.min(a, b)), targets.reduce((a, b) => Math.max(a, b))];
    this.image = new ImageData(PIXELS, PIXELS);
    this.pixels = new OffscreenCanvas(PIXELS, PIXELS);
    this.outputs = network.space(PIXELS * PIXELS);
  }

  /** Compute the outputs of all units. */
  update(network, theta) {
    network.evaluate(theta, this.points, this.outputs);
  }

  draw(g, layer, unit, x, y, side) {
    const { units } = this.network.layers[layer];
    const values = this.outputs[layer];
    const [low, high] = this.rangeOf(layer);
    const colours = this.coloursOf(layer, unit);
    for (let i = 0; i < PIXELS * PIXELS; i++) {
      const share = (values[i * units + unit] - low) / (high - low);
      const level = 3 * Math.round(255 * Math.min(1, Math.max(0, share || 0)));
      this.image.data.set([colours[level], colours[level + 1], colours[level + 2], 255], 4 * i);
    }
    this.pixels.getContext("2d").putImageData(this.image, 0, 0);
    g.drawImage(this.pixels, x, y, side, side);
  }

  /** The values of the first and the last colour: the targets, an activation's range, or the largest value. */
  rangeOf(layer) {
    if (layer === this.network.depth - 1) return this.targets;
    const [low, high] = ACTIVATIONS[this.network.layers[layer].activation].range;
    if (low !== null && high !== null) return [low, high];
    const reach = this.outputs[layer].reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    return [-reach, reach];
  }

  /** Of several classes each output has the colour of its class. */
  coloursOf(layer, unit) {
    if (layer < this.network.depth - 1 || this.network.widths.at(-1) < 3) return this.levels;
    const own = this.classes.subarray(3 * unit, 3 * unit + 3);
    return Uint8Array.from({ length: 768 }, (_, i) => 255 + ((own[i % 3] - 255) * Math.floor(i / 3)) / 255);
  }
}

/** Points (PIXELS * PIXELS, 2) over all examples and some room around them, the upper left one first. */
function gridOver(rows) {
  const axes = [0, 1].map((k) => {
    const [low, high] = rows.reduce(([a, b], row) => [Math.min(a, row[k]), Math.max(b, row[k])], [Infinity, -Infinity]);
    const room = (high - low || 1) * (rows.length > 4 ? 0.15 : 0.5);
    return (pixel) => low - room + ((pixel + 0.5) / PIXELS) * (high - low + 2 * room);
  });
  return Float64Array.from({ length: 2 * PIXELS * PIXELS }, (_, i) => {
    const [row, column] = [Math.floor((i >> 1) / PIXELS), (i >> 1) % PIXELS];
    return i % 2 ? axes[1](PIXELS - 1 - row) : axes[0](column);
  });
}
