/** The loss of the shown run over its epochs, with what happens in it, and the loss of its fork. */

import { Axis, clamp, disc, label, polyline, sized, styled } from "./canvas.js";
import { forkOfRun } from "./fork.js";
import { isForkShown, openedRun } from "./shown.js";
import { change, follow, state } from "./state.js";
import { distinct } from "./statistics.js";
import { byId, element, formatted, sentence, setText } from "./text.js";

const LOG = 20; // ratio of the largest loss to the smallest for a logarithmic axis
const ROWS = 2; // of labels of events above the curve
const MARGINS = { left: 54, right: 12, low: 20, top: 8 + 15 * ROWS };

export function runLossesView(page) {
  const canvas = byId("one-losses");
  const caption = byId("caption");
  const numbers = element("p", { className: "note line" });
  let [plot, pointed] = [null, null]; // the epoch under the pointer
  canvas.parentElement.after(numbers);

  function draw() {
    plot = new RunLosses(page, canvas);
    plot.draw(pointed);
    setText(numbers, plot.words(pointed ?? state.epoch));
    const words = isForkShown() ? "" : captionAt(plot.events, state.epoch);
    setText(caption, words);
    canvas.setAttribute("aria-label", `the loss of this run, by epoch, with its events. ${plot.words(state.epoch)}`);
  }

  const show = (event) => {
    if (event.type === "pointerdown") canvas.setPointerCapture(event.pointerId);
    if (event.buttons) change({ epoch: plot.epochAt(event.offsetX), isPlaying: false });
    point(plot.epochAt(event.offsetX));
  };
  const point = (epoch) => {
    pointed = epoch;
    draw();
  };
  canvas.addEventListener("pointerdown", show);
  canvas.addEventListener("pointermove", show);
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("keydown", (event) => {
    const epochs = { ArrowRight: state.epoch + 1, ArrowLeft: state.epoch - 1, Home: 0, End: plot.last };
    if (!(event.key in epochs)) return;
    change({ epoch: clamp(epochs[event.key], 0, plot.last), isPlaying: false });
    event.preventDefault();
  });
  follow(["run", "epoch", "fork", "live", "theme"], draw);
}

/** Of values from low to high, those whose heights are at least a line of text apart. */
function apart(values, heightOf) {
  const kept = [];
  for (const value of values) if (!kept.length || heightOf(kept.at(-1)) - heightOf(value) >= 13) kept.push(value);
  return kept;
}

/** The caption of the latest event that has begun and, if it is a stretch, not ended. */
function captionAt(events, epoch) {
  return events.findLast((event) => event.epoch <= epoch && (event.until ?? epoch) >= epoch)?.caption ?? "";
}

/** The events of a run in order, as its story has them; without one, how it ended. */
function eventsOf(page, run) {
  const events = page.stories[run]?.events;
  if (events) return [...events].sort((one, other) => one.epoch - other.epoch);
  const outcome = page.column("outcome")?.text(run);
  const column = { solved: "solved_at", diverged: "epochs_done" }[outcome];
  const epoch = column && page.column(column)?.of(run);
  if (!epoch) return [];
  const caption = sentence(`${outcome} at epoch ${formatted(epoch)}`);
  return [{ epoch, until: null, label: outcome, caption, rank: 0 }];
}

/** The point of a curve at an epoch, or the last one before it. */
function pointOf(curve, epoch) {
  return curve.findLast(([at]) => at <= epoch);
}

class RunLosses {
  constructor(page, canvas) {
    Object.assign(this, sized(canvas));
    const run = openedRun(page, state.run);
    const { population, place, last } = run;
    const fork = forkOfRun();
    const curve = (lossAt) => {
      const points = population.lossEpochs.map((epoch, row) => [epoch, lossAt(row)]);
      return points.filter(([epoch, loss]) => epoch <= last && !Number.isNaN(loss)); // a loss of ∞ is one
    };
    this.own = curve((row) => population.loss(place, row));
    if (!run.isStored && !population.hasCourse) { // up to where it is trained here
      const trained = run.live.losses.filter(([, loss]) => !Number.isNaN(loss));
      this.own = [...trained, ...this.own.filter(([epoch]) => !(epoch <= trained.at(-1)?.[0]))];
    }
    this.held = curve((row) => population.testLoss(place, row));
    this.fork = fork?.losses ?? [];
    this.last = Math.max(population.last, fork?.last ?? 0, 1);
    this.events = eventsOf(page, state.run);
    this.scale([...this.own, ...this.held, ...this.fork].map(([, loss]) => loss));
  }

  scale(losses) {
    const high = losses.reduce((most, loss) => Math.max(most, loss), 0) || 1;
    const low = losses.reduce((least, loss) => (loss > 0 ? Math.min(least, loss) : least), high);
    const isLog = high > LOG * low;
    const top = isLog ? Math.min(high, 1e4 * (this.own[0]?.[1] || high)) : high; // a run that diverges leaves it
    const { left, right, low: below, top: above } = MARGINS;
    this.across = new Axis([0, this.last], false, left, this.width - right);
    this.up = new Axis([isLog ? Math.max(low, top * 1e-12) : 0, top], isLog, this.height - below - 3, above + 3);
  }

