/** Plays the kept epochs of all runs in step: buttons, a slider, keys; and what is said of the shown run. */

import { clamp } from "./canvas.js";
import { shownWords } from "./fork.js";
import { RunView, shownRun } from "./picture.js";
import { isForkShown, lastEpoch, openedRun, shown } from "./shown.js";
import { change, follow, state } from "./state.js";
import { distinct } from "./statistics.js";
import { byId, formatted, sentence, setText } from "./text.js";

const [FRAME, LONGEST_PLAY] = [0.12, 20]; // seconds of a kept epoch on average, and of all of them at most
const MOST_STEPS = 200; // of what is trained here
/** Buttons and keys that go to another place among the kept epochs. */
const JUMPS = [
  { id: "to-first", key: "Home", from: () => 0 },
  { id: "to-before", key: "ArrowLeft", from: (place) => place - 1 },
  { id: "to-after", key: "ArrowRight", from: (place) => place + 1 },
  { id: "to-last", key: "End", from: () => Infinity },
];
const isCalm = matchMedia("(prefers-reduced-motion: reduce)"); // then one kept epoch a second

export function playerView(page) {
  const player = new Player(page);
  addEventListener("keydown", (event) => player.key(event));
  follow(["epoch", "isPlaying", "run", "fork", "live"], () => player.show());
  follow(["run", "epoch", "fork", "live", "theme"], () => {
    const { headline = endingOf(page, state.run), verdict, advice } = page.stories[state.run] ?? {};
    const words = isForkShown() ? [forkNow(page)] : [headline, verdict, advice].filter(Boolean);
    setText(byId("one-title"), isForkShown() ? shownWords(page) : `Run ${shownWords(page)}`);
    setText(byId("one-words"), words.join(" "));
  });
}

/** What the shown fork is at the shown epoch, in words. */
function forkNow(page) {
  const { epoch } = shown(page);
  const { walk } = shownRun(page).view;
  const right = walk.filter(({ isRight }) => isRight).length;
  return `${right} of ${walk.length} examples right, loss ${formatted(state.fork.lossAt(epoch))} at epoch ${formatted(epoch)} of the fork, ${state.fork.training ? "trained live here" : "not trained yet"}.`;
}

class Player {
  spoken = 0; // when the epoch was last said, in ms

  constructor(page) {
    this.page = page;
    for (const move of JUMPS) byId(move.id).onclick = () => this.go(move.from(this.place()));
    [this.toggle, this.slider] = [byId("toggle"), byId("slider")];
    this.toggle.onclick = () => this.play(!state.isPlaying);
    this.slider.oninput = () => this.go(this.slider.valueAsNumber);
    byId("speed").onchange = () => this.restart();
    this.kept = distinct(page.populations.flatMap((one) => (one.isStored ? one.frameEpochs : epochSteps(0, one.last))));
  }

  /** The epochs that can be shown: those that are kept, and those of a fork beyond them. */
  get epochs() {
    const last = lastEpoch(this.page);
    if (last <= this.kept.at(-1)) return this.kept;
    return distinct([...this.kept, ...epochSteps(this.kept.at(-1), last)]);
  }

  /** The place of the shown epoch among the kept ones. */
  place() {
    return Math.max(0, this.epochs.findLastIndex((epoch) => epoch <= state.epoch));
  }

  /** Show a kept epoch, and pause. */
  go(place) {
    change({ epoch: this.epochs[clamp(place, 0, this.epochs.length - 1)], isPlaying: false });
  }

  play(isPlaying) {
    const { epochs } = this;
    const isOver = state.epoch >= epochs.at(-1);
    change({ isPlaying, ...(isPlaying && isOver ? { epoch: epochs[0] } : {}) });
    if (isPlaying) this.restart();
  }

  /** Play from the shown epoch, along the path of the shown run. */
  restart() {
    const { epochs } = this;
    const isSlow = isCalm.matches;
    const path = isSlow ? epochs.map((_, k) => k / epochs.length) : pathOf(this.page, epochs);
    const seconds = isSlow ? epochs.length : Math.min(LONGEST_PLAY, epochs.length * FRAME) / byId("speed").value;
    this.course = { epochs, path, seconds, begun: performance.now() - path[this.place()] * seconds * 1000 };
    if (!this.isWaiting) this.tick();
  }

