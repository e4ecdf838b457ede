/** One run as its pictures need it: network, examples, parameters at an epoch, and outputs as colours. */

import { styled } from "./canvas.js";
import { Network } from "./network.js";
import { state } from "./state.js";

const OFF_SCALE = 100; // values farther from the targets than this multiple of their distance have no colour
const MOST_NAMED = 4; // inputs whose values name an example

/** One run; after `seek`, `theta` has its parameters, and `y` and `isRight` are about its examples. */
export class RunView {
  constructor(page, run) {
    const population = page.populationOf(run);
    const place = page.placeOf(run);
    Object.assign(this, { run, population, place, picture: population.picture });
    this.network = new Network(population.networkOf(place));
    this.inputs = scalingOf(population, population.scaling.inputs, place);
    this.targets = scalingOf(population, population.scaling.targets, place);
    this.theta = new Float64Array(this.network.size);
    this.outputs = population.network.layers.at(-1).units;
  }

  /** Examples: x and t as the network has them, `raw` and `aims` in units of the data, bounds of right outputs. */
  get examples() {
    this.known ??= this.examplesOf(this.population.data);
    return this.known;
  }

  examplesOf({ x, t }) {
    const { population, place } = this;
    const [scaledX, scaledT] = [population.rows(x, place), population.rows(t, place)];
    const bounds = ["lower", "upper"].map((side) => population.rows(population.success[side], place));
    const raw = scaledX.map((row) => unscaled(row.slice(), this.inputs));
    const aims = scaledT.map((row) => unscaled(row.slice(), this.targets));
    return { x: scaledX, t: scaledT, raw, aims, bounds, names: raw.map(exampleName) };
  }

  /** Go to the last kept epoch that is not after `epoch`. */
  seek(epoch) {
    const frame = this.population.frameAt(epoch);
    if (frame === this.frame) return this;
    this.frame = frame;
    this.population.theta(this.place, frame, this.theta);
    this.walked = null;
    return this;
  }

  /** For each example the outputs in units of the data, what the last layer receives, and whether it is right. */
  get walk() {
    if (this.walked) return this.walked;
    const { x, bounds } = this.examples;
    const [lower, upper] = bounds;
    this.walked = x.map((point, n) => {
      const y = this.network.forward(this.theta, point);
      const isRight = y.every((value, k) => value > lower[n][k] && value < upper[n][k]);
      return { y: unscaled(y.slice(), this.targets), received: this.network.received.at(-1).slice(), isRight };
    });
    return this.walked;
  }

  get right() {
    return this.walk.filter((one) => one.isRight).length;
  }

  /** Outputs (points, outputs) in units of the data, in place. */
  unscale(y) {
    return unscaled(y, this.targets);
  }

  /** The inputs at (u, v) of a slice of the input space, as the network has them, into `out` from `first`. */
  input({ origin, across, up }, u, v, out, first = 0) {
    for (let k = 0; k < origin.length; k++) {
      const value = origin[k] + u * across[k] + v * up[k];
      out[first + k] = this.inputs ? (value - this.inputs.shift[k]) / this.inputs.factor[k] : value;
    }
    return out;
  }
}

function scalingOf(population, fitted, place) {
  if (!fitted) return null;
  const values = ({ array }) => {
    const [columns, runs] = population.arrays.shapes[array];
    return Float64Array.from({ length: columns }, (_, k) => population.arrays[array][runs ? k * runs + place : k]);
  };
  const isOwn = population.arrays.shapes[fitted.shift.array].length > 1;
  return { shift: values(fitted.shift), factor: values(fitted.factor), isOwn };
}

function unscaled(values, scaling) {
  const width = scaling?.shift.length;
  for (let i = 0; scaling && i < values.length; i++) {
    values[i] = values[i] * scaling.factor[i % width] + scaling.shift[i % width];
  }
  return values;
}

function exampleName(x, n) {
  return x.length > MOST_NAMED ? `${n + 1}` : `(${Array.from(x, (value) => Number(value.toPrecision(3))).join(", ")})`;
}

