/** The network: a line for each weight, a thumbnail of the field of each unit, and weights to look at and to drag. */

import { label, sized, styled } from "./canvas.js";
import { changeParameter } from "./fork.js";
import { openedRun, shown } from "./shown.js";
import { change, follow, state } from "./state.js";
import { Thumbnails } from "./thumbnails.js";
import { byId, element, formatted } from "./text.js";

const LEAST_SIDE = 20; // pixels of a unit
const STRONG = 5; // the weight with the widest line
const SLIGHT = 0.02; // up to which a line does not show its sign
const MOST_NUMBERS = 24; // weights that are written beside their lines
const REACH = 7; // pixels from a line at which the pointer finds it

export function diagramView(page) {
  const canvas = byId("diagram");
  const words = element("p", { className: "note", ariaLive: "polite" });
  canvas.after(words);
  let plan = null, hover = -1;

  function draw() {
    const now = shown(page), { g, width, height } = sized(canvas);
    if (!plan?.fits(now.run, width, height)) plan = new Plan(page, g, now, width, height);
    plan.draw(g, now, hover);
    const place = hover >= 0 ? hover : state.weight;
    words.textContent = place < 0 || place >= now.theta.length ? plan.left : described(now, place);
    canvas.ariaLabel = `network with its weights; ${words.textContent}`;
  }

  follow(["run", "epoch", "fork", "live", "weight", "theme"], draw);
  followPointer(page, canvas, (x, y) => plan?.find(x, y) ?? -1, (found) => { hover = found; draw(); });
  canvas.addEventListener("keydown", (event) => pressed(page, event, plan));
}

/** As in W1[0][1] = 0.4002, from x2 to h1. */
function described({ network, population, theta }, place) {
  const { layer, to, from } = network.connectionOf(place);
  const target = unitName(population, network, layer + 1, to);
  const source = from === undefined ? "the bias" : `from ${sourceName(population, network, layer, from)}`;
  return `${network.names[place]} = ${formatted(theta[place], 5)}, ${source} ${from === undefined ? "of" : "to"} ${target}`;
}

/** The name of a unit; column 0 has the inputs. */
export function unitName({ names }, network, column, unit) {
  if (column === 0) return names.inputs[unit] ?? `x${unit + 1}`;
  if (column === network.depth) return names.outputs[unit] ?? names.classes[unit] ?? (network.widths.at(-1) > 1 ? `y${unit + 1}` : "y");
  return network.depth === 2 ? `h${unit + 1}` : `h${column},${unit + 1}`;
}

/** What a layer receives at a place: a unit of the column before, or with skip connections an input. */
export function sourceName(population, network, layer, from) {
  const [column, unit] = sourceOf(network, layer, from);
  return unitName(population, network, column, unit);
}

function sourceOf(network, layer, from) {
  const before = network.widths[layer];
  return from < before ? [layer, from] : [0, from - before];
}

function followPointer(page, canvas, find, hovered) {
  let held = null;
  const at = (event) => find(event.offsetX, event.offsetY);
  canvas.addEventListener("pointermove", (event) => {
    if (held) return drag(page, held, event);
    const found = at(event);
    canvas.style.cursor = found < 0 ? "" : "ns-resize";
    hovered(found);
  });
  canvas.addEventListener("pointerleave", () => hovered(-1));
  canvas.addEventListener("pointerdown", (event) => {
    const found = at(event);
    change({ weight: found });
    if (found < 0) return;
    canvas.setPointerCapture(event.pointerId);
    held = { place: found, y: event.clientY, value: shown(page).theta[found], isMoved: false };
  });
  const dropped = () => { held = null; };
  canvas.addEventListener("pointerup", dropped);
  canvas.addEventListener("pointercancel", dropped);
}

/** Dragging upwards makes a parameter larger: by 1 in 50 pixels, faster for large ones. */
function drag(page, held, { clientY }) {
  const moved = held.y - clientY;
  held.isMoved ||= Math.abs(moved) > 3;
  if (held.isMoved) changeParameter(page, held.place, rounded(held.value + (moved / 50) * Math.max(1, Math.abs(held.value) / 5)));
}

