/** Results by one or two settings: a heat map, points with intervals, a histogram, or a point a run. */

import { label, logTicks, sized, styled, ticks, tickText } from "./canvas.js";
import { kindOf, runWords, shortName } from "./outcomes.js";
import { css, inkOn, layer, mixed, rgbOf } from "./paint.js";
import { change, follow, state } from "./state.js";
import { evenCuts, finiteSorted, groupsOf, isWide, quantile, wilson } from "./statistics.js";
import { byId, counted, element, formatted } from "./text.js";

const MOST_VALUES = 24; // of an axis with a label each
const MOST_PIXELS = 256; // of an axis of a map, which has a run in each cell

const percent = (share) => `${Math.round(100 * share)} %`;
const quartered = (sorted) => ({ value: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) });

/** What is shown of the runs of a cell: a value with its interval, its text, and the colour of high values. */
const MEASURES = {
  solved: { name: "share solved", colour: "--blue", text: percent, of: shareSolved, range: [0, 1] },
  loss: {
    name: "median final loss", colour: "--orange", text: formatted,
    of: (page, runs) => quartered(finiteSorted(runs.map((run) => page.column("final_loss").values[run]))),
  },
  epochs: {
    name: "median epochs to solve", colour: "--violet", text: formatted,
    of: (page, runs) => quartered(finiteSorted(runs.map((run) => page.column("solved_at")?.values[run]))),
  },
  runs: { name: "number of runs", colour: "--label", text: formatted, of: (_, runs) => ({ value: runs.length }), isCount: true },
  outcome: { name: "outcome of each run", colour: "--blue", text: () => "", of: () => ({ value: 1 }) },
};

function shareSolved(page, runs) {
  const finished = runs.filter((run) => page.column("outcome").of(run) !== "pending");
  const solved = finished.filter((run) => page.column("outcome").of(run) === "solved").length;
  const [low, high] = wilson(solved, finished.length);
  return { value: solved / finished.length, low, high, solved, ended: finished.length };
}

export function settingsView(page) {
  return new SettingsMap(page);
}

/** `items` are what can be pointed at, each with its `runs`, its `box` [x, y, width, height], and its words. */
class SettingsMap {
  constructor(page) {
    this.page = page;
    this.canvas = byId("settings-plot");
    const hasLoss = finiteSorted(page.column("final_loss")?.values ?? []).length > 0;
    this.x = page.axes[0] ?? (hasLoss ? "final_loss" : "outcome");
    this.y = page.axes[1] ?? "";
    this.measure = page.axes.length ? "solved" : "runs";
    this.hovered = null;
    this.addTools();
    if (this.y && this.isOneEach()) this.measure = "outcome";
    this.canvas.addEventListener("pointermove", (event) => this.point(this.itemAt(event)));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("click", (event) => this.pick(this.itemAt(event), event.ctrlKey || event.metaKey));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    follow(["order", "theme"], () => this.prepare());
    follow(["order", "theme", "selected", "run"], () => this.draw());
  }

  isOneEach() {
    const [x, y] = [this.x, this.y].map((name) => this.page.column(name));
    const pairs = new Set(Array.from(x.values, (value, run) => `${value} ${y.values[run]}`));
    return pairs.size === this.page.runs;
  }

  addTools() {
    const names = this.page.columns.map((column) => column.name).filter((name) => name !== "run");
    const columns = names.map((name) => [name, shortName(this.page, name)]);
    const measures = Object.entries(MEASURES).map(([key, { name }]) => [key, name]);
    byId("settings-tools").append(
      this.select("x", "x", columns), this.select("y", "y", [["", "–"], ...columns]), this.select("shows", "measure", measures),
    );
  }

  select(text, part, choices) {
    const options = choices.map(([value, name]) => element("option", { value, text: name, selected: value === this[part] }));
    const made = element("select", { id: `settings-${part}`, children: options });
    made.addEventListener("change", () => {
      this[part] = made.value;
      this.prepare();
      this.draw();
    });
    return element("label", { children: [`${text} `, made] });
  }

