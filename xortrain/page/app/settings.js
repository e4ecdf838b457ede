/** Results by one or two settings: a heat map, points with intervals, a histogram, or a mark for each run. */

import { Axis, clamp, disc, label, sized, stroked, styled } from "./canvas.js";
import { kindOf, KINDS, markOf, runWords, shortName } from "./outcomes.js";
import { cssOf, inkOn, layer, mixed, rgbOf } from "./paint.js";
import { showRun } from "./shown.js";
import { change, follow, state } from "./state.js";
import { evenCuts, finiteSorted, groupsOf, isWide, MEASURES, percent, shareSolved } from "./statistics.js";
import { byId, choiceOf, counted, element, formatted } from "./text.js";

const MOST_NAMES = 24; // of an axis, each with its name
const MOST_PIXELS = 256; // of an axis of a map, which has one run in each cell
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export const settingsView = (page) => new SettingsMap(page);

/** `items` are what can be pointed at: each has its `runs`, its `box` [x, y, width, height] and its `mark` [x, y]. */
class SettingsMap {
  items = [];
  hovered = null;

  constructor(page) {
    this.page = page;
    this.canvas = byId("settings-plot");
    const hasLoss = finiteSorted(page.column("final_loss")?.values ?? []).length > 0;
    this.x = page.axes[0] ?? (hasLoss ? "final_loss" : "outcome");
    this.y = page.axes[1] ?? "";
    this.measure = page.axes.length ? "solved" : "runs";
    if (this.y && this.isOneEach()) this.measure = "outcome";
    this.addTools();
    this.canvas.addEventListener("pointermove", (event) => this.point(this.itemAt(event)));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("click", (event) => this.pick(this.itemAt(event), event.ctrlKey || event.metaKey));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    follow(["order", "theme", "settings"], () => this.prepare());
    follow(["order", "theme", "settings", "selected", "run"], () => this.draw());
  }

  /** Whether no two runs of the page agree in both settings. */
  isOneEach() {
    const [x, y] = [this.x, this.y].map((name) => this.page.column(name).values);
    return new Set(Array.from(x, (value, run) => `${value} ${y[run]}`)).size === this.page.runs;
  }

  addTools() {
    const names = this.page.columns.map(({ name }) => name).filter((name) => name !== "run");
    const columns = names.map((name) => [name, shortName(this.page, name)]);
    const measures = Object.entries(MEASURES).map(([key, { name }]) => [key, name]);
    const choices = { x: columns, y: [["", "–"], ...columns], measure: measures };
    byId("settings-tools").append(...Object.keys(choices).map((part) => this.select(part, choices[part])));
  }

  select(part, choices) {
    const onchange = () => {
      this[part] = made.value;
      change({ settings: (state.settings ?? 0) + 1 });
    };
    const made = choiceOf(choices, this[part], { id: `settings-${part}`, onchange });
    return element("label", { children: [`${part === "measure" ? "shows" : part} `, made] });
  }

  /** Axes, items and the picture, which stay the same until other runs are shown. */
  prepare() {
    const { width, height } = sized(this.canvas);
    const before = this.hovered?.runs[0];
    this.hovered = null;
    this.columns = [this.x, this.y].filter(Boolean).map((name) => this.page.column(name));
    this.runs = state.order.filter((run) => this.columns.every((column) => column.of(run) !== null));
    this.base = layer(this.canvas);
    this.items = [];
    if (!this.runs.length) return;
    const most = this.y && this.isOneEach() ? MOST_PIXELS : MOST_NAMES;
    this.axes = this.columns.map((column) => groupsOf(column, this.runs, most, evenCuts));
    const isOutcome = this.measure === "outcome";
    this.isScatter = this.y && this.axes.every((axis) => axis.edges);
    const { g } = this.base;
    const names = this.y && !this.isScatter ? Math.max(...this.axes[1].labels.map((text) => g.measureText(text).width)) : 0;
    this.box = { left: Math.max(42, Math.min(130, names + 8)), top: 32, right: width - 8, floor: height - 38 };
    label(g, shortName(this.page, this.x), this.box.right, height - 4, { align: "right" });
    label(g, this.y ? shortName(this.page, this.y) : MEASURES[this.measure].name, 0, 12);
    if (this.isScatter) this.drawScatter(g);
    else if (this.y || isOutcome) this.drawHeat(g);
    else this.drawPoints(g);
    if (isOutcome && !this.isScatter) this.drawEach(g);
    this.hovered = this.items.find(({ runs }) => runs.includes(before)) ?? null;
  }

