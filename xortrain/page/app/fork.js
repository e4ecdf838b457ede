/** A fork: the shown run, replayed from its start to an epoch and trained on from there with other settings. */

import { LiveTraining } from "./live.js";
import { ACTIVATIONS, OPTIMIZERS, SCHEDULES } from "./mathematics.js";
import { Network } from "./network.js";
import { isForkShown, openedRun, shown } from "./shown.js";
import { change, state } from "./state.js";
import { Trainer } from "./training.js";

const LONGEST = 10; // times the epochs of the recorded run
const PICTURES = 240; // of a fork up to the last recorded epoch, so that one can follow it
const NEAR = 1e-5; // of the recorded numbers, which are rounded to float32

/** Its changes are {lr, optimizer, activation}, each null for the run's own, and `set`, new values by places in theta. */
export class Fork {
  constructor(page, { run, epoch, theta }, changes = {}) {
    Object.assign(this, { page, run, from: epoch, start: theta, isShown: true, training: null, words: "" });
    this.own = openedRun(page, run);
    this.changes = { lr: null, optimizer: null, activation: null, set: new Map(), ...changes };
    this.stage = this.changedStage();
    const shape = this.stage.layers ? { ...this.own.task.network, layers: this.stage.layers } : this.own.task.network;
    this.network = new Network(shape);
    this.task = { ...this.own.task, network: shape };
  }

  /** What differs in the settings of the updates, as a `Trainer` takes it. */
  changedStage() {
    const { lr, optimizer, activation } = this.changes, stage = {};
    if (lr !== null) stage.lr = lr;
    if (optimizer !== null) stage.optimizer = { name: optimizer, settings: OPTIMIZERS[optimizer].defaults };
    if (activation === null) return stage;
    const { layers } = this.own.task.network, hidden = { activation, settings: ACTIVATIONS[activation].defaults };
    return { ...stage, layers: layers.map((layer, k) => (k < layers.length - 1 ? { ...layer, ...hidden } : layer)) };
  }

  /** The last epoch that it has reached. */
  get last() {
    return this.training?.epoch ?? this.from;
  }

  get isTraining() {
    return Boolean(this.replay?.isTraining || this.training?.isTraining);
  }

  /** The last epoch to which it can be trained: a schedule that ends has no epochs after that. */
  get longest() {
    const { population, task } = this.own, { schedule } = task.stages.at(-1);
    return SCHEDULES[schedule.name].usesTotal ? population.last : LONGEST * population.last;
  }

  at(epoch) {
    const { run, network, task, own } = this;
    const about = { run, population: own.population, place: own.place, network, task, isLive: true, isFork: true };
    return { ...about, ...(this.training ? this.training.at(epoch) : { epoch: this.from, theta: this.changedStart() }) };
  }

  changedStart() {
    const theta = Float64Array.from(this.start);
    for (const [place, value] of this.changes.set) theta[place] = value;
    return theta;
  }

  /** Replay the run, then train on: to the last recorded epoch, and if that is reached, to the longest. */
  train() {
    const goal = this.last < this.own.population.last ? this.own.population.last : this.longest;
    if (this.training) return this.goOn(goal);
    this.replay ??= new LiveTraining(new Trainer(this.own.task));
    this.replay.trainTo(this.from, { after: () => this.replayed(goal) });
  }

  replayed(goal) {
    this.words = `replaying epoch ${this.replay.epoch.toLocaleString("en")} of ${this.from.toLocaleString("en")}`;
    if (this.replay.epoch < this.from) return;
    this.words = this.departure();
    this.training = new LiveTraining(this.replay.trainer.fork(this.stage, this.changes.set));
    this.goOn(goal);
  }

  goOn(goal) {
    const pace = Math.ceil(Math.max(this.own.population.last - this.from, goal / 10) / PICTURES);
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let before = this.last;
    const after = () => {
      if (isForkShown() && state.epoch >= before) change({ epoch: this.last });
      before = this.last;
    };
    change({ isPlaying: false });
    this.training.trainTo(goal, { pace: isStill ? Infinity : pace, after });
  }

  pause() {
    this.replay?.pause();
    this.training?.pause();
    change({ live: state.live + 1 });
  }

  /** How the replay differs from what is recorded, in words. */
  departure() {
    const { theta } = this.replay.trainer;
    const off = Math.max(...theta.map((value, p) => Math.abs(value - this.start[p]) / Math.max(1, Math.abs(value))));
    if (this.own.population.dtype === "float32") return "recorded in float32, trained here in float64";
    if (off < NEAR) return "";
    return `the replay departs from the record by ${off.toPrecision(1)}: small differences grow in this run`;
  }

  /** The overrides of this fork for `xortrain continue`. */
  overrides() {
    const { optimizer, lr, activation, set } = this.changes, last = this.own.population.last;
    const names = [...set].map(([place, value]) => `set.${this.network.names[place].replace(/[[\]]+/g, " ").trim().replace(/ /g, ".")}=${value}`);
    const rate = lr ?? (optimizer === null ? null : this.own.task.stages.at(-1).lr); // another optimizer would bring its own
    const words = [["optimizer", optimizer], ["lr", rate], ["activation", activation]];
    if (this.last > last || this.from >= last) words.push(["epochs", Math.max(this.last, this.from + 1)]);
    return [...words.filter(([, value]) => value !== null).map(([name, value]) => `${name}=${value}`), ...names];
  }

  /** The command that trains this fork in a shell, or in Python if the run has no record. */
  command() {
    const words = this.overrides(), id = this.page.column("run").text(this.run);
    if (this.own.population.id) return ["xortrain continue", id, "--epoch", this.from, ...words].join(" ");
    return `run.fork(${[...words.map((word) => JSON.stringify(word)), `epoch=${this.from}`].join(", ")})`;
  }
}

/** Give a parameter another value at the start of the fork, which is made at the shown epoch if there is none. */
export function changeParameter(page, place, value) {
  const before = state.fork?.run === state.run ? state.fork : null;
  before?.pause();
  const changes = { ...before?.changes, set: new Map([...(before?.changes.set ?? []), [place, value]]) };
  const start = before ? { run: before.run, epoch: before.from, theta: before.start } : shown(page);
  const fork = new Fork(page, start, changes);
  fork.replay = before?.replay;
  change({ fork, weight: place, epoch: fork.from, isPlaying: false });
}
