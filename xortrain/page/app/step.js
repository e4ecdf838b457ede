/** Every number of a step: parameters and gradients, the examples layer by layer, and what makes one update. */

import { sourceOf, unitNameOf } from "./diagram-plan.js";
import { LiveTraining } from "./live.js";
import { OPTIMIZERS } from "./mathematics.js";
import { openedRun, shown } from "./shown.js";
import { change, follow, state } from "./state.js";
import { byId, element, formatted } from "./text.js";
import { Criterion, gradientOf, isKept, lossOf, productsOf, stageAt, Trainer } from "./training.js";

const MOST_EXAMPLES = 12;
const MOST_UNITS = 16; // of a layer, in a table
const digits = (value) => formatted(value, 5);
const replay = { run: -1, live: null }; // the run that is trained again, for the state of its optimizer

export function stepView(page) {
  const details = byId("step");
  const body = byId("step-body");
  const draw = () => {
    if (!details.open) return;
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.place : null;
    body.replaceChildren(...stepOf(page));
    body.querySelector(`[data-place="${focused}"]`)?.focus();
  };
  details.addEventListener("toggle", draw);
  follow(["run", "epoch", "fork", "live", "weight"], draw);
  body.addEventListener("click", ({ target }) => {
    const place = target.closest("[data-place]")?.dataset.place;
    if (place) change({ weight: Number(place) });
  });
}

function stepOf(page) {
  const now = { ...shown(page) };
  const { theta, network, epoch } = now;
  now.stage = stageAt(now.task, epoch);
  now.task = { ...now.task, loss: now.stage.loss };
  now.g = gradientOf(now.task, theta);
  const { batchSize, optimizer } = now.stage;
  const batches = batchSize ? ` Training takes batches of ${batchSize}; gradients here are those of all examples.` : "";
  const words = `Epoch ${formatted(epoch)}, L = ${digits(lossOf(now.task, theta))}, optimizer ${optimizer.name}.${batches}`;
  const tables = network.layers.map((_, k) => parametersOf(now, k));
  const note = element("p", { text: `${words} Choose a number to see what makes its update.`, className: "note" });
  return [note, ...(state.weight in theta ? updateOf(page, now, state.weight) : []), ...tables, examplesOf(now)];
}

/** W and b of a layer, each with its derivative below it: a row a unit, a column a source. */
function parametersOf({ network, population, theta, g }, k) {
  const units = Math.min(network.widths[k + 1], MOST_UNITS);
  const sources = [...Array(Math.min(network.fanIn[k], MOST_UNITS)).keys()];
  const heads = sources.map((from) => unitNameOf(population, network, ...sourceOf(network, k, from)));
  const rows = Array.from({ length: units }, (_, to) => {
    const places = [...sources, ...(network.bias ? [undefined] : [])].map((from) => network.indexOf(k, to, from));
    return [unitNameOf(population, network, k + 1, to), ...places.map((place) => buttonOf(network.names[place], place, theta, g))];
  });
  const isCut = network.widths[k + 1] > units || network.fanIn[k] > MOST_UNITS;
  const names = `W${k + 1}${network.bias ? `, b${k + 1}` : ""}`;
  const cut = isCut ? ` (the first ${units} of ${network.widths[k + 1]} units, ${sources.length} of ${network.fanIn[k]} sources)` : "";
  return tableOf(`${names}, and dL/dW below${cut}`, ["to", ...heads, ...(network.bias ? ["bias"] : [])], rows);
}

function buttonOf(name, place, theta, g) {
  const [value, slope] = [digits(theta[place]), digits(g[place])];
  const children = [element("span", { text: value }), element("span", { text: slope, className: "gradient" })];
  const pressed = String(place === state.weight);
  const about = { "aria-label": `${name} = ${value}, derivative ${slope}`, "aria-pressed": pressed, "data-place": place };
  return element("button", { type: "button", children, ...about });
}

/** x, z and a of each layer, t, and δ of each layer: dℓ/dz, the derivatives of the example's own loss. */
function examplesOf({ network, task, theta }) {
  const criterion = new Criterion(task.loss, network);
  const whole = new Float64Array(theta.length);
  const layers = network.layers.map((_, k) => k + 1);
  const outputs = layers.flatMap((k) => [`z${k}`, k === network.depth ? "y" : `a${k}`]);
  const heads = ["example", "x", ...outputs, "t", "ℓ", ...layers.map((k) => `δ${k}`)];
  const rows = task.x.slice(0, MOST_EXAMPLES).map((x, n) => {
    network.forward(theta, x);
    const loss = criterion.value(task.t[n]);
    criterion.delta(task.t[n], 1);
    network.backward(theta, whole);
    const values = network.layers.flatMap((_, k) => [network.z[k], network.a[k]]);
    return [String(n), ...[x, ...values, task.t[n]].map(vector), digits(loss), ...network.delta.map(vector)];
  });
  const cut = task.x.length > MOST_EXAMPLES ? `the first ${MOST_EXAMPLES} of ${formatted(task.x.length)} examples` : "the examples";
  return tableOf(`${cut}: z before and a after the activation, y the output, t the target, ℓ the loss, δ = dℓ/dz`, heads, rows);
}

