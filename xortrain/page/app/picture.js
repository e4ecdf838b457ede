/** One run as its pictures need it: network, examples, parameters at an epoch, and outputs as colours. */

import { isDark, styled } from "./canvas.js";
import { cssOf, inkOn, mixed, rgbOf } from "./paint.js";
import { openedRun, shown } from "./shown.js";
import { state } from "./state.js";

const OFF_SCALE = 100; // values farther from the targets than this multiple of their distance have no colour
const MOST_VALUES = 4; // inputs whose values name an example
const SHADES = 64; // of a class

/** One run.  After `show`, `theta` has its parameters, and `walk` what its network makes of the examples. */
export class RunView {
  constructor(page, run, network = openedRun(page, run).network) {
    const { population, place, isStored } = openedRun(page, run);
    Object.assign(this, { run, population, place, network, isStored, picture: population.picture });
    Object.assign(this, population.own(population.scaling, place)); // inputs and targets
  }

  /** Inputs x as the network has them, in units of the data `raw` and `aims` (targets), and bounds of right outputs. */
  get examples() {
    if (this.known) return this.known;
    const { x, t } = this.population.data;
    const found = this.population.own({ x, raw: x, aims: t, ...this.population.success }, this.place);
    for (const row of found.raw) unscaled(row, this.inputs);
    for (const row of found.aims) unscaled(row, this.targets);
    this.known = { ...found, names: found.raw.map(exampleName) };
    return this.known;
  }

  /** Take the parameters that `shown` gives; those of a kept epoch do not change. */
  show({ theta, epoch, isLive, isFork }) {
    if (this.epoch === epoch && !isLive && !this.isLive) return this;
    Object.assign(this, { theta, epoch, isLive: isLive || isFork, walked: null });
    return this;
  }

  /** For each example its outputs in units of the data, whether they are right, and what the last layer receives. */
  get walk() {
    const { x, lower, upper } = this.examples;
    this.walked ??= x.map((point, n) => {
      const y = this.network.forward(this.theta, point);
      const isRight = y.every((value, k) => value > lower[n][k] && value < upper[n][k]);
      return { y: this.unscale(y.slice()), isRight, received: this.network.received.at(-1).slice() };
    });
    return this.walked;
  }

  /** Outputs (points, outputs) in units of the data, in place. */
  unscale(y) {
    return unscaled(y, this.targets);
  }

  /** The inputs at (u, v) of a slice of the input space, as the network has them, into `out` from `first`. */
  input({ origin, across, up }, u, v, out, first) {
    for (let k = 0; k < origin.length; k++) {
      const value = origin[k] + u * across[k] + v * up[k];
      out[first + k] = this.inputs ? (value - this.inputs.shift[k]) / this.inputs.factor[k] : value;
    }
  }
}

function unscaled(values, scaling) {
  const width = scaling?.shift.length;
  for (let i = 0; scaling && i < values.length; i++) {
    values[i] = values[i] * scaling.factor[i % width] + scaling.shift[i % width];
  }
  return values;
}

function exampleName(x, n) {
  return x.length > MOST_VALUES ? `${n + 1}` : `(${Array.from(x, (value) => Number(value.toPrecision(3))).join(", ")})`;
}

/**
 * How outputs become colours, as in xortrain.films.colour_scale: one value between two targets, or the class of the
 * greatest output in shades of its value.  `table` has the colours as pixels, the last one for no value.
 */
export class OutputColours {
  constructor(page, population) {
    Object.assign(this, population.picture.scale);
    for (const name of ["paper", "ink", "label", "pale"]) this[name] = styled(`--${name}`);
    const { levels, hues } = population.own(page.colours[isDark() ? "dark" : "light"]);
    this.outputs = population.network.layers.at(-1).units;
    this.hues = hues;
    const colours = this.classes > 2 ? hues.flatMap(shadesOf) : levels;
    this.noValue = colours.length;
    this.steps = this.classes > 2 ? SHADES : this.noValue;
    this.table = Uint32Array.from([...colours, rgbOf("--no-value")], pixel);
    this.middle = (this.low + this.high) / 2;
    this.from = this.classes > 2 ? this.low + (this.high - this.low) / this.classes : this.low;
    this.factor = this.steps / (this.high - this.from || 1);
    this.farthest = OFF_SCALE * this.steps;
  }

  /** The place in `table` of the outputs y[at], y[at + 1], … */
  place(y, at = 0) {
    if (this.classes < 3) return this.level(this.value(y, at));
    const kind = this.kind(y, at);
    return this.level(y[at + kind], this.firstOf(kind));
  }

  /** The place of the first shade of a class; after the last hue they repeat. */
  firstOf(kind) {
    return (kind % this.hues.length) * this.steps;
  }

  level(value, first = 0) {
    const scaled = (value - this.from) * this.factor;
    if (!(Math.abs(scaled) <= this.farthest)) return this.noValue;
    return first + (scaled < 0 ? 0 : scaled >= this.steps ? this.steps - 1 : Math.floor(scaled));
  }

  /** What is shown of the outputs for two classes, or for real values. */
  value(y, at = 0) {
    return this.oneHot && this.classes === 2 ? (y[at + 1] - y[at]) / 2 + this.middle : y[at];
  }

  /** The class that outputs or targets stand for; 0 for real values. */
  kind(y, at = 0) {
    if (this.classes < 3) return this.classes && this.value(y, at) > this.middle ? 1 : 0;
    let best = 0;
    for (let k = 1; k < this.outputs; k++) if (y[at + k] > y[at + best]) best = k;
    return best;
  }

  paint(y, pixels) {
    const { table, outputs } = this;
    for (let i = 0; i < pixels.length; i++) pixels[i] = table[this.place(y, i * outputs)];
  }

  rgb(place) {
    return [0, 8, 16].map((bits) => (this.table[place] >> bits) & 255);
  }

  /** The colour at a place of `table`. */
  tone(place) {
    return cssOf(this.rgb(place));
  }

  /** The place in `table` of one output alone; of two classes, the first has its colour where its output is high. */
  single(value, kind) {
    const [low, high] = this.ranges[kind] ?? [this.low, this.high];
    const onScale = this.from + ((value - low) * (this.high - this.from)) / (high - low || 1);
    const place = this.level(onScale, this.classes < 3 ? 0 : this.firstOf(kind));
    const isMirrored = this.oneHot && this.classes === 2 && kind === 0 && place < this.noValue;
    return isMirrored ? this.steps - 1 - place : place;
  }

  /** The colour of the mark of an example with these targets. */
  mark(t) {
    return this.classes ? cssOf(this.hues[this.kind(t) % this.hues.length]) : this.tone(this.place(t));
  }

  /** Black or white, whichever is legible on the colour at a place. */
  contrast(place) {
    return inkOn(this.rgb(place));
  }
}

/** A colour as it stands in the pixels of an image. */
function pixel([red, green, blue]) {
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}

/** The shades of a class, from nearly the paper to nearly its colour. */
function shadesOf(hue) {
  const shade = (i) => mixed(rgbOf("--paper"), hue, 0.18 + (0.68 * i) / (SHADES - 1)).map(Math.round);
  return Array.from({ length: SHADES }, (_, i) => shade(i));
}

let last = {};

/** {view, colours} of the shown run at the shown epoch, shared by its pictures. */
export function shownRun(page) {
  const found = shown(page);
  const { run, network } = found;
  if (last.view?.run !== run || last.view.network !== network) last = { view: new RunView(page, run, network) };
  if (last.theme !== state.theme) {
    last.colours = new OutputColours(page, last.view.population);
    last.theme = state.theme;
  }
  last.view.show(found);
  return last;
}
