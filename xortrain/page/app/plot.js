/** A network's outputs over a plane: colours, the line where the class changes, axes; over one input as a curve. */

import { sized, styled } from "./canvas.js";

const BUDGET = 4e6; // multiplications of a picture while it plays; four times as many when it rests
const UNIT = 12; // multiplications that take as long as an activation
const UNDECIDED = 0.02; // range of the outputs, as a share of the targets' distance, up to which there is no line
const MARGIN = { left: 34, right: 2, top: 2, bottom: 34 };

/** How many points there may be along a side of `pixels` in pictures of a network, `count` of them at once. */
export function pointsAlong(network, pixels, count, isPlaying) {
  const units = network.layers.reduce((sum, layer) => sum + layer.units, 0);
  const most = (BUDGET * (isPlaying ? 1 : 4)) / (network.size + UNIT * units) / count;
  const part = Math.max(1, Math.ceil(pixels / Math.sqrt(most)));
  return Math.max(8, Math.ceil(pixels / part));
}

/** Outputs at the centres of the pixels of an image; several slices of a plane are below each other. */
export class Raster {
  constructor(network, columns, rows, slices = 1) {
    Object.assign(this, { network, columns, rows, slices });
    this.points = columns * rows * slices;
    this.x = new Float64Array(this.points * network.inputs);
    this.space = network.space(this.points);
    this.canvas = new OffscreenCanvas(columns, rows * slices);
    this.g = this.canvas.getContext("2d");
    this.image = this.g.createImageData(columns, rows * slices);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** Set the inputs of all points: `input(slice, u, v, out, first)` for (u, v) in the ranges of a plane. */
  fill({ left, right, bottom, top }, input) {
    const { columns, rows, slices, x, network } = this;
    for (let n = 0, first = 0; n < slices * rows * columns; n++, first += network.inputs) {
      const u = left + (((n % columns) + 0.5) * (right - left)) / columns;
      const v = top - (((Math.floor(n / columns) % rows) + 0.5) * (top - bottom)) / rows;
      input(Math.floor(n / columns / rows), u, v, x, first);
    }
    return this;
  }

  /** Evaluate the network with parameters theta, and colour the image. */
  update(theta, view, colours, network = this.network) {
    network.evaluate(theta, this.x, this.space);
    this.y = view.unscale(this.space.at(-1));
    colours.paint(this.y, this.pixels);
    this.g.putImageData(this.image, 0, 0);
  }

  draw(g, box, slice = 0) {
    const { columns, rows, canvas } = this;
    g.drawImage(canvas, 0, slice * rows, columns, rows, box.x, box.y, box.width, box.height);
  }

  /** Draw where the class changes. */
  boundary(g, box, slice, colours, width = 2.2) {
    const { columns, rows, y } = this;
    const first = slice * columns * rows;
    g.save();
    g.beginPath();
    g.rect(box.x, box.y, box.width, box.height);
    g.clip();
    g.beginPath();
    for (const values of boundaries(y, first, columns * rows, colours)) traceZero(g, values, columns, rows, box);
    g.lineCap = "round";
    for (const [colour, wide] of [[colours.paper, 2 * width], [colours.ink, width]]) {
      g.strokeStyle = colour;
      g.lineWidth = wide;
      g.stroke();
    }
    g.restore();
  }
}

/** Fields that are zero where the class changes, of outputs (points, outputs) from point `first` on. */
function boundaries(y, first, points, colours) {
  const { classes, outputs, high, low } = colours;
  if (!classes) return [];
  const fields = Array.from({ length: classes < 3 ? 1 : classes }, () => new Float32Array(points));
  for (let n = 0, at = first * outputs; n < points; n++, at += outputs) {
    if (classes < 3) fields[0][n] = colours.value(y, at) - colours.middle;
    else lead(y, at, fields, n);
  }
  return fields.filter((values) => {
    const [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [0, 0]);
    return least < 0 && most > 0 && most - least > UNDECIDED * Math.abs(high - low);
  });
}

/** By how much each output is greater than all others. */
function lead(y, at, fields, n) {
  let [best, first, second] = [0, -Infinity, -Infinity];
  for (let k = 0; k < fields.length; k++) {
    const value = y[at + k];
    if (value > first) [best, first, second] = [k, value, first];
    else if (value > second) second = value;
  }
  for (let k = 0; k < fields.length; k++) fields[k][n] = y[at + k] - (k === best ? second : first);
}

/** Add to the path the lines where values (rows, columns) are zero: marching squares. */
function traceZero(g, values, columns, rows, box) {
  const x = (c) => box.x + (box.width * edged(c, columns)) / columns;
  const y = (r) => box.y + (box.height * edged(r, rows)) / rows;
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c + 1 < columns; c++) {
      const i = r * columns + c;
      const [a, b, d, e] = [values[i], values[i + 1], values[i + columns + 1], values[i + columns]];
      const isUp = a > 0;
      if (isUp === b > 0 && isUp === d > 0 && isUp === e > 0) continue;
      let count = 0;
      const meet = (p, q, x1, y1, x2, y2) => {
        if (p > 0 === q > 0) return;
        const share = p / (p - q);
        const to = [x1 + share * (x2 - x1), y1 + share * (y2 - y1)];
        if (count++ % 2) g.lineTo(...to);
        else g.moveTo(...to);
      };
      const [west, east, north, south] = [x(c), x(c + 1), y(r), y(r + 1)];
      meet(a, b, west, north, east, north);
      meet(b, d, east, north, east, south);
      meet(d, e, east, south, west, south);
      meet(e, a, west, south, west, north);
    }
  }
}