  /** The runs of each cell that has some, by its places on both axes, with what is measured of them. */
  cells() {
    const [across, up] = this.axes;
    const found = new Map();
    for (const run of this.runs) {
      const key = across.of(run) + across.labels.length * (up?.of(run) ?? 0);
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(run);
    }
    const count = across.labels.length;
    const keys = [...found.keys()].sort((a, b) => a - b);
    const measured = (runs) => ({ ...MEASURES[this.measure].of(this.page, runs), runs });
    return keys.map((key) => ({ ...measured(found.get(key)), places: [key % count, Math.floor(key / count)] }));
  }

  drawHeat(g) {
    const { left, top, right, floor } = this.box;
    const [across, up = { labels: [""] }] = this.axes;
    const [wide, high] = [(right - left) / across.labels.length, (floor - top) / up.labels.length];
    const gap = Math.min(wide, high) > 8 ? 1.5 : -0.5; // cells of a map overlap a little, so that no seams show
    this.items = this.cells();
    const colourOf = this.measure === "outcome" ? () => rgbOf("--ground") : this.levels();
    for (const cell of this.items) {
      const [x, y] = [left + cell.places[0] * wide, floor - (cell.places[1] + 1) * high];
      cell.box = [x, y, wide - gap, high - gap];
      cell.mark = wide > 16 && high > 16 ? [x + wide - 9, y + 8] : [x + wide / 2, y + high / 2];
      g.fillStyle = cssOf(colourOf(cell));
      g.fillRect(...cell.box);
      if (this.measure !== "outcome" && high > 15) this.drawCellText(g, cell, colourOf(cell));
    }
    this.drawNames(g, across, wide);
    const step = Math.max(1, Math.ceil(15 / high));
    const style = { colour: "--label", align: "right", baseline: "middle" };
    for (let k = 0; k < up.labels.length; k += step) label(g, up.labels[k], left - 6, floor - (k + 0.5) * high, style);
  }

  /** The text of a cell in its middle, and its interval below it, where there is room. */
  drawCellText(g, { box: [x, y, wide, high], value, ...ends }, colour) {
    const { text } = MEASURES[this.measure];
    const isKnown = !Number.isNaN(value);
    const hasEnds = isKnown && ends.high !== undefined;
    const lines = [isKnown ? text(value) : "–", hasEnds ? `${text(ends.low).replace(" %", "")} – ${text(ends.high)}` : ""];
    const shown = lines.filter((line, k) => line && high > 16 + 16 * k && g.measureText(line).width < wide - 4);
    [g.fillStyle, g.textAlign, g.textBaseline] = [inkOn(colour), "center", "middle"];
    shown.forEach((line, k) => {
      g.fillText(line, x + wide / 2, y + high / 2 + 15 * (k - (shown.length - 1) / 2));
    });
  }

