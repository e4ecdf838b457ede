/** The table of runs: filtered, sorted, chosen; of its rows only those exist that are in sight. */

import { condition, ConditionError } from "./condition.js";
import { kindOf, runName, shortName } from "./outcomes.js";
import { change, follow, selection, state } from "./state.js";
import { byId, counted, element } from "./text.js";

const ROW = 26; // height of a row and of the head in CSS pixels, as in style.css
const MORE = 10; // rows kept above and below those in sight
const SAMPLE = 300; // runs whose values set the width of a column
const MOVES = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity };

export function tableView(page) {
  return new RunTable(page);
}

class RunTable {
  constructor(page) {
    this.page = page;
    const wanted = ["run", "outcome", ...page.axes, "seed", "final_loss", "solved_at", "epochs_done"];
    this.columns = wanted.map((name) => page.column(name)).filter(Boolean);
    this.sorting = { name: "run", isUp: true };
    this.holds = () => true;
    this.anchor = null; // the run from which Shift extends the selection
    this.rows = new Map(); // the rows in sight by their place
    this.addTools();
    this.addTable();
    this.reorder();
    follow(["order", "selected"], () => this.count());
    follow(["order", "selected", "theme"], () => this.draw());
    follow(["run"], () => this.follow());
  }

  addTools() {
    const example = "lr > 0.5 and outcome = 'solved'";
    this.filter = element("input", { type: "search", id: "filter", placeholder: example, autocomplete: "off" });
    this.filter.setAttribute("aria-label", `filter, as in ${example}`);
    this.filter.setAttribute("aria-describedby", "filter-problem");
    this.filter.addEventListener("input", () => this.applyFilter());
    this.clear = element("button", { type: "button", text: "Clear selection", hidden: true });
    this.clear.addEventListener("click", () => change({ selected: new Set() }));
    const boxes = this.page.columns.map((column) => this.columnBox(column));
    const menu = element("details", { id: "columns", children: [element("summary", { text: "Columns" })] });
    menu.append(element("div", { children: boxes }));
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape") menu.open = false;
    });
    byId("runs-tools").append(this.filter, menu, this.clear);
  }

  columnBox(column) {
    const box = element("input", { type: "checkbox", checked: this.columns.includes(column) });
    box.addEventListener("change", () => {
      this.columns = this.columns.filter((one) => one !== column);
      if (box.checked) this.columns.push(column);
      this.addTable();
      this.draw();
    });
    return element("label", { children: [box, column.name] });
  }

  addTable() {
    this.scroller = byId("table");
    this.body = element("tbody");
    this.head = element("tr", { "aria-rowindex": 1, children: [this.boxHead(), ...this.columns.map((c) => this.columnHead(c))] });
    const widths = [30, ...this.columns.map((column) => this.widthOf(column))];
    const group = element("colgroup", { children: widths.map(() => element("col")) });
    widths.forEach((width, k) => group.children[k].style.setProperty("width", `${width}px`));
    this.grid = element("table", { role: "grid", tabIndex: 0, "aria-multiselectable": "true", "aria-label": "runs" });
    this.grid.setAttribute("aria-colcount", widths.length);
    this.grid.style.setProperty("width", `${widths.reduce((sum, width) => sum + width)}px`);
    this.grid.append(group, element("thead", { children: [this.head] }), this.body);
    this.grid.addEventListener("keydown", (event) => this.press(event));
    this.body.addEventListener("click", (event) => this.click(event));
    this.scroller.replaceChildren(this.grid);
    this.scroller.onscroll = () => this.draw(false);
  }

  boxHead() {
    this.all = element("input", { type: "checkbox", "aria-label": "select all runs of the table" });
    this.all.addEventListener("change", () => change({ selected: new Set(this.all.checked ? state.order : []) }));
    return element("th", { scope: "col", children: [this.all] });
  }

  columnHead(column) {
    const button = element("button", { type: "button", text: shortName(this.page, column.name) });
    button.title = `sort by ${column.name}`;
    button.addEventListener("click", () => this.sortBy(column.name));
    const head = element("th", { scope: "col", className: column.isNumber ? "number" : "", children: [button] });
    head.dataset.name = column.name;
    return head;
  }

  /** Wide enough for the longest of some of its values, and for its name with the arrow of sorting. */
  widthOf(column) {
    const g = (this.ruler ??= document.createElement("canvas").getContext("2d"));
    g.font = `13px ${getComputedStyle(document.body).fontFamily}`;
    const step = Math.ceil(this.page.runs / SAMPLE);
    let widest = g.measureText(`${shortName(this.page, column.name)} ▲`).width + 4;
    for (let run = 0; run < this.page.runs; run += step) {
      const text = this.textOf(column, run) + (column.name === "outcome" ? "●  " : "");
      widest = Math.max(widest, g.measureText(text).width);
    }
    return Math.min(260, Math.ceil(widest) + 14);
  }

  textOf(column, run) {
    return column.name === "run" ? runName(this.page, run) : (column.text(run) ?? "");
  }

  applyFilter() {
    const text = this.filter.value.trim();
    let problem = "";
    try {
      this.holds = text ? condition(text, this.page.columns) : () => true;
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error;
      problem = error.message;
    }
    byId("filter-problem").textContent = problem;
    this.filter.setAttribute("aria-invalid", Boolean(problem));
    if (!problem) this.reorder();
  }

  sortBy(name) {
    this.sorting = { name, isUp: this.sorting.name === name ? !this.sorting.isUp : true };
    this.reorder();
  }

  reorder() {
    const runs = [...Array(this.page.runs).keys()].filter(this.holds);
    const keys = sortKeys(this.page.column(this.sorting.name));
    const sign = this.sorting.isUp ? 1 : -1;
    const known = runs.filter((run) => !Number.isNaN(keys[run])).sort((a, b) => sign * (keys[a] - keys[b]) || a - b);
    change({ order: [...known, ...runs.filter((run) => Number.isNaN(keys[run]))] });
  }

  count() {
    const [shown, chosen] = [state.order.length, selection().length];
    const all = counted(this.page.runs, "run");
    const some = shown < this.page.runs ? `${shown.toLocaleString("en")} of ${all}` : all;
    this.clear.hidden = state.selected.size === 0;
    byId("count").textContent = state.selected.size ? `${some} · ${chosen.toLocaleString("en")} selected` : some;
    this.all.checked = chosen === shown && state.selected.size > 0;
    this.all.indeterminate = !this.all.checked && state.selected.size > 0;
  }

  /** The rows in sight; after a scroll only those that were not there. */
  draw(isAll = true) {
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - MORE);
    const last = Math.min(state.order.length, Math.ceil((scrollTop + clientHeight) / ROW) + MORE);
    if (isAll) this.drawHead();
    if (!isAll && this.drawn && this.drawn.first <= Math.max(0, first + MORE - 2) && this.drawn.last >= last - MORE + 2) return;
    if (!isAll && this.drawn?.first === first && this.drawn?.last === last) return;
    this.drawn = { first, last };
    const rows = [];
    for (let place = first; place < last; place++) rows.push(this.row(state.order[place], place));
    this.body.replaceChildren(gap(first), ...rows, gap(state.order.length - last));
    this.markShown();
  }

  drawHead() {
    this.grid.setAttribute("aria-rowcount", state.order.length + 1);
    for (const head of this.head.querySelectorAll("th[data-name]")) {
      const isSorted = head.dataset.name === this.sorting.name;
      if (isSorted) head.setAttribute("aria-sort", this.sorting.isUp ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
  }

  row(run, place) {
    const isSelected = state.selected.has(run);
    const box = element("input", { type: "checkbox", tabIndex: -1, checked: isSelected });
    box.setAttribute("aria-label", `select run ${runName(this.page, run)}`);
    const row = element("tr", { id: `run-${run}`, "aria-rowindex": place + 2, "aria-selected": String(isSelected) });
    row.append(element("td", { children: [box] }), ...this.columns.map((column) => this.cell(column, run)));
    row.dataset.run = run;
    return row;
  }

  cell(column, run) {
    const text = this.textOf(column, run);
    const cell = element("td", { className: column.isNumber ? "number" : "", text: text || "–" });
    if (!text) cell.classList.add("missing");
    if (column.name === "outcome") {
      const kind = kindOf(text);
      cell.prepend(element("span", { className: "mark", text: `${kind.mark} `, "aria-hidden": "true" }));
      cell.firstChild.style.setProperty("color", `var(${kind.colour})`);
    }
    if (!column.isNumber) cell.title = column.text(run);
    return cell;
  }

  markShown() {
    for (const row of this.body.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
    const row = byId(`run-${state.run}`);
    row?.setAttribute("aria-current", "true");
    if (row) this.grid.setAttribute("aria-activedescendant", row.id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  /** Bring the shown run into sight. */
  follow() {
    const top = state.order.indexOf(state.run) * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (top >= 0 && top < scrollTop) this.scroller.scrollTop = top;
    else if (top + 2 * ROW > scrollTop + clientHeight) this.scroller.scrollTop = top + 2 * ROW - clientHeight;
    this.draw(false);
    this.markShown();
  }

  click(event) {
    const row = event.target.closest("tr[data-run]");
    if (!row) return;
    const run = Number(row.dataset.run);
    if (event.shiftKey) this.extend(run);
    else if (event.target.type === "checkbox" || event.ctrlKey || event.metaKey) this.toggle(run);
    else {
      this.anchor = run;
      change({ run });
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
    const place = state.order.indexOf(state.run);
    const next = place < 0 ? 0 : Math.max(0, Math.min(state.order.length - 1, place + step));
    if (!state.order.length) return;
    this.anchor = isExtended ? (this.anchor ?? state.run) : state.order[next];
    change({ run: state.order[next] });
    if (isExtended) this.extend(state.order[next]);
  }

  toggle(run) {
    const selected = new Set(state.selected);
    if (!selected.delete(run)) selected.add(run);
    this.anchor = run;
    change({ selected });
  }

  extend(run) {
    const [from, to] = [state.order.indexOf(this.anchor ?? state.run), state.order.indexOf(run)].sort((a, b) => a - b);
    change({ selected: new Set(state.order.slice(Math.max(0, from), to + 1)) });
  }
}

/** A number a run that sorts it, nan if its value is not known. */
function sortKeys(column) {
  if (column.isNumber) return column.values;
  const { compare } = new Intl.Collator("en", { numeric: true });
  const words = column.words.map((word, code) => ({ word, code })).sort((a, b) => compare(a.word, b.word));
  const ranks = new Map(words.map(({ code }, rank) => [code, rank]));
  return Float64Array.from(column.values, (code) => ranks.get(code));
}

/** Rows out of sight, as one that is as high as they are. */
function gap(rows) {
  const cell = element("td");
  cell.style.setProperty("height", `${rows * ROW}px`);
  return element("tr", { className: "gap", hidden: rows === 0, "aria-hidden": "true", children: [cell] });
}