  tick() {
    this.isWaiting = state.isPlaying;
    if (!state.isPlaying) return;
    const { epochs, path, seconds, begun } = this.course;
    const share = (performance.now() - begun) / 1000 / seconds;
    const next = path.findLastIndex((value) => value <= share);
    const isOver = share >= 1;
    change({ epoch: isOver ? epochs.at(-1) : Math.max(epochs[Math.max(0, next)], state.epoch), isPlaying: !isOver });
    requestAnimationFrame(() => this.tick());
  }

  /** The epoch, and that of the pictures if it is another one. */
  epochWords() {
    const { epoch, isLive } = shown(this.page);
    const text = `epoch ${formatted(state.epoch)}`;
    if (epoch === state.epoch) return text;
    const isOver = state.epoch > openedRun(this.page, state.run).last;
    return `${text} (${isLive ? "trained" : isOver ? "ended" : "kept"}: ${formatted(epoch)})`;
  }

  show() {
    const text = this.epochWords();
    this.slider.max = this.epochs.length - 1;
    this.slider.value = this.place();
    this.slider.setAttribute("aria-valuetext", text);
    setText(byId("epoch"), text);
    setText(this.toggle, state.isPlaying ? "❚❚" : "▶\ufe0e");
    this.toggle.ariaLabel = this.toggle.title = state.isPlaying ? "pause" : "play";
    const now = performance.now();
    if (state.isPlaying && now < this.spoken + 1000) return;
    this.spoken = now;
    setText(byId("spoken"), text);
  }

  /** Keys work unless the element that has the focus needs them itself. */
  key(event) {
    const { key, target, defaultPrevented, ctrlKey, altKey, metaKey } = event;
    if (defaultPrevented || ctrlKey || altKey || metaKey) return;
    const ownKeys = key === " " ? "input:not([type=range]), button, summary, a" : "input";
    if (target.closest?.(`${ownKeys}, select, textarea, dialog, [tabindex]`)) return;
    const move = JUMPS.find((one) => one.key === key);
    if (key === " ") this.play(!state.isPlaying);
    else if (move) this.go(move.from(this.place()));
    else return;
    event.preventDefault();
  }
}

/**
 * When each epoch is shown, from 0 to 1: as in the films, 45 % by the change of the log loss, 45 % by that of the
 * outputs, and 10 % by the epoch, so that equal times bring equal changes.
 */
function pathOf(page, epochs) {
  const view = new RunView(page, state.run);
  const { population, place, isStored } = view;
  const points = epochs.map((epoch) => {
    const row = Math.max(0, population.lossEpochs.findLastIndex((one) => one <= epoch));
    const y = isStored ? view.show(shown(page, state.run, epoch)).walk.slice(0, 64).flatMap((one) => [...one.y]) : [0];
    return { loss: [Math.log(Math.max(population.loss(place, row), 1e-12))], y, epoch: [epoch] };
  });
  const covered = [["loss", 0.45], ["y", 0.45], ["epoch", 0.1]].map(([name, weight]) => covering(points.map((one) => one[name]), weight));
  const total = covered.reduce((sum, one) => sum + one.at(-1), 0) || 1;
  return epochs.map((_, k) => (covered.reduce((sum, one) => sum + one[k], 0) / total) * (1 - 1 / epochs.length));
}

/** Epochs from one to another at about equal steps. */
function epochSteps(from, to) {
  const steps = Math.min(MOST_STEPS, to - from);
  return Array.from({ length: steps + 1 }, (_, k) => from + Math.round((k * (to - from)) / (steps || 1)));
}

/** The share of its way that a point has covered after each step, times a weight. */
function covering(points, weight) {
  let sum = 0;
  const way = points.map((point, k) => {
    const step = k ? Math.hypot(...point.map((value, i) => value - points[k - 1][i])) : 0;
    if (Number.isFinite(step)) sum += step;
    return sum;
  });
  return way.map((value) => (weight * value) / (sum || 1));
}

/** How a run ended, from its row. */
function endingOf(page, run) {
  const text = (name, before) => (page.column(name)?.of(run) ?? null) === null ? "" : `${before}${page.column(name).text(run)}`;
  const outcome = text("outcome", "");
  const ending = text("solved_at", outcome === "solved" ? "solved at epoch " : `${outcome}, right at epoch `) || outcome;
  return sentence(`${ending || "trained"}${text("final_loss", "; the loss is ")}${text("epochs_done", " after epoch ")}`);
}