export function isDark() {
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** How outputs become colours, as in xortrain.films.colour_scale: `table` has them as pixels, the last for no value. */
export class OutputColours {
  constructor(page, population) {
    Object.assign(this, population.picture.scale);
    const { levels, classes } = page.colours[isDark() ? "dark" : "light"];
    for (const name of ["paper", "ink", "label", "pale"]) this[name] = styled(`--${name}`);
    this.outputs = population.network.layers.at(-1).units;
    this.hues = population.arrays[classes];
    const colours = this.classes > 2 ? this.shades() : population.arrays[levels];
    this.steps = this.classes > 2 ? colours.length / this.hues.length : colours.length / 3;
    this.table = new Uint32Array(colours.length / 3 + 1);
    for (let i = 0; i < this.table.length - 1; i++) this.table[i] = pixel(colours, 3 * i);
    this.noValue = this.table.length - 1;
    this.table[this.noValue] = pixel(isDark() ? [74, 80, 88] : [195, 199, 203], 0);
    this.from = this.classes > 2 ? this.low + (this.high - this.low) / this.classes : this.low;
    this.factor = this.steps / (this.high - this.from || 1);
  }

  /** 64 shades of each class, from nearly the paper to nearly the full colour. */
  shades(count = 64) {
    const paper = isDark() ? [20, 24, 29] : [255, 255, 255];
    const share = (step) => 0.18 + (0.68 * step) / (count - 1);
    const hues = this.hues.length / 3;
    return Float64Array.from({ length: hues * count * 3 }, (_, i) => {
      const [hue, step, k] = [Math.floor(i / (3 * count)), Math.floor(i / 3) % count, i % 3];
      return Math.round(paper[k] * (1 - share(step)) + this.hues[3 * hue + k] * share(step));
    });
  }

  /** The place in `table` of the outputs y[at], y[at + 1], … */
  place(y, at = 0) {
    let value = y[at];
    let hue = 0;
    if (this.classes > 2) {
      for (let k = 1; k < this.outputs; k++) if (y[at + k] > value) [value, hue] = [y[at + k], k];
    } else if (this.oneHot) value = this.value(y, at);
    return this.level(value, hue);
  }

  level(value, hue = 0) {
    const { steps } = this;
    const scaled = (value - this.from) * this.factor;
    if (!(Math.abs(scaled) <= OFF_SCALE * steps)) return this.noValue;
    const step = scaled < 0 ? 0 : scaled >= steps ? steps - 1 : Math.floor(scaled);
    return ((3 * hue) % this.hues.length / 3) * steps + step;
  }

  /** What is shown of the outputs of two classes, or of a real value. */
  value(y, at = 0) {
    return this.oneHot && this.classes === 2 ? (y[at + 1] - y[at] + this.low + this.high) / 2 : y[at];
  }

  get middle() {
    return (this.low + this.high) / 2;
  }

  paint(y, pixels) {
    for (let i = 0; i < pixels.length; i++) pixels[i] = this.table[this.place(y, i * this.outputs)];
  }

  /** The class that outputs or targets stand for; 0 for real values. */
  kind(y, at = 0) {
    if (this.classes < 3) return this.classes && this.value(y, at) > this.middle ? 1 : 0;
    let best = 0;
    for (let k = 1; k < this.outputs; k++) if (y[at + k] > y[at + best]) best = k;
    return best;
  }

  /** The colour of the mark of an example with these targets. */
  mark(t) {
    return this.classes ? this.hue(this.kind(t)) : this.css(t);
  }

  hue(kind) {
    const at = (3 * kind) % this.hues.length;
    return css(pixel(this.hues, at));
  }

  css(y, at = 0) {
    return this.tone(this.place(y, at));
  }

  /** The colour at a place of `table`. */
  tone(place) {
    return css(this.table[place]);
  }

  /** The place of one output in the colours of its class. */
  shade(value, kind) {
    return this.level(this.from + ((value - this.low) * (this.high - this.from)) / (this.high - this.low), kind);
  }

  /** Ink or paper, whichever is legible on the colour at a place. */
  contrast(place) {
    const [red, green, blue] = [0, 8, 16].map((bits) => (((this.table[place] >> bits) & 255) / 255) ** 2.2);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.3 ? "#ffffff" : "#1b2026";
  }
}

/** A colour as one number, as it stands in the pixels of an image. */
function pixel(colours, at) {
  return (255 << 24) | (colours[at + 2] << 16) | (colours[at + 1] << 8) | colours[at];
}

function css(value) {
  return `rgb(${value & 255} ${(value >> 8) & 255} ${(value >> 16) & 255})`;
}

let kept = {};

/** {view, colours} of the shown run at the shown epoch, shared by its pictures. */
export function shownRun(page) {
  if (kept.view?.run !== state.run) kept = { view: new RunView(page, state.run) };
  if (kept.theme !== state.theme) {
    kept.colours = new OutputColours(page, kept.view.population);
    kept.theme = state.theme;
  }
  kept.view.seek(state.epoch);
  return kept;
}
