/** The table of runs: filtered, sorted, chosen; of its rows only those exist that are in sight. */

import { clamp } from "./canvas.js";
import { condition, ConditionError } from "./condition.js";
import { kindOf, markOf, runNumber, shortName } from "./outcomes.js";
import { showRun } from "./shown.js";
import { change, follow, selection, state } from "./state.js";
import { byId, counted, element } from "./text.js";

const ROW = 26; // height of a row and of the head in CSS pixels, as in style.css
const SPARE = 6; // rows above and below those in sight
const BOX = 24; // width of the boxes, which style.css repeats
const WIDTH_RUNS = 300; // runs whose values set the width of a column
const MOVES = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity };

export const tableView = (page) => new RunTable(page);

class RunTable {
  sorting = { name: "run", isUp: true };
  holds = () => true;
  anchor = null; // the run from which Shift extends the selection
  first = 0; // the places of the rows that exist
  end = 0;

  constructor(page) {
    this.page = page;
    const first = ["run", "outcome", "final_loss", "solved_at", "test_accuracy", ...page.axes, "seed", "epochs_done"];
    const known = first.map((name) => page.column(name)).filter(Boolean);
    this.ordered = [...new Set([...known, ...page.columns])];
    this.columns = known;
    this.scroller = byId("table");
    this.scroller.style.setProperty("--rows", page.runs);
    this.scroller.addEventListener("scroll", () => this.scroll());
    this.addTools();
    this.addTable();
    this.reorder();
    follow(["order", "selected", "theme"], () => this.draw());
    follow(["run"], () => {
      this.reveal();
      requestAnimationFrame(() => this.reveal()); // the words of the run may have changed the height of the table
    });
  }

  addTools() {
    const menu = byId("columns");
    [this.filter, this.clear] = [byId("filter"), byId("clear")];
    this.filter.oninput = () => this.applyFilter();
    this.clear.onclick = () => change({ selected: new Set() });
    menu.lastElementChild.append(...this.page.columns.map((column) => this.columnBox(column)));
    menu.onkeydown = ({ key }) => {
      if (key !== "Escape") return;
      menu.open = false;
      menu.firstElementChild.focus();
    };
    for (const event of ["pointerdown", "focusin"]) addEventListener(event, ({ target }) => { menu.open &&= menu.contains(target); });
  }

  columnBox(column) {
    const onchange = () => {
      this.columns = this.ordered.filter((one) => (one === column ? box.checked : this.columns.includes(one)));
      this.addTable();
      this.draw();
    };
    const box = element("input", { type: "checkbox", checked: this.columns.includes(column), onchange });
    return element("label", { children: [box, column.name] });
  }

  /** A table for the columns that are shown, without rows. */
  addTable() {
    const onchange = () => change({ selected: new Set(this.all.checked ? state.order : []) });
    this.all = element("input", { type: "checkbox", ariaLabel: "select all runs of the table", onchange });
    const heads = this.columns.map((column) => this.columnHead(column));
    this.head = element("tr", { "aria-rowindex": 1, children: [element("th", { scope: "col", className: "box", children: [this.all] }), ...heads] });
    this.body = element("tbody", { onclick: (event) => this.click(event) });
    [this.rows, this.above, this.below] = [[], gapRow(), gapRow()];
    const widths = [BOX, ...this.columns.map((column) => this.widthOf(column))];
    const columns = widths.map((width) => element("col", { width }));
    const children = [element("colgroup", { children: columns }), element("thead", { children: [this.head] }), this.body];
    const aria = { role: "grid", ariaMultiSelectable: "true", ariaLabel: "runs", ariaColCount: widths.length };
    this.grid = element("table", { tabIndex: 0, ...aria, children, onkeydown: (event) => this.press(event) });
    this.grid.style.width = `${widths.reduce((sum, width) => sum + width)}px`;
    this.scroller.replaceChildren(this.grid);
  }

