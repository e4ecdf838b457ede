/** What is shown of a run: its fork where there is one, else its recorded parameters, else what is trained live here. */

import { LiveTraining } from "./live.js";
import { Network } from "./network.js";
import { state } from "./state.js";
import { Trainer } from "./training.js";

const MOST_KEPT = 450; // runs whose networks are kept, as many as there are cells
const opened = new Map();
const replays = new Map(); // by run: live trainings of runs without snapshots

/** One run of the page: its network with the settings of its own activations, and its task. */
class OpenedRun {
  constructor(page, run) {
    this.run = run;
    this.population = page.populationOf(run);
    this.place = page.placeOf(run);
    this.network = new Network(this.population.networkOf(this.place));
    const ended = page.column("epochs_done")?.of(run);
    this.last = Math.min(ended ?? Infinity, this.population.last); // a stop rule may end a run earlier
  }

  get task() {
    this.kept ??= this.population.taskOf(this.place);
    return this.kept;
  }

  /** Whether the page has more of its parameters than the first and the last. */
  get isStored() {
    const { snapshotRows, frameEpochs, last } = this.population;
    return Boolean(snapshotRows) && (frameEpochs.length > 2 || last < 2);
  }
}

export function openedRun(page, run) {
  if (opened.size > MOST_KEPT) opened.clear();
  if (!opened.has(run)) opened.set(run, new OpenedRun(page, run));
  return opened.get(run);
}

/**
 * {run, population, place, network, theta, task, epoch, isLive, isFork} of a run at the last known epoch that is not
 * after `epoch`.  Views follow run, epoch, fork and live.
 */
export function shown(page, run = state.run, epoch = state.epoch) {
  const { fork } = state;
  if (isForkShown(run, epoch)) return fork.at(epoch);
  const own = openedRun(page, run);
  const { population, place, network, task } = own;
  const about = { run, population, place, network, task, isFork: false };
  if (!own.isStored) return { ...about, ...replayed(own, epoch), isLive: true };
  const frame = population.frameAt(Math.min(epoch, own.last));
  return { ...about, theta: population.theta(place, frame), epoch: population.frameEpochs[frame], isLive: false };
}

/** Whether the fork stands in for what is recorded at an epoch of a run. */
export function isForkShown(run = state.run, epoch = state.epoch) {
  const { fork } = state;
  return fork?.run === run && fork.isShown && epoch >= fork.from;
}

/** The last epoch that can be shown of the page: a fork may go on beyond the recorded runs. */
export function lastEpoch(page) {
  const { fork } = state;
  return fork?.isShown ? Math.max(page.last, fork.last) : page.last;
}

/** The last known parameters of a live training that are not after an epoch; it is trained on if it is behind. */
function replayed(own, epoch) {
  const until = Math.min(epoch, own.last);
  if (!replays.has(own.run)) {
    for (const other of replays.values()) other.pause();
    if (replays.size > 8) replays.clear();
    replays.set(own.run, new LiveTraining(new Trainer(own.task)));
  }
  const live = replays.get(own.run);
  if (live.epoch < until) live.trainTo(until);
  return live.at(until);
}