  /** Axes, items and the picture, which stay the same until other runs are shown. */
  prepare() {
    const { width, height } = sized(this.canvas);
    if (!width) return;
    this.hovered = null;
    this.size = { width, height };
    this.columns = [this.x, this.y].filter(Boolean).map((name) => this.page.column(name));
    this.runs = state.order.filter((run) => this.columns.every((column) => column.of(run) !== null));
    const { picture, g } = layer(this.canvas);
    this.base = picture;
    this.items = [];
    if (!this.runs.length) return;
    const most = this.columns.length > 1 && this.isOneEach() ? MOST_PIXELS : MOST_VALUES;
    this.axes = this.columns.map((column) => groupsOf(column, this.runs, most, evenCuts));
    if (this.axes.length > 1 && this.axes.every((axis) => axis.edges)) this.drawScatter(g);
    else if (this.axes.length > 1) this.drawHeat(g);
    else this.drawPoints(g);
  }

  /** The runs of each cell that has some, by the places of the cell on both axes. */
  cells() {
    const found = new Map();
    const [across, up] = this.axes;
    for (const run of this.runs) {
      const key = across.of(run) + across.labels.length * (up?.of(run) ?? 0);
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(run);
    }
    return [...found].sort(([a], [b]) => a - b).map(([key, runs]) => {
      const places = [key % across.labels.length, Math.floor(key / across.labels.length)];
      return { runs, places, ...MEASURES[this.measure].of(this.page, runs) };
    });
  }

  frame(g, left) {
    const { width, height } = this.size;
    const box = { left: left + 10, top: 22, right: width - 8, floor: height - 38 };
    label(g, shortName(this.page, this.x), box.right, height - 4, { align: "right" });
    return box;
  }

  drawHeat(g) {
    const [across, up] = this.axes;
    const box = this.frame(g, Math.min(120, Math.max(...up.labels.map((text) => g.measureText(text).width))));
    label(g, shortName(this.page, this.y), 0, 12);
    const [wide, high] = [(box.right - box.left) / across.labels.length, (box.floor - box.top) / up.labels.length];
    const cells = this.cells();
    const colourOf = this.scale(cells);
    const gap = Math.min(wide, high) > 8 ? 1.5 : 0;
    for (const cell of cells) {
      const [column, row] = cell.places;
      cell.box = [box.left + column * wide, box.floor - (row + 1) * high, wide - gap, high - gap];
      const colour = colourOf(cell);
      g.fillStyle = css(colour);
      g.fillRect(...cell.box.map((value, k) => (gap ? value : k < 2 ? Math.floor(value) : Math.ceil(value))));
      this.drawCellText(g, cell, colour);
    }
    this.items = cells;
    this.drawNames(g, across, box, wide);
    const step = Math.ceil((up.labels.length * 14) / (box.floor - box.top));
    up.labels.forEach((text, k) => {
      if (k % step === 0) label(g, text, box.left - 6, box.floor - (k + 0.5) * high, { colour: "--label", align: "right", baseline: "middle" });
    });
  }

  /** The text of a cell in its middle, and its interval below it, where there is room. */
  drawCellText(g, { box: [x, y, wide, high], value, low, high: upper }, colour) {
    const { text } = MEASURES[this.measure];
    const first = Number.isNaN(value) ? "–" : text(value);
    if (high < 15 || g.measureText(first).width > wide - 4) return;
    const second = low === undefined || Number.isNaN(low) ? "" : `${text(low).replace(" %", "")} – ${text(upper)}`;
    g.fillStyle = inkOn(colour);
    [g.textAlign, g.textBaseline] = ["center", "middle"];
    const hasTwo = second && high > 32 && g.measureText(second).width < wide - 6;
    g.fillText(first, x + wide / 2, y + high / 2 - (hasTwo ? 7 : 0));
    if (hasTwo) g.fillText(second, x + wide / 2, y + high / 2 + 8);
  }

