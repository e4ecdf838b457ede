/** The runs of the page as objects: its table, and its populations with their parameters, losses and examples. */

import { Network } from "./network.js";
import { formatted } from "./text.js";

/** One column of the table: a value a run. */
export class Column {
  constructor({ name, kind, array, words }, arrays) {
    this.name = name;
    this.isNumber = kind === "number";
    this.values = arrays[array];
    this.words = words;
  }

  /** The value of a run: a number, a word, or null if it is not known. */
  of(run) {
    if (!this.isNumber) return this.words[this.values[run]];
    return Number.isNaN(this.values[run]) ? null : this.values[run];
  }

  text(run) {
    return this.isNumber ? formatted(this.of(run)) : this.of(run);
  }
}

/** Runs that share the shape of their network, and their epochs; `place` counts the runs of a population from 0. */
export class Population {
  constructor(meta, arrays) {
    const { network, ...rest } = meta;
    Object.assign(this, rest);
    this.shape = network;
    this.arrays = arrays;
    this.lossRows = arrays[meta.losses];
    this.testRows = meta.testLosses === undefined ? null : arrays[meta.testLosses];
    this.startRows = arrays[meta.starts];
    this.snapshotRows = arrays[meta.snapshots];
    this.network = new Network(this.own(network, 0));
    this.last = this.lossEpochs.at(-1);
    const isWhole = (epochs) => epochs.length > 2 || this.last < 2; // more than the first and the last
    this.hasCourse = isWhole(this.lossEpochs);
    this.isStored = Boolean(this.snapshotRows) && isWhole(this.frameEpochs); // else it is trained here
  }

  /** A part of the JSON as one run has it: where {array} is, a number, numbers, or rows of them. */
  own(given, place) {
    if (given === null || typeof given !== "object") return given;
    if (Array.isArray(given)) return given.map((one) => this.own(one, place));
    if ("array" in given) return this.numbers(given, place);
    return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, this.own(one, place)]));
  }

  numbers({ array, perRun }, place) {
    const shape = this.arrays.shapes[array];
    const [rows, columns] = perRun ? shape.slice(0, -1) : shape;
    const row = (first, count) => Float64Array.from({ length: count }, (_, k) => this.number(array, perRun, first + k, place));
    if (columns !== undefined) return Array.from({ length: rows }, (_, k) => row(k * columns, columns));
    return rows === undefined ? this.number(array, perRun, 0, place) : row(0, rows);
  }

  number(array, perRun, i, place) {
    return this.arrays[array][perRun ? i * this.runs + place : i];
  }

  loss(place, row) {
    return this.lossRows[row * this.runs + place];
  }

  testLoss(place, row) {
    return this.testRows ? this.testRows[row * this.runs + place] : NaN;
  }

  /** The parameters after the epoch of a frame: those of epoch 0 exact, all others rounded to float32, unless it lacks them. */
  theta(place, frame) {
    const rows = this.frameEpochs[frame] === 0 ? this.startRows : this.snapshotRows;
    const found = new Float64Array(this.network.size);
    const first = this.frameEpochs[frame] === 0 ? 0 : frame * found.length;
    for (let p = 0; p < found.length; p++) found[p] = rows[(first + p) * this.runs + place];
    return found;
  }

  /** The frame of the last kept epoch that is not after `epoch`. */
  frameAt(epoch) {
    return Math.max(0, this.frameEpochs.findLastIndex((kept) => kept <= epoch));
  }

  /** What one run is trained on and how, for a `Trainer`. */
  taskOf(place) {
    const { shape: network, stages, seeds: seed, data } = this;
    const { loss } = stages.at(-1); // it judges all epochs
    return { ...this.own({ network, loss, stages, seed, ...data }, place), start: this.theta(place, 0) };
  }
}

/** All runs of the page, in the order of their populations. */
export class Page {
  constructor(meta, arrays) {
    arrays.shapes = meta.arrays.map((one) => one.shape);
    Object.assign(this, meta);
    this.columns = meta.columns.map((column) => new Column(column, arrays));
    this.populations = meta.populations.map((one) => new Population(one, arrays));
    this.homes = this.populations.flatMap((one) => Array(one.runs).fill(one)); // the population of each run
    this.runs = this.homes.length;
    this.last = Math.max(...this.populations.map((one) => one.last));
    this.recordNames = recordNames(this.populations.map((one) => one.id));
  }

  column(name) {
    return this.columns.find((column) => column.name === name);
  }
}

/** What tells records apart, by their ids: the time of day, without parts of a second where that is enough, or a name. */
function recordNames(ids) {
  const [full, short] = [/.*\//, /.*\/|(?<=\/\d\d-\d\d-\d\d)-\d{6}$/g].map((left) => ids.map((id) => id.replace(left, "")));
  const names = new Set(short).size === new Set(ids).size ? short : full;
  return new Map(ids.map((id, k) => [id, names[k]]));
}
