/** The loss of the shown run over its epochs, with what happens in it, and the loss of its fork. */

import { label, logTicks, sized, styled, tickText, ticks } from "./canvas.js";
import { openedRun, shown } from "./shown.js";
import { change, follow, state } from "./state.js";
import { byId } from "./text.js";

const LOG = 20; // ratio of the largest loss to the smallest for a logarithmic axis
const ROWS = 2; // of labels of events above the curve
const [LEFT, RIGHT, LOW] = [44, 12, 20];
const TOP = 8 + 15 * ROWS;

export function runLossesView(page) {
  const canvas = byId("one-losses"), caption = byId("caption");
  let plot = null;

  function draw() {
    plot = new LossPlot(page, canvas);
    plot.draw();
    const words = captionAt(plot.events, state.epoch);
    if (caption.textContent !== words) caption.textContent = words;
    canvas.ariaLabel = `the loss of this run, by epoch, with its events; ${plot.words()}`;
  }

  const show = (event) => {
    if (event.type === "pointerdown") canvas.setPointerCapture(event.pointerId);
    if (plot && event.buttons) change({ epoch: plot.epochAt(event.offsetX), isPlaying: false });
  };
  canvas.addEventListener("pointerdown", show);
  canvas.addEventListener("pointermove", show);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    change({ epoch: Math.max(0, Math.min(plot.last, state.epoch + step)), isPlaying: false });
    event.preventDefault();
  });
  follow(["run", "epoch", "fork", "live", "theme"], draw);
}

/** The latest event that has begun and, if it is a stretch, not ended. */
function captionAt(events, epoch) {
  return events.findLast((event) => event.epoch <= epoch && (event.until ?? epoch) >= epoch)?.caption ?? "";
}

/** The events of a run as its story has them, else how it ended. */
function eventsOf(page, run) {
  const told = page.stories[run]?.events;
  if (told) return [...told].sort((one, other) => one.epoch - other.epoch);
  const solved = page.column("solved_at")?.of(run), outcome = page.column("outcome")?.text(run);
  if (solved > 0 && outcome === "solved") return [{ epoch: solved, label: "solved", caption: `Solved at epoch ${solved.toLocaleString("en")}.`, rank: 0 }];
  const ended = page.column("epochs_done")?.of(run);
  return outcome === "diverged" && ended !== null ? [{ epoch: ended, label: "diverged", caption: `Diverged at epoch ${ended.toLocaleString("en")}.`, rank: 0 }] : [];
}

/** Losses by epoch, without those that are not finite. */
function curveOf(epochs, lossAt) {
  return epochs.map((epoch, row) => [epoch, lossAt(row)]).filter(([, loss]) => Number.isFinite(loss));
}

class LossPlot {
  constructor(page, canvas) {
    Object.assign(this, { page, canvas, ...sized(canvas) });
    const { population, place, last } = openedRun(page, state.run);
    const { lossEpochs } = population, fork = state.fork?.run === state.run ? state.fork : null;
    const known = lossEpochs.filter((epoch) => epoch <= last);
    this.own = curveOf(known, (row) => population.loss(place, row));
    this.held = population.testRows ? curveOf(known, (row) => population.testLoss(place, row)) : [];
    this.fork = fork?.training ? curveOf(fork.training.losses.epochs, (row) => fork.training.losses.values[row]) : [];
    this.forkIsShown = fork?.isShown;
    this.last = Math.max(population.last, fork?.last ?? 0, 1);
    this.events = eventsOf(page, state.run);
    this.scale();
  }

  scale() {
    const losses = [...this.own, ...this.held, ...this.fork].map(([, loss]) => loss);
    const positive = losses.filter((loss) => loss > 0);
    let high = losses.reduce((most, loss) => Math.max(most, loss), 0) || 1;
    let low = positive.reduce((least, loss) => Math.min(least, loss), high);
    this.isLog = high > LOG * low;
    if (this.isLog) {
      high = Math.min(high, 1e4 * (this.own[0]?.[1] || high)); // a run that diverges leaves the plot
      low = Math.max(low, high * 1e-12);
    }
    Object.assign(this, { high, low: this.isLog ? low : 0 });
  }

  x(epoch) {
    return LEFT + (epoch / this.last) * (this.width - LEFT - RIGHT);
  }

  y(loss) {
    const { high, low } = this, value = Math.max(low, Math.min(high, loss));
    const share = this.isLog ? Math.log(value / low) / Math.log(high / low) : value / high;
    return this.height - LOW - 3 - share * (this.height - LOW - TOP - 6);
  }

