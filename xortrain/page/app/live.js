/** Training in the page, in slices that leave it alive, with losses and parameters to look back at. */

import { change, state } from "./state.js";

const SLICE = 12; // milliseconds
const MOST_KEPT = 512; // moments; of more, every other one is dropped

/** A trainer, and moments {epoch, loss, theta} of its past. */
export class LiveTraining {
  constructor(trainer) {
    Object.assign(this, { trainer, moments: [], stride: 1, chunk: 1, isTraining: false });
    this.keep();
  }

  get epoch() {
    return this.trainer.epoch;
  }

  /** The losses at these moments: [[epoch, loss]]. */
  get losses() {
    return this.moments.map(({ epoch, loss }) => [epoch, loss]);
  }

  keep() {
    const { epoch, theta } = this.trainer;
    if (this.moments.length && epoch % this.stride) return;
    this.moments.push({ epoch, loss: this.trainer.loss(), theta: theta.slice() });
    if (this.moments.length <= MOST_KEPT) return;
    this.stride *= 2;
    this.moments = this.moments.filter((moment, i) => i === 0 || moment.epoch % this.stride === 0);
  }

  /** The parameters at the last kept epoch that is not after `epoch`; those of now are always known. */
  at(epoch) {
    if (epoch >= this.epoch) return { epoch: this.epoch, theta: this.trainer.theta.slice() };
    return this.moments.findLast((moment) => moment.epoch <= epoch) ?? this.moments[0];
  }

  /** Train to an epoch, at most `pace` epochs a picture; `after` is called after each slice. */
  trainTo(until, { pace = Infinity, after = () => {} } = {}) {
    Object.assign(this, { until, pace, after });
    this.isTraining = true;
    this.wait();
  }

  wait() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => this.slice());
  }

  pause() {
    this.isTraining = false;
  }

  slice() {
    this.isWaiting = false;
    if (!this.isTraining) return;
    const end = performance.now() + SLICE;
    const goal = Math.min(this.until, this.epoch + this.pace);
    while (this.epoch < goal && performance.now() < end) this.advance(goal);
    this.isTraining = this.epoch < this.until;
    this.after();
    change({ live: state.live + 1 });
    if (this.isTraining) this.wait();
  }

  /** Train to the next moment that is kept, or a part of the way where epochs are slow. */
  advance(goal) {
    const begun = performance.now();
    const next = this.epoch - (this.epoch % this.stride) + this.stride;
    this.trainer.advance(Math.min(next, goal, this.epoch + this.chunk) - this.epoch);
    const took = performance.now() - begun;
    if (took < 1) this.chunk *= 2;
    else if (took > 4) this.chunk = Math.ceil(this.chunk / 2);
    this.keep();
  }
}
