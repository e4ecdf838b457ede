/** The settings of a fork, its buttons, and the command that makes it. */

import { forkOfRun, forkWith, goalFrom, hindrance } from "./fork.js";
import { ACTIVATIONS, OPTIMIZERS } from "./mathematics.js";
import { openedRun, shown } from "./shown.js";
import { change, follow, state } from "./state.js";
import { byId, element, formatted, sentence, setText } from "./text.js";

export function forkView(page) {
  const panel = new ForkPanel(page);
  follow(["run"], () => panel.fill()); // a fork begins with what is in the fields, or leaves it there for the next
  follow(["run", "epoch", "fork", "live"], () => panel.describe());
}

class ForkPanel {
  constructor(page) {
    this.page = page;
    for (const part of ["lr", "activation", "optimizer", "train", "toggle", "drop", "problem", "words", "command", "copy", "given", "legend"]) {
      this[part] = byId(`fork-${part}`);
    }
    this.fields = { lr: this.lr, activation: this.activation, optimizer: this.optimizer };
    const option = (name) => element("option", { value: name, text: name });
    this.activation.append(...Object.keys(ACTIVATIONS).filter((name) => ACTIVATIONS[name].hasGradient).map(option));
    this.optimizer.append(...Object.keys(OPTIMIZERS).map(option));
    this.toggle.onclick = () => this.compare();
    this.drop.onclick = () => this.discard();
    this.copy.onclick = () => this.copyCommand();
    byId("fork").oninput = () => this.describe();
    this.train.onclick = (event) => { // by Enter too; the frame of a notebook lets no form be submitted
      event.preventDefault();
      this.submit();
    };
    this.fill();
  }

  /** The settings of the run, or of its fork, in the fields. */
  fill() {
    const { task } = openedRun(this.page, state.run);
    const stage = task.stages.at(-1);
    const hidden = new Set(task.network.layers.slice(0, -1).map((layer) => layer.activation));
    const isShared = typeof stage.lr === "number";
    this.own = { lr: isShared ? String(stage.lr) : "by layer", optimizer: stage.optimizer.name, activation: hidden.size === 1 ? [...hidden][0] : "" };
    for (const [name, field] of Object.entries(this.fields)) field.value = forkOfRun()?.changes[name] ?? this.own[name];
    this.lr.disabled = this.optimizer.disabled = !isShared;
    this.activation.parentNode.hidden = !this.own.activation;
    for (const option of this.optimizer) option.disabled = OPTIMIZERS[option.value].isFullBatch && stage.batchSize !== null;
    this.describe();
  }

  /** What is wrong with the fields, in words. */
  fault() {
    const { lr, optimizer, own } = this;
    const isOther = lr.value.trim() !== own.lr;
    if (isOther && !(Number(lr.value) > 0 && Number.isFinite(Number(lr.value)))) return `lr=${lr.value}: must be a number above 0`;
    const goesOn = isOther && optimizer.value === own.optimizer;
    return goesOn && OPTIMIZERS[own.optimizer].rateAtStart ? `lr=${lr.value}: ${own.optimizer} uses it at its start only` : "";
  }

  /** The settings in the fields that are not the run's own. */
  changes() {
    const given = Object.entries(this.fields).filter(([name, field]) => field.value.trim() !== this.own[name]);
    const values = Object.fromEntries(given.map(([name, field]) => [name, field.value.trim()]));
    return { lr: undefined, optimizer: undefined, activation: undefined, ...values, ...(values.lr && { lr: Number(values.lr) }) };
  }

  isChanged() {
    const now = this.changes();
    return Object.keys(now).some((name) => now[name] !== forkOfRun()?.changes[name]);
  }

  submit() {
    const fork = forkOfRun();
    if (this.fault()) return this.lr.focus();
    if (fork?.isTraining) fork.pause();
    else this.begin(fork && !this.isChanged() ? fork : forkWith(this.page, this.changes()));
    this.describe();
  }

  begin(fork) {
    fork.isShown = true;
    fork.train();
    change({ epoch: fork.last, isPlaying: false });
  }

  discard() {
    const fork = forkOfRun();
    fork.pause();
    change({ fork: null, epoch: fork.from });
    this.fill();
    this.train.focus();
  }

  compare() {
    forkOfRun().isShown = !forkOfRun().isShown;
    change({ live: state.live + 1 });
  }

  describe() {
    const fork = forkOfRun();
    const isNew = fork && this.isChanged();
    setText(this.problem, this.fault());
    this.lr.setAttribute("aria-invalid", String(Boolean(this.fault())));
    setText(this.legend, `Fork from epoch ${formatted(fork?.from ?? shown(this.page).epoch)}`);
    const isBegun = Boolean(fork?.training) && !isNew;
    const last = isBegun ? fork.last : (fork?.from ?? shown(this.page).epoch);
    const own = openedRun(this.page, state.run);
    const hinders = hindrance(own, last, !isBegun);
    const verb = isBegun ? (hinders ? "Trained" : "Continue") : "Train on";
    setText(this.train, fork?.isTraining ? "Pause" : hinders && !isBegun ? verb : `${verb} to epoch ${formatted(goalFrom(own, last))}`);
    this.train.disabled = Boolean(hinders);
    this.drop.hidden = this.toggle.hidden = this.given.hidden = !fork;
    const advice = hinders ? sentence(hinders) : "Change a setting here, or drag a line of the network; then press Train on.";
    this.words.ariaBusy = String(Boolean(fork?.isTraining)); // its many epochs are not spoken
    setText(this.words, fork ? story(fork, isBegun ? "" : hinders) : advice);
    if (!fork) return;
    setText(this.toggle, fork.isShown ? "Show the recorded run" : "Show the fork");
    this.command.value = fork.command();
    this.given.hidden = !this.command.value;
  }

  async copyCommand() {
    this.command.select();
    const isDone = await navigator.clipboard?.writeText(this.command.value).then(() => true, () => false);
    this.copy.textContent = isDone ? "Copied" : "Selected: press Ctrl+C";
    setTimeout(() => { this.copy.textContent = "Copy command"; }, 2000);
  }
}

/** How far a fork is, and what hinders it, in words. */
function story(fork, hinders) {
  const { changes, network, training, last, words } = fork;
  const set = [...changes.set].map(([place, value]) => `${network.names[place]} = ${value}`).join(", ");
  const loss = training && formatted(training.trainer.loss());
  const how = training ? `trained live here to epoch ${formatted(last)}, loss ${loss}` : "not trained yet";
  const bits = training && "recorded numbers may differ in their last bits";
  const end = fork.ending();
  return `Fork${set && ` with ${set}`}: ${[how, end, hinders, bits, fork.onlyHere(), words].filter(Boolean).join("; ")}.`;
}
