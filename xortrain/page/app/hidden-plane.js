/**
 * The plane in which the last layer's inputs are shown, as in the films: two units as they are; with more, if the
 * output depends on one weighted sum, a plane that turns with its weights, so that the boundary separates the examples
 * exactly as the network does; else a plane along which the outputs' weights differ most.
 *
 * A plane has `head`, the last layer over it; `parameters(theta)` are those of the head, `input(u, v, out, first)` what
 * it receives at (u, v), and `place(received, theta)` is the (u, v) of what the last layer receives.
 */

import { Network } from "./network.js";

const SAMPLES = 12; // epochs that determine the part of the space that is shown

export function hiddenPlane(view) {
  const { network, picture } = view;
  const last = network.layers.at(-1);
  const units = network.fanIn.at(-1);
  const isSum = network.layers.length === 1;
  if (isSum && last.units > 1) return null;
  const isRuled = last.units === 1 || (last.units === 2 && last.activation === "softmax");
  if (isSum || units === 1) return curvePlane(view, isSum);
  if (units === 2) return unitsPlane(view, picture.hiddenRange);
  return isRuled ? turningPlane(view) : fixedPlane(view);
}

/** The parameters of a run at some of its epochs, from first to last, as far as they are finite. */
function samples(view) {
  const { population, place } = view;
  const most = population.frameEpochs.length - 1;
  const found = Array.from({ length: SAMPLES }, (_, k) => population.theta(place, Math.round((k * most) / (SAMPLES - 1))));
  return found.filter((theta) => theta.every(Number.isFinite));
}

/** For all examples what the last layer receives. */
function receivedBy({ network, examples }, theta) {
  return examples.x.map((x) => {
    network.forward(theta, x);
    return network.received.at(-1).slice();
  });
}

function headOf({ network }, inputs, bias = network.bias) {
  return new Network({ inputs, layers: network.layers.slice(-1), bias, skip: false });
}

/** The parameters of the last layer. */
function lastOf({ network }) {
  const first = network.weights.at(-1);
  return (theta) => theta.subarray(first);
}

/** The output over a single unit, or over the sum of a network's only unit. */
function curvePlane(view, isSum) {
  const { network, picture } = view;
  const { low, high } = picture.scale;
  const place = isSum
    ? (x, theta) => (network.forward(theta, x), [network.z[0][0], 0])
    : (received) => [received[0], 0];
  const values = samples(view).flatMap((theta) => receivedBy(view, theta).map((one) => place(one, theta)[0]));
  const { low: left, high: right, from, to } = ends(isSum ? [...values, ...values.map((z) => -z)] : values, 0.12);
  const margin = 0.15 * (high - low || 1);
  return {
    head: isSum ? headOf(view, 1, false) : headOf(view, 1),
    parameters: isSum ? () => Float64Array.of(1) : lastOf(view),
    input: (u, _, out, first) => out.fill(u, first, first + 1),
    place,
    left: from, right: to, bottom: low - margin, top: high + margin,
    names: [isSum ? "z, the weighted sum" : "h1", picture.outputs[0]],
    ticks: [[left, right].map(tick), [low, high].map(tick)],
    isCurve: true,
  };
}

function tick(value) {
  return [value, String(Number(value.toPrecision(2)))];
}

function unitsPlane(view, range) {
  const points = range ? [[range[0], range[0]], [range[1], range[1]]] : samples(view).flatMap((theta) => receivedBy(view, theta));
  const sides = [0, 1].map((k) => ends(points.map((point) => point[k]), 0.07));
  return {
    head: headOf(view, 2),
    parameters: lastOf(view),
    input: (u, v, out, first) => { out[first] = u; out[first + 1] = v; },
    place: (received) => received,
    left: sides[0].from, right: sides[0].to, bottom: sides[1].from, top: sides[1].to,
    names: ["h1", "h2"],
    ticks: sides.map(({ low, high }) => [low, high].map(tick)),
  };
}

/** The range of values, and with a margin on both sides. */
function ends(values, margin) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = finite.length ? [Math.min(...finite), Math.max(...finite)] : [0, 1];
  const beyond = margin * (high > low ? high - low : 2);
  return { low, high, from: low - beyond, to: high + beyond };
}

/** The weights of the sum on which what is shown of the outputs depends. */
function sumWeights({ network }, theta) {
  const [first, units] = [network.weights.at(-1), network.fanIn.at(-1)];
  const row = theta.slice(first, first + units);
  if (network.layers.at(-1).units === 2) for (let k = 0; k < units; k++) row[k] = theta[first + units + k] - row[k];
  return row;
}

