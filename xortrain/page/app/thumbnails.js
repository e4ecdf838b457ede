/** The field of each unit over the plane of two inputs, as a small picture. */

import { clamp } from "./canvas.js";
import { inputPlane } from "./field.js";
import { ACTIVATIONS } from "./mathematics.js";
import { shownRun } from "./picture.js";
import { Raster } from "./raster.js";

const PIXELS = 24; // on a side

export class Thumbnails {
  constructor(page) {
    this.page = page;
    this.raster = new Raster(inputPlane(shownRun(page).view), PIXELS, PIXELS);
  }

  /** Compute the outputs of all units at the shown epoch. */
  update() {
    const { view, colours } = shownRun(this.page);
    Object.assign(this, { network: view.network, colours });
    this.raster.update(view.network, view.theta, view, colours);
  }

  draw(g, layer, unit, x, y, side) {
    const { raster, network, colours } = this;
    const { units, activation } = network.layers[layer];
    const values = raster.space[layer];
    const toned = layer < network.depth - 1 ? toneIn(rangeOf(activation, values), colours) : (value) => colours.table[colours.single(value, unit)];
    for (let i = 0; i < raster.pixels.length; i++) raster.pixels[i] = toned(values[i * units + unit]);
    raster.g.putImageData(raster.image, 0, 0);
    raster.draw(g, { x, y, width: side, height: side });
  }
}

/** The values with the first and the last colour: the ends of the activation, or the largest value and its opposite. */
function rangeOf(activation, values) {
  const { range } = ACTIVATIONS[activation];
  if (range.every((end) => end !== null)) return range;
  const reach = values.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 1e-12);
  return [-reach, reach];
}

/** The colour of a hidden unit as a pixel; grey beside three and more classes. */
function toneIn([low, high], { classes, table, noValue }) {
  return (value) => {
    const share = clamp((value - low) / (high - low) || 0, 0, 1);
    if (classes < 3) return table[Math.round(share * (noValue - 1))];
    const grey = Math.round(255 - 215 * share);
    return (255 << 24) | (grey << 16) | (grey << 8) | grey;
  };
}
