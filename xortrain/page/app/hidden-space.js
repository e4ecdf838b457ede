/** What the hidden layer makes of the inputs: the space in which the last layer separates the examples. */

import { clamp } from "./canvas.js";
import { Network } from "./network.js";
import { pixelOf, PlanePicture } from "./plane-picture.js";
import { follow } from "./state.js";
import { byId, setText } from "./text.js";

const [LINES, DOTS] = [9, 25]; // of the grid of the inputs in each direction, and the points of each

class HiddenPicture extends PlanePicture {
  /** The straight lines of the input plane, as the hidden layers bend them. */
  drawInside() {
    const { g, view, plane, box } = this;
    view.grid ??= inputGrid(view);
    g.beginPath();
    view.grid.forEach((x, n) => {
      view.network.forward(view.theta, x);
      const place = pixelOf(plane, box, ...plane.placeOf(view.network.received.at(-1), view.theta));
      if (n % DOTS) g.lineTo(...place);
      else g.moveTo(...place);
    });
    g.globalAlpha = 0.4;
    g.strokeStyle = this.colours.ink;
    g.lineWidth = 0.8;
    g.stroke();
  }
}

/** Points of straight lines over the plane of the inputs; none for slices or a single input. */
function inputGrid(view) {
  const { slices, isCurve, left, right, bottom, top } = view.picture.plane;
  if (slices.length > 1 || isCurve) return [];
  return Array.from({ length: 2 * LINES * DOTS }, (_, n) => {
    const [along, line] = [(n % DOTS) / (DOTS - 1), Math.floor(n / DOTS)];
    const [a, b] = line < LINES ? [line / (LINES - 1), along] : [along, (line - LINES) / (LINES - 1)];
    const x = new Float64Array(view.network.inputs);
    view.input(slices[0], left + a * (right - left), bottom + b * (top - bottom), x, 0);
    return x;
  });
}

/** Whether an example of a run that is trained here is beside the plane that was chosen for it. */
function leaves(view) {
  const { left, right, bottom, top, place } = view.hidden ?? {};
  const isInside = ([, u, v]) => u >= left && u <= right && v >= bottom && v <= top;
  return Boolean(view.hidden) && !view.walk.every((_, n) => isInside(place(n, view)));
}

/** The hidden space of the shown run: the first picture if that of the inputs is only a plane among more inputs. */
export function hiddenView(page) {
  const canvas = byId("hidden");
  const planeOf = (view) => {
    if (view.hidden === undefined || (view.isLive && leaves(view))) view.hidden = hiddenPlane(view);
    return view.hidden;
  };
  const picture = new HiddenPicture(page, canvas, planeOf);
  follow(["run", "epoch", "isPlaying", "fork", "live", "theme"], () => {
    picture.draw();
    const { network, picture: { plane } } = picture.view;
    const isDeep = network.layers.length > 1;
    const title = isDeep ? "What the hidden layer makes of it" : "The weighted sum of the inputs";
    setText(canvas.previousElementSibling, picture.plane ? picture.words(title) : "No hidden layer");
    canvas.parentElement.style.order = isDeep && network.inputs > 2 && plane.slices.length === 1 ? -1 : 0;
  });
}

const SAMPLES = 12; // epochs that determine the part of the space that is shown
const dot = (a, b) => a.reduce((sum, value, k) => sum + value * b[k], 0);
const minus = (a, b) => Array.from(a, (value, k) => value - b[k]);
const unit = (a) => Array.from(a, (value) => value / (Math.hypot(...a) || 1));
const without = (a, along) => minus(a, along.map((value) => value * dot(a, along)));
const mean = (rows) => Array.from(rows[0], (_, k) => rows.reduce((sum, row) => sum + row[k], 0) / rows.length);

/** The plane for a `PlanePicture`; null for several outputs without a hidden layer. */
function hiddenPlane(view) {
  const { network, population, place: run, examples } = view;
  const last = network.layers.at(-1);
  const units = network.fanIn.at(-1);
  const isSum = network.layers.length === 1;
  if (isSum && last.units > 1) return null;
  const most = view.isStored ? population.frameEpochs.length - 1 : 0;
  const frames = Array.from({ length: SAMPLES }, (_, k) => Math.round((k * most) / (SAMPLES - 1)));
  const stored = [...new Set(frames)].map((frame) => population.theta(run, frame));
  const finite = [...stored, ...(view.isLive ? [view.theta] : [])].filter((theta) => theta.every(Number.isFinite));
  const thetas = finite.length ? finite : [new Float64Array(network.size)];
  const received = thetas.map((theta) => examples.x.map((x) => {
    network.forward(theta, x);
    return isSum ? network.z[0].slice() : network.received.at(-1).slice();
  }));
  const isRuled = last.units === 1 || (last.units === 2 && last.activation === "softmax");
  const make = isSum || units === 1 ? curvePlane : units === 2 ? unitsPlane : isRuled ? turningPlane : fixedPlane;
  const plane = make({ view, thetas, received, points: received.flat(), isSum, units });
  const at = (n) => (isSum ? view.network.forward(view.theta, examples.x[n]) && view.network.z[0] : view.walk[n].received);
  const place = (n) => [0, ...plane.placeOf(at(n), view.theta, view.walk[n].y)];
  return { slices: [{}], ticks: [[], []], parameters: lastLayer(view), input: alongU, place, ...plane };
}