  /** The colour of a cell: pale for low values; orders of magnitude where losses differ much. */
  scale(cells) {
    const { colour, range } = MEASURES[this.measure];
    const [paper, full, none] = [rgbOf("--paper"), rgbOf(colour), rgbOf("--pale")];
    if (this.measure === "outcome") return this.outcomeScale();
    const known = finiteSorted(cells.map((cell) => cell.value));
    const own = isWide(known) && !range ? Math.log : (value) => value;
    const [low, high] = (range ?? [known[0], known.at(-1)]).map(own);
    return ({ value }) => (Number.isNaN(value) ? none : mixed(paper, full, 0.08 + (0.92 * (own(value) - low)) / (high - low || 1)));
  }

  /** The colour of each run's outcome, deeper the sooner it solved the task or the higher its loss. */
  outcomeScale() {
    const { page } = this;
    const kind = (run) => kindOf(page.column("outcome").of(run)).colour;
    const number = (name, run) => page.column(name)?.of(run) ?? Infinity;
    const amount = (run) => (kind(run) === "--blue" ? -number("solved_at", run) : number("final_loss", run));
    const colours = new Map();
    for (const name of new Set(this.runs.map(kind))) {
      const sorted = this.runs.filter((run) => kind(run) === name).sort((a, b) => amount(a) - amount(b) || 0);
      const ends = [rgbOf("--paper"), rgbOf(name)];
      sorted.forEach((run, rank) => colours.set(run, mixed(...ends, 0.3 + (0.7 * (rank + 1)) / sorted.length)));
    }
    return ({ runs }) => colours.get(runs[0]);
  }

  /** The names of values or the edges of ranges below the picture, as many as there is room for. */
  drawNames(g, axis, box, wide) {
    const names = axis.edges?.map((edge) => formatted(edge, 2)) ?? axis.labels;
    const most = Math.max(...names.map((text) => g.measureText(text).width)) + 8;
    const step = Math.ceil(most / wide);
    names.forEach((text, k) => {
      const x = box.left + (k + (axis.edges ? 0 : 0.5)) * wide;
      if (k % step === 0 && x < this.size.width - 8) label(g, text, x, box.floor + 15, { colour: "--label", align: "center" });
    });
  }

  /** A bar for each count, a point with its interval for each share or median. */
  drawPoints(g) {
    const [axis] = this.axes;
    const measure = MEASURES[this.measure === "outcome" ? "solved" : this.measure];
    const cells = this.cells().map((cell) => ({ ...cell, ...measure.of(this.page, cell.runs) }));
    const values = finiteSorted(cells.flatMap((cell) => [cell.value, cell.low, cell.high]));
    const isLog = !measure.isCount && !measure.range && isWide(values);
    const ends = measure.range ?? (isLog ? [values[0] / 1.3, values.at(-1) * 1.3] : [Math.min(0, values[0]), (values.at(-1) || 1) * 1.08]);
    const box = this.frame(g, 42);
    label(g, measure.name, 0, 12);
    const own = isLog ? Math.log : (value) => value;
    const y = (value) => box.floor - ((own(value) - own(ends[0])) / (own(ends[1]) - own(ends[0]))) * (box.floor - box.top);
    for (const value of values.length ? (isLog ? logTicks : ticks)(...ends, 4) : []) {
      g.fillStyle = styled("--pale");
      g.fillRect(box.left, y(value), box.right - box.left, 1);
      label(g, measure.range ? percent(value) : tickText(value), box.left - 6, y(value), { colour: "--label", align: "right", baseline: "middle" });
    }
    const wide = (box.right - box.left) / axis.labels.length;
    for (const cell of cells) {
      cell.box = [box.left + cell.places[0] * wide, box.top, wide, box.floor - box.top];
      const x = cell.box[0] + wide / 2;
      g.fillStyle = styled(measure.colour);
      if (measure.isCount) g.fillRect(cell.box[0] + 1, y(cell.value), Math.max(1, wide - 2), box.floor - y(cell.value));
      else if (!Number.isNaN(cell.value)) {
        g.fillRect(x - 1, y(cell.high), 2, y(cell.low) - y(cell.high));
        g.beginPath();
        g.arc(x, y(cell.value), 5, 0, 7);
        g.fill();
      }
      const text = Number.isNaN(cell.value) ? "–" : measure.text(cell.value);
      const beside = measure.isCount ? [x, y(cell.value) - 4, "center"] : [x + 8, y(Number.isNaN(cell.value) ? ends[0] : cell.value) + 4, "left"];
      if (g.measureText(text).width < (measure.isCount ? wide : wide / 2 - 8)) label(g, text, beside[0], beside[1], { align: beside[2] });
    }
    this.items = cells;
    this.drawNames(g, axis, box, wide);
  }

