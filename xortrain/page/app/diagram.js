/** The network: a line for each weight, a thumbnail of the field of each unit, and weights to look at and to drag. */

import { clamp, disc, label, polyline, shortened, sized, styled } from "./canvas.js";
import { DiagramPlan } from "./diagram-plan.js";
import { inputPlane } from "./field.js";
import { changeParameter, parametersToChange } from "./fork.js";
import { ACTIVATIONS } from "./mathematics.js";
import { shownRun } from "./picture.js";
import { Raster } from "./raster.js";
import { shown } from "./shown.js";
import { change, follow, state } from "./state.js";
import { byId, formatted, setCaption, short } from "./text.js";

const STRONG = 5; // the weight with the widest line
const SLIGHT = 0.02; // up to which a line does not show its sign
const MOST_NUMBERS = 24; // weights that are written beside their lines
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export function diagramView(page) {
  const canvas = byId("diagram");
  const caption = canvas.previousElementSibling;
  let hover = -1;
  let plan = null;
  caption.ariaLive = "polite";

  function draw() {
    const now = shown(page);
    const { g, width, height } = sized(canvas);
    if (!plan?.fits(now, width, height)) {
      plan = new DiagramPlan(g, now, width, height);
      plan.thumbnails = plan.hasThumbnails ? new Thumbnails(page) : null;
    }
    drawNetwork(g, plan, now, new Set([hover, state.weight]));
    const place = hover < 0 ? state.weight : hover;
    caption.ariaBusy = String(state.isPlaying); // what changes with every epoch is not spoken
    setCaption(caption, "Network", place < 0 || place >= now.theta.length ? "" : described(plan, now, place));
    canvas.setAttribute("aria-label", `network with its weights: arrows choose one, Shift with an arrow changes it. ${caption.textContent}`);
  }

  follow(["run", "epoch", "isPlaying", "fork", "live", "weight", "theme"], draw);
  followPointer(page, canvas, (event) => plan?.find(event.offsetX, event.offsetY) ?? -1, (found) => {
    hover = found;
    draw();
  });
  canvas.addEventListener("keydown", (event) => pressed(page, event, plan.places));
}

/** As in W1[0][1] = 0.4002, from x2 to h1. */
function described(plan, { network, theta }, place) {
  const { layer, to, from } = network.connectionOf(place);
  const ends = from === undefined ? "the bias of" : `from ${plan.sourceName(layer, from)} to`;
  return `${network.names[place]} = ${formatted(theta[place], 5)}, ${ends} ${plan.unitName(layer + 1, to)}`;
}

function followPointer(page, canvas, find, hovered) {
  let held = null;
  canvas.addEventListener("pointermove", (event) => {
    if (held) return drag(page, held, held.y - event.clientY);
    const found = find(event);
    canvas.style.cursor = found < 0 ? "" : "ns-resize";
    hovered(found);
  });
  canvas.addEventListener("pointerleave", () => hovered(-1));
  canvas.addEventListener("pointerdown", (event) => {
    const place = find(event);
    const mayScroll = event.pointerType === "touch" && place !== state.weight; // a finger drags what it chose before
    change({ weight: place });
    if (place < 0 || mayScroll) return;
    canvas.setPointerCapture(event.pointerId);
    held = { place, y: event.clientY, value: parametersToChange(page)[place], isMoved: false };
  });
  canvas.addEventListener("touchstart", (event) => { if (held) event.preventDefault(); }, { passive: false });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      held = null;
    });
  }
}

/** Dragging upwards makes a parameter larger: by 1 in 50 pixels, and large ones faster. */
function drag(page, held, up) {
  held.isMoved ||= Math.abs(up) > 3;
  const factor = Math.max(1, Math.abs(held.value) / 5);
  if (held.isMoved) changeParameter(page, held.place, Number((held.value + (up / 50) * factor).toFixed(2)));
}

/** Arrows walk through the parameters; with Shift they change the chosen one. */
function pressed(page, event, places) {
  const step = STEPS[event.key];
  const at = places.indexOf(state.weight);
  if (event.key === "Escape") change({ weight: -1 });
  else if (event.key === "Enter") byId("step").open = true;
  else if (!step) return;
  else if (!event.shiftKey) change({ weight: at < 0 ? places[0] : places[(at + step + places.length) % places.length] });
  else if (at >= 0) changeParameter(page, state.weight, Number((parametersToChange(page)[state.weight] - step * 0.1).toFixed(2)));
  event.preventDefault();
}

function drawNetwork(g, plan, { theta }, marked) {
  const taken = plan.nodes.flat().map((node) => plan.boxOf(node));
  for (const { place, points } of plan.edges) drawLine(g, points, theta[place], plan.widest, marked.has(place));
  plan.thumbnails?.update();
  for (const node of plan.nodes[0]) drawInput(g, plan, node);
  for (const node of plan.nodes.slice(1).flat()) drawUnit(g, plan, node, theta, marked, taken);
  for (const { place, points } of plan.edges) {
    if (plan.edges.length <= MOST_NUMBERS || marked.has(place)) writeWeight(g, points, theta[place], taken, marked.has(place));
  }
  for (const { x, text } of plan.counts) label(g, text, x, plan.height - 2, { align: "center", colour: "--label" });
}