  x(epoch) {
    return this.across.at(epoch);
  }

  y(loss) {
    return this.up.at(Math.min(loss, this.up.high));
  }

  epochAt(x) {
    return Math.round(this.across.back(x));
  }

  draw(pointed) {
    const passed = (curve) => curve.filter(([epoch]) => epoch <= state.epoch);
    this.drawAxes();
    this.drawEvents();
    const at = this.x(pointed ?? state.epoch);
    polyline(this.g, [[at, MARGINS.top], [at, this.height - MARGINS.low]], styled("--label"), 1, [4, 3]);
    this.line(this.held, "--pale", 1.2, [4, 3]);
    this.line(this.own, "--pale", 2);
    this.line(passed(this.held), "--label", 1.4, [4, 3]);
    this.line(passed(this.own), "--ink", 2);
    this.line(this.fork, "--orange", 2.2, [6, 4]);
    const isFork = isForkShown() && this.fork.length > 0;
    const now = pointOf(isFork ? this.fork : this.own, state.epoch);
    if (now) disc(this.g, this.x(now[0]), this.y(now[1]), 5, isFork ? "--orange" : "--ink", "--paper", 1.5);
    const taken = this.fork.length ? [this.name(this.fork.at(-1), "fork", "--orange")] : [];
    if (this.held.length) this.name(this.held.at(-1), "held-out", "--label", taken);
  }

  /** A name at the end of a curve, to the left of one that is there already. */
  name([epoch, loss], text, colour, taken = []) {
    const width = this.g.measureText(text).width + 6;
    const [end, y] = [Math.min(this.x(epoch), this.width - 4), this.y(loss) - 6];
    const other = taken.find((one) => Math.abs(one.y - y) < 14 && end > one.left && end - width < one.right);
    const right = other ? other.left : end;
    label(this.g, text, right, y, { align: "right", colour });
    return { left: right - width, right, y };
  }

  line(points, colour, width, dash) {
    polyline(this.g, points.map(([epoch, loss]) => [this.x(epoch), this.y(loss)]), styled(colour), width, dash);
  }

  drawAxes() {
    const { g, height, width, last, across, up } = this;
    const { left, right, top, low } = MARGINS;
    const style = { colour: "--label", align: "right" };
    up.ticks = apart(up.ticks, (value) => this.y(value));
    up.drawUp(g, left, left + 4);
    g.fillStyle = styled("--pale");
    g.fillRect(left, height - low, width - left - right, 1);
    label(g, "loss", left - 6, top - 14, style);
    const end = `epoch ${formatted(last)}`;
    label(g, end, width - right, height - 5, style);
    const free = width - right - g.measureText(end).width - 20;
    across.ticks = across.ticks.filter((value) => Number.isInteger(value) && this.x(value) < free);
    across.drawAcross(g, height - 20);
  }

  /** Marks of events, shaded stretches, and labels in rows that do not touch, the most important first. */
  drawEvents() {
    const { g, height } = this;
    g.fillStyle = styled("--pale");
    for (const { epoch, until } of this.events) {
      const width = until == null ? 1.5 : this.x(until) - this.x(epoch);
      g.globalAlpha = until == null ? 1 : 0.4;
      g.fillRect(this.x(epoch), MARGINS.top, width, height - MARGINS.low - MARGINS.top);
    }
    g.globalAlpha = 1;
    const taken = [];
    for (const event of [...this.events].sort((one, other) => one.rank - other.rank)) {
      const width = g.measureText(event.label).width + 9;
      const left = clamp(this.x(event.epoch) - width / 2, MARGINS.left, this.width - MARGINS.right - width);
      const isFree = (row) => taken.every((other) => other.row !== row || left > other.left + other.width || left + width < other.left);
      const row = [...Array(ROWS).keys()].find(isFree);
      if (row === undefined) continue;
      taken.push({ row, left, width });
      label(g, event.label, left, MARGINS.top - 5 - 15 * row, { colour: state.epoch >= event.epoch ? "--ink" : "--label" });
    }
  }

  /** The losses at an epoch of the curves that reach it; behind all of them, at the last one. */
  words(epoch) {
    const curves = Object.entries({ loss: this.own, "held-out loss": this.held, "loss of the fork": this.fork });
    const known = curves.filter(([, curve]) => curve.length);
    const here = Math.min(epoch, Math.max(...known.map(([, curve]) => curve.at(-1)[0])));
    const points = known.filter(([, curve]) => curve.at(-1)[0] >= here).map(([name, curve]) => [name, pointOf(curve, here)]);
    const losses = points.filter(([, point]) => point);
    const at = (epoch) => losses.filter(([, [own]]) => own === epoch).map(([name, [, loss]]) => `${name} ${formatted(loss)}`);
    return distinct(losses.map(([, [own]]) => own)).map((own) => `Epoch ${formatted(own)}: ${at(own).join(", ")}.`).join(" ");
  }
}
