/**
 * Training as xortrain.training does it: stages with settings of their own, schedules, mini-batches, frozen layers.
 *
 * A task is {network, loss, stages, seed, x, t, start}; it is trained in float64, whatever the record's type was.
 */

import { GRADIENT, LOSSES, OPTIMIZERS, SCHEDULES, SHAPING, UPDATES } from "./mathematics.js";
import { Network, shapeKey } from "./network.js";

/** A loss on the outputs of a network, summed or averaged over examples. */
export class Criterion {
  constructor({ name, reduction, settings }, network) {
    this.row = LOSSES[name];
    this.output = network.layers.at(-1);
    this.joint = this.row.output === this.output.activation ? this.row.joint : undefined;
    Object.assign(this, { name, reduction, settings, network });
    this.isSmoothed = Boolean(settings.label_smoothing);
    this.smooth = new Float64Array(this.output.units);
    this.values = new Float64Array(this.output.units);
  }

  /** The targets of one example, smoothed if label smoothing is on. */
  aims(t) {
    if (!this.isSmoothed) return t;
    this.row.smoothed(t, this.smooth, this.settings);
    return this.smooth;
  }

  /** The factor by which the loss of one element enters that of all examples. */
  share(examples) {
    if (this.reduction === "sum") return 1;
    return 1 / (this.row.per === "element" ? examples * this.output.units : examples);
  }

  /** The loss of the example that was last walked through the network, before reduction. */
  value(t) {
    const { network, values, joint, row } = this, last = network.depth - 1, aims = this.aims(t);
    if (joint) joint.value(network.z[last], aims, values, this.settings);
    else row.value(network.a[last], aims, values, this.settings);
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** dL/dz of the outputs of that example, into `delta` of the last layer. */
  delta(t, share) {
    const { network, joint, row } = this, last = network.depth - 1, aims = this.aims(t);
    const z = network.z[last], y = network.a[last], delta = network.delta[last];
    if (joint) joint.delta(z, y, aims, delta, this.settings);
    else {
      row.gradient(y, aims, delta, this.settings);
      network.rows[last].backward(z, y, delta, network.settings[last]);
    }
    for (let k = 0; k < delta.length; k++) delta[k] *= share;
  }
}

/** A network with its loss: the loss of examples, and its gradient. */
class Descent {
  constructor(shape, loss) {
    this.network = new Network(shape);
    this.criterion = new Criterion(loss, this.network);
  }

  loss(theta, x, t) {
    let total = 0;
    for (let n = 0; n < x.length; n++) {
      this.network.forward(theta, x[n]);
      total += this.criterion.value(t[n]);
    }
    return total * this.criterion.share(x.length);
  }