function drawLine(g, points, weight, widest, isMarked) {
  const width = 0.6 + widest * Math.min(Math.abs(weight) / STRONG, 1);
  if (isMarked) polyline(g, points, styled("--chosen"), width + 6);
  polyline(g, points, styled(signColour(weight)), width, weight >= -SLIGHT ? [] : [5, 3]);
}

function signColour(weight) {
  return !(Math.abs(weight) > SLIGHT) ? "--pale" : weight > 0 ? "--blue" : "--orange";
}

function drawInput(g, plan, { unit, x, y }) {
  disc(g, x, y, 4, "--paper", "--ink");
  label(g, shortened(g, plan.unitName(0, unit), plan.space), x - 8, y, { align: "right", baseline: "middle" });
}

function drawUnit(g, plan, { unit, column, bias, x, y }, theta, marked, taken) {
  const { side } = plan;
  const write = (text, middle, low, colour) => {
    const { width } = g.measureText(text);
    taken.push({ x: middle - width / 2, y: low - 11, width, height: 14 });
    label(g, text, middle, low, { align: "center", colour });
  };
  const [left, top] = [x - side / 2, y - side / 2];
  const isMarked = bias >= 0 && marked.has(bias);
  g.beginPath();
  if (plan.thumbnails) g.rect(left + 0.5, top + 0.5, side - 1, side - 1);
  else g.arc(x, y, side / 2, 0, 2 * Math.PI);
  g.fillStyle = styled("--paper");
  g.fill();
  plan.thumbnails?.draw(g, column - 1, unit, left, top, side);
  g.lineWidth = isMarked ? 3 : 1;
  g.strokeStyle = styled(isMarked ? "--focus" : "--ink");
  g.stroke();
  if (plan.isNamed[column]) write(shortened(g, plan.unitName(column, unit), 60), x, top - 4);
  if (bias < 0) return;
  disc(g, left, top + side, 2 + 3 * Math.min(Math.abs(theta[bias]) / STRONG, 1), signColour(theta[bias]), "--paper");
  if (!plan.isNamed[column] && !isMarked) return;
  const text = short(theta[bias]);
  const middle = Math.min(x + 4, plan.width - g.measureText(text).width / 2 - 2);
  write(text, middle, top + side + 11, "--label");
}

/** The number of a weight beside its line, where it touches neither units nor other numbers; a marked one always. */
function writeWeight(g, points, weight, taken, isMarked) {
  const text = short(weight);
  const width = g.measureText(text).width;
  const spots = [0.3, 0.68, 0.5, 0.2, 0.8, 0.4, 0.6].map((share) => boxOn(points, share, width));
  const box = spots.find((spot) => taken.every((other) => isApart(spot, other))) ?? (isMarked && spots[0]);
  if (!box) return;
  taken.push(box);
  label(g, text, box.x + width / 2, box.y + 7, { align: "center", baseline: "middle" });
}

function boxOn(points, share, width) {
  const at = share * (points.length - 1);
  const i = Math.min(Math.floor(at), points.length - 2);
  const [x, y] = [0, 1].map((k) => points[i][k] + (at - i) * (points[i + 1][k] - points[i][k]));
  return { x: x - width / 2, y: y - 17, width, height: 14 }; // above the line
}

function isApart(a, b) {
  return a.x > b.x + b.width + 2 || b.x > a.x + a.width + 2 || a.y > b.y + b.height || b.y > a.y + a.height;
}

const PIXELS = 24; // on a side

class Thumbnails {
  constructor(page) {
    this.page = page;
    this.raster = new Raster(inputPlane(shownRun(page).view), PIXELS, PIXELS);
  }

  /** Compute the outputs of all units at the shown epoch. */
  update() {
    const { view, colours } = shownRun(this.page);
    Object.assign(this, { network: view.network, colours });
    this.raster.update(view.network, view.theta, view, colours);
  }

  draw(g, layer, unit, x, y, side) {
    const { raster, network, colours } = this;
    const { units, activation } = network.layers[layer];
    const values = raster.space[layer];
    const toned = layer < network.depth - 1 ? toneIn(rangeOf(activation, values), colours) : (value) => colours.table[colours.single(value, unit)];
    for (let i = 0; i < raster.pixels.length; i++) raster.pixels[i] = toned(values[i * units + unit]);
    raster.g.putImageData(raster.image, 0, 0);
    raster.draw(g, { x, y, width: side, height: side });
  }
}

/** The values with the first and the last colour: the ends of the activation, or the largest value and its opposite. */
function rangeOf(activation, values) {
  const { range } = ACTIVATIONS[activation];
  if (range.every((end) => end !== null)) return range;
  const reach = values.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 1e-12);
  return [-reach, reach];
}

/** The colour of a hidden unit as a pixel; grey beside three and more classes. */
function toneIn([low, high], { classes, table, noValue }) {
  return (value) => {
    const share = clamp((value - low) / (high - low) || 0, 0, 1);
    if (classes < 3) return table[Math.round(share * (noValue - 1))];
    const grey = Math.round(255 - 215 * share);
    return (255 << 24) | (grey << 16) | (grey << 8) | grey;
  };
}
