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
    const { network, loss, ...rest } = meta;
    Object.assign(this, rest);
    this.shape = network;
    this.lossChoice = loss;
    this.arrays = arrays;
    this.lossRows = arrays[meta.losses];
    this.testRows = meta.testLosses === undefined ? null : arrays[meta.testLosses];
    this.startRows = arrays[meta.starts];
    this.snapshotRows = arrays[meta.snapshots];
    this.network = new Network(this.networkOf(0));
    this.last = this.lossEpochs.at(-1);
  }

  /** A number of one run, which may be shared by all: a number, or {array}. */
  number(given, place) {
    return typeof given === "number" ? given : Number(this.arrays[given.array][place]);
  }

  settings(given, place) {
    return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, this.number(value, place)]));
  }

  /** Layers, bias and skip connection, with the activations' settings of one run. */
  networkOf(place) {
    const { layers } = this.shape;
    const own = layers.map((layer) => ({ ...layer, settings: this.settings(layer.settings, place) }));
    return { ...this.shape, layers: own };
  }

  loss(place, row) {
    return this.lossRows[row * this.runs + place];
  }

  testLoss(place, row) {
    return this.testRows ? this.testRows[row * this.runs + place] : NaN;
  }

  /** The parameters after the epoch of a frame: those of epoch 0 exact, all others rounded to float32. */
  theta(place, frame, out = new Float64Array(this.network.size)) {
    const rows = this.frameEpochs[frame] === 0 ? this.startRows : this.snapshotRows;
    const first = this.frameEpochs[frame] === 0 ? 0 : frame * out.length;
    for (let p = 0; p < out.length; p++) out[p] = rows[(first + p) * this.runs + place];
    return out;
  }

  /** The frame of the last kept epoch that is not after `epoch`. */
  frameAt(epoch) {
    let frame = this.frameEpochs.length - 1;
    while (frame > 0 && this.frameEpochs[frame] > epoch) frame--;
    return frame;
  }

  /** The rows of an array (rows, columns) or (rows, columns, runs), for one run. */
  rows({ array }, place) {
    const [count, width, runs] = this.arrays.shapes[array];
    const values = this.arrays[array];
    const at = (i) => (runs === undefined ? values[i] : values[i * runs + place]);
    return Array.from({ length: count }, (_, row) => Float64Array.from({ length: width }, (_, k) => at(row * width + k)));
  }

  /** What one run is trained on and how, for a `Trainer`. */
  taskOf(place) {
    const { x, t } = this.data;
    return {
      network: this.networkOf(place),
      loss: { ...this.lossChoice, settings: this.settings(this.lossChoice.settings, place) },
      stages: this.stages.map((stage) => this.stageOf(stage, place)),
      seed: this.number(this.seeds, place),
      x: this.rows(x, place),
      t: this.rows(t, place),
      start: this.theta(place, 0),
    };
  }

  stageOf(stage, place) {
    const size = this.network.size;
    const rates = (lr) => Float64Array.from({ length: size }, (_, p) => this.arrays[lr.array][p * this.runs + place]);
    return {
      ...stage,
      until: stage.until ?? Infinity,
      optimizer: { ...stage.optimizer, settings: this.settings(stage.optimizer.settings, place) },
      schedule: { ...stage.schedule, settings: this.settings(stage.schedule.settings, place) },
      lr: stage.lr.perParameter ? rates(stage.lr) : this.number(stage.lr, place),
    };
  }
}

/** All runs of the page, in the order of their populations. */
export class Page {
  constructor(meta, arrays) {
    arrays.shapes = meta.arrays.map((one) => one.shape);
    Object.assign(this, meta);
    this.columns = meta.columns.map((column) => new Column(column, arrays));
    this.populations = meta.populations.map((one) => new Population(one, arrays));
    this.runs = this.populations.reduce((sum, one) => sum + one.runs, 0);
    this.last = Math.max(...this.populations.map((one) => one.last));
  }

  column(name) {
    return this.columns.find((column) => column.name === name);
  }

  populationOf(run) {
    return this.populations.findLast((one) => one.first <= run);
  }

  placeOf(run) {
    return run - this.populationOf(run).first;
  }
}
