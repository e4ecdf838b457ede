/** The losses of all runs: lines, or their density where there are many, in groups of one colour. */

import { label, logTicks, sized, styled, ticks, tickText } from "./canvas.js";
import { kindOf, runWords, shortName } from "./outcomes.js";
import { change, follow, selection, state } from "./state.js";
import { finiteSorted, groupsOf, quantile } from "./statistics.js";
import { byId, element, formatted } from "./text.js";
import { css, mixed, ramp, rgbOf } from "./paint.js";

const MOST_LINES = 2000; // above it the density is drawn
const MOST_GROUPS = 6;
const SAMPLES = 100_000; // losses that set the scale
const WORK = 400_000; // losses that are sorted for medians
const REACH = 24; // px between the pointer and the nearest line
const [TOP, LEFT, BOTTOM] = [8, 50, 24];

export function lossesView(page) {
  return new LossCurves(page);
}

class LossCurves {
  constructor(page) {
    this.page = page;
    this.canvas = byId("losses-plot");
    this.by = "outcome";
    this.isTest = false;
    this.isLog = !page.populations.some((one) => one.lossRows.some((loss) => loss < 0));
    this.homes = page.populations.flatMap((one) => Array(one.runs).fill(one));
    this.addTools();
    this.canvas.addEventListener("pointermove", (event) => change({ hover: this.runAt(event) }));
    this.canvas.addEventListener("pointerleave", () => change({ hover: -1 }));
    this.canvas.addEventListener("click", (event) => this.click(event));
    follow(["order", "theme"], () => this.prepare());
    follow(["order", "theme", "selected"], () => this.choose());
    follow(["order", "theme", "selected", "run", "epoch", "hover"], () => this.draw());
  }

  addTools() {
    const names = ["outcome", ...this.page.axes, "seed"].filter((name) => this.page.column(name));
    const options = names.map((value) => element("option", { value, text: shortName(this.page, value) }));
    const by = element("select", { id: "losses-by", children: options });
    by.addEventListener("change", () => this.redo({ by: by.value }));
    const tools = byId("losses-tools");
    tools.append(element("label", { children: ["colours by ", by] }), this.box("log axis", "isLog"));
    if (this.page.populations.some((one) => one.testRows)) tools.append(this.box("held-out data", "isTest"));
  }

  box(text, name) {
    const box = element("input", { type: "checkbox", checked: this[name] });
    box.addEventListener("change", () => this.redo({ [name]: box.checked }));
    return element("label", { children: [box, ` ${text}`] });
  }

  redo(parts) {
    Object.assign(this, parts);
    this.prepare();
    this.choose();
    this.draw();
  }

  loss(run, row) {
    const home = this.homes[run];
    return this.isTest ? home.testLoss(run - home.first, row) : home.lossRows[row * home.runs + run - home.first];
  }

  /** Scales, groups and the picture of all lines, which stay the same until other runs are shown. */
  prepare() {
    const { width, height } = sized(this.canvas);
    this.size = { width, height };
    this.setGroups();
    const texts = this.groups.map(({ text }) => text.length * 6.6 + 10);
    this.right = width - Math.min(width * 0.3, Math.max(12, ...texts));
    this.setScale();
    for (const group of this.groups) group.quartiles = this.quartiles(group.runs);
    this.base = this.picture(state.order, true);
  }

  setGroups() {
    const found = this.by === "outcome" ? this.outcomes() : groupsOf(this.page.column(this.by), state.order, MOST_GROUPS);
    const name = this.by === "outcome" ? "" : `${shortName(this.page, this.by)} `;
    const count = found.labels.length;
    const colours = found.colours ?? found.labels.map((_, k) => ramp(count > 1 ? k / (count - 1) : 0));
    const all = found.labels.map((text, k) => ({ text: name + text, colour: colours[k], runs: [] }));
    this.groupOf = found.of;
    for (const run of state.order) all[found.of(run)]?.runs.push(run);
    for (const group of all) if (this.by === "outcome") group.text = `${group.runs.length.toLocaleString("en")} ${group.text}`;
    this.allGroups = all;
    this.groups = all.filter((group) => group.runs.length);
  }

  outcomes() {
    const column = this.page.column("outcome");
    const of = (run) => Number(kindOf(column.of(run)).name !== "solved");
    return { labels: ["solved", "not"], colours: [rgbOf("--blue"), rgbOf("--orange")], of };
  }