  /** A point for each run, in the colour and shape of its outcome. */
  drawScatter(g) {
    const box = this.frame(g, 42);
    label(g, shortName(this.page, this.y), 0, 12);
    const [x, y] = this.columns.map((column, k) => {
      const sorted = finiteSorted(this.runs.map((run) => column.values[run]));
      const own = isWide(sorted) ? Math.log : (value) => value;
      const [low, high] = [own(sorted[0]), own(sorted.at(-1))];
      const [from, to] = k ? [box.floor - 8, box.top + 8] : [box.left + 8, box.right - 8];
      const at = (value) => from + ((own(value) - low) / (high - low || 1)) * (to - from);
      for (const tick of (isWide(sorted) ? logTicks : ticks)(sorted[0], sorted.at(-1), 4)) {
        if (k) label(g, tickText(tick), box.left - 6, at(tick), { colour: "--label", align: "right", baseline: "middle" });
        else label(g, tickText(tick), at(tick), box.floor + 15, { colour: "--label", align: "center" });
      }
      return (run) => at(column.values[run]);
    });
    g.strokeStyle = styled("--pale");
    g.strokeRect(box.left, box.top, box.right - box.left, box.floor - box.top);
    [g.textAlign, g.textBaseline, g.globalAlpha] = ["center", "middle", this.runs.length > 500 ? 0.5 : 0.85];
    g.font = `9px ${styled("--font")}`;
    const styles = new Map();
    this.items = this.runs.map((run) => {
      const outcome = this.page.column("outcome").of(run);
      if (!styles.has(outcome)) styles.set(outcome, { mark: kindOf(outcome).mark, colour: styled(kindOf(outcome).colour) });
      const { mark, colour } = styles.get(outcome);
      g.fillStyle = colour;
      g.fillText(mark, x(run), y(run));
      return { runs: [run], box: [x(run) - 5, y(run) - 5, 10, 10] };
    });
  }

  draw() {
    const { g, width, height } = sized(this.canvas);
    if (!width) return;
    g.drawImage(this.base, 0, 0, width, height);
    const outline = ([x, y, wide, high], colour, line) => {
      [g.strokeStyle, g.lineWidth] = [styled(colour), line];
      g.strokeRect(x + line / 2, y + line / 2, wide - line, high - line);
    };
    for (const item of this.items) {
      if (state.selected.size && item.runs.every((run) => state.selected.has(run))) outline(item.box, "--ink", 2);
    }
    const shown = this.items.find((item) => item.runs.includes(state.run));
    if (shown) this.drawShown(g, shown);
    if (this.hovered) outline(this.hovered.box, "--focus", 3);
    this.say();
  }

