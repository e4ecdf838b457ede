/** The losses of all runs: lines, or their density where there are many, in groups of one colour. */

import { Axis, disc, label, polyline, shortened, sized, styled } from "./canvas.js";
import { forkOfRun, shownWords } from "./fork.js";
import { shortName } from "./outcomes.js";
import { cssOf, layer, ramp, rgbOf } from "./paint.js";
import { isForkShown, showRun } from "./shown.js";
import { change, follow, selection, state } from "./state.js";
import { distinct, finiteSorted, groupsOf, quantile } from "./statistics.js";
import { byId, choiceOf, element, formatted, setText } from "./text.js";

const MOST_LINES = 2000; // above it their density is drawn
const MOST_GROUPS = 6;
const SCALE_RUNS = 1000; // runs that set the scale
const WORK = 400_000; // losses that are sorted for medians
const LINE_REACH = 24; // px between the pointer and the nearest line
const OUTCOMES = ["--blue", "--olive", "--orange"]; // colours of what is solved, learnt, and not solved
const [TOP, LEFT, BOTTOM] = [8, 50, 24];

export const lossesView = (page) => new LossCurves(page);

class LossCurves {
  by = "outcome";
  isHeldOut = false;

  constructor(page) {
    this.page = page;
    this.canvas = byId("losses-plot");
    this.isLog = !page.populations.some((one) => one.lossRows.some((loss) => loss < 0));
    this.homes = page.homes;
    this.addTools();
    this.canvas.addEventListener("pointermove", (event) => change({ hover: this.runAt(event) }));
    this.canvas.addEventListener("pointerleave", () => change({ hover: -1 }));
    this.canvas.addEventListener("click", (event) => this.click(event));
    follow(["order", "theme", "losses"], () => this.prepare());
    follow(["order", "theme", "losses", "selected"], () => this.choose());
    follow(["order", "theme", "losses", "selected", "run", "epoch", "hover", "fork", "live"], () => this.draw());
  }

  addTools() {
    const names = ["outcome", ...this.page.axes, "seed"].filter((name) => this.page.column(name));
    const choices = names.map((name) => [name, shortName(this.page, name)]);
    const by = choiceOf(choices, this.by, { id: "losses-by", onchange: () => this.set({ by: by.value }) });
    byId("losses-tools").append(element("label", { children: ["colours by ", by] }), this.box("log axis", "isLog"));
    if (this.page.populations.some((one) => one.testRows)) byId("losses-tools").append(this.box("held out", "isHeldOut"));
  }

  box(text, name) {
    const box = element("input", { type: "checkbox", checked: this[name], onchange: () => this.set({ [name]: box.checked }) });
    return element("label", { children: [box, ` ${text}`] });
  }

  set(parts) {
    Object.assign(this, parts);
    change({ losses: (state.losses ?? 0) + 1 });
  }

  loss(run, row) {
    const home = this.homes[run];
    return this.isHeldOut ? home.testLoss(run - home.first, row) : home.loss(run - home.first, row);
  }

  /** The height of a run's line at a place between its rows, nan behind its end. */
  height(run, place) {
    return between((row) => this.y.at(this.loss(run, row)), place);
  }

  /** Groups, scales and the picture of all lines, which stay the same until other runs are shown. */
  prepare() {
    const { g, width, height } = sized(this.canvas);
    if (!width) return;
    this.width = width;
    this.groups = this.grouped();
    const shown = this.groups.filter(({ runs }) => runs.length);
    this.right = width - Math.min(width * 0.45, Math.max(8, ...shown.map(({ text }) => g.measureText(text).width + 18)));
    this.floor = height - BOTTOM;
    const shownHomes = [...new Set(state.order.map((run) => this.homes[run]))];
    this.y = new Axis(this.bounds(), this.isLog, this.floor, TOP);
    this.left = this.y.room(g, LEFT);
    this.x = new Axis([0, Math.max(1, ...shownHomes.map((home) => home.last))], false, this.left, this.right);
    for (const group of this.groups) group.quartiles = this.quartiles(group.runs);
    this.base = this.picture(state.order);
    if (this.by !== "outcome") for (const group of this.groups) this.drawMedian(this.base.g, group);
  }

