/** Side by side: the fields of the selected runs, or of the first ones, at the shown epoch. */

import { sized, styled } from "./canvas.js";
import { placeIn, sliceBoxes } from "./field.js";
import { drawMark } from "./marks.js";
import { OutputColours, RunView } from "./picture.js";
import { runName, settingsOf } from "./player.js";
import { pointsAlong, Raster } from "./plot.js";
import { change, follow, selection, state } from "./state.js";
import { byId, counted, element, formatted } from "./text.js";

const MOST_CELLS = 400;
const MOST_UNSELECTED = 100; // cells if no runs are selected
const MOST_LABELLED = 24;
const [LARGEST, LEAST, HIGHEST] = [132, 26, 460]; // sides of a cell, and the height of all where that is possible
const GAP = 6;
const STATUS = 9; // height of the mark of the outcome below a cell
const LEAST_MARKED = 40; // the side of the smallest cell with marks of its examples
const GLYPHS = {
  solved: [[0, 0.5], [0.35, 0.95], [1, 0.05]],
  learnt: [[0.35, 0.5], [0.65, 0.5]],
  stuck: [[0, 0.5], [1, 0.5]],
  failed: [[0, 0], [1, 1], [0.5, 0.5], [1, 0], [0, 1]],
};
const FAILURES = ["diverged", "exploded"];
const UNMARKED = ["", "not solved", "training", "pending"]; // outcomes

class Cells {
  views = new Map();
  parts = new Map(); // of a population: colours, boxes of the slices in a cell, raster

  constructor(page, canvas) {
    Object.assign(this, { page, canvas });
  }

  /** Choose the runs and the places of their cells; sets the height of the canvas. */
  arrange() {
    const chosen = selection();
    this.runs = chosen.slice(0, state.selected.size ? MOST_CELLS : MOST_UNSELECTED);
    this.views = new Map(this.runs.map((run) => [run, this.views.get(run) ?? new RunView(this.page, run)]));
    this.parts.clear();
    const width = this.canvas.clientWidth;
    const rows = (side) => Math.ceil(this.runs.length / Math.max(1, Math.floor((width + GAP) / (side + GAP))));
    this.label = this.runs.length <= MOST_LABELLED ? 16 : 0;
    this.side = LARGEST;
    const height = () => rows(this.side) * (this.side + STATUS + this.label + GAP);
    while (this.side > LEAST && height() > HIGHEST) this.side--;
    this.across = Math.max(1, Math.floor((width + GAP) / (this.side + GAP)));
    this.canvas.style.height = `${height()}px`;
    return chosen.length;
  }

  boxOf(n) {
    const { side, across, label } = this;
    return {
      x: (n % across) * (side + GAP) + 1,
      y: Math.floor(n / across) * (side + STATUS + label + GAP) + 1,
      width: side - 2,
      height: side - 2,
    };
  }

  at(x, y) {
    const { side, across, label } = this;
    const column = Math.floor(x / (side + GAP));
    const n = column + across * Math.floor(y / (side + STATUS + label + GAP));
    return column < across && n >= 0 ? (this.runs[n] ?? -1) : -1;
  }

  draw() {
    const { g } = sized(this.canvas);
    this.look = Object.fromEntries(["paper", "ink", "label"].map((name) => [name, styled(`--${name}`)]));
    this.runs.forEach((run, n) => { this.cell(g, this.views.get(run), this.boxOf(n)); });
    this.frames(g);
  }

  cell(g, view, box) {
    const { raster, colours, plane, boxes, input } = this.part(view);
    view.seek(state.epoch);
    if (view.inputs?.isOwn) raster.fill(plane, input(view));
    raster.update(view.theta, view, colours, view.network);
    const own = boxes.map(({ x, y, width, height }) => ({ x: box.x + x, y: box.y + y, width, height }));
    own.forEach((one, slice) => { raster.draw(g, one, slice); });
    if (plane.isCurve) this.curve(g, raster, plane, colours, box);
    const isPlane = boxes.length === 1 && view.network.inputs > 2; // the examples are beside it
    if (!isPlane && this.side >= LEAST_MARKED) this.marks(g, view, colours, own);
    this.status(g, view.run, box);
    if (!this.label) return;
    g.fillStyle = this.look.label;
    g.font = `11px ${styled("--font")}`;
    g.textAlign = "left";
    g.textBaseline = "top";
    g.fillText(settingsOf(this.page, view.run) || runName(this.page, view.run), box.x, box.y + this.side + STATUS, this.side);
  }