  /** dL/dtheta of the examples rows[first] up to rows[until - 1], or of those in the order of the data. */
  gradient(theta, x, t, g, rows = null, first = 0, until = x.length) {
    const share = this.criterion.share(until - first);
    g.fill(0);
    for (let place = first; place < until; place++) {
      const n = rows ? rows[place] : place;
      this.network.forward(theta, x[n]);
      this.criterion.delta(t[n], share);
      this.network.backward(theta, g);
    }
    return g;
  }
}

/** The loss of a task over all of its examples. */
export function lossOf(task, theta) {
  return new Descent(task.network, task.loss).loss(theta, task.x, task.t);
}

/** The gradient of a task's loss over all of its examples. */
export function gradientOf(task, theta) {
  const { network, loss, x, t } = task;
  return new Descent(network, loss).gradient(theta, x, t, new Float64Array(theta.length));
}

/** What makes dL/dtheta of one parameter: each example's delta of the unit, what it received (1 for a bias), and both. */
export function productsOf(task, theta, index) {
  const { network, criterion } = new Descent(task.network, task.loss);
  const { layer, to, from } = network.connectionOf(index);
  const share = criterion.share(task.x.length), whole = new Float64Array(theta.length);
  const examples = task.x.map((x, n) => {
    network.forward(theta, x);
    criterion.delta(task.t[n], share);
    network.backward(theta, whole);
    const delta = network.delta[layer][to], received = from === undefined ? 1 : network.received[layer][from];
    return { delta, received, product: delta * received };
  });
  return { layer, to, from, share, name: network.names[index], examples };
}

const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9e3779b97f4a7c15n; // 2^64 / golden ratio

/** SplitMix64's finalizer (Steele, Lea & Flood 2014). */
function scramble(n) {
  n = ((n ^ (n >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  n = ((n ^ (n >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return n ^ (n >> 31n);
}

/** The order of the examples in an epoch: that of scrambled (seed, epoch, example). */
export function order(seed, epoch, examples) {
  const key = scramble((scramble(BigInt(seed)) + BigInt(epoch) * GOLDEN) & MASK);
  const keys = BigUint64Array.from({ length: examples }, (_, n) => scramble((key + BigInt(n + 1) * GOLDEN) & MASK));
  const rows = Array.from(keys.keys());
  return rows.sort((one, other) => (keys[one] < keys[other] ? -1 : keys[one] > keys[other] ? 1 : one - other));
}

/** The stage of a task whose settings make the update of an epoch; the last one has no end. */
export function stageAt({ stages }, epoch) {
  return stages.find(({ until }) => until === null || epoch < until);
}

/** The key of the unrolled update of a full batch. */
export function updateKey(shape, loss, optimizer, examples) {
  const used = OPTIMIZERS[optimizer.name].optional.filter((name) => optimizer.settings[name]);
  const smoothed = Boolean(loss.settings.label_smoothing);
  return [shapeKey(shape), loss.name, loss.reduction, smoothed, optimizer.name, ...used, examples].join(" ");
}

/** One run in training: its parameters and the state of its optimizer after `epoch` epochs. */
export class Trainer {
  constructor(task) {
    this.task = task;
    this.epoch = 0;
    this.theta = Float64Array.from(task.start);
    this.g = new Float64Array(this.theta.length);
    this.enter(stageAt(task, 0));
  }

  /** Train with the settings of a stage; the same optimizer goes on with its state, another one starts anew. */
  enter(stage) {
    const before = this.stage, known = this.state ?? {};
    const shape = { ...this.task.network, layers: stage.layers ?? this.task.network.layers };
    const { name, settings } = stage.optimizer;
    this.stage = stage;
    this.descent = new Descent(shape, stage.loss);
    this.judge = new Descent(shape, this.task.loss);
    this.optimizer = OPTIMIZERS[name];
    this.schedule = SCHEDULES[stage.schedule.name];
    this.base = typeof stage.lr === "number" ? new Float64Array(this.theta.length).fill(stage.lr) : stage.lr;
    this.rates = Float64Array.from(this.base);
    this.state = this.optimizer.start(this.theta, this.rates, settings);
    if (before?.optimizer.name === name) {
      for (const key of Object.keys(this.state)) if (isKept(key, before.optimizer)) this.state[key] = known[key];
    }
    this.isShaped = SHAPING.some((setting) => settings[setting]);
    this.isWeight = this.descent.network.names.map((parameter) => Number(parameter.startsWith("W")));
    this.frozen = stage.frozen.map((index) => [index, this.theta[index]]);
    this.unrolled = this.unrolledUpdate(shape);
  }

  /** The generated update of this stage: for a full batch in which all parameters share a learning rate. */
  unrolledUpdate(shape) {
    const { stage, task } = this;
    if (stage.batchSize || this.frozen.length || typeof stage.lr !== "number") return undefined;
    return UPDATES[updateKey(shape, stage.loss, stage.optimizer, task.x.length)];
  }

  /** Train some epochs. */
  advance(epochs) {
    const last = this.epoch + epochs;
    while (this.epoch < last) {
      const stage = stageAt(this.task, this.epoch);
      if (stage !== this.stage) this.enter(stage);
      const until = Math.min(last, stage.until ?? last);
      if (this.unrolled) this.advanceUnrolled(until);
      else for (; this.epoch < until; this.epoch++) this.update(this.epoch);
      if (this.epoch === stage.until) for (const [place, value] of stage.set) this.theta[place] = value;
    }
    return this;
  }

  advanceUnrolled(until) {
    const { task, stage, schedule, theta, state } = this;
    const settings = [this.descent.network.settings, stage.loss.settings, stage.optimizer.settings];
    const stride = schedule.isConstant ? until - this.epoch : 1;
    for (; this.epoch < until; this.epoch += stride) {
      this.rates.fill(stage.lr * schedule.factor(this.epoch, stage.epochs, stage.schedule.settings));
      this.unrolled(theta, task.x, task.t, this.rates[0], state, settings, stride);
    }
  }

  /** The updates of one epoch. */
  update(epoch) {
    const { task, stage, schedule } = this, examples = task.x.length;
    if (!schedule.isConstant) {
      const factor = schedule.factor(epoch, stage.epochs, stage.schedule.settings);
      for (let k = 0; k < this.rates.length; k++) this.rates[k] = this.base[k] * factor;
    }
    const size = stage.batchSize || examples;
    const rows = stage.batchSize && stage.shuffle ? order(task.seed, epoch, examples) : null;
    for (let first = 0; first < examples; first += size) this.descend(rows, first, Math.min(first + size, examples));
  }

  descend(rows, first, until) {
    const { task, theta, g } = this;
    this.descent.gradient(theta, task.x, task.t, g, rows, first, until);
    if (this.isShaped) GRADIENT.shaped(theta, this.isWeight, g, this.stage.optimizer.settings);
    this.optimizer.update(theta, g, this.state, this.rates, this.stage.optimizer.settings);
    for (const [index, value] of this.frozen) theta[index] = value;
  }

  /** The loss over all examples. */
  loss() {
    return this.judge.loss(this.theta, this.task.x, this.task.t);
  }

  /** How many updates an epoch has. */
  steps() {
    return this.stage.batchSize ? Math.ceil(this.task.x.length / this.stage.batchSize) : 1;
  }

  /**
   * A trainer that goes on from here with changed settings, as `xortrain continue` does: `stage` has those of the
   * stage that change (`layers` too, for other activations), `set` is a Map of places in theta to their new values.
   */
  fork(stage, set = new Map()) {
    const now = this.task.stages.at(-1);
    const past = this.task.stages.slice(0, -1).filter(({ until }) => until < this.epoch);
    const earlier = this.epoch > 0 ? [...past, { ...stageAt(this.task, this.epoch - 1), until: this.epoch }] : [];
    const fork = new Trainer({ ...this.task, stages: [...earlier, { ...now, ...stage, until: null }] });
    fork.epoch = this.epoch;
    fork.theta.set(this.theta);
    fork.stage = this.stage;
    fork.state = copied(this.state);
    for (const [index, value] of set) fork.theta[index] = value;
    fork.enter(stageAt(fork.task, fork.epoch));
    return fork;
  }
}

/** Whether a part of an optimizer's state was in use: a velocity is not without momentum. */
export function isKept(key, { name, settings }) {
  const needed = OPTIMIZERS[name].stateOf[key];
  return needed === undefined || Boolean(settings[needed]);
}

function copied(state) {
  return Object.fromEntries(Object.entries(state).map(([key, value]) => [key, value.slice?.() ?? value]));
}