  /** From epochs and losses to pixels; of extreme losses a thousandth may leave the picture. */
  setScale() {
    const homes = [...new Set(state.order.map((run) => this.homes[run]))];
    this.last = Math.max(1, ...homes.map((home) => home.last));
    const step = Math.ceil(state.order.length / (SAMPLES / 100));
    const values = [];
    for (let k = 0; k < state.order.length; k += step) {
      const { length } = this.homes[state.order[k]].lossEpochs;
      const stride = Math.ceil(length / 100);
      for (let row = length - 1; row >= 0; row -= stride) values.push(this.loss(state.order[k], row));
    }
    const sorted = finiteSorted(this.isLog ? values.filter((value) => value > 0) : values);
    const bounds = [quantile(sorted, 0.001), quantile(sorted, this.isLog ? 0.999 : 0.98)];
    this.hasLosses = sorted.length > 0;
    this.setBounds(...(this.hasLosses ? bounds : [0.1, 1]));
  }

  setBounds(low, high) {
    const own = this.isLog ? Math.log10 : (value) => value;
    const rough = own(high) - own(low);
    const margin = rough > 0 ? rough * 0.04 : Math.max(Math.abs(own(high)) * 0.1, 0.1);
    const [from, to] = [own(low) - margin, own(high) + margin];
    const tall = this.size.height - TOP - BOTTOM;
    this.floor = this.size.height - BOTTOM;
    this.bounds = this.isLog ? [10 ** from, 10 ** to] : [from, to];
    const at = (value) => TOP + Math.max(-50, ((to - value) / (to - from)) * tall);
    this.y = this.isLog ? (loss) => (loss > 0 ? Math.min(this.floor, at(Math.log10(loss))) : loss <= 0 ? this.floor : NaN) : at;
    this.x = (epoch) => LEFT + (epoch / this.last) * (this.right - LEFT);
    this.epochAt = (x) => Math.max(0, Math.min(1, (x - LEFT) / (this.right - LEFT))) * this.last;
  }

  /** The height of a run's line at a place between its rows, nan behind its end. */
  height(run, place) {
    const row = Math.floor(place);
    const first = this.y(this.loss(run, row));
    return place === row ? first : first + (place - row) * (this.y(this.loss(run, row + 1)) - first);
  }

  /** Quartiles of the losses of runs at some epochs: [{epoch, low, middle, high}]. */
  quartiles(runs) {
    const homes = new Set(runs.map((run) => this.homes[run]));
    const all = [...new Set([...homes].flatMap((home) => home.lossEpochs))].sort((a, b) => a - b);
    const stride = this.by === "outcome" ? Math.ceil(all.length / 2) : Math.max(1, Math.ceil((all.length * runs.length) / WORK));
    const found = all.filter((_, k) => (all.length - 1 - k) % stride === 0);
    return found.map((epoch) => this.quartilesAt(runs, homes, epoch)).filter(({ middle }) => !Number.isNaN(middle));
  }

  quartilesAt(runs, homes, epoch) {
    const rows = new Map([...homes].map((home) => [home, rowPlace(home.lossEpochs, epoch)]));
    const losses = runs.map((run) => {
      const place = rows.get(this.homes[run]);
      return place === null ? NaN : this.loss(run, Math.floor(place));
    });
    const sorted = finiteSorted(losses);
    return { epoch, low: quantile(sorted, 0.25), middle: quantile(sorted, 0.5), high: quantile(sorted, 0.75) };
  }
  /** A picture of the lines of some runs, as large as the canvas; with the medians and quartiles of groups. */
  picture(runs, hasMedians) {
    const made = document.createElement("canvas");
    [made.width, made.height] = [this.canvas.width, this.canvas.height];
    const g = made.getContext("2d");
    const scale = devicePixelRatio || 1;
    if (runs.length > MOST_LINES) g.putImageData(this.density(runs, scale, made), 0, 0);
    g.scale(scale, scale);
    this.clip(g);
    if (runs.length <= MOST_LINES) this.lines(g, runs);
    if (hasMedians && this.by !== "outcome") for (const group of this.groups) this.drawMedian(g, group);
    return made;
  }

  clip(g) {
    g.beginPath();
    g.rect(LEFT, TOP - 4, this.right - LEFT, this.floor - TOP + 6);
    g.clip();
  }

  lines(g, runs) {
    const isBehind = this.by !== "outcome";
    g.globalAlpha = Math.max(0.1, Math.min(0.85, 6 / Math.sqrt(runs.length))) * (isBehind ? 0.5 : 1);
    for (const run of runs) {
      g.strokeStyle = this.colourOf(run);
      this.line(g, run);
    }
    g.globalAlpha = 1;
  }

  colourOf(run) {
    return css(this.allGroups[this.groupOf(run)]?.colour ?? rgbOf("--label"));
  }

