/** A network's outputs over a plane as an image, with a line where the class changes. */

import { stroked } from "./canvas.js";

const BUDGET = 5e6; // multiplications of an image while it plays; four times as many when it rests
const MOST_POINTS = 320; // along a side: between them the browser blends colours, and boundaries are lines
const UNIT = 12; // multiplications that take as long as an activation
const UNDECIDED = 0.02; // range of the outputs, as a share of the targets' distance, up to which there is no line

/** How many points along a side of `pixels` can be evaluated, in `count` images at once. */
export function pointsAlong(network, pixels, count, isPlaying) {
  const units = network.layers.reduce((sum, layer) => sum + layer.units, 0);
  const most = (BUDGET * (isPlaying ? 1 : 4)) / (network.size + UNIT * units) / count;
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
    const points = this.columns * this.rows;
    const path = new Path2D();
    for (const values of boundaries(this.y, slice * points, points, colours)) {
      traceZero(path, values, this.columns, this.rows, box);
    }
    g.lineCap = "round";
    stroked(g, path, [[colours.paper, 2 * width], [colours.ink, width]]);
  }
}

/** Fields that are zero where the class changes, of outputs (points, outputs) from point `first` on. */
function boundaries(y, first, points, colours) {
  const { classes, outputs, high, low, middle } = colours;
  if (!classes) return [];
  const fields = Array.from({ length: classes < 3 ? 1 : classes }, () => new Float32Array(points));
  for (let n = 0, at = first * outputs; n < points; n++, at += outputs) {
    if (classes < 3) fields[0][n] = colours.value(y, at) - middle;
    else leads(y, at, fields, n);
  }
  return fields.filter((values) => {
    let [least, most] = [0, 0];
    for (const value of values) {
      if (value < least) least = value;
      else if (value > most) most = value;
    }
    return least < 0 && most > 0 && most - least > UNDECIDED * Math.abs(high - low);
  });
}

/** By how much each output is greater than all others. */
function leads(y, at, fields, n) {
  let [best, first, second] = [0, -Infinity, -Infinity];
  for (let k = 0; k < fields.length; k++) {
    const value = y[at + k];
    if (value > first) [best, first, second] = [k, value, first];
    else if (value > second) second = value;
  }
  for (let k = 0; k < fields.length; k++) fields[k][n] = y[at + k] - (k === best ? second : first);
}

/** Add to a path the lines where values (rows, columns) are zero: marching squares. */
function traceZero(path, values, columns, rows, box) {
  const centre = (place, count) => (place === 0 ? 0 : place === count - 1 ? 1 : (place + 0.5) / count);
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c + 1 < columns; c++) {
      const i = r * columns + c;
      const below = i + columns;
      const isUp = values[i] > 0; // no array is made of the many corners without a line
      if (values[i + 1] > 0 === isUp && values[below] > 0 === isUp && values[below + 1] > 0 === isUp) continue;
      const corners = [values[i], values[i + 1], values[below + 1], values[below]];
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
  }
}
