/** Plays the kept epochs of all runs in step: buttons, a slider, keys; and what is said of the shown run. */

import { shownRun } from "./picture.js";
import { change, follow, state } from "./state.js";
import { byId, counted, element, formatted } from "./text.js";

const FRAME = 0.12; // seconds of a kept epoch, on average
const SPEEDS = [0.25, 0.5, 1, 2, 4];
const isCalm = matchMedia("(prefers-reduced-motion: reduce)"); // then one kept epoch a second

export function playerView(page) {
  const epochs = [...new Set(page.populations.flatMap((one) => one.frameEpochs))].sort((a, b) => a - b);
  const player = new Player(page, epochs);
  byId("player").append(...player.tools());
  addEventListener("keydown", (event) => player.key(event));
  follow(["epoch", "isPlaying", "run"], () => player.show());
  follow(["run"], () => runWords(page));
}

class Player {
  spoken = 0; // when the epoch was last said, in ms

  constructor(page, epochs) {
    Object.assign(this, { page, epochs });
  }

  tools() {
    const button = (text, label, onclick) => element("button", { type: "button", text, ariaLabel: label, title: label, onclick });
    const last = this.epochs.length - 1;
    this.toggle = button("▶\ufe0e", "play", () => this.play(!state.isPlaying));
    this.slider = element("input", { type: "range", min: 0, max: last, step: 1, ariaLabel: "epoch", oninput: () => this.go(this.slider.valueAsNumber) });
    this.words = element("output", { className: "epoch" });
    this.live = element("span", { className: "unseen", "aria-live": "polite" });
    const speeds = SPEEDS.map((value) => element("option", { value, text: `${value}×`, selected: value === 1 }));
    this.speed = element("select", { ariaLabel: "speed", children: speeds, onchange: () => this.restart() });
    return [
      button("⇤", "first epoch", () => this.go(0)),
      button("←", "one kept epoch back", () => this.go(this.place() - 1)),
      this.toggle,
      button("→", "one kept epoch forward", () => this.go(this.place() + 1)),
      button("⇥", "last epoch", () => this.go(last)),
      this.slider,
      this.words,
      this.speed,
      this.live,
    ];
  }

  /** The place of the shown epoch among the kept ones. */
  place() {
    return Math.max(0, this.epochs.findLastIndex((epoch) => epoch <= state.epoch));
  }

  /** Show a kept epoch, and pause. */
  go(place) {
    const held = Math.max(0, Math.min(place, this.epochs.length - 1));
    change({ epoch: this.epochs[held], isPlaying: false });
  }

  play(isPlaying) {
    const isOver = state.epoch >= this.epochs.at(-1);
    change({ isPlaying, ...(isPlaying && isOver ? { epoch: this.epochs[0] } : {}) });
    if (isPlaying) this.restart();
  }

  /** Play from the shown epoch, along the path of the shown run. */
  restart() {
    this.path = isCalm.matches ? this.epochs.map((_, k) => k / this.epochs.length) : pathOf(this.page, this.epochs);
    this.seconds = this.epochs.length * (isCalm.matches ? 1 : FRAME / this.speed.value);
    this.begun = performance.now() - this.path[this.place()] * this.seconds * 1000;
    if (!this.isWaiting) this.tick();
  }

  tick() {
    this.isWaiting = state.isPlaying;
    if (!state.isPlaying) return;
    const share = (performance.now() - this.begun) / 1000 / this.seconds;
    const next = this.path.findLastIndex((value) => value <= share);
    const isOver = share >= 1;
    change({ epoch: this.epochs[isOver ? this.epochs.length - 1 : Math.max(next, this.place())], isPlaying: !isOver });
    requestAnimationFrame(() => this.tick());
  }

  show() {
    const text = `epoch ${state.epoch.toLocaleString("en")}`;
    this.slider.value = this.place();
    this.slider.setAttribute("aria-valuetext", text);
    this.words.textContent = text;
    this.toggle.textContent = state.isPlaying ? "❚❚" : "▶\ufe0e";
    this.toggle.ariaLabel = this.toggle.title = state.isPlaying ? "pause" : "play";
    const now = performance.now();
    if (state.isPlaying && now < this.spoken + 1000) return;
    this.spoken = now;
    this.live.textContent = text;
  }