  /** What the cells of a population share, at this resolution. */
  part(view) {
    const { population } = view;
    const part = this.parts.get(population) ?? { colours: new OutputColours(this.page, population), key: "" };
    const { plane } = population.picture;
    const whole = { x: 0, y: 0, width: this.side - 2, height: this.side - 2 };
    const boxes = sliceBoxes(whole, { ...plane, columns: plane.columns, rows: [] }, 1, 0);
    const pixels = boxes[0].width * (state.isPlaying ? 0.5 : devicePixelRatio);
    const side = pointsAlong(view.network, pixels, boxes.length * this.runs.length, state.isPlaying);
    const key = String(side);
    if (part.key === key) return part;
    const input = ({ picture }) => (n, u, v, out, first) => view.input(picture.plane.slices[n], u, v, out, first);
    const raster = new Raster(view.network, side, plane.isCurve ? 1 : side, plane.slices.length);
    Object.assign(part, { raster: raster.fill(plane, input(view)), boxes, plane, key, input });
    this.parts.set(population, part);
    return part;
  }

  curve(g, { columns, y }, { bottom, top }, colours, box) {
    g.beginPath();
    for (let c = 0; c < columns; c++) {
      const value = Math.max(bottom, Math.min(colours.value(y, c * colours.outputs), top));
      g.lineTo(box.x + (box.width * (c + 0.5)) / columns, box.y + (box.height * (top - value)) / (top - bottom));
    }
    g.strokeStyle = this.look.ink;
    g.lineWidth = 1.2;
    g.stroke();
  }

  marks(g, { examples, picture }, colours, boxes) {
    const radius = Math.min(3, this.side / 22, Math.sqrt((0.15 * this.side ** 2) / examples.raw.length) / 2);
    if (radius < 1.2) return;
    examples.raw.forEach((x, n) => {
      const [px, py] = placeIn(picture.plane, boxes, x, examples.aims[n]);
      drawMark(g, colours, examples.aims[n], true, px, py, radius);
    });
  }

  /** The mark of the outcome, once it holds. */
  status(g, run, box) {
    const outcome = this.page.column("outcome")?.text(run) ?? "";
    const ended = this.page.column("epochs_done")?.of(run) ?? this.page.last;
    const since = outcome === "solved" ? (this.page.column("solved_at")?.of(run) ?? ended) : ended;
    if (UNMARKED.includes(outcome) || state.epoch < since) return;
    const kind = FAILURES.includes(outcome) ? "failed" : (GLYPHS[outcome] ?? GLYPHS.stuck) === GLYPHS.stuck ? "stuck" : outcome;
    g.beginPath();
    for (const [x, y] of GLYPHS[kind]) g.lineTo(box.x + 1 + 8 * x, box.y + this.side + 0.5 + 6 * y);
    g.strokeStyle = this.look.ink;
    g.lineWidth = 1.6;
    g.stroke();
  }

  /** Frames of the shown run and of that under the pointer. */
  frames(g) {
    for (const [run, width] of [[state.hover, 1.5], [state.run, 3]]) {
      const n = this.runs.indexOf(run);
      if (n < 0) continue;
      const { x, y, width: side } = this.boxOf(n);
      g.strokeStyle = this.look.ink;
      g.lineWidth = width;
      g.strokeRect(x - 0.5, y - 0.5, side + 1, side + 1);
    }
  }

  /** Show the run of the cell that is some cells further. */
  move(cells) {
    const n = this.runs.indexOf(state.run);
    const next = n < 0 ? 0 : n + cells;
    if (next >= 0 && next < this.runs.length) change({ run: this.runs[next] });
  }
}

export function cellsView(page) {
  const canvas = byId("cells");
  const note = element("p", { className: "note" });
  byId("side-tools").append(note);
  if (page.runs === 1) return;
  const cells = new Cells(page, canvas);
  const words = () => {
    const run = state.hover >= 0 ? state.hover : -1;
    note.textContent = run >= 0 ? cellWords(page, run) : cells.words;
  };
  follow(["order", "selected", "theme"], () => {
    const all = cells.arrange();
    const count = cells.runs.length < all ? `the first ${cells.runs.length} of ${counted(all, "run")}` : counted(all, "run");
    cells.words = `${count}${state.selected.size ? " selected" : ""}, at the shown epoch; ✓ solved, – stuck, × diverged`;
  });
  follow(["order", "selected", "theme", "epoch", "isPlaying", "run", "hover"], () => {
    cells.draw();
    words();
  });
  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => change({ hover: cells.at(offsetX, offsetY) }));
  canvas.addEventListener("pointerleave", () => change({ hover: -1 }));
  canvas.addEventListener("click", ({ offsetX, offsetY }) => {
    const run = cells.at(offsetX, offsetY);
    if (run >= 0) change({ run });
  });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -cells.across, ArrowDown: cells.across };
    if (!steps[event.key]) return;
    event.preventDefault();
    cells.move(steps[event.key]);
  });
}

/** A run, its settings and its outcome. */
function cellWords(page, run) {
  const solvedAt = page.column("solved_at")?.of(run) ?? null;
  const outcome = page.column("outcome")?.text(run);
  const ending = solvedAt === null ? outcome : `${outcome} at epoch ${formatted(solvedAt)}`;
  return [runName(page, run), settingsOf(page, run), ending].filter(Boolean).join(" · ");
}