  columnHead({ name, isNumber }) {
    const onclick = () => {
      this.sorting = { name, isUp: this.sorting.name === name ? !this.sorting.isUp : true };
      this.reorder();
    };
    const button = element("button", { type: "button", text: shortName(this.page, name), title: `sort by ${name}`, onclick });
    const head = element("th", { scope: "col", className: classOf({ name, isNumber }), children: [button] });
    head.dataset.name = name;
    return head;
  }

  /** As wide as its name, above which the arrow of sorting stands, or the longest of some of its values. */
  widthOf(column) {
    const g = document.createElement("canvas").getContext("2d");
    const font = `13px ${getComputedStyle(document.body).fontFamily}`;
    g.font = `600 ${font}`;
    const name = g.measureText(shortName(this.page, column.name)).width;
    g.font = font;
    const step = Math.ceil(this.page.runs / WIDTH_RUNS);
    const some = Array.from({ length: Math.ceil(this.page.runs / step) }, (_, k) => this.textOf(column, k * step));
    const mark = column.name === "outcome" ? g.measureText("● ").width : 0;
    const widest = some.reduce((most, text) => Math.max(most, g.measureText(text).width + mark), name);
    return Math.min(260, Math.ceil(widest) + 11);
  }

  textOf(column, run) {
    return column.name === "run" ? runNumber(this.page, run) : (column.text(run) ?? "");
  }

  /** Show the runs that meet the filter; while it is not understood, say why and leave the table as it is. */
  applyFilter() {
    const text = this.filter.value.trim();
    let problem = "";
    try {
      this.holds = text ? condition(text, this.page.columns) : () => true;
      this.reorder();
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error;
      problem = error.message;
    }
    byId("filter-problem").textContent = problem || (state.order.length ? "" : "No run meets the filter.");
    this.filter.setAttribute("aria-invalid", String(problem !== ""));
  }

  /** Runs without a value stand last, whichever way the others are sorted. */
  reorder() {
    const keys = sortKeys(this.page.column(this.sorting.name));
    const sign = this.sorting.isUp ? 1 : -1;
    const runs = [...Array(this.page.runs).keys()].filter((run) => this.holds(run));
    const known = runs.filter((run) => !Number.isNaN(keys[run])).sort((a, b) => sign * (keys[a] - keys[b]) || a - b);
    change({ order: [...known, ...runs.filter((run) => Number.isNaN(keys[run]))] });
  }

  draw() {
    this.say();
    this.grid.setAttribute("aria-rowcount", state.order.length + 1);
    for (const head of this.head.querySelectorAll("[data-name]")) {
      head.removeAttribute("aria-sort");
      if (head.dataset.name === this.sorting.name) head.ariaSort = this.sorting.isUp ? "ascending" : "descending";
    }
    this.drawRows();
  }

  /** How many runs are shown and selected. */
  say() {
    const [shown, all, chosen] = [state.order.length, this.page.runs, state.selected.size ? selection().length : 0];
    const some = shown < all ? `${shown.toLocaleString("en")} of ${counted(all, "run")}` : counted(all, "run");
    const none = shown ? "" : ": none meets the filter";
    byId("count").textContent = chosen ? `${some} · ${chosen.toLocaleString("en")} selected` : some + none;
    this.clear.hidden = !state.selected.size;
    this.all.checked = chosen > 0 && chosen === shown;
    this.all.indeterminate = chosen > 0 && chosen < shown;
  }

  /** The places of the rows in sight, from the first to before the last. */
  inSight() {
    const { scrollTop, clientHeight } = this.scroller;
    const end = Math.min(state.order.length, Math.ceil((scrollTop + clientHeight) / ROW));
    return [Math.min(end, Math.floor(scrollTop / ROW)), end];
  }

  scroll() {
    const [first, end] = this.inSight();
    if (first < this.first || end > this.end) this.drawRows();
  }

  drawRows() {
    const [first, end] = this.inSight();
    this.first = Math.max(0, first - SPARE);
    this.end = Math.min(state.order.length, end + SPARE);
    const shown = state.order.slice(this.first, this.end);
    while (this.rows.length < shown.length) this.rows.push(this.newRow());
    const rows = shown.map((run, k) => this.filled(this.rows[k], run, this.first + k));
    if (this.body.childElementCount !== rows.length + 2) this.body.replaceChildren(this.above, ...rows, this.below);
    setHeight(this.above, this.first);
    setHeight(this.below, state.order.length - this.end);
    this.markShown();
  }

