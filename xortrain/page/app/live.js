/** Training in the page, in slices that leave it alive, with a curve of losses and parameters to scrub over. */

import { change } from "./state.js";

const SLICE = 12; // milliseconds
const MOST_LOSSES = 512;
const MOST_FRAMES = 128;

let slices = 0;

/** Values by epoch: of twice as many as wanted, every other one is dropped. */
class Series {
  constructor(most) {
    this.most = most;
    this.epochs = [];
    this.values = [];
    this.stride = 1;
  }

  wants(epoch) {
    return epoch % this.stride === 0 || !this.epochs.length;
  }

  add(epoch, value) {
    this.epochs.push(epoch);
    this.values.push(value);
    if (this.epochs.length <= 2 * this.most) return;
    this.stride *= 2;
    const isKept = (_, i) => i === 0 || this.epochs[i] % this.stride === 0;
    this.values = this.values.filter(isKept);
    this.epochs = this.epochs.filter(isKept);
  }

  /** The place of the last one that is not after an epoch. */
  placeAt(epoch) {
    let place = this.epochs.length - 1;
    while (place > 0 && this.epochs[place] > epoch) place--;
    return place;
  }
}

export class LiveTraining {
  constructor(trainer) {
    this.trainer = trainer;
    this.losses = new Series(MOST_LOSSES);
    this.frames = new Series(MOST_FRAMES);
    this.chunk = 1;
    this.until = trainer.epoch;
    this.isTraining = false;
    this.keep();
  }

  get epoch() {
    return this.trainer.epoch;
  }

  keep() {
    const { epoch, theta } = this.trainer;
    if (this.losses.wants(epoch)) this.losses.add(epoch, this.trainer.loss());
    if (this.frames.wants(epoch)) this.frames.add(epoch, theta.slice());
  }

  /** The parameters at the last kept epoch that is not after `epoch`; those of now are always known. */
  at(epoch) {
    if (epoch >= this.epoch) return { epoch: this.epoch, theta: this.trainer.theta.slice() };
    const place = this.frames.placeAt(epoch);
    return { epoch: this.frames.epochs[place], theta: this.frames.values[place] };
  }

  /** Train to an epoch in slices; `pace` limits the epochs of one, `after` is called after each. */
  trainTo(until, { pace = Infinity, after = () => {} } = {}) {
    Object.assign(this, { until, pace, after });
    if (this.isTraining) return;
    this.isTraining = true;
    requestAnimationFrame(() => this.slice());
  }

  pause() {
    this.isTraining = false;
  }

  slice() {
    if (!this.isTraining) return;
    const end = performance.now() + SLICE, goal = Math.min(this.until, this.epoch + this.pace);
    while (this.epoch < goal && performance.now() < end) this.advance(goal);
    this.isTraining = this.epoch < this.until;
    change({ live: ++slices });
    this.after();
    if (this.isTraining) requestAnimationFrame(() => this.slice());
  }

  /** Train to the next epoch that is kept, or a part of the way if epochs are slow. */
  advance(goal) {
    const { trainer } = this, { stride } = this.losses;
    const next = (Math.floor(trainer.epoch / stride) + 1) * stride;
    const begun = performance.now();
    trainer.advance(Math.min(next, goal, trainer.epoch + this.chunk) - trainer.epoch);
    const took = performance.now() - begun;
    this.chunk = took < 1 ? this.chunk * 2 : took > 4 ? Math.ceil(this.chunk / 2) : this.chunk;
    this.keep();
  }
}
