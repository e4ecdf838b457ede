/** A fork: the shown run, replayed from its start to an epoch and trained on from there with other settings. */

import { LiveTraining } from "./live.js";
import { ACTIVATIONS, OPTIMIZERS, SCHEDULES } from "./mathematics.js";
import { Network } from "./network.js";
import { runNumber, runWords } from "./outcomes.js";
import { isForkShown, openedRun, shown } from "./shown.js";
import { change, state } from "./state.js";
import { formatted } from "./text.js";
import { lossOf, Trainer } from "./training.js";

const LONGEST = 10; // times the epochs of the recorded run
const FIRST = 1000; // epochs of one that has none
const PICTURES = 240; // of a fork up to the last recorded epoch, so that one can follow it
const NEAR = 1e-5; // of the recorded numbers, which are rounded to float32

/** Its changes are {lr, optimizer, activation} where they differ from the run's, and `set`, a Map of new parameters. */
export class Fork {
  constructor(page, { run, epoch, theta }, changes, replay) {
    Object.assign(this, { page, run, from: epoch, start: theta, changes, replay, isShown: true, words: "" });
    this.own = openedRun(page, run);
    const { network } = this.own.task;
    this.stage = this.changedStage(network.layers);
    this.shape = { ...network, layers: this.stage.layers ?? network.layers };
    this.network = new Network(this.shape);
  }

  /** A fork from the same moment with further changes; it must not be replayed again. */
  changed(changes) {
    const start = { run: this.run, epoch: this.from, theta: this.start };
    return new Fork(this.page, start, { ...this.changes, ...changes }, this.replay);
  }

  /** What differs in the settings of the updates, as a `Trainer` takes it. */
  changedStage(layers) {
    const { lr, optimizer, activation } = this.changes;
    const hidden = activation && { activation, settings: ACTIVATIONS[activation].defaults };
    return {
      ...(lr && { lr }),
      ...(optimizer && { optimizer: { name: optimizer, settings: OPTIMIZERS[optimizer].defaults } }),
      ...(hidden && { layers: layers.map((layer, k) => (k < layers.length - 1 ? { ...layer, ...hidden } : layer)) }),
    };
  }

  /** The last epoch that it has reached. */
  get last() {
    return this.training?.epoch ?? this.from;
  }

  get isTraining() {
    return Boolean(this.training ? this.training.isTraining : this.replay?.isTraining);
  }

  /** The epoch at which training stops: the last recorded one, and if that is reached, the longest. */
  get goal() {
    return goalFrom(this.own, this.last);
  }

  /** Its losses: [[epoch, loss]]. */
  get losses() {
    const losses = this.training?.losses ?? [[this.from, this.lossAt(this.from)]];
    return losses.filter(([, loss]) => Number.isFinite(loss));
  }

  lossAt(epoch) {
    const { task, theta } = this.at(epoch);
    return lossOf(task, theta);
  }

  at(epoch) {
    const { run, network, own } = this;
    const stages = [{ ...own.task.stages.at(-1), ...this.stage }];
    const task = { ...(this.training?.trainer.task ?? { ...own.task, stages }), network: this.shape };
    const theta = Float64Array.from(this.start);
    for (const [place, value] of this.changes.set) theta[place] = value;
    const moment = this.training?.at(epoch) ?? { epoch: this.from, theta };
    return { run, population: own.population, place: own.place, network, task, isLive: true, isFork: true, ...moment };
  }

  /** Replay the run, then train on. */
  train() {
    if (this.training) return this.goOn();
    this.replay ??= new LiveTraining(new Trainer(this.own.task));
    this.replay.trainTo(this.from, { after: () => this.replayed() });
  }

  replayed() {
    const { replay, from } = this;
    this.words = `the run is replayed to epoch ${formatted(from)}`;
    if (replay.epoch < from) return;
    this.words = this.departure(replay.trainer.theta);
    this.training = new LiveTraining(replay.trainer.fork(this.stage, this.changes.set));
    this.goOn();
  }

  goOn() {
    const { last } = this.own.population;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const pace = isStill || this.last >= last ? Infinity : Math.ceil(last / PICTURES);
    let before = this.last;
    const after = () => {
      if (isForkShown() && state.epoch >= before) change({ epoch: this.last });
      before = this.last;
    };
    this.training.trainTo(this.goal, { pace, after });
  }

  pause() {
    this.replay?.pause();
    this.training?.pause();
  }

  /** Why it is not in training, in words. */
  ending() {
    const { last, goal, own, training } = this;
    if (!training || this.isTraining) return "";
    if (goal <= last) return hindrance(own, last);
    return last === own.population.last ? "it stops where the recorded run does" : "it is paused";
  }