  /** Runs by outcome or by a setting; those without a known value are the last group. */
  grouped() {
    const column = this.page.column(this.by);
    const ranks = { solved: 0, learnt: 1 };
    const outcomes = { labels: ["solved", "learnt", "not solved"], of: (run) => ranks[column.of(run)] ?? 2 };
    const isOutcome = this.by === "outcome";
    const { labels, of } = isOutcome ? outcomes : groupsOf(column, state.order, MOST_GROUPS);
    const colours = isOutcome ? OUTCOMES.map(rgbOf) : labels.map((_, k) => ramp(k / Math.max(1, labels.length - 1)));
    const groups = labels.map((text, k) => ({ text: `${shortName(this.page, this.by)} ${text}`, colour: colours[k], runs: [] }));
    groups.push({ text: "not known", colour: rgbOf("--label"), runs: [] });
    this.groupOf = (run) => groups.at(of(run));
    for (const run of state.order) this.groupOf(run).runs.push(run);
    if (isOutcome) labels.forEach((text, k) => { groups[k].text = `${formatted(groups[k].runs.length)} ${text}`; });
    return groups;
  }

  /** The lowest and highest loss of the picture; of extreme ones a thousandth may leave it. */
  bounds() {
    const step = Math.ceil(state.order.length / SCALE_RUNS);
    const losses = state.order.filter((_, k) => k % step === 0).flatMap((run) => {
      const rows = this.homes[run].lossEpochs;
      const stride = Math.ceil(rows.length / 100);
      return rows.filter((_, row) => row % stride === 0 || row === rows.length - 1).map((_, k) => this.loss(run, k * stride));
    });
    const sorted = finiteSorted((this.isLog ? losses.filter((loss) => loss > 0) : losses).map(Math.fround)); // larger ones set no scale
    this.hasLosses = sorted.length > 0;
    if (!this.hasLosses) return [0.1, 1];
    const [low, high] = [quantile(sorted, 0.001), quantile(sorted, this.isLog ? 0.999 : 0.98)];
    if (this.isLog) return [low / (high / low) ** 0.04 / 1.02, high * (high / low) ** 0.04 * 1.02];
    return [low - 0.04 * (high - low) - 1e-9, high + 0.04 * (high - low) + 1e-9];
  }

  /** The rows of an epoch in each population, as places between them. */
  placesOf(epoch) {
    return new Map(this.page.populations.map((home) => [home, rowPlace(home.lossEpochs, epoch)]));
  }

  /** Quartiles of the losses of runs at some epochs: [{epoch, low, middle, high}]. */
  quartiles(runs) {
    const homes = new Set(runs.map((run) => this.homes[run]));
    const all = distinct([...homes].flatMap((home) => home.lossEpochs));
    const stride = Math.ceil(this.by === "outcome" ? all.length / 3 : (all.length * runs.length) / WORK);
    const epochs = all.filter((_, k) => (all.length - 1 - k) % stride === 0);
    const found = epochs.map((epoch) => {
      const places = this.placesOf(epoch);
      const at = (run) => places.get(this.homes[run]);
      const losses = finiteSorted(runs.filter((run) => at(run) !== null).map((run) => this.loss(run, Math.floor(at(run)))));
      return { epoch, low: quantile(losses, 0.25), middle: quantile(losses, 0.5), high: quantile(losses, 0.75) };
    });
    return found.filter(({ middle }) => !Number.isNaN(middle));
  }

  /** The lines of some runs as a layer. */
  picture(runs) {
    const made = layer(this.canvas);
    if (runs.length > MOST_LINES) made.g.putImageData(this.density(runs, made.picture), 0, 0);
    this.clip(made.g);
    if (runs.length > MOST_LINES) return made;
    made.g.globalAlpha = Math.max(0.1, Math.min(0.85, 6 / Math.sqrt(runs.length))) * (this.by === "outcome" ? 1 : 0.5);
    for (const run of runs) this.line(made.g, run, cssOf(this.groupOf(run).colour), 1);
    made.g.globalAlpha = 1;
    return made;
  }

  clip(g) {
    g.beginPath();
    g.rect(this.left, TOP - 4, this.right - this.left, this.floor - TOP + 6);
    g.clip();
  }

  line(g, run, colour, width) {
    const rows = this.homes[run].lossEpochs.map((epoch, row) => [this.x.at(epoch), this.height(run, row)]);
    const end = rows.findIndex(([, y]) => Number.isNaN(y));
    polyline(g, end < 0 ? rows : rows.slice(0, end), colour, width);
  }

