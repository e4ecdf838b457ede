/** A network's outputs over a plane as an image, with a line where the class changes. */

import { stroked } from "./canvas.js";

const BUDGET = 2.5e6; // multiplications of an image while it plays; eight times as many when it rests
const MOST_POINTS = 320; // along a side: between them the browser blends colours, and boundaries are lines
const UNIT = 12; // multiplications that take as long as an activation
const UNDECIDED = 0.02; // range of the outputs, as a share of the targets' distance, up to which there is no line

/** How many points along a side of `pixels` can be evaluated, in `count` images at once. */
export function pointsAlong(network, pixels, count, isPlaying) {
  const units = network.layers.reduce((sum, layer) => sum + layer.units, 0);
  const most = (BUDGET * (isPlaying ? 1 : 8)) / (network.size + UNIT * units) / count;
  return Math.max(8, Math.floor(Math.min(pixels, MOST_POINTS, Math.sqrt(most))));
}

/** Outputs at the centres of the pixels of an image; the slices of a plane are below each other. */
export class Raster {
  constructor(plane, columns, rows) {
    const slices = plane.slices.length;
    const inputs = plane.head.inputs;
    Object.assign(this, { plane, columns, rows });
    this.x = new Float64Array(slices * rows * columns * inputs);
    this.space = plane.head.space(slices * rows * columns);
    this.canvas = new OffscreenCanvas(columns, rows * slices);
    this.g = this.canvas.getContext("2d");
    this.image = this.g.createImageData(columns, rows * slices);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.fill(plane);
  }

  /** Set the inputs of all points. */
  fill({ left, right, bottom, top, input, head }) {
    const { columns, rows, x } = this;
    for (let n = 0; n < this.pixels.length; n++) {
      const row = Math.floor(n / columns);
      const u = left + (((n % columns) + 0.5) * (right - left)) / columns;
      const v = top - (((row % rows) + 0.5) * (top - bottom)) / rows;
      input(Math.floor(row / rows), u, v, x, n * head.inputs);
    }
  }

  /** Evaluate a network of this shape with parameters theta. */
  update(network, theta, view, colours) {
    network.evaluate(theta, this.x, this.space);
    this.y = view.unscale(this.space.at(-1));
    colours.paint(this.y, this.pixels);
    this.g.putImageData(this.image, 0, 0);
  }

  draw(g, { x, y, width, height }, slice = 0) {
    g.drawImage(this.canvas, 0, slice * this.rows, this.columns, this.rows, x, y, width, height);
  }

  /** Draw where the class changes. */
  boundary(g, box, slice, colours, width) {
    const path = new Path2D();
    for (const field of this.boundaries(slice, colours)) traceZero(path, field, this.columns, this.rows, box);
    g.lineCap = "round";
    stroked(g, path, [[colours.paper, 2 * width], [colours.ink, width]]);
  }

  /** Fields that are zero where the class changes, of those that change it. */
  boundaries(slice, colours) {
    const { classes, outputs, middle } = colours;
    const { y, columns, rows } = this;
    const points = columns * rows;
    if (!classes) return [];
    this.fields ??= Array.from({ length: classes < 3 ? 1 : classes }, () => new Float32Array(points));
    const [first] = this.fields;
    for (let n = 0, at = slice * points * outputs; n < points; n++, at += outputs) {
      if (outputs === 1) first[n] = y[at] - middle;
      else if (classes < 3) first[n] = colours.value(y, at) - middle;
      else leads(y, at, this.fields, n);
    }
    const least = UNDECIDED * Math.abs(colours.high - colours.low);
    return this.fields.filter((field) => isCrossed(field, least));
  }
}

/** Whether numbers have both signs, and a range of more than `least`. */
function isCrossed(values, least) {
  let low = 0, high = 0;
  for (let n = 0; n < values.length; n++) {
    if (values[n] < low) low = values[n];
    else if (values[n] > high) high = values[n];
  }
  return low < 0 && high > 0 && high - low > least;
}

/** By how much each output is greater than all others. */
function leads(y, at, fields, n) {
  let best = 0, first = -Infinity, second = -Infinity;
  for (let k = 0; k < fields.length; k++) {
    const value = y[at + k];
    if (value > first) {
      second = first;
      first = value;
      best = k;
    } else if (value > second) second = value;
  }
  for (let k = 0; k < fields.length; k++) fields[k][n] = y[at + k] - (k === best ? second : first);
}

/** Add to a path the lines where values (rows, columns) are zero: marching squares. */
function traceZero(path, values, columns, rows, box) {
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c + 1 < columns; c++) {
      const i = r * columns + c;
      const isUp = values[i] > 0;
      const isWithout = values[i + 1] > 0 === isUp && values[i + columns] > 0 === isUp && values[i + columns + 1] > 0 === isUp;
      if (!isWithout) traceSquare(path, values, columns, rows, box, r, c);
    }
  }
}

/** Add the lines in the square between four points. */
function traceSquare(path, values, columns, rows, box, r, c) {
  const i = r * columns + c;
  const centre = (place, count) => (place === 0 ? 0 : place === count - 1 ? 1 : (place + 0.5) / count);
  const corners = [values[i], values[i + 1], values[i + columns + 1], values[i + columns]];
  const [west, east] = [c, c + 1].map((place) => box.x + box.width * centre(place, columns));
  const [north, south] = [r, r + 1].map((place) => box.y + box.height * centre(place, rows));
  const places = [[west, north], [east, north], [east, south], [west, south]];
  let isOpen = false;
  for (let k = 0; k < 4; k++) {
    const [p, q, from, to] = [corners[k], corners[(k + 1) % 4], places[k], places[(k + 1) % 4]];
    if (p > 0 === q > 0) continue;
    const [x, y] = [0, 1].map((axis) => from[axis] + (p / (p - q)) * (to[axis] - from[axis]));
    if (isOpen) path.lineTo(x, y);
    else path.moveTo(x, y);
    isOpen = !isOpen;
  }
}