function head({ network }, inputs, bias = network.bias) {
  return new Network({ inputs, layers: network.layers.slice(-1), bias, skip: false });
}

function lastLayer({ network }) {
  return (theta) => theta.subarray(network.weights.at(-1));
}

function alongU(_, u, __, out, first) {
  out[first] = u;
}

function extent(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

/** Ranges of places (u, v), with a margin as a share of them. */
function ranges(places, margin) {
  const [[left, right], [bottom, top]] = [0, 1].map((axis) => {
    const [low, high] = extent(places.map((place) => place[axis]).filter(Number.isFinite));
    const beyond = margin * (high > low ? high - low : 2);
    return [low - beyond, high + beyond];
  });
  return { left, right, bottom, top };
}

function marked(values) {
  return values.map((value) => [value, String(Number(value.toPrecision(2)))]);
}

function curvePlane({ view, points, isSum }) {
  const { scale: { low, high }, outputs } = view.picture;
  const ends = extent(points.flatMap(([value]) => (isSum ? [value, -value] : [value])));
  return {
    head: head(view, 1, !isSum && view.network.bias),
    ...(isSum && { parameters: () => Float64Array.of(1) }),
    placeOf: ([u], _, y) => [u, clamp(y[0], low, high)],
    ...ranges([[ends[0], low], [ends[1], high]], 0.15),
    names: [isSum ? "z" : "h1", outputs[0]],
    ticks: [marked(ends), marked([low, high])],
    isCurve: true,
  };
}

function unitsPlane({ view, points }) {
  const known = view.picture.hiddenRange;
  const corners = known ? known.map((value) => [value, value]) : points;
  const ends = [0, 1].map((k) => extent(corners.map((point) => point[k])));
  return {
    head: head(view, 2),
    input: (_, u, v, out, first) => {
      out[first] = u;
      out[first + 1] = v;
    },
    placeOf: (received) => received,
    ...ranges(corners, 0.07),
    names: ["h1", "h2"],
    ticks: ends.map(marked),
  };
}

/** The first axis along the weights of each epoch, the second as near as possible to one direction. */
function turningPlane({ view, thetas, received, points, units }) {
  const { outputs } = view.picture;
  const first = view.network.weights.at(-1);
  const shares = outputs.length === 1 ? [1] : [-0.5, 0.5];
  const weights = (theta) => {
    const rows = outputs.map((_, k) => theta.subarray(first + k * units, first + (k + 1) * units));
    return rows.length === 1 ? Array.from(rows[0]) : minus(rows[1], rows[0]);
  };
  const middle = mean(points);
  const along = unit(weights(thetas.at(-1)));
  const beside = widest(points.map((point) => without(minus(point, middle), along)));
  const placeOf = (point, theta) => {
    const across = unit(weights(theta));
    return [dot(point, across), dot(minus(point, middle), unit(without(beside, across)))];
  };
  return {
    head: head(view, 1),
    parameters: (theta) => {
      const size = Math.hypot(...weights(theta));
      return Float64Array.of(...shares.map((share) => share * size), ...theta.subarray(first + outputs.length * units));
    },
    placeOf,
    ...ranges(received.flatMap((part, k) => part.map((point) => placeOf(point, thetas[k]))), 0.1),
    names: [`along ${outputs.at(-1)}'s weights`, "widest across it"],
    isRuled: true,
  };
}

function fixedPlane({ view, thetas, points, units }) {
  const { outputs, scale } = view.picture;
  const middle = mean(points);
  const theta = lastLayer(view)(thetas.at(-1));
  const rows = outputs.map((_, k) => Array.from(theta.subarray(k * units, (k + 1) * units)));
  const differences = rows.map((row) => minus(row, mean(rows)));
  const across = widest(scale.oneHot ? differences : rows.slice(0, 1));
  const rest = scale.oneHot ? differences : points.map((point) => minus(point, middle));
  const up = widest(rest.map((row) => without(row, across)));
  const placeOf = (point) => [dot(minus(point, middle), across), dot(minus(point, middle), up)];
  return {
    head: head(view, units),
    input: (_, u, v, out, first) => {
      for (let k = 0; k < units; k++) out[first + k] = middle[k] + u * across[k] + v * up[k];
    },
    placeOf,
    ...ranges(points.map((point) => placeOf(point)), 0.1),
    names: scale.oneHot ? ["separates classes best", "second best"] : [`along ${outputs[0]}'s weights`, "widest across it"],
    isBeside: true,
  };
}

/** The direction in which rows differ most from 0, by power iteration from the longest row. */
function widest(rows) {
  let axis = unit(rows.reduce((best, row) => (dot(row, row) > dot(best, best) ? row : best)));
  for (let round = 0; round < 60; round++) {
    const next = axis.map((_, k) => rows.reduce((sum, row) => sum + dot(row, axis) * row[k], 0));
    if (Math.hypot(...next) > 0) axis = unit(next);
  }
  return axis;
}