  drawMedian(g, { quartiles, colour }) {
    const points = (name) => quartiles.map((one) => [this.x.at(one.epoch), this.y.at(one[name])]);
    g.fillStyle = cssOf(colour, 0.22);
    g.beginPath();
    for (const [x, y] of [...points("low"), ...points("high").reverse()]) g.lineTo(x, y);
    g.fill();
    polyline(g, points("middle"), styled("--paper"), 4);
    polyline(g, points("middle"), cssOf(colour), 2);
  }

  density(runs, { width, height }) {
    const scale = devicePixelRatio || 1;
    for (const group of this.groups) group.counts = new Float32Array(width * height);
    const box = { width, first: Math.ceil(this.left * scale), top: TOP * scale, floor: this.floor * scale };
    const epochs = Array.from({ length: Math.floor(this.right * scale) - box.first }, (_, k) => this.x.back((box.first + k) / scale));
    const places = new Map(this.page.populations.map((home) => [
      home, Float64Array.from(epochs, (epoch) => rowPlace(home.lossEpochs, epoch) ?? NaN),
    ]));
    for (const run of runs) {
      const heights = this.homes[run].lossEpochs.map((_, row) => this.y.at(this.loss(run, row)) * scale);
      addLine(this.groupOf(run).counts, box, (row) => heights[row], places.get(this.homes[run]));
    }
    return toned(new ImageData(width, height), this.groups);
  }

  choose() {
    this.chosen = state.selected.size && this.canvas.width ? this.picture(selection()) : null;
  }

  draw() {
    const { g, width, height } = sized(this.canvas);
    if (!width) return;
    this.y.drawUp(g, this.left, this.right);
    this.x.drawAcross(g, this.floor);
    g.globalAlpha = this.chosen ? 0.25 : 1;
    g.drawImage(this.base.picture, 0, 0, width, height);
    g.globalAlpha = 1;
    if (this.chosen) g.drawImage(this.chosen.picture, 0, 0, width, height);
    this.drawLabels(g);
    g.save();
    this.clip(g);
    const x = this.x.at(state.epoch);
    polyline(g, [[x, TOP], [x, this.floor]], styled("--label"), 1, [4, 3]);
    for (const run of new Set([state.hover, state.run])) if (run >= 0) this.drawOne(g, run);
    this.drawFork(g);
    g.restore();
    this.say();
  }

  drawLabels(g) {
    const shown = this.groups.filter(({ quartiles }) => quartiles.length);
    for (const group of shown) group.y = this.y.at(group.quartiles.at(-1).middle);
    spread(shown, 15, TOP + 6, this.floor - 4);
    for (const { y, text, colour } of shown) {
      g.fillStyle = cssOf(colour);
      g.fillRect(this.right + 4, y - 4, 5, 9);
      label(g, shortened(g, text, this.width - this.right - 13), this.right + 12, y, { baseline: "middle" });
    }
  }

  /** The shown run or the one under the pointer, and where the shown one is at the epoch. */
  drawOne(g, run) {
    const width = run === state.run ? 2.5 : 2;
    this.line(g, run, styled("--paper"), width + 2.5);
    this.line(g, run, styled("--ink"), width);
    const place = rowPlace(this.homes[run].lossEpochs, state.epoch);
    if (place !== null && run === state.run && !isForkShown()) disc(g, this.x.at(state.epoch), this.height(run, place), 4, "--ink");
  }

  drawFork(g) {
    const fork = forkOfRun();
    if (!fork?.isShown) return;
    const points = fork.losses.map(([epoch, loss]) => [this.x.at(epoch), this.y.at(loss)]);
    polyline(g, points, styled("--orange"), 2.2, [6, 4]);
    if (isForkShown()) disc(g, this.x.at(state.epoch), this.y.at(fork.lossAt(state.epoch)), 4, "--orange");
  }

