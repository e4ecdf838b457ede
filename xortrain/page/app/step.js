/** Every number of a step: parameters and gradients, the examples layer by layer, and what makes one update. */

import { sourceOf, unitNameOf } from "./diagram-plan.js";
import { LiveTraining } from "./live.js";
import { openedRun, shown } from "./shown.js";
import { change, follow, state } from "./state.js";
import { byId, element, formatted } from "./text.js";
import { Criterion, Trainer, gradientOf, productsOf } from "./training.js";

const MOST_EXAMPLES = 12;
const MOST_UNITS = 16; // of a layer, in a table
const replay = { run: -1, live: null }; // the run that is trained again for the state of its optimizer

export function stepView(page) {
  const details = byId("step"), body = byId("step-body");
  const draw = () => {
    if (details.open) body.replaceChildren(...written(page));
  };
  details.addEventListener("toggle", draw);
  follow(["run", "epoch", "fork", "live", "weight"], draw);
  body.addEventListener("click", ({ target }) => {
    const place = target.closest("button[data-place]")?.dataset.place;
    if (place !== undefined) change({ weight: Number(place) });
  });
}

function written(page) {
  const now = shown(page), { network, task, theta, population } = now;
  const g = gradientOf(task, theta), stage = stageAt(task, now.epoch), after = updated(page, now);
  const batches = stage.batchSize ? ` Training takes mini-batches of ${stage.batchSize}; the gradient here is that of all examples.` : "";
  const words = `Epoch ${now.epoch.toLocaleString("en")}: L = ${digits(after.loss)}, optimizer ${stage.optimizer.name}.${batches} Choose a parameter to see what makes its update.`;
  const tables = network.layers.map((_, k) => parametersTable(population, network, k, theta, g));
  return [element("p", { text: words, className: "note" }), ...explained(now, g, after), ...tables, examplesTable(now)];
}

function stageAt(task, epoch) {
  return task.stages.find((stage) => epoch < (stage.until ?? Infinity)) ?? task.stages.at(-1);
}

/** The parameters after the next epoch, and the state of the optimizer before and after; null where not known. */
function updated(page, now) {
  const trainer = trainerAt(page, now), loss = new Trainer({ ...now.task, start: now.theta }).loss();
  if (!trainer) return { loss, theta: null };
  const next = trainer.fork(trainer.stageAt(now.epoch));
  next.theta.set(now.theta);
  const before = Object.fromEntries(Object.entries(next.state).map(([name, value]) => [name, value.slice?.() ?? value]));
  next.advance(1);
  return { loss, theta: next.theta, before, state: next.state, rates: next.rates, steps: next.steps() };
}

/** A trainer at the shown epoch, which is on its way there if it is null. */
function trainerAt(page, now) {
  const live = state.fork?.training?.trainer;
  if (now.isFork) return live?.epoch === now.epoch ? live : null;
  if (replay.run !== now.run || replay.live.epoch > now.epoch) {
    replay.live?.pause();
    Object.assign(replay, { run: now.run, live: new LiveTraining(new Trainer(openedRun(page, now.run).task)) });
  }
  if (replay.live.epoch < now.epoch) replay.live.trainTo(now.epoch);
  return replay.live.epoch === now.epoch ? replay.live.trainer : null;
}

/** W and b of a layer with their gradients: a row a unit, a column a source. */
function parametersTable(population, network, k, theta, g) {
  const units = Math.min(network.widths[k + 1], MOST_UNITS), sources = Math.min(network.fanIn[k], MOST_UNITS);
  const names = Array.from({ length: sources }, (_, from) => unitNameOf(population, network, ...sourceOf(network, k, from)));
  const more = network.widths[k + 1] > units || network.fanIn[k] > sources ? `, the first ${units} units and ${sources} sources` : "";
  const columns = [...names.keys(), ...(network.bias ? [undefined] : [])];
  const rows = Array.from({ length: units }, (_, to) => [
    unitNameOf(population, network, k + 1, to),
    ...columns.map((from) => parameterButton(network, network.indexOf(k, to, from), theta, g)),
  ]);
  const W = `W${k + 1}${network.bias ? ` and b${k + 1}` : ""}`;
  return table(`${W}, with the gradient dL/dW${k + 1} below each number${more}`, ["to", ...names, ...(network.bias ? ["bias"] : [])], rows);
}

function parameterButton(network, place, theta, g) {
  const button = element("button", { type: "button", ariaLabel: `${network.names[place]} = ${digits(theta[place])}, gradient ${digits(g[place])}` });
  button.dataset.place = place;
  button.ariaPressed = String(place === state.weight);
  button.append(element("span", { text: digits(theta[place]) }), element("span", { text: digits(g[place]), className: "gradient" }));
  return button;
}