  /** As in "Fork of #17 from epoch 60 · lr 0.1". */
  title() {
    const { lr, optimizer, activation, set } = this.changes;
    const given = Object.entries({ lr, optimizer, activation }).filter(([, value]) => value);
    for (const [place, value] of set) given.push([this.network.names[place], value]);
    const words = given.map(([name, value]) => `${name} ${value}`);
    return [`Fork of ${runNumber(this.page, this.run)} from epoch ${formatted(this.from)}`, ...words].join(" · ");
  }

  /** How the replay differs from what is recorded, in words. */
  departure(theta) {
    const off = Math.max(...theta.map((value, p) => Math.abs(value - this.start[p]) / Math.max(1, Math.abs(value))));
    if (this.own.population.dtype === "float32") return "the run is recorded in float32, and trained here in float64";
    if (off < NEAR) return "";
    return `the replay departs from the record by ${off.toPrecision(1)}: in this run small differences grow`;
  }

  /** Its overrides for `xortrain continue`, with the lr, as another optimizer would bring its own. */
  overrides() {
    const { optimizer, lr, activation, set } = this.changes;
    const { last } = this.own.population;
    const rate = lr ?? (optimizer && this.own.task.stages.at(-1).lr);
    const epochs = (this.last > last || this.from >= last) && Math.max(this.last, this.from + 1);
    const stop = this.own.population.stop !== "never" && "never"; // no rule stops a fork in the page
    const given = { optimizer, lr: rate, activation, epochs, stop };
    const words = Object.entries(given).filter(([, value]) => value);
    for (const [place, value] of set) words.push([`set.${this.network.names[place].replace(/\W+(?=\d)/g, ".").replace("]", "")}`, value]);
    return words.map(([name, value]) => `${name}=${value}`);
  }

  /** Why no command trains this fork, in words; "" if one does. */
  onlyHere() {
    const { isStored, population } = this.own;
    if (this.changes.activation) return "only here: xortrain continue keeps the activation";
    if (isStored || population.recordEpochs.includes(this.from)) return "";
    return `only here: the record has no snapshot of epoch ${formatted(this.from)}`;
  }

  /** The command that trains this fork in a shell, or in Python if the run has no record; "" if there is none. */
  command() {
    if (this.onlyHere() || hindrance(this.own, this.from, true)) return "";
    const words = this.overrides();
    if (!this.own.population.id) return `run.fork(${[...words.map((word) => `"${word}"`), `epoch=${this.from}`].join(", ")})`;
    const files = this.own.population.use.flatMap((name) => ["--use", name]);
    return ["xortrain continue", this.page.column("run").text(this.run), "--epoch", this.from, ...files, ...words].join(" ");
  }
}

/** Whether a run's schedule has no epochs after its last one. */
function hasEnd({ task }) {
  return SCHEDULES[task.stages.at(-1).schedule.name].usesTotal;
}

/** Why a run's fork is not trained on from an epoch, in words; "" if it is. */
export function hindrance(own, epoch, isStart = false) {
  if (isStart && own.hasDiverged && epoch >= own.last) return "the run diverged here: go to an earlier epoch";
  if (epoch < goalFrom(own, epoch)) return "";
  if (hasEnd(own)) return "its schedule ends here";
  return `the page trains no more than ${own.population.last ? `${LONGEST} times the recorded` : formatted(FIRST)} epochs`;
}

/** Where training of a run's fork from an epoch stops: that of the recorded run, or after many times its epochs. */
export function goalFrom(own, epoch) {
  const { last } = own.population;
  return epoch < last || hasEnd(own) ? last : LONGEST * last || FIRST;
}

/** A run in words, or its fork where that is what is shown. */
export function shownWords(page, run = state.run) {
  return isForkShown(run) ? state.fork.title() : runWords(page, run);
}

/** The fork of the run that is shown, if it has one. */
export function forkOfRun() {
  return state.fork?.run === state.run ? state.fork : null;
}

/** Start a fork at the shown epoch, or the one that there is again, with changes. */
export function forkWith(page, changes) {
  const before = forkOfRun();
  before?.pause();
  const fork = before?.changed(changes) ?? new Fork(page, shown(page), { set: new Map(), ...changes });
  change({ fork, epoch: fork.from, isPlaying: false });
  return fork;
}

/** The parameters that a change starts from: those at the start of the fork, or of the shown epoch if there is none. */
export function parametersToChange(page) {
  const fork = forkOfRun();
  return (fork?.at(fork.from) ?? shown(page)).theta;
}

/** Give a parameter another value at the start of the fork, which is made at the shown epoch if there is none. */
export function changeParameter(page, place, value) {
  forkWith(page, { set: new Map([...(forkOfRun()?.changes.set ?? []), [place, value]]) });
}