/** Where the centre of a pixel is; those at the edges reach to the edge. */
function edged(place, count) {
  return place === 0 ? 0 : place === count - 1 ? count : place + 0.5;
}

/** A canvas with room for axes: `box` is the picture in it, and `at` the place of (u, v) of a plane. */
export class Plot {
  constructor(canvas, plane) {
    const { g, width, height } = sized(canvas);
    const box = { x: MARGIN.left, y: MARGIN.top };
    box.width = Math.max(20, width - MARGIN.left - MARGIN.right);
    box.height = Math.max(20, height - MARGIN.top - MARGIN.bottom);
    Object.assign(this, { g, box, plane, width, height });
  }

  at(u, v, box = this.box) {
    const { left, right, bottom, top } = this.plane;
    return [
      box.x + (box.width * (u - left)) / (right - left),
      box.y + (box.height * (top - v)) / (top - bottom),
    ];
  }

  /** (u, v) at a place. */
  from(x, y, box = this.box) {
    const { left, right, bottom, top } = this.plane;
    return [left + ((x - box.x) / box.width) * (right - left), top - ((y - box.y) / box.height) * (top - bottom)];
  }

  /** Names and ticks below and on the left of a box. */
  axes(box = this.box) {
    const { g, plane } = this;
    const [across, up] = plane.ticks;
    const low = box.y + box.height;
    g.fillStyle = styled("--label");
    g.font = `12px ${styled("--font")}`;
    g.textAlign = "center";
    g.textBaseline = "top";
    for (const [u, text] of across) g.fillText(text, this.at(u, 0, box)[0], low + 3);
    g.fillText(plane.names[0], this.box.x + this.box.width / 2, low + 18, this.box.width);
    g.textAlign = "right";
    g.textBaseline = "middle";
    for (const [v, text] of up) g.fillText(text, box.x - 4, this.at(0, v, box)[1], MARGIN.left - 4);
    g.save();
    g.translate(box.x - 26, this.box.y + this.box.height / 2);
    g.rotate(-Math.PI / 2);
    g.textAlign = "center";
    g.fillText(plane.names[1], 0, 0, this.box.height);
    g.restore();
  }

  /** The value (columns,) of one input as a line. */
  curve(values, colours) {
    const { g, box, plane } = this;
    const path = new Path2D();
    values.forEach((value, c) => {
      const [, y] = this.at(0, Math.max(plane.bottom, Math.min(value, plane.top)));
      path.lineTo(box.x + (box.width * (c + 0.5)) / values.length, y);
    });
    for (const [colour, width] of [[colours.paper, 4.4], [colours.ink, 2.2]]) {
      g.strokeStyle = colour;
      g.lineWidth = width;
      g.stroke(path);
    }
  }

  /** Bold words across the picture. */
  banner(words, colours) {
    const { g, box } = this;
    g.font = `bold 15px ${styled("--font")}`;
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.lineWidth = 4;
    g.strokeStyle = colours.paper;
    g.fillStyle = colours.ink;
    g.strokeText(words, box.x + box.width / 2, box.y + box.height / 2, box.width);
    g.fillText(words, box.x + box.width / 2, box.y + box.height / 2, box.width);
  }
}