function rounded(value) {
  return Number(value.toFixed(2));
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Arrows walk through the parameters; with Shift, up and down change the one that is looked at. */
function pressed(page, event, plan) {
  const step = STEPS[event.key], places = plan?.places ?? [], at = places.indexOf(state.weight);
  if (event.key === "Escape") change({ weight: -1 });
  else if (event.key === "Enter") byId("step").open = true;
  else if (!step || !places.length) return;
  else if (event.shiftKey && at >= 0) changeParameter(page, state.weight, rounded(shown(page).theta[state.weight] - step * 0.1));
  else change({ weight: at < 0 ? places[0] : places[(at + step + places.length) % places.length] });
  event.preventDefault();
}

/** Where everything of a run's network stands on a canvas. */
class Plan {
  constructor(page, g, { run, population, place, network }, width, height) {
    Object.assign(this, { run, width, height, network, population });
    const { widths, depth } = network;
    const most = Math.max(2, Math.floor((height - 20) / (LEAST_SIDE + 5)));
    const last = openedRun(page, run).isStored ? population.frameEpochs.length - 1 : 0;
    this.units = widths.map((count, column) => strongest(network, population.theta(place, last), column, Math.min(count, most)));
    const largest = Math.max(...this.units.slice(1).map((units) => units.length));
    const room = (height - 20) / largest;
    this.isNamed = room >= LEAST_SIDE + 22;
    this.side = Math.round(Math.min(34, room - (this.isNamed ? 20 : 4), (0.6 * width) / (depth + 1)));
    this.thumbnails = new Thumbnails(page, population, place, network, this.side);
    this.left = this.leftOut(widths);
    this.placeNodes(g);
    this.placeEdges();
  }

  fits(run, width, height) {
    return this.run === run && this.width === width && this.height === height;
  }

  leftOut(widths) {
    const hidden = widths.reduce((sum, count, column) => sum + count - this.units[column].length, 0);
    return hidden ? `the strongest units are shown; ${hidden.toLocaleString("en")} more are not` : "";
  }

  placeNodes(g) {
    const names = this.units[0].map((unit) => unitName(this.population, this.network, 0, unit));
    const space = Math.min(0.3 * this.width, Math.max(...names.map((name) => g.measureText(name).width)));
    const ends = this.units.at(-1).map((unit) => unitName(this.population, this.network, this.network.depth, unit));
    const half = Math.max(this.side / 2, ...(this.isNamed ? ends.map((name) => Math.min(60, g.measureText(name).width) / 2) : []));
    const left = space + 10, right = this.width - half - 4;
    this.nodes = this.units.map((units, column) => {
      const step = Math.min((this.height - 16) / units.length, 76);
      const x = left + ((right - left) * column) / (this.units.length - 1);
      const y = (row) => this.height / 2 + 3 + (row - (units.length - 1) / 2) * step;
      return units.map((unit, row) => ({ unit, column, x: Math.round(x), y: Math.round(y(row)) }));
    });
    this.space = space;
  }

  placeEdges() {
    const { network, nodes } = this;
    this.edges = [];
    this.places = [];
    for (const to of nodes.slice(1).flat()) {
      const layer = to.column - 1, isLast = to.column === network.depth;
      for (const from of [...nodes[layer], ...(network.skip && isLast && layer > 0 ? nodes[0] : [])]) {
        const isSkip = from.column !== layer;
        const source = isSkip ? network.widths[layer] + from.unit : from.unit;
        this.edges.push({ place: network.indexOf(layer, to.unit, source), points: this.line(from, to, isSkip) });
      }
      if (network.bias) this.edges.push({ place: network.indexOf(layer, to.unit), node: to, points: [] });
    }
    this.places = this.edges.map((edge) => edge.place).sort((one, other) => one - other);
  }

  /** The points of a line; one that passes other columns is bent. */
  line(from, to, isSkip) {
    const out = from.column === 0 ? 5 : this.side / 2;
    const [x0, x1] = [from.x + out, to.x - this.side / 2];
    if (!isSkip) return [[x0, from.y], [x1, to.y]];
    const low = from.y > this.height / 2 ? this.height + 20 : -20;
    return Array.from({ length: 17 }, (_, i) => {
      const t = i / 16, u = 1 - t;
      return [u * u * x0 + 2 * u * t * (x0 + x1) / 2 + t * t * x1, u * u * from.y + 2 * u * t * low + t * t * to.y];
    });
  }

  /** The place in theta of the line or the unit at a point, -1 if there is none. */
  find(x, y) {
    let best = -1, least = REACH;
    for (const { place, node, points } of this.edges) {
      const half = this.side / 2;
      if (node && Math.abs(x - node.x) <= half && Math.abs(y - node.y) <= half) return place;
      for (let i = 1; i < points.length; i++) {
        const away = distance(x, y, points[i - 1], points[i]);
        if (away < least) [best, least] = [place, away];
      }
    }
    return best;
  }

  draw(g, { network, theta }, hover) {
    const marked = new Set([hover, state.weight]);
    const widest = 6 / Math.max(1, Math.max(...this.units.map((units) => units.length)) / 3);
    for (const { place, points } of this.edges) if (points.length) drawLine(g, points, theta[place], widest, marked.has(place));
    this.thumbnails.update(network, theta);
    for (const node of this.nodes.flat()) this.drawNode(g, node);
    if (network.bias) for (const { place, node } of this.edges) if (node) this.drawBias(g, node, theta[place], marked.has(place));
    this.writeNumbers(g, theta, marked);
    this.writeCounts(g);
  }

  drawNode(g, { unit, column, x, y }) {
    const half = this.side / 2, name = unitName(this.population, this.network, column, unit);
    g.setLineDash([]);
    g.lineWidth = 1;
    g.strokeStyle = styled("--ink");
    if (column === 0) {
      dot(g, x, y, 4, "--paper", "--ink");
      label(g, cut(g, name, this.space), x - 8, y, { align: "right", baseline: "middle" });
      return;
    }
    g.fillStyle = styled("--paper");
    g.fillRect(x - half, y - half, this.side, this.side);
    this.thumbnails.draw(g, column - 1, unit, x - half, y - half);
    g.strokeRect(x - half + 0.5, y - half + 0.5, this.side - 1, this.side - 1);
    if (this.isNamed) label(g, cut(g, name, 60), x, y - half - 3, { align: "center" });
  }

  drawBias(g, { x, y }, value, isMarked) {
    const half = this.side / 2, radius = 2 + 3 * Math.min(Math.abs(value) / STRONG, 1);
    dot(g, x - half, y + half, radius, signColour(value), "--paper");
    if (this.isNamed) label(g, weightText(value), x, y + half + 11, { align: "center", colour: "--label" });
    if (!isMarked) return;
    g.lineWidth = 2;
    g.strokeStyle = styled("--focus");
    g.strokeRect(x - half - 2, y - half - 2, this.side + 4, this.side + 4);
  }

  /** Numbers beside lines where they touch neither units nor each other; those of marked lines always. */
  writeNumbers(g, theta, marked) {
    g.font = `11px ${styled("--font")}`;
    const taken = this.nodes.flat().map(({ x, y, column }) => this.boxOf(x, y, column));
    const isRoomy = this.edges.length <= MOST_NUMBERS;
    for (const { place, points } of this.edges) {
      if (!points.length || !(isRoomy || marked.has(place))) continue;
      const text = weightText(theta[place]), width = g.measureText(text).width;
      const spots = [0.3, 0.68, 0.5, 0.2, 0.8, 0.4, 0.6].map((share) => boxAt(points, share, width));
      const free = spots.find((box) => taken.every((other) => isApart(box, other))) ?? (marked.has(place) ? spots[0] : null);
      if (!free) continue;
      taken.push(free);
      label(g, text, free.x + width / 2, free.y + 7, { align: "center", baseline: "middle" });
    }
  }

  boxOf(x, y, column) {
    const half = column ? this.side / 2 : 5, [above, below] = this.isNamed && column ? [14, 13] : [0, 0];
    return { x: x - half, y: y - half - above, width: 2 * half, height: 2 * half + above + below };
  }

  writeCounts(g) {
    g.font = `11px ${styled("--font")}`;
    for (const [column, nodes] of this.nodes.entries()) {
      const more = this.network.widths[column] - nodes.length;
      if (more) label(g, `+${more}`, nodes[0].x, this.height - 2, { align: "center", colour: "--label" });
    }
  }
}

/** The units of a column with the largest outgoing weights, in order; of inputs and outputs the first. */
function strongest(network, theta, column, most) {
  const all = Array.from({ length: network.widths[column] }, (_, unit) => unit);
  if (column === 0 || column === network.depth) return all.slice(0, most);
  const weight = (unit) => {
    let sum = 0;
    for (let to = 0; to < network.widths[column + 1]; to++) sum += Math.abs(theta[network.indexOf(column, to, unit)]);
    return sum;
  };
  const weights = all.map(weight);
  return all.sort((one, other) => weights[other] - weights[one]).slice(0, most).sort((one, other) => one - other);
}

function drawLine(g, points, weight, widest, isMarked) {
  if (!Number.isFinite(weight)) return;
  const path = () => {
    g.beginPath();
    for (const [x, y] of points) g.lineTo(x, y);
    g.stroke();
  };
  const width = 0.6 + widest * Math.min(Math.abs(weight) / STRONG, 1);
  if (isMarked) {
    g.setLineDash([]);
    g.lineWidth = width + 6;
    g.strokeStyle = styled("--chosen");
    path();
  }
  g.lineWidth = width;
  g.strokeStyle = styled(signColour(weight));
  g.setLineDash(weight < -SLIGHT ? [5, 3] : []);
  path();
  g.setLineDash([]);
}

function signColour(weight) {
  return Math.abs(weight) <= SLIGHT ? "--pale" : weight > 0 ? "--blue" : "--orange";
}

function dot(g, x, y, radius, fill, edge) {
  g.beginPath();
  g.arc(x, y, radius, 0, 7);
  g.fillStyle = styled(fill);
  g.fill();
  g.lineWidth = 1;
  g.strokeStyle = styled(edge);
  g.stroke();
}

function weightText(value) {
  return Math.abs(value) < 9.995 ? value.toFixed(2) : formatted(value, 3);
}

function cut(g, text, width) {
  if (g.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && g.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}

function boxAt(points, share, width) {
  const at = share * (points.length - 1), i = Math.min(Math.floor(at), points.length - 2), t = at - i;
  const [x, y] = [0, 1].map((k) => points[i][k] * (1 - t) + points[i + 1][k] * t);
  return { x: x - width / 2, y: y - 7, width, height: 14 };
}

function isApart(a, b) {
  return a.x > b.x + b.width + 2 || b.x > a.x + a.width + 2 || a.y > b.y + b.height || b.y > a.y + a.height;
}

function distance(x, y, [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const t = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
}