  /** The runs of each cell as parts of it, which are as large in all cells, from below by outcome. */
  drawEach(g) {
    const colours = this.outcomeColours();
    const order = new Map([...colours.keys()].map((run, rank) => [run, rank]));
    const most = Math.max(...this.items.map(({ runs }) => runs.length));
    this.items = this.items.flatMap(({ runs, places, box: [left, top, width, height] }) => {
      const columns = clamp(Math.round(Math.sqrt((most * width) / height)), 1, most);
      const [wide, high] = [width / columns, height / Math.ceil(most / columns)];
      const gap = most > 1 && Math.min(wide, high) > 6 ? 1 : 0;
      return runs.sort((a, b) => order.get(a) - order.get(b)).map((run, k) => {
        const [x, y] = [left + (k % columns) * wide, top + height - (Math.floor(k / columns) + 1) * high];
        const mark = [x + wide / 2, y + high / 2];
        g.fillStyle = cssOf(colours.get(run));
        g.fillRect(x, y, wide - gap, high - gap);
        [g.fillStyle, g.textAlign, g.textBaseline] = [inkOn(colours.get(run)), "center", "middle"];
        if (most > 1 && Math.min(wide, high) > 12) g.fillText(this.kindOf(run).mark, ...mark);
        return { runs: [run], places, box: [x, y, wide - gap, high - gap], mark };
      });
    });
  }

  /** The colour of a cell by its value, pale for low ones. */
  levels() {
    const { colour, range } = MEASURES[this.measure];
    const [paper, full, unknown] = ["--paper", colour, "--pale"].map(rgbOf);
    const known = finiteSorted(this.items.map(({ value }) => value));
    const [low, high] = range ?? [known[0] ?? 0, known.at(-1) ?? 1];
    const axis = new Axis([low, high], !range && isWide(known), 0.08, high > low ? 1 : 0.08);
    return ({ value }) => (Number.isNaN(value) ? unknown : mixed(paper, full, axis.at(value)));
  }

  /** A colour for each run, that of its outcome, deeper the sooner it solved the task or the higher its loss. */
  outcomeColours() {
    const number = (name, run) => this.page.column(name)?.of(run) ?? Number.MAX_VALUE;
    return new Map(KINDS.flatMap((kind) => {
      const amount = (run) => (kind.name === "solved" ? -number("solved_at", run) : number("final_loss", run));
      const runs = this.runs.filter((run) => this.kindOf(run) === kind).sort((a, b) => amount(a) - amount(b));
      const ends = [rgbOf("--paper"), rgbOf(kind.colour)];
      return runs.map((run, rank) => [run, mixed(...ends, 0.3 + (0.7 * (rank + 1)) / runs.length)]);
    }));
  }

  kindOf(run) {
    return kindOf(this.page.column("outcome").of(run));
  }

  /** The names of values, or the edges of ranges, as many as there is room for. */
  drawNames(g, axis, wide) {
    const names = axis.edges?.map((edge) => formatted(edge, 2)) ?? axis.labels;
    const widest = Math.max(...names.map((text) => g.measureText(text).width));
    const step = Math.max(1, Math.ceil((widest + 8) / wide)); // wide is not positive where the view is hidden
    for (let k = 0; k < names.length; k += step) {
      const x = this.box.left + (k + (axis.edges ? 0 : 0.5)) * wide;
      label(g, names[k], x, this.box.floor + 15, { colour: "--label", align: "center" });
    }
  }