function turningPlane(view) {
  const thetas = samples(view);
  const parts = thetas.map((theta) => receivedBy(view, theta));
  const points = parts.flat();
  const mean = meanOf(points, view.network.fanIn.at(-1));
  const along = unit(sumWeights(view, thetas.at(-1) ?? view.theta));
  const beside = widest(points.map((point) => without(minus(point, mean), along)), along);
  const place = (received, theta) => {
    const across = unit(sumWeights(view, theta));
    return [dot(received, across), dot(minus(received, mean), unit(without(beside, across)))];
  };
  const places = parts.flatMap((part, k) => part.map((received) => place(received, thetas[k])));
  const { outputs } = view.picture;
  const first = view.network.weights.at(-1);
  const biases = first + sumWeights(view, view.theta).length * outputs.length;
  const shares = outputs.length === 1 ? [1] : [-0.5, 0.5];
  return {
    head: headOf(view, 1),
    parameters: (theta) => {
      const size = Math.hypot(...sumWeights(view, theta));
      return Float64Array.of(...shares.map((share) => share * size), ...theta.subarray(biases));
    },
    input: (u, _, out, at) => out.fill(u, at, at + 1),
    place,
    ...rangesOf(places),
    names: [`along ${outputs.at(-1)}'s weights`, "widest beside that"],
    isRuled: true,
  };
}

function rangesOf(places) {
  const [across, up] = [0, 1].map((k) => ends(places.map((place) => place[k]), 0.1));
  return { left: across.from, right: across.to, bottom: up.from, top: up.to, ticks: [[], []] };
}

function fixedPlane(view) {
  const { network, picture } = view;
  const units = network.fanIn.at(-1);
  const thetas = samples(view);
  const points = thetas.flatMap((theta) => receivedBy(view, theta));
  const mean = meanOf(points, units);
  const weights = lastOf(view)(thetas.at(-1) ?? view.theta);
  const rows = picture.outputs.map((_, k) => Array.from(weights.subarray(k * units, (k + 1) * units)));
  const sought = picture.scale.oneHot ? rows.map((row) => minus(row, meanOf(rows, units))) : rows.slice(0, 1);
  const across = widest(sought, null);
  const rest = picture.scale.oneHot ? sought : points.map((point) => minus(point, mean));
  const up = widest(rest.map((row) => without(row, across)), across);
  const place = (received) => [dot(minus(received, mean), across), dot(minus(received, mean), up)];
  return {
    head: headOf(view, units),
    parameters: lastOf(view),
    input: (u, v, out, first) => {
      for (let k = 0; k < units; k++) out[first + k] = mean[k] + u * across[k] + v * up[k];
    },
    place,
    ...rangesOf(points.map(place)),
    names: picture.scale.oneHot ? ["parts classes best", "second best"] : [`along ${picture.outputs[0]}'s weights`, "widest beside that"],
    isBeside: true,
  };
}

const dot = (a, b) => a.reduce((sum, value, k) => sum + value * b[k], 0);
const minus = (a, b) => Array.from(a, (value, k) => value - b[k]);
const unit = (a) => Array.from(a, (value) => value / (Math.hypot(...a) || 1));
const without = (a, along) => minus(a, along.map((value) => value * dot(a, along)));

function meanOf(points, width) {
  return Array.from({ length: width }, (_, k) => points.reduce((sum, point) => sum + point[k], 0) / (points.length || 1));
}

/** The direction in which points differ most, by power iteration from the farthest one, orthogonal to `along`. */
function widest(points, along) {
  const width = along?.length ?? points[0].length;
  let axis = points.reduce((best, point) => (Math.hypot(...point) > Math.hypot(...best) ? point : best), Array(width).fill(0));
  if (!(Math.hypot(...axis) > 1e-12)) axis = without(Array.from({ length: width }, (_, k) => 1 / (k + 1)), along ?? Array(width).fill(0));
  axis = unit(axis);
  for (let round = 0; round < 60; round++) {
    const next = Array(width).fill(0);
    for (const point of points) {
      const share = dot(point, axis);
      for (let k = 0; k < width; k++) next[k] += share * point[k];
    }
    if (Math.hypot(...next) > 0) axis = unit(next);
  }
  return axis;
}
