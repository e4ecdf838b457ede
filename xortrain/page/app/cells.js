/** Side by side: the fields of the selected runs, or of the first ones, at the shown epoch. */

import { setCanvasHeight, sized, styled } from "./canvas.js";
import { inputPlane } from "./field.js";
import { shownWords } from "./fork.js";
import { drawMark, write } from "./marks.js";
import { runWords } from "./outcomes.js";
import { OutputColours, RunView } from "./picture.js";
import { drawCurve, pixelOf, sliceBoxes } from "./plane-picture.js";
import { pointsAlong, Raster } from "./raster.js";
import { isForkShown, shown, showRun } from "./shown.js";
import { change, follow, selection, state } from "./state.js";
import { byId, counted, setCaption } from "./text.js";

const MOST_CELLS = 400;
const MOST_UNSELECTED = 100; // cells if no runs are selected
const MOST_LABELLED = 24;
const [LARGEST, LEAST, HIGHEST] = [132, 36, 460]; // sides of a cell, the least with room for ✓ #99; the height of all if possible
const [GAP, STATUS, LABEL] = [6, 14, 15]; // between cells; heights below a cell
const QUICK = 5e7; // multiplications with which all runs without snapshots may be trained here
const LEAST_MARKED = 40; // the side of the smallest cell with marks of its examples
const SIGNS = { solved: "✓", learnt: "·", diverged: "×", exploded: "×" }; // outcomes; runs that are stuck have a dash
const UNSIGNED = ["", "not solved", "training", "pending"];

class Cells {
  views = new Map();

  constructor(page, canvas) {
    Object.assign(this, { page, canvas });
  }

  /** Choose the runs, and the size of their cells; returns how many runs there are to choose from. */
  arrange() {
    const chosen = selection();
    this.runs = chosen.slice(0, state.selected.size ? MOST_CELLS : MOST_UNSELECTED);
    this.views = new Map(this.runs.map((run) => [run, this.views.get(run) ?? new RunView(this.page, run)]));
    this.parts = new Map(); // of a population what its cells share
    const open = [...this.views.values()].filter((view) => !view.isStored);
    const cost = ({ population, network, examples }) => population.last * network.size * examples.x.length;
    this.isQuick = open.length * Math.max(0, ...open.slice(0, 1).map(cost)) < QUICK;
    this.remark = !open.length ? "" : this.isQuick ? " Trained here." : " Without snapshots: a click trains a run.";
    const width = this.canvas.clientWidth + GAP;
    this.label = this.runs.length <= MOST_LABELLED ? LABEL : 0;
    this.side = LARGEST + 1;
    do {
      this.side--;
      this.across = Math.max(1, Math.floor(width / (this.side + GAP)));
      this.step = this.side + STATUS + this.label + GAP;
      this.height = Math.ceil(this.runs.length / this.across) * this.step;
    } while (this.side > LEAST && this.height > HIGHEST);
    setCanvasHeight(this.canvas, this.height);
    this.nameRuns();
    return chosen.length;
  }