  /** A bar for each count; a point with its interval for each share or median. */
  drawPoints(g) {
    const { top, right, floor } = this.box;
    const { isCount, range, colour, text } = MEASURES[this.measure];
    this.items = this.cells();
    const known = finiteSorted(this.items.flatMap(({ value, low, high }) => [value, low, high]));
    const isLog = !isCount && !range && isWide(known);
    const ends = range ?? (isLog ? [known[0] / 1.3, known.at(-1) * 1.3] : [Math.min(0, known[0] ?? 0), 1.1 * (known.at(-1) ?? 1) || 1]);
    const axis = new Axis(ends, isLog, isCount ? floor : floor - 6, top);
    if (isCount) axis.ticks = axis.ticks.filter(Number.isInteger);
    const words = range ? percent : undefined;
    const left = axis.room(g, this.box.left, words);
    this.box.left = left;
    axis.drawUp(g, left, right, words);
    const wide = (right - left) / this.axes[0].labels.length;
    for (const cell of this.items) {
      const x = left + (cell.places[0] + 0.5) * wide;
      const y = axis.at(Number.isNaN(cell.value) ? ends[0] : cell.value);
      cell.box = [x - wide / 2, top, wide, floor - top];
      cell.mark = [x, isCount ? floor - 8 : y];
      g.fillStyle = styled(colour);
      if (isCount) g.fillRect(x - wide / 2 + 1, y, Math.max(1, wide - 2), floor - y);
      else if (!Number.isNaN(cell.value)) {
        g.fillRect(x - 1, axis.at(cell.high), 2, axis.at(cell.low) - axis.at(cell.high));
        disc(g, x, y, 5, colour);
      }
      const number = Number.isNaN(cell.value) ? "–" : text(cell.value);
      const room = isCount ? wide : Math.min(wide - 18, right - 2 - x); // up to the next point, or the end of the canvas
      const hasRoom = g.measureText(number).width < room;
      if (hasRoom) label(g, number, isCount ? x : x + 10, isCount ? y - 4 : y + 4, { align: isCount ? "center" : "left" });
    }
    this.drawNames(g, this.axes[0], wide);
  }

  /** A mark for each run, in the colour and shape of its outcome. */
  drawScatter(g) {
    const { top, right, floor } = this.box;
    const axis = (column, ...pixels) => {
      const sorted = finiteSorted(this.runs.map((run) => column.values[run]));
      return new Axis([sorted[0], sorted.at(-1)], isWide(sorted), ...pixels);
    };
    const y = axis(this.columns[1], floor - 8, top + 8);
    const left = y.room(g, this.box.left);
    const x = axis(this.columns[0], left + 8, right - 8);
    x.drawAcross(g, floor);
    y.drawUp(g, left, right);
    [g.textAlign, g.textBaseline, g.globalAlpha] = ["center", "middle", this.runs.length > 500 ? 0.5 : 0.85];
    g.font = `9px ${styled("--font")}`;
    this.items = this.runs.map((run) => {
      const mark = this.columns.map((column, k) => [x, y][k].at(column.values[run]));
      const kind = this.kindOf(run);
      g.fillStyle = styled(kind.colour);
      g.fillText(kind.mark, ...mark);
      return { runs: [run], mark, box: [mark[0] - 5, mark[1] - 5, 10, 10] };
    });
  }

  draw() {
    const { g, width, height } = sized(this.canvas);
    if (!width) return;
    g.drawImage(this.base.picture, 0, 0, width, height);
    const chosen = state.selected;
    const marked = this.items.filter(({ runs }) => chosen.size && runs.every((run) => chosen.has(run)));
    for (const { box } of marked) drawOutline(g, box, "--ink", 2);
    const shown = this.items.find(({ runs }) => runs.includes(state.run));
    if (shown) drawRing(g, shown.mark);
    if (this.hovered) drawOutline(g, this.hovered.box, "--focus", 3);
    const words = this.hovered ? this.words(this.hovered) : this.note();
    byId("settings-note").replaceChildren(words, ...(this.hovered ? [] : this.legend()));
  }

  /** The marks and colours of outcomes where each run has its own. */
  legend() {
    if (!this.isScatter && this.measure !== "outcome") return [];
    const known = new Set(this.runs.map((run) => this.kindOf(run)));
    return KINDS.filter((kind) => known.has(kind)).map((kind) => {
      const words = this.isScatter || kind.name !== "solved" ? kind.name : "solved, stronger: sooner";
      return element("span", { className: "legend", children: [markOf(kind), ` ${words}`] });
    });
  }

  /** Of which runs the results are, if not of all of the page. */
  note() {
    const [shown, all] = [state.order.length, this.page.runs];
    if (!shown) return "No run meets the filter.";
    const left = shown - this.runs.length;
    const names = this.columns.map(({ name }) => shortName(this.page, name)).join(" or ");
    const some = shown < all ? `Of the ${formatted(shown)} of ${counted(all, "run")} that meet the filter. ` : "";
    return some + (left ? `${counted(left, "run")} without ${names} not shown. ` : "");
  }

