/** What is shown of a run: its fork where there is one, else its recorded parameters, else what is trained live here. */

import { LiveTraining } from "./live.js";
import { Network } from "./network.js";
import { change, state } from "./state.js";
import { byId } from "./text.js";
import { Trainer } from "./training.js";

const opened = new Map();

/** One run of the page: its network with the settings of its own activations, its task, and its last epoch. */
class OpenedRun {
  constructor(page, run) {
    this.run = run;
    this.population = page.homes[run];
    this.place = run - this.population.first;
    this.network = new Network(this.population.own(this.population.shape, this.place));
    const ended = page.column("epochs_done")?.of(run);
    this.last = Math.min(ended ?? Infinity, this.population.last); // a stop rule may have ended it
    this.hasDiverged = page.column("outcome")?.of(run) === "diverged";
    this.isStored = this.population.isStored;
  }

  get task() {
    this.knownTask ??= this.population.taskOf(this.place);
    return this.knownTask;
  }

  /** The live training from the start of a run without snapshots. */
  get live() {
    this.knownLive ??= new LiveTraining(new Trainer(this.task));
    return this.knownLive;
  }
}

export function openedRun(page, run) {
  if (opened.size > 450) opened.clear(); // more than there are cells
  if (!opened.has(run)) opened.set(run, new OpenedRun(page, run));
  return opened.get(run);
}

/**
 * {run, population, place, network, theta, task, epoch, isLive, isFork} of a run at the last known epoch that is not
 * after `epoch`.  Views follow run, epoch, fork and live.
 */
export function shown(page, run = state.run, epoch = state.epoch) {
  if (isForkShown(run, epoch)) return state.fork.at(epoch);
  const own = openedRun(page, run);
  const { population, place, network, task, isStored } = own;
  const until = Math.min(epoch, own.last);
  const about = { run, population, place, network, task, isLive: !isStored, isFork: false };
  if (!isStored) {
    if (own.live.epoch < until) own.live.trainTo(until);
    return { ...about, ...own.live.at(until) };
  }
  // the frames kept from the end of a run on hold what it ended with
  const end = until === own.last ? population.frameEpochs.findIndex((kept) => kept >= until) : -1;
  const frame = end < 0 ? population.frameAt(until) : end;
  return { ...about, theta: population.theta(place, frame), epoch: Math.min(population.frameEpochs[frame], until) };
}

/** Whether the fork stands in for what is recorded at an epoch of a run. */
export function isForkShown(run = state.run, epoch = state.epoch) {
  const { fork } = state;
  return fork?.run === run && fork.isShown && epoch >= fork.from;
}

/** The last epoch that can be shown of the page: a fork may go on beyond the recorded runs. */
export function lastEpoch(page) {
  return state.fork?.isShown ? Math.max(page.last, state.fork.last) : page.last;
}

const LEAST_IN_SIGHT = 240; // px of its pictures with which nothing moves

/** Show a run that was picked in an element. */
export function showRun(run, picked) {
  change({ run });
  const { top, bottom } = byId("pictures").getBoundingClientRect();
  if (Math.min(bottom, innerHeight) - Math.max(top, 0) >= LEAST_IN_SIGHT) return;
  const back = byId("back");
  const { scrollY } = globalThis;
  back.hidden = false;
  back.onclick = () => {
    back.hidden = true;
    scrollTo({ top: scrollY });
    picked.focus({ preventScroll: true });
  };
  back.focus({ preventScroll: true });
  byId("one").scrollIntoView();
}