  say() {
    const run = state.hover >= 0 ? state.hover : state.run;
    const row = Math.floor(rowPlace(this.homes[run].lossEpochs, state.epoch) ?? NaN);
    const fork = isForkShown(run) ? { loss: state.fork.lossAt(state.epoch), ...state.fork.at(state.epoch) } : null;
    const { loss, epoch } = fork ?? { loss: this.loss(run, row), epoch: this.homes[run].lossEpochs[row] };
    const isKnown = Number.isFinite(loss);
    const now = `${isKnown ? `loss ${formatted(loss)}` : "no loss"} at epoch ${formatted(isKnown ? epoch : state.epoch)}`;
    const missing = state.order.length ? "No run has a finite loss" : "No run meets the filter";
    const ends = this.page.populations.some((one) => one.hasCourse) ? "" : "Lines join first and last losses. ";
    const problem = this.hasLosses ? ends : `${missing}. `;
    setText(byId("losses-note"), `${problem}${shownWords(this.page, run)} · ${now}`);
  }

  /** The run whose line is nearest to the pointer, between the rows around it; -1 if none is near. */
  runAt({ offsetX, offsetY }) {
    const places = this.placesOf(this.x.back(offsetX));
    const [most, least] = [-LINE_REACH, LINE_REACH].map((near) => this.y.back(offsetY + near));
    let [nearest, distance] = [-1, LINE_REACH];
    for (const run of state.order) {
      const place = places.get(this.homes[run]);
      if (place === null) continue;
      const [before, after] = [this.loss(run, Math.floor(place)), this.loss(run, Math.ceil(place))];
      if ((before < least && after < least) || (before > most && after > most)) continue;
      const away = Math.abs(this.height(run, place) - offsetY);
      if (away < distance) [nearest, distance] = [run, away];
    }
    return nearest;
  }

  click(event) {
    const run = this.runAt(event);
    if (event.offsetY > this.floor) change({ epoch: Math.round(this.x.back(event.offsetX)) });
    else if (run >= 0) showRun(run, this.canvas);
  }
}

/** The place of an epoch among recorded ones, with its share of the way to the next; null behind the last. */
function rowPlace(epochs, epoch) {
  let [low, high] = [0, epochs.length - 1];
  if (epoch > epochs[high]) return null;
  if (epoch === epochs[high]) return high;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (epochs[middle] <= epoch) low = middle;
    else high = middle;
  }
  return low + Math.max(0, epoch - epochs[low]) / (epochs[high] - epochs[low]);
}

/** Move places apart, first down, then up from the floor. */
function spread(places, apart, top, floor) {
  places.sort((a, b) => a.y - b.y);
  places.forEach((place, k) => {
    place.y = Math.max(place.y, k ? places[k - 1].y + apart : top);
  });
  places.reverse().forEach((place, k) => {
    place.y = Math.min(place.y, k ? places[k - 1].y - apart : floor);
  });
}

/** Count a line in its columns of pixels: one in each, shared by the pixels between its height and the next column's.
 * `places` says for each column where it is between the rows of the line, nan where the line has ended. */
function addLine(counts, { width, first, top, floor }, at, places) {
  let here = between(at, places[0]);
  for (let k = 0; k < places.length && !Number.isNaN(here); k++) {
    const next = between(at, places[k + 1]);
    const end = Number.isNaN(next) ? here : next;
    const high = Math.floor(Math.max(top, Math.min(here, end)));
    const low = Math.floor(Math.min(floor, Math.max(here, end))); // far above the picture too: | 0 would wrap around
    const weight = 1 / (low - high + 1);
    for (let y = high; y <= low; y++) counts[y * width + first + k] += weight;
    here = next;
  }
}

/** What is at a place between the rows of a curve, from what is `at` each row. */
function between(at, place) {
  const row = Math.floor(place);
  return place === row ? at(row) : at(row) + (place - row) * (at(row + 1) - at(row));
}

/** Counts of groups as an image: the logarithm of all as opacity, the mixture of the groups' colours as tone. */
function toned(image, groups) {
  const { data } = image;
  const total = groups[0].counts.map((_, i) => groups.reduce((sum, { counts }) => sum + counts[i], 0));
  const most = Math.log1p(4 * total.reduce((a, b) => Math.max(a, b), 0));
  total.forEach((sum, i) => {
    if (sum === 0) return;
    for (let k = 0; k < 3; k++) {
      data[4 * i + k] = groups.reduce((tone, { counts, colour }) => tone + counts[i] * colour[k], 0) / sum;
    }
    data[4 * i + 3] = 255 * Math.min(1, (1.4 * Math.log1p(4 * sum)) / most);
  });
  return image;
}