  /** For each run what stands below its cell: its number, and what it has of the settings that vary. */
  nameRuns() {
    const g = this.canvas.getContext("2d");
    g.font = `11px ${styled("--font")}`;
    const fits = (text) => g.measureText(`✓ ${text}`).width <= this.side;
    this.names = new Map(this.runs.map((run) => {
      const [name, ...settings] = runWords(this.page, run).split(" · ").slice(0, -1);
      const number = fits(name) ? name : name.replace(/.*#/, "#");
      return [run, { number, hasRoom: fits(number), settings: settings.join(", ") }];
    }));
  }

  boxOf(n) {
    const [x, y] = [(n % this.across) * (this.side + GAP), Math.floor(n / this.across) * this.step];
    return { x: x + 1, y: y + 1, width: this.side - 2, height: this.side - 2 };
  }

  /** The run at a place of the canvas, -1 for none. */
  at(x, y) {
    const column = Math.floor(x / (this.side + GAP));
    return column < this.across ? (this.runs[column + this.across * Math.floor(y / this.step)] ?? -1) : -1;
  }

  draw() {
    const { g } = sized(this.canvas);
    g.font = `11px ${styled("--font")}`;
    this.runs.forEach((run, n) => { this.cell(g, this.views.get(run), this.boxOf(n)); });
    g.strokeStyle = styled("--ink");
    for (const [run, width] of [[state.hover, 1.5], [state.run, 3]]) {
      const n = this.runs.indexOf(run);
      if (n < 0) continue;
      const { x, y } = this.boxOf(n);
      g.lineWidth = width;
      g.strokeRect(x - 0.5, y - 0.5, this.side - 1, this.side - 1);
    }
  }

  cell(g, view, box) {
    if (!view.isStored && !this.isQuick && view.run !== state.run) return this.blank(g, view, box);
    const { raster, colours, boxes, isShared } = this.part(view);
    const plane = inputPlane(view);
    if (!isShared) raster.fill(plane);
    const { network, theta } = shown(this.page, view.run);
    raster.update(network, theta, view, colours);
    const own = boxes.map((one) => ({ ...one, x: box.x + one.x, y: box.y + one.y }));
    own.forEach((one, slice) => { raster.draw(g, one, slice); });
    g.strokeStyle = g.fillStyle = colours.ink;
    if (plane.isCurve) drawCurve(g, raster, box, colours, 1.2);
    if (!plane.isBeside && this.side >= LEAST_MARKED) this.marks(g, view, plane, colours, own);
    this.writeName(g, colours.ink, view.run, box);
  }

  /** Below a cell the sign and the number of its run, and where there is room its settings. */
  writeName(g, ink, run, { x, y }) {
    const { number, hasRoom, settings } = this.names.get(run);
    const sign = isForkShown(run) ? "fork" : signOf(this.page, run);
    g.fillStyle = g.strokeStyle = ink;
    write(g, sign && hasRoom ? `${sign} ${number}` : sign || number, x, y + this.side + 8, "left", this.side);
    if (this.label) write(g, settings, x, y + this.side + STATUS + 6, "left", this.side);
  }

  /** A run without snapshots: it is trained when it is shown alone. */
  blank(g, { run }, box) {
    const { x, y, width, height } = box;
    this.writeName(g, styled("--ink"), run, box);
    g.fillStyle = styled("--ground");
    g.strokeStyle = styled("--pale");
    g.fillRect(x, y, width, height);
    g.strokeRect(x, y, width, height);
  }

  /** What the cells of a population share; with fewer points while playing. */
  part(view) {
    const { population, picture: { plane } } = view;
    const part = this.parts.get(population) ?? { colours: new OutputColours(this.page, population) };
    const isShared = !population.scaling.inputs?.shift.perRun;
    const box = { x: 0, y: 0, width: this.side - 2, height: this.side - 2 };
    const boxes = sliceBoxes(box, plane, 1, 0);
    const pixels = boxes[0].width * (state.isPlaying ? 0.5 : devicePixelRatio);
    const points = pointsAlong(view.network, pixels, boxes.length * this.runs.length, state.isPlaying);
    if (part.points !== points) part.raster = new Raster(inputPlane(view), points, plane.isCurve ? 1 : points);
    this.parts.set(population, Object.assign(part, { points, boxes, isShared }));
    return part;
  }

  marks(g, { examples }, plane, colours, boxes) {
    const count = examples.aims.length;
    const radius = Math.min(3, this.side / 22, (0.2 * this.side) / Math.sqrt(count));
    if (radius < 1.2) return;
    examples.aims.forEach((t, n) => {
      const [slice, u, v] = plane.place(n);
      drawMark(g, colours, t, true, ...pixelOf(plane, boxes[slice], u, v), radius);
    });
  }

  /** Show the run of the cell that is some cells further. */
  move(cells) {
    const next = this.runs[Math.max(0, this.runs.indexOf(state.run) + cells)];
    if (next !== undefined) change({ run: next, hover: next });
  }
}

/** The sign of a run's outcome, once it holds. */
function signOf(page, run) {
  const outcome = page.column("outcome")?.text(run) ?? "";
  const since = (outcome === "solved" && page.column("solved_at")?.of(run)) || (page.column("epochs_done")?.of(run) ?? 0);
  return UNSIGNED.includes(outcome) || state.epoch < since ? "" : (SIGNS[outcome] ?? "–");
}

export function cellsView(page) {
  const canvas = byId("cells");
  const note = byId("side-note");
  const cells = new Cells(page, canvas);
  const isLearnt = page.column("outcome").words.includes("learnt");
  follow(["order", "selected", "theme"], () => {
    const all = cells.arrange();
    const count = cells.runs.length < all ? `the first ${cells.runs.length} of ${counted(all, "run")}` : counted(all, "run");
    cells.words = `${count}${state.selected.size ? " selected" : ""} at the shown epoch. ✓ solved, ${isLearnt ? "· learnt, " : ""}– stuck, × diverged.${cells.remark}`;
  });
  follow(["order", "selected", "theme", "epoch", "isPlaying", "fork", "live", "run", "hover"], () => {
    cells.draw();
    setCaption(note, cells.words, state.hover < 0 ? "" : shownWords(page, state.hover));
  });
  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => change({ hover: cells.at(offsetX, offsetY) }));
  for (const event of ["pointerleave", "blur"]) canvas.addEventListener(event, () => change({ hover: -1 }));
  canvas.addEventListener("click", () => state.hover >= 0 && showRun(state.hover, canvas));
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -cells.across, ArrowDown: cells.across };
    if (!steps[event.key]) return;
    event.preventDefault();
    cells.move(steps[event.key]);
  });
}