  /** A ring where the shown run is. */
  drawShown(g, { box: [x, y, wide, high] }) {
    const isSmall = Math.min(wide, high) < 16;
    for (const [colour, line] of [["--paper", 4], ["--ink", 2]]) {
      [g.strokeStyle, g.lineWidth] = [styled(colour), line];
      g.beginPath();
      g.arc(x + (isSmall ? wide / 2 : wide - 8), y + (isSmall ? high / 2 : 8), isSmall ? 6 : 4, 0, 7);
      g.stroke();
    }
  }

  say() {
    const left = state.order.length - this.runs.length;
    const names = this.columns.map((column) => shortName(this.page, column.name)).join(" or ");
    const note = left ? `${counted(left, "run")} without ${names} ${left === 1 ? "is" : "are"} not shown.` : "";
    const sentence = this.items.length ? "" : `No run to show${state.order.length ? "" : ": none meets the filter"}. `;
    byId("settings-note").textContent = this.hovered ? this.words(this.hovered) : sentence + note;
  }

  /** A cell in words, as in "lr 0.3 · hidden [2]: 18 of 25 runs solved, 72 %, 95 % interval 52 to 86 %". */
  words({ runs, places }) {
    if (runs.length === 1) return runWords(this.page, runs[0]);
    const where = this.columns.map((column, k) => `${shortName(this.page, column.name)} ${this.axes[k].labels[places[k]]}`);
    const { solved, ended, value, low, high } = shareSolved(this.page, runs);
    const share = `${solved} of ${counted(ended, "run")} solved, ${percent(value)}, 95 % interval ${Math.round(100 * low)} to ${percent(high)}`;
    const medians = ["loss", "epochs"].map((key) => [MEASURES[key].name, MEASURES[key].of(this.page, runs).value]);
    const others = medians.filter(([, middle]) => !Number.isNaN(middle)).map(([name, middle]) => `${name} ${formatted(middle)}`);
    return [`${where.join(" · ")}: ${share}`, ...others].join("; ");
  }

  itemAt({ offsetX, offsetY }) {
    const isIn = ([x, y, wide, high]) => offsetX >= x && offsetX < x + wide && offsetY >= y && offsetY < y + high;
    return this.items.find((item) => isIn(item.box)) ?? null;
  }

  point(item) {
    if (item === this.hovered) return;
    this.hovered = item;
    change({ hover: item?.runs.length === 1 ? item.runs[0] : -1 });
    this.draw();
  }

  /** Show the run of a cell, or select its runs, or no longer. */
  pick(item, isAdded) {
    if (!item) return;
    if (item.runs.length === 1 && !isAdded) return change({ run: item.runs[0] });
    const areAll = item.runs.every((run) => state.selected.has(run));
    const isThis = areAll && (isAdded || state.selected.size === item.runs.length);
    const selected = new Set(isAdded ? state.selected : []);
    for (const run of item.runs) if (isThis) selected.delete(run); else selected.add(run);
    change({ selected: isThis && !isAdded ? new Set() : selected });
  }

  /** Arrows move to the nearest cell in their direction; Enter picks it. */
  press(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) this.point(this.hovered ? this.nextItem(way) : (this.items[0] ?? null));
    else if (event.key === "Enter" || event.key === " ") this.pick(this.hovered, event.ctrlKey);
    else if (event.key === "Escape") change({ selected: new Set() });
    else return;
    event.preventDefault();
  }

  nextItem([right, down]) {
    const centre = ({ box: [x, y, wide, high] }) => [x + wide / 2, y + high / 2];
    const [x, y] = centre(this.hovered);
    const distance = (item) => {
      const [dx, dy] = [centre(item)[0] - x, centre(item)[1] - y];
      const [along, aside] = right ? [dx * right, Math.abs(dy)] : [dy * down, Math.abs(dx)];
      return along > 0.5 ? along + 4 * aside : Infinity;
    };
    let [next, least] = [this.hovered, Infinity];
    for (const item of this.items) if (distance(item) < least) [next, least] = [item, distance(item)];
    return next;
  }
}