/** x, t, z and a of each layer, and δ, the derivatives of the example's own loss by z. */
function examplesTable({ network, task, theta }) {
  const { x, t } = task, shownExamples = x.slice(0, MOST_EXAMPLES), layers = network.layers.keys();
  const criterion = new Criterion(task.loss, network), whole = new Float64Array(theta.length);
  const heads = ["example", "x", ...[...layers].flatMap((k) => [`z${k + 1}`, k === network.depth - 1 ? "y" : `a${k + 1}`]), "t", "ℓ", ...network.layers.map((_, k) => `δ${k + 1}`)];
  const rows = shownExamples.map((inputs, n) => {
    network.forward(theta, inputs);
    const loss = criterion.value(t[n]);
    criterion.delta(t[n], 1);
    network.backward(theta, whole);
    const values = network.layers.flatMap((_, k) => [vector(network.z[k]), vector(network.a[k])]);
    return [String(n), vector(inputs), ...values, vector(t[n]), digits(loss), ...network.delta.map(vector)];
  });
  const of = x.length > MOST_EXAMPLES ? `the first ${MOST_EXAMPLES} of ${x.length.toLocaleString("en")}` : "all";
  return table(`Examples (${of}): z before and a after the activation, y the output, t the target, ℓ the loss, δ = dℓ/dz`, heads, rows);
}

/** The products behind the update of the chosen parameter, and the new value. */
function explained(now, g, after) {
  const place = state.weight, { network, task, theta } = now;
  if (place < 0 || place >= theta.length) return [];
  const { layer, from, to, name, examples } = productsOf(task, theta, place);
  const share = new Criterion(task.loss, network).share(examples.length), count = Math.round(1 / share);
  const received = from === undefined ? "1" : receivedName(network, layer, from), d = `δ${layer + 1}[${to}]`;
  const rows = examples.slice(0, MOST_EXAMPLES).map((one, n) => [String(n), digits(one.delta / share), digits(one.received), digits(one.product / share)]);
  const sum = examples.reduce((total, one) => total + one.product, 0) / share;
  rows.push([examples.length > MOST_EXAMPLES ? `sum of all ${examples.length.toLocaleString("en")}` : "sum", "", "", digits(sum)]);
  const gradient = `dL/d${name} = ${count > 1 ? `1/${count} · ` : ""}Σ ${d} · ${received} = ${digits(g[place])}`;
  const lines = [gradient, ...updateLines(now, name, place, g, after)];
  return [table(`The update of ${name}`, ["example", d, received, `${d} · ${received}`], rows), element("p", { className: "equations", children: lines.map((text) => element("code", { text })) })];
}

function receivedName(network, layer, from) {
  if (layer === 0) return `x[${from}]`;
  const before = network.widths[layer];
  return from < before ? `a${layer}[${from}]` : `x[${from - before}]`;
}

function updateLines({ task, epoch, theta }, name, place, g, after) {
  if (!after.theta) return ["the state of the optimizer is being trained again; its update follows"];
  const stage = stageAt(task, epoch), lr = after.rates[place], { settings } = stage.optimizer;
  const value = digits(theta[place]), end = digits(after.theta[place]);
  if (stage.frozen.includes(place)) return [`${name} is frozen: ${name}' = ${end}`];
  const isPlain = stage.optimizer.name === "sgd" && !settings.momentum && !settings.weight_decay && after.steps === 1;
  if (isPlain) return [`${name}' = ${name} - η · dL/d${name} = ${value} - ${digits(lr)} · ${digits(g[place])} = ${end}`];
  const states = Object.keys(after.state).map((key) => `${key} ${digits(after.before[key][place] ?? after.before[key])} → ${digits(after.state[key][place] ?? after.state[key])}`);
  const many = after.steps > 1 ? ` after the ${after.steps} updates of the epoch` : "";
  return [`η = ${digits(lr)}; ${stage.optimizer.name}${states.length ? `: ${states.join(", ")}` : ""}`, `${name}' = ${end}${many}, from ${value}`];
}

function vector(values) {
  const parts = Array.from(values.slice(0, MOST_UNITS), digits);
  return parts.join(" ") + (values.length > MOST_UNITS ? ` … (${values.length})` : "");
}

function digits(value) {
  return formatted(value, 5);
}

function table(caption, heads, rows) {
  const cells = (row) => row.map((cell, k) => element(k ? "td" : "th", { scope: k ? undefined : "row", children: [cell] }));
  const head = element("tr", { children: heads.map((text) => element("th", { text, scope: "col" })) });
  const made = element("table", { children: [element("caption", { text: caption }), element("thead", { children: [head] }), element("tbody", { children: rows.map((row) => element("tr", { children: cells(row) })) })] });
  return element("div", { className: "numbers", tabIndex: 0, role: "region", ariaLabel: caption, children: [made] });
}