  epochAt(x) {
    const share = (x - LEFT) / (this.width - LEFT - RIGHT);
    return Math.round(Math.max(0, Math.min(1, share)) * this.last);
  }

  draw() {
    const { epoch } = state, { g } = this;
    this.drawAxes();
    this.drawEvents();
    this.line(this.held, "--pale", 1.2, [4, 3]);
    this.line(this.own, "--pale", 2);
    const recorded = this.own.filter(([at]) => at <= epoch);
    this.line(this.held.filter(([at]) => at <= epoch), "--label", 1.4, [4, 3]);
    this.line(recorded, this.forkIsShown && this.fork.length ? "--label" : "--ink", 2);
    this.line(this.fork, "--orange", 2.2, [6, 4]);
    const passed = this.forkIsShown ? this.fork.filter(([at]) => at <= epoch) : [];
    const now = passed.at(-1) ?? recorded.at(-1);
    if (!now) return;
    g.beginPath();
    g.arc(this.x(now[0]), this.y(now[1]), 5, 0, 7);
    g.fillStyle = styled(passed.length ? "--orange" : "--ink");
    g.fill();
    g.lineWidth = 1.5;
    g.strokeStyle = styled("--paper");
    g.stroke();
  }

  line(points, colour, width, dash = []) {
    const { g } = this;
    g.beginPath();
    for (const [epoch, loss] of points) g.lineTo(this.x(epoch), this.y(loss));
    g.lineWidth = width;
    g.strokeStyle = styled(colour);
    g.setLineDash(dash);
    g.stroke();
    g.setLineDash([]);
  }

  drawAxes() {
    const { g, low, high, height, width } = this, bottom = height - LOW;
    g.strokeStyle = styled("--pale");
    g.lineWidth = 1;
    g.beginPath();
    g.moveTo(LEFT + 0.5, TOP);
    g.lineTo(LEFT + 0.5, bottom + 0.5);
    g.lineTo(width - RIGHT, bottom + 0.5);
    g.stroke();
    let above = Infinity;
    for (const value of this.isLog ? logTicks(low, high) : ticks(0, high, 4)) {
      const y = this.y(value);
      if (above - y < 14) continue;
      above = y;
      label(g, tickText(value), LEFT - 5, y, { align: "right", baseline: "middle", colour: "--label" });
    }
    label(g, "loss", LEFT - 5, TOP - 14, { align: "right", colour: "--label" });
    const end = `epoch ${this.last.toLocaleString("en")}`, free = width - RIGHT - g.measureText(end).width - 20;
    label(g, end, width - RIGHT, height - 5, { align: "right", colour: "--label" });
    for (const value of ticks(0, this.last, Math.max(2, width / 110))) {
      const text = value.toLocaleString("en"), x = this.x(value);
      if (Number.isInteger(value) && x + g.measureText(text).width / 2 < free) label(g, text, x, height - 5, { align: "center", colour: "--label" });
    }
  }

  /** Marks of events, shaded stretches, and labels in rows that do not touch, the most important first. */
  drawEvents() {
    const { g, height } = this, taken = [];
    for (const { epoch, until } of this.events) {
      const x = this.x(epoch);
      g.fillStyle = styled("--pale");
      g.globalAlpha = until != null ? 0.4 : state.epoch >= epoch ? 1 : 0.6;
      g.fillRect(until != null ? x : Math.round(x), TOP, until != null ? this.x(until) - x : 1.5, height - LOW - TOP);
    }
    g.globalAlpha = 1;
    for (const event of [...this.events].sort((one, other) => one.rank - other.rank)) {
      const width = g.measureText(event.label).width, middle = this.x(event.epoch);
      const left = Math.max(LEFT, Math.min(this.width - RIGHT - width, middle - width / 2));
      const row = [...Array(ROWS).keys()].find((one) => taken.every((other) => other.row !== one || left > other.end + 9 || left + width < other.left - 9));
      if (row === undefined) continue;
      taken.push({ row, left, end: left + width });
      label(g, event.label, left, TOP - 5 - 15 * row, { colour: state.epoch >= event.epoch ? "--ink" : "--label" });
    }
  }

  words() {
    const now = shown(this.page), at = this.own.findLast(([epoch]) => epoch <= state.epoch);
    return at ? `epoch ${now.epoch.toLocaleString("en")}: loss ${tickText(at[1])}` : "";
  }
}