  newRow() {
    return element("tr", { children: [{ name: "box" }, ...this.columns].map((column) => element("td", { className: classOf(column) })) });
  }

  /** A row with the values of a run; what differs from the run that it had before is changed. */
  filled(row, run, place) {
    row.id = `run-${run}`;
    row.dataset.run = run;
    row.ariaRowIndex = place + 2;
    row.ariaSelected = state.selected.has(run);
    this.columns.forEach((column, k) => {
      const cell = row.children[k + 1];
      const text = this.textOf(column, run);
      if (cell.textContent === (text || "–")) return;
      cell.textContent = text || "–";
      if (column.name === "outcome") cell.prepend(markOf(kindOf(text)), " ");
      if (column.name === "run") cell.title = column.text(run);
    });
    return row;
  }

  markShown() {
    for (const row of this.rows) row.ariaCurrent = Number(row.dataset.run) === state.run ? "true" : null;
    const row = byId(`run-${state.run}`);
    if (row) this.grid.setAttribute("aria-activedescendant", row.id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  /** Bring the shown run into sight. */
  reveal() {
    const top = state.order.indexOf(state.run) * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (top >= 0 && top < scrollTop) this.scroller.scrollTop = top;
    else if (top + 2 * ROW > scrollTop + clientHeight) this.scroller.scrollTop = top + 2 * ROW - clientHeight;
    this.scroll();
    this.markShown();
  }

  click(event) {
    const row = event.target.closest("[data-run]");
    const run = Number(row?.dataset.run);
    if (!row) return;
    if (event.shiftKey) this.extend(run);
    else if (event.target.className === "box" || event.ctrlKey || event.metaKey) this.toggle(run);
    else {
      this.anchor = run;
      showRun(run, this.grid);
    }
  }

  press(event) {
    if (event.target !== this.grid || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in MOVES) this.move(MOVES[event.key], event.shiftKey);
    else if (event.key === " " || event.key === "Enter") this.toggle(state.run);
    else if (event.key === "Escape") change({ selected: new Set() });
    else return;
    event.preventDefault();
  }

  move(step, isExtended) {
    const place = clamp(state.order.indexOf(state.run) + step, 0, state.order.length - 1);
    if (!state.order.length) return;
    this.anchor = isExtended ? (this.anchor ?? state.run) : state.order[place];
    change({ run: state.order[place] });
    if (isExtended) this.extend(state.order[place]);
  }

  toggle(run) {
    const selected = new Set(state.selected);
    if (!selected.delete(run)) selected.add(run);
    this.anchor = run;
    change({ selected });
  }

  /** Select from the anchor to a run. */
  extend(run) {
    const ends = [this.anchor ?? state.run, run].map((end) => state.order.indexOf(end)).sort((a, b) => a - b);
    change({ selected: new Set(state.order.slice(Math.max(0, ends[0]), ends[1] + 1)) });
  }
}

/** Boxes and the numbers of runs stay in sight when the table is moved sideways. */
function classOf({ name, isNumber }) {
  return isNumber ? "number" : name === "box" || name === "run" ? name : "";
}

/** A number a run that sorts it, nan if its value is not known. */
function sortKeys(column) {
  if (column.isNumber) return column.values;
  const { compare } = new Intl.Collator("en", { numeric: true });
  const words = column.words.map((word, code) => ({ word: word ?? "", code })).sort((a, b) => compare(a.word, b.word));
  const ranks = new Map(words.map(({ word, code }, rank) => [code, word ? rank : NaN]));
  return Float64Array.from(column.values, (code) => ranks.get(code));
}

/** A row in place of those that do not exist. */
function gapRow() {
  return element("tr", { className: "gap", "aria-hidden": "true", children: [element("td")] });
}

function setHeight(gap, rows) {
  gap.hidden = rows === 0;
  gap.firstChild.style.setProperty("height", `${rows * ROW}px`);
}
