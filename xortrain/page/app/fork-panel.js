/** The settings of a fork, its buttons, and the command that makes it. */

import { Fork } from "./fork.js";
import { ACTIVATIONS, OPTIMIZERS } from "./mathematics.js";
import { openedRun, shown } from "./shown.js";
import { change, follow, state } from "./state.js";
import { byId, element, formatted } from "./text.js";

export function forkView(page) {
  const panel = new ForkPanel(page);
  panel.fill();
  follow(["run", "fork"], () => panel.fill());
  follow(["run", "epoch", "fork", "live"], () => panel.tell());
}

class ForkPanel {
  constructor(page) {
    this.page = page;
    this.rate = element("input", { size: 8, autocomplete: "off" });
    this.rate.setAttribute("aria-describedby", "fork-problem");
    this.activation = chooser(Object.keys(ACTIVATIONS).filter((name) => ACTIVATIONS[name].hasGradient));
    this.optimizer = chooser(Object.keys(OPTIMIZERS));
    this.button = element("button", { type: "submit" });
    this.drop = element("button", { type: "button", text: "Discard fork", onclick: () => this.discard() });
    this.toggle = element("button", { type: "button", onclick: () => this.compare() });
    this.copy = element("button", { type: "button", text: "Copy command", onclick: () => this.copyCommand() });
    this.command = element("input", { readOnly: true, ariaLabel: "command that makes this fork", className: "command" });
    this.problem = element("span", { id: "fork-problem", role: "alert" });
    this.words = element("p", { className: "note", role: "status" });
    this.legend = element("legend");
    this.given = element("p", { className: "fork-row" });
    const form = element("form", { children: [element("fieldset", { children: [
      this.legend,
      inRow(named("lr", this.rate), named("hidden activation", this.activation), named("optimizer", this.optimizer), this.button, this.toggle, this.drop, this.problem),
      this.words,
      this.given,
    ] })] });
    this.given.append(this.command, this.copy);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    for (const field of [this.rate, this.activation, this.optimizer]) field.addEventListener("input", () => this.tell());
    byId("fork").append(form);
  }

  get fork() {
    return state.fork?.run === state.run ? state.fork : null;
  }

  /** The settings of the run, or of its fork, in the fields. */
  fill() {
    const { task } = openedRun(this.page, state.run), stage = task.stages.at(-1), { changes } = this.fork ?? {};
    const hidden = [...new Set(task.network.layers.slice(0, -1).map((layer) => layer.activation))];
    this.own = { lr: typeof stage.lr === "number" ? stage.lr : null, optimizer: stage.optimizer.name, activation: hidden.length === 1 ? hidden[0] : null };
    this.rate.value = changes?.lr ?? this.own.lr ?? "by layer";
    this.optimizer.value = changes?.optimizer ?? this.own.optimizer;
    this.rate.disabled = this.optimizer.disabled = this.own.lr === null;
    this.activation.value = changes?.activation ?? this.own.activation ?? "";
    this.activation.parentNode.hidden = this.own.activation === null;
    for (const option of this.optimizer.options) option.disabled = OPTIMIZERS[option.value].isFullBatch && stage.batchSize !== null;
    this.tell();
  }

  /** What is given in the fields that is not the run's own, or null if it cannot be used. */
  changes() {
    const text = this.rate.value.trim(), lr = Number(text), { own } = this;
    const isRate = own.lr === null || (text !== "" && Number.isFinite(lr) && lr > 0);
    const problem = isRate ? this.rateProblem(lr) : `lr=${text}: must be a number above 0, as in 0.1`;
    this.problem.textContent = problem;
    this.rate.setAttribute("aria-invalid", problem !== "");
    if (problem) return null;
    const changed = (value, before) => (value === before || value === "" ? null : value);
    return {
      lr: own.lr === null ? null : changed(lr, own.lr),
      optimizer: changed(this.optimizer.value, own.optimizer),
      activation: own.activation === null ? null : changed(this.activation.value, own.activation),
    };
  }

  rateProblem(lr) {
    const name = this.optimizer.value, goesOn = name === this.own.optimizer && lr !== this.own.lr;
    return goesOn && OPTIMIZERS[name].rateAtStart ? `lr=${lr}: ${name} uses it at its start only` : "";
  }

  isChanged(changes) {
    return Object.keys(changes).some((name) => changes[name] !== (this.fork?.changes[name] ?? null));
  }

  submit() {
    const changes = this.changes();
    if (!changes) return this.rate.focus();
    if (this.fork?.isTraining) this.fork.pause();
    else if (this.fork && !this.isChanged(changes)) this.start(this.fork);
    else this.start(this.anew(changes));
  }

  /** A fork with the given settings, from where the one before began, else from the shown epoch. */
  anew(changes) {
    const { fork } = this, start = fork ? { run: fork.run, epoch: fork.from, theta: fork.start } : shown(this.page);
    const made = new Fork(this.page, start, { ...changes, set: fork?.changes.set ?? new Map() });
    made.replay = fork?.replay;
    return made;
  }

  start(fork) {
    if (fork.last < fork.longest) fork.train();
    fork.isShown = true;
    change({ fork, epoch: Math.max(fork.from, Math.min(state.epoch, fork.last)), live: state.live + 1 });
    this.tell();
  }

  discard() {
    this.fork.pause();
    change({ fork: null, epoch: this.fork.from });
    this.button.focus();
  }

  compare() {
    this.fork.isShown = !this.fork.isShown;
    change({ live: state.live + 1 });
  }

  tell() {
    const { fork } = this, changes = this.changes();
    const from = fork?.from ?? shown(this.page).epoch, isNew = fork && changes && this.isChanged(changes);
    this.legend.textContent = `Fork from epoch ${from.toLocaleString("en")}`;
    this.button.textContent = fork?.isTraining ? "Pause" : !fork?.training || isNew ? "Train on" : "Continue";
    this.button.disabled = Boolean(fork && !isNew && fork.last >= fork.longest);
    this.drop.hidden = this.toggle.hidden = this.given.hidden = !fork;
    this.words.textContent = fork ? story(fork) : "Change a setting here, or drag a line of the network; then train on.";
    if (!fork) return;
    this.toggle.textContent = fork.isShown ? "Show the recorded run" : "Show the fork";
    this.command.value = fork.command();
  }

  async copyCommand() {
    try {
      await navigator.clipboard.writeText(this.command.value);
      this.copy.textContent = "Copied";
    } catch {
      this.command.select();
      this.copy.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { this.copy.textContent = "Copy command"; }, 2000);
  }
}

/** How far a fork is, in words. */
function story(fork) {
  const set = [...fork.changes.set].map(([place, value]) => `${fork.network.names[place]} = ${value}`);
  const parts = set.length ? [`with ${set.join(", ")}`] : [];
  if (fork.training) {
    const loss = fork.training.losses.values.at(-1);
    parts.push(`trained live here to epoch ${fork.last.toLocaleString("en")}, loss ${formatted(loss)}`);
    parts.push("recorded numbers may differ in their last bits");
  } else if (!fork.isTraining) parts.push("not trained on yet");
  if (fork.words) parts.push(fork.words);
  const text = parts.join("; ");
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function chooser(names) {
  return element("select", { children: names.map((name) => element("option", { text: name, value: name })) });
}

function named(text, field) {
  return element("label", { text: `${text} `, children: [field] });
}

function inRow(...children) {
  return element("p", { className: "fork-row", children });
}