  line(g, run) {
    const epochs = this.homes[run].lossEpochs;
    g.beginPath();
    for (let row = 0; row < epochs.length; row++) {
      const y = this.height(run, row);
      if (Number.isNaN(y)) break;
      g.lineTo(this.x(epochs[row]), y);
    }
    g.stroke();
  }

  drawMedian(g, { quartiles, colour }) {
    const path = (name) => quartiles.map((one) => [this.x(one.epoch), this.y(one[name])]);
    g.fillStyle = css(colour, 0.22);
    g.beginPath();
    for (const [x, y] of [...path("low"), ...path("high").reverse()]) g.lineTo(x, y);
    g.fill();
    for (const [style, width] of [[styled("--paper"), 4], [css(colour), 2]]) {
      [g.strokeStyle, g.lineWidth] = [style, width];
      g.beginPath();
      for (const [x, y] of path("middle")) g.lineTo(x, y);
      g.stroke();
    }
  }

  /** How many lines pass each pixel, by group, as an image: every line counts the same in every column. */
  density(runs, scale, { width, height }) {
    const groups = [...this.allGroups, {}].map(() => new Float32Array(width * height));
    const [from, to] = [Math.ceil(LEFT * scale), Math.floor(this.right * scale)];
    const places = new Map();
    for (const home of new Set(runs.map((run) => this.homes[run]))) {
      places.set(home, Array.from({ length: to - from }, (_, k) => rowPlace(home.lossEpochs, this.epochAt((from + k) / scale))));
    }
    for (const run of runs) {
      const counts = groups[this.groupOf(run)] ?? groups.at(-1);
      addLine(counts, width, from, this.columnsOf(run, places.get(this.homes[run]), scale), height - 1);
    }
    const colours = [...this.allGroups.map((group) => group.colour), rgbOf("--label")];
    return toned(new ImageData(width, height), groups, colours);
  }

  /** The height of a run's line in each column of pixels. */
  columnsOf(run, places, scale) {
    const heights = this.homes[run].lossEpochs.map((_, row) => this.height(run, row) * scale);
    return places.map((place) => {
      if (place === null) return NaN;
      const row = Math.floor(place);
      return place === row ? heights[row] : heights[row] + (place - row) * (heights[row + 1] - heights[row]);
    });
  }

  choose() {
    const runs = state.selected.size ? selection() : [];
    this.chosen = runs.length ? this.picture(runs, false) : null;
  }

  draw() {
    const { g, width, height } = sized(this.canvas);
    if (!width) return;
    g.globalAlpha = this.chosen ? 0.25 : 1;
    g.drawImage(this.base, 0, 0, width, height);
    g.globalAlpha = 1;
    if (this.chosen) g.drawImage(this.chosen, 0, 0, width, height);
    this.drawAxes(g);
    this.drawLabels(g);
    g.save();
    this.clip(g);
    this.drawEpoch(g);
    this.drawOne(g, state.run, 2.5);
    if (state.hover >= 0 && state.hover !== state.run) this.drawOne(g, state.hover, 2);
    g.restore();
    this.say();
  }

  drawAxes(g) {
    const [low, high] = this.bounds;
    g.strokeStyle = styled("--pale");
    g.strokeRect(LEFT - 0.5, TOP - 0.5, this.right - LEFT + 1, this.floor - TOP + 1);
    for (const value of this.isLog ? logTicks(low, high) : ticks(low, high)) {
      const y = this.y(value);
      if (y > TOP + 3 && y <= this.floor) label(g, tickText(value), LEFT - 6, y, { colour: "--label", align: "right", baseline: "middle" });
    }
    for (const epoch of ticks(0, this.last, Math.max(2, (this.right - LEFT) / 90))) {
      label(g, tickText(epoch), this.x(epoch), this.floor + 16, { colour: "--label", align: "center" });
    }
  }

  /** The name of each group at the end of its median, moved apart where they would overlap. */
  drawLabels(g) {
    const shown = this.groups.filter((group) => group.quartiles.length);
    const places = shown.map((group) => ({ group, y: this.y(group.quartiles.at(-1).middle) }));
    for (const { group, y } of spread(places, 15, TOP + 6, this.floor - 4)) {
      g.fillStyle = css(group.colour);
      g.fillRect(this.right + 4, y - 4, 5, 9);
      label(g, group.text, this.right + 12, y, { baseline: "middle" });
    }
  }

  drawEpoch(g) {
    g.strokeStyle = styled("--label");
    g.lineWidth = 1;
    g.setLineDash([4, 3]);
    g.beginPath();
    g.moveTo(this.x(state.epoch), TOP);
    g.lineTo(this.x(state.epoch), this.floor);
    g.stroke();
    g.setLineDash([]);
  }

