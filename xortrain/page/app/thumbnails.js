/** The field of each unit over the plane of two inputs, as a small picture. */

import { ACTIVATIONS } from "./mathematics.js";

const PIXELS = 24; // on a side

export class Thumbnails {
  constructor(page, population, place, network, side) {
    this.isShown = network.inputs === 2 && side >= 18;
    if (!this.isShown) return;
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const { levels, classes } = page.colours[isDark ? "dark" : "light"];
    Object.assign(this, { network, side, levels: population.arrays[levels], classes: population.arrays[classes] });
    this.points = gridOver(population.rows(population.data.x, place));
    const targets = population.rows(population.data.t, place).flatMap((row) => [...row]);
    this.targets = [Math.min(...targets), Math.max(...targets)];
    this.pixels = new OffscreenCanvas(PIXELS, PIXELS);
    this.image = new ImageData(PIXELS, PIXELS);
  }

  /** Compute the outputs of all units. */
  update(network, theta) {
    if (!this.isShown) return;
    this.outputs = network.evaluate(theta, this.points, network.space(PIXELS * PIXELS));
  }

  draw(g, layer, unit, x, y) {
    if (!this.isShown) return;
    const { units } = this.network.layers[layer], values = this.outputs[layer];
    const [low, high] = this.rangeOf(layer), colours = this.coloursOf(layer, unit);
    const { data } = this.image;
    for (let i = 0; i < PIXELS * PIXELS; i++) {
      const share = (values[i * units + unit] - low) / (high - low);
      const level = 3 * Math.round(255 * Math.min(1, Math.max(0, share || 0)));
      for (let part = 0; part < 3; part++) data[4 * i + part] = colours[level + part];
      data[4 * i + 3] = 255;
    }
    this.pixels.getContext("2d").putImageData(this.image, 0, 0);
    g.drawImage(this.pixels, x, y, this.side, this.side);
  }

  /** The values of the first and the last colour: the targets, an activation's range, or the largest value. */
  rangeOf(layer) {
    if (layer === this.network.depth - 1) return this.targets;
    const [low, high] = ACTIVATIONS[this.network.layers[layer].activation].range;
    if (low !== null && high !== null) return [low, high];
    let reach = 1e-12;
    for (const value of this.outputs[layer]) if (Math.abs(value) > reach) reach = Math.abs(value);
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
  const [across, up] = [0, 1].map((k) => {
    const values = rows.map((row) => row[k]), low = Math.min(...values), high = Math.max(...values);
    const room = (high - low || 1) * (rows.length > 4 ? 0.15 : 0.5);
    return (share) => low - room + share * (high - low + 2 * room);
  });
  return Float64Array.from({ length: 2 * PIXELS * PIXELS }, (_, i) => {
    const place = i >> 1, share = ((i % 2 ? PIXELS - 1 - Math.floor(place / PIXELS) : place % PIXELS) + 0.5) / PIXELS;
    return (i % 2 ? up : across)(share);
  });
}