/** For each example the product that enters the derivative by one parameter, and the parameter's update. */
function updateOf(page, now, place) {
  const { network, task, g } = now;
  const { layer, from, to, share, name, examples } = productsOf(task, now.theta, place);
  const [column, unit] = from === undefined ? [] : sourceOf(network, layer, from);
  const received = from === undefined ? "1" : `${column ? `a${column}` : "x"}[${unit}]`;
  const product = `δ${layer + 1}[${to}] · ${received}`;
  const rows = examples.slice(0, MOST_EXAMPLES).map((one, n) => [n, one.delta / share, one.received, one.product / share]);
  const texts = rows.map(([n, ...values]) => [String(n), ...values.map(digits)]);
  const sum = digits(examples.reduce((total, one) => total + one.product, 0) / share);
  const count = Math.round(1 / share);
  texts.push([examples.length > MOST_EXAMPLES ? `sum of all ${formatted(examples.length)}` : "sum", "", "", sum]);
  const mean = count > 1 ? `1/${count} · Σ ${product} = ${sum} / ${count}` : `Σ ${product}`;
  const lines = [`dL/d${name} = ${mean} = ${digits(g[place])}`, ...equationsOf(page, now, name, place)];
  const equations = element("p", { className: "equations", children: lines.map((text) => element("code", { text })) });
  return [tableOf(`the update of ${name}`, ["example", `δ${layer + 1}[${to}]`, received, product], texts), equations];
}

/** The optimizer's update of a parameter, as it makes it at this epoch. */
function equationsOf(page, now, name, place) {
  const { stage, theta, g, isFork } = now;
  if (stage.frozen.includes(place)) return [`${name}' = ${name}: it is frozen`];
  const next = isStateless(stage) ? atEpoch(now) : trainerAt(page, now)?.fork(stage);
  if (!next) return [isFork ? `the state of ${stage.optimizer.name} is known at the last epoch of the fork` : "the run is trained again up to here, for the state of its optimizer"];
  next.theta.set(theta);
  const before = stateAt(next, place);
  next.advance(1);
  const [rate, end, steps] = [digits(next.rates[place]), digits(next.theta[place]), next.steps()];
  const isPlain = stage.optimizer.name === "sgd" && OPTIMIZERS.sgd.optional.every((key) => !stage.optimizer.settings[key]);
  if (isPlain && steps === 1) {
    return [`${name}' = ${name} - η · dL/d${name} = ${digits(theta[place])} - ${rate} · ${digits(g[place])} = ${end}`];
  }
  const { letters } = OPTIMIZERS[stage.optimizer.name];
  const after = Object.entries(isStateless(stage) ? {} : stateAt(next, place));
  const states = after.filter(([key]) => isKept(key, stage.optimizer)).map(([key, value]) => `, ${letters[key]} ${digits(before[key])} → ${digits(value)}`).join("");
  const many = steps > 1 ? ` after the ${steps} updates of the epoch` : "";
  return [`${stage.optimizer.name}: η = ${rate}${states}`, `${name} = ${digits(theta[place])}, ${name}' = ${end}${many}`];
}

/** Whether an update needs nothing of those before it. */
function isStateless({ optimizer: { name, settings } }) {
  return name === "sgd" && !settings.momentum;
}

/** A trainer at an epoch, without the state of its optimizer. */
function atEpoch({ task, epoch, stage }) {
  const trainer = new Trainer({ ...task, stages: [{ ...stage, until: null }] });
  trainer.epoch = epoch;
  return trainer;
}

function stateAt(trainer, place) {
  return Object.fromEntries(Object.entries(trainer.state).map(([key, value]) => [key, value[place] ?? value]));
}

/** A trainer at the shown epoch; null while it is on its way there, or of a fork that is past it. */
function trainerAt(page, { run, epoch, isFork }) {
  if (isFork) return state.fork.training?.epoch === epoch ? state.fork.training.trainer : null;
  if (replay.run !== run || replay.live.epoch > epoch) {
    replay.live?.pause();
    Object.assign(replay, { run, live: new LiveTraining(new Trainer(openedRun(page, run).task)) });
  }
  if (replay.live.epoch < epoch) replay.live.trainTo(epoch);
  return replay.live.epoch === epoch ? replay.live.trainer : null;
}

function vector(values) {
  const texts = Array.from(values.slice(0, MOST_UNITS), digits);
  return texts.join("  ") + (values.length > MOST_UNITS ? ` … (${values.length})` : "");
}

function tableOf(caption, heads, rows) {
  const line = (cells) => element("tr", { children: cells });
  const head = line(heads.map((text) => element("th", { text, scope: "col" })));
  const body = rows.map(([first, ...cells]) =>
    line([element("th", { text: first, scope: "row" }), ...cells.map((cell) => element("td", { children: [cell] }))]),
  );
  const parts = [element("thead", { children: [head] }), element("tbody", { children: body })];
  const table = element("table", { "aria-label": caption, children: parts });
  const scrolled = element("div", { className: "numbers", tabIndex: 0, role: "region", "aria-label": caption, children: [table] });
  return element("div", { children: [element("p", { text: caption, className: "note" }), scrolled] });
}