  drawOne(g, run, wide) {
    for (const [style, width] of [[styled("--paper"), wide + 2.5], [styled("--ink"), wide]]) {
      [g.strokeStyle, g.lineWidth] = [style, width];
      this.line(g, run);
    }
    const place = rowPlace(this.homes[run].lossEpochs, state.epoch);
    if (place === null || run !== state.run) return;
    g.fillStyle = styled("--ink");
    g.beginPath();
    g.arc(this.x(state.epoch), this.height(run, place), 4, 0, 7);
    g.fill();
  }

  say() {
    const run = state.hover >= 0 ? state.hover : state.run;
    const place = rowPlace(this.homes[run].lossEpochs, state.epoch);
    const loss = place === null ? NaN : this.loss(run, Math.floor(place));
    const now = Number.isFinite(loss) ? `loss ${formatted(loss)} at epoch ${formatted(state.epoch)}` : `no loss at epoch ${formatted(state.epoch)}`;
    const text = state.order.length ? `${runWords(this.page, run)} · ${now}` : "No run meets the filter.";
    byId("losses-note").textContent = this.hasLosses || !state.order.length ? text : `No shown run has a finite loss above 0. ${text}`;
  }

  /** The run whose line is nearest to the pointer, in the pointer's column; -1 if none is near. */
  runAt({ offsetX, offsetY }) {
    const places = new Map(this.page.populations.map((home) => [
      home, [-2, 0, 2].map((near) => rowPlace(home.lossEpochs, this.epochAt(offsetX + near))).filter((place) => place !== null),
    ]));
    let [nearest, least] = [-1, REACH];
    for (const run of state.order) {
      let [high, low] = [Infinity, -Infinity];
      for (const place of places.get(this.homes[run])) {
        const y = this.height(run, place);
        high = Math.min(high, y);
        low = Math.max(low, y);
      }
      const distance = Math.max(high - offsetY, offsetY - low, 0);
      if (distance < least) [nearest, least] = [run, distance];
    }
    return nearest;
  }

  click(event) {
    if (event.offsetY > this.floor) change({ epoch: Math.round(this.epochAt(event.offsetX)) });
    else if (this.runAt(event) >= 0) change({ run: this.runAt(event) });
  }
}

/** The place of an epoch among recorded ones, with its share of the way to the next; null behind the last. */
function rowPlace(epochs, epoch) {
  let [low, high] = [0, epochs.length - 1];
  if (epoch > epochs[high]) return null;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (epochs[middle] <= epoch) low = middle;
    else high = middle;
  }
  if (epochs[high] <= epoch) return high;
  return low + Math.max(0, epoch - epochs[low]) / (epochs[high] - epochs[low]);
}

/** Count a line in each of its columns: one in all, over the pixels between its height and the next column's. */
function addLine(counts, width, from, heights, floor) {
  for (let k = 0; k < heights.length && !Number.isNaN(heights[k]); k++) {
    const [here, next] = [heights[k], Number.isNaN(heights[k + 1] ?? NaN) ? heights[k] : heights[k + 1]];
    const top = Math.max(0, Math.min(here, next)) | 0;
    const end = Math.min(floor, Math.max(here, next)) | 0;
    const weight = 1 / (end - top + 1);
    for (let y = top; y <= end; y++) counts[y * width + from + k] += weight;
  }
}

/** Counts as colours: the logarithm of all as opacity, the mixture of groups as tone. */
function toned(image, groups, colours) {
  const total = groups[0].map((_, i) => groups.reduce((sum, counts) => sum + counts[i], 0));
  const most = Math.log1p(4 * total.reduce((a, b) => Math.max(a, b), 0));
  total.forEach((sum, i) => {
    if (sum === 0) return;
    for (let k = 0; k < 3; k++) {
      image.data[4 * i + k] = groups.reduce((tone, counts, group) => tone + counts[i] * colours[group][k], 0) / sum;
    }
    image.data[4 * i + 3] = 255 * Math.min(1, (1.4 * Math.log1p(4 * sum)) / most);
  });
  return image;
}

/** Places at least a distance apart, between two ends. */
function spread(places, apart, top, floor) {
  const sorted = places.sort((a, b) => a.y - b.y);
  sorted.forEach((place, k) => {
    place.y = Math.max(place.y, k ? sorted[k - 1].y + apart : top);
  });
  let most = floor;
  for (const place of sorted.reverse()) {
    place.y = Math.min(place.y, most);
    most = place.y - apart;
  }
  return sorted;
}