  /** Keys work unless the element that has the focus needs them itself. */
  key(event) {
    const { key, target, defaultPrevented, ctrlKey, altKey, metaKey } = event;
    if (defaultPrevented || ctrlKey || altKey || metaKey) return;
    if (target.closest?.(`input, select, textarea, dialog, [tabindex]${key === " " ? ", button, summary, a" : ""}`)) return;
    const moves = {
      " ": () => this.play(!state.isPlaying),
      ArrowLeft: () => this.go(this.place() - 1),
      ArrowRight: () => this.go(this.place() + 1),
      Home: () => this.go(0),
      End: () => this.go(this.epochs.length - 1),
    };
    if (!moves[key]) return;
    event.preventDefault();
    moves[key]();
  }
}

/**
 * When each epoch is shown, from 0 to 1: as in the films, 45 % by the change of the log loss, 45 % by that of the
 * outputs, and 10 % by the epoch, so that equal times bring equal changes.
 */
function pathOf(page, epochs) {
  const { view } = shownRun(page);
  const { population, place } = view;
  const points = epochs.map((epoch) => {
    const row = Math.max(0, population.lossEpochs.findLastIndex((one) => one <= epoch));
    const y = view.seek(epoch).walk.slice(0, 64).flatMap((one) => Array.from(one.y));
    return { loss: [Math.log(Math.max(population.loss(place, row), 1e-12))], y, epoch: [epoch] };
  });
  view.seek(state.epoch);
  const covered = [["loss", 0.45], ["y", 0.45], ["epoch", 0.1]].map(([name, weight]) => covering(points.map((one) => one[name]), weight));
  const total = covered.reduce((sum, one) => sum + one.at(-1), 0) || 1;
  return epochs.map((_, k) => (covered.reduce((sum, one) => sum + one[k], 0) / total) * (1 - 1 / epochs.length));
}

/** The share of its way that a point has covered after each step, times a weight. */
function covering(points, weight) {
  let sum = 0;
  const way = points.map((point, k) => {
    const step = k ? Math.hypot(...point.map((value, i) => value - points[k - 1][i])) : 0;
    return (sum += Number.isFinite(step) ? step : 0);
  });
  return way.map((value) => (weight * value) / (sum || 1));
}

/** The settings in which runs differ, as in "lr 0.3, seed 17"; empty for a single run. */
export function settingsOf(page, run) {
  const names = [...page.axes, "seed"].filter((name) => page.column(name) && page.runs > 1);
  return names.map((name) => `${name.split(".").at(-1)} ${page.column(name).text(run)}`).join(", ");
}

/** The number of a run in its record, as in "Run #17". */
export function runName(page, run) {
  return `Run #${page.column("run").text(run).split("#").at(-1)}`;
}

function runWords(page) {
  const { run } = state;
  const outcome = page.column("outcome")?.text(run);
  byId("one-title").textContent = [runName(page, run), settingsOf(page, run), outcome].filter(Boolean).join(" · ");
  const { headline, verdict, advice } = page.stories[run] ?? { headline: endingOf(page, run) };
  byId("one-words").textContent = [headline, verdict, advice].filter(Boolean).join(" ");
}

/** How a run ended, from its row. */
function endingOf(page, run) {
  const known = (name) => page.column(name)?.of(run) ?? null;
  const solvedAt = known("solved_at");
  const loss = known("final_loss");
  const solved = solvedAt === null ? `${known("outcome") ?? "trained"}` : `solved at epoch ${formatted(solvedAt)}`;
  const after = known("epochs_done") === null ? "" : ` after ${counted(known("epochs_done"), "epoch")}`;
  const words = `${solved}${loss === null ? "" : `; the loss is ${formatted(loss)}`}${after}.`;
  return words[0].toUpperCase() + words.slice(1);
}

/** What happens at the shown epoch, in the words of the film; views of events share it. */
export function captionView(page) {
  follow(["run", "epoch"], () => {
    const events = (page.stories[state.run]?.events ?? []).filter((event) => event.epoch <= state.epoch);
    byId("caption").textContent = events.at(-1)?.caption ?? "";
  });
}