  /** A cell in words, as in "lr 0.3 · hidden [2]: 18 of 25 runs solved, 72 %, 95 % interval 52 to 86 %". */
  words({ runs, places }) {
    if (runs.length === 1) return runWords(this.page, runs[0]);
    const where = this.columns.map(({ name }, k) => `${shortName(this.page, name)} ${this.axes[k].labels[places[k]]}`);
    const { solved, ended, value, low, high } = shareSolved(this.page, runs);
    const thing = state.order.length < this.page.runs ? "shown run" : "run";
    const share = `${solved} of ${counted(ended, thing)} solved, ${percent(value)}`;
    const medians = ["loss", "epochs"].map((key) => ({ ...MEASURES[key], ...MEASURES[key].of(this.page, runs) }));
    const known = medians.filter((one) => !Number.isNaN(one.value)).map((one) => `${one.name} ${formatted(one.value)}`);
    const interval = `95 % interval ${percent(low).replace(" %", "")} to ${percent(high)}`;
    return `${where.join(" · ")}: ${share}, ${[interval, ...known].join(", ")}`;
  }

  itemAt({ offsetX, offsetY }) {
    const isIn = ([x, y, wide, high]) => offsetX >= x && offsetX < x + wide && offsetY >= y && offsetY < y + high;
    return this.items.find(({ box }) => isIn(box)) ?? null;
  }

  point(item) {
    if (item === this.hovered) return;
    this.hovered = item;
    change({ hover: item?.runs.length === 1 ? item.runs[0] : -1 });
    this.draw();
  }

  /** Show the run of a cell that has one; else select its runs, beside others with Ctrl, or no longer. */
  pick(item, isAdded) {
    if (item?.runs.length === 1 && !isAdded) showRun(item.runs[0], this.canvas);
    else if (item) {
      const isChosen = item.runs.every((run) => state.selected.has(run));
      const rest = isAdded ? [...state.selected].filter((run) => !item.runs.includes(run)) : [];
      const isAlone = state.selected.size === item.runs.length;
      change({ selected: new Set(isChosen && (isAdded || isAlone) ? rest : [...rest, ...item.runs]) });
    }
  }

  /** Arrows point at the nearest cell in their direction; Enter picks it. */
  press(event) {
    if (event.key in WAYS) this.point(this.hovered ? this.beside(WAYS[event.key]) : (this.items[0] ?? null));
    else if (event.key === "Enter" || event.key === " ") this.pick(this.hovered, event.ctrlKey);
    else if (event.key === "Escape") change({ selected: new Set() });
    else return;
    event.preventDefault();
  }

  beside([right, down]) {
    const middle = ({ box: [x, y, wide, high] }) => [x + wide / 2, y + high / 2];
    const [x, y] = middle(this.hovered);
    const distance = (item) => {
      const [dx, dy] = [middle(item)[0] - x, middle(item)[1] - y];
      const along = dx * right + dy * down;
      return along > 0.5 ? along + 4 * Math.abs(dx * down + dy * right) : Infinity;
    };
    const distances = this.items.map(distance);
    const least = distances.reduce((a, b) => Math.min(a, b));
    return least < Infinity ? this.items[distances.indexOf(least)] : this.hovered;
  }
}

function drawOutline(g, [x, y, wide, high], colour, line) {
  [g.strokeStyle, g.lineWidth] = [styled(colour), line];
  g.strokeRect(x + line / 2, y + line / 2, wide - line, high - line);
}

/** A ring where the shown run is. */
function drawRing(g, [x, y]) {
  const ring = new Path2D();
  ring.arc(x, y, 5, 0, 7);
  stroked(g, ring, [[styled("--paper"), 5], [styled("--ink"), 2]]);
}
