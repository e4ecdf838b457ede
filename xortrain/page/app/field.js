/** What the network sees: its output over the plane of the inputs, live from the parameters, and the examples. */

import { byId, formatted } from "./text.js";
import { drawMark, MOST_NAMED_MARKS, markRadius, Names } from "./marks.js";
import { shownRun } from "./picture.js";
import { Plot, pointsAlong, Raster } from "./plot.js";
import { follow, state } from "./state.js";

/** The picture of a run's inputs on a canvas. */
export class FieldPicture {
  names = new Names();

  constructor(page, canvas) {
    Object.assign(this, { page, canvas });
  }

  draw() {
    Object.assign(this, shownRun(this.page));
    const { view, colours } = this;
    this.plane = view.picture.plane;
    this.plot = new Plot(this.canvas, this.plane);
    this.boxes = sliceBoxes(this.plot.box, this.plane);
    this.paint();
    this.plot.axes(this.boxes.at(this.lowest()));
    this.labels();
    this.marks();
    if (view.walk.some((one) => colours.place(one.y) === colours.noValue)) this.plot.banner(failure(view), colours);
  }

  /** The slice beside whose edges the axes are: the first of the lowest row. */
  lowest() {
    return this.boxes.findIndex((box) => box.y === this.boxes.at(-1).y);
  }

  paint() {
    const { view, colours, boxes, plane, plot } = this;
    const [{ width }] = boxes;
    const columns = pointsAlong(view.network, width * devicePixelRatio, boxes.length, state.isPlaying);
    const raster = this.rasterOf(plane.isCurve ? Math.round(width) : columns, plane.isCurve ? 1 : columns);
    raster.update(view.theta, view, colours);
    if (plane.isCurve) return this.curve(raster);
    for (const [slice, box] of boxes.entries()) {
      raster.draw(plot.g, box, slice);
      raster.boundary(plot.g, box, slice, colours, boxes.length > 1 ? 1.4 : 2.2);
    }
  }

  rasterOf(columns, rows) {
    const key = `${this.view.run} ${columns} ${rows}`;
    if (this.key === key) return this.raster;
    this.key = key;
    const { slices } = this.plane;
    this.raster = new Raster(this.view.network, columns, rows, slices.length);
    return this.raster.fill(this.plane, (n, u, v, out, first) => this.view.input(slices[n], u, v, out, first));
  }

  /** Over one input; real outputs on paper, with a stick to each target. */
  curve(raster) {
    const { plot, colours, view } = this;
    const { g, box } = plot;
    if (colours.classes) raster.draw(g, box);
    else {
      g.strokeStyle = colours.pale;
      g.strokeRect(box.x, box.y, box.width, box.height);
    }
    const values = Array.from({ length: raster.columns }, (_, c) => colours.value(raster.y, c * colours.outputs));
    if (!colours.classes) this.sticks(view.examples, view.walk);
    plot.curve(values, colours);
  }

  sticks({ raw, aims }, walk) {
    const { g } = this.plot;
    g.beginPath();
    raw.forEach(([x], n) => {
      g.moveTo(...this.plot.at(x, aims[n][0]));
      g.lineTo(...this.plot.at(x, Math.max(this.plane.bottom, Math.min(walk[n].y[0], this.plane.top))));
    });
    g.strokeStyle = this.colours.label;
    g.lineWidth = 1;
    g.stroke();
  }

  marks() {
    const { view, colours, plot, boxes, plane } = this;
    const { raw, aims, names } = view.examples;
    const places = raw.map((x, n) => placeIn(plane, boxes, x, aims[n]));
    const radius = markRadius(raw.length, boxes[0].width) * (boxes.length > 4 ? 0.7 : 1);
    places.forEach(([x, y], n) => {
      drawMark(plot.g, colours, aims[n], view.walk[n].isRight, x, y, radius);
    });
    if (raw.length <= MOST_NAMED_MARKS && boxes.length === 1 && !plane.isCurve) {
      this.names.draw(plot.g, names, places, plot.box);
    }
  }

  /** What the slices of a column and of a row share. */
  labels() {
    const { plot, plane, boxes, colours } = this;
    const { g } = plot;
    g.fillStyle = colours.label;
    g.textBaseline = "bottom";
    g.textAlign = "center";
    const room = (box) => [box.x + box.width / 2, box.y - 2, box.width];
    const { columns, rows } = plane;
    if (!columns.length) plane.slices.forEach(({ label }, n) => g.fillText(label, ...room(boxes[n])));
    fitting(g, columns, boxes[0].width).forEach((text, n) => g.fillText(text, ...room(boxes[n])));
    fitting(g, rows, boxes[0].height).forEach((text, n) => {
      const box = boxes[n * columns.length];
      g.save();
      g.translate(plot.box.x + plot.box.width, box.y + box.height / 2);
      g.rotate(-Math.PI / 2);
      g.fillText(text, 0, 0, box.height);
      g.restore();
    });
  }

  /** Examples beside the plane whose colour there is that of another class. */
  contradictions() {
    const { view, colours, plane } = this;
    const { raw, x } = view.examples;
    if (!colours.classes || plane.slices.length > 1 || raw[0].length < 3) return 0;
    const [slice] = plane.slices;
    const along = (point, to) => point.reduce((sum, value, k) => sum + (value - slice.origin[k]) * to[k], 0);
    const there = new Float64Array(x[0].length);
    return raw.filter((point, n) => {
      view.input(slice, along(point, slice.toU), along(point, slice.toV), there);
      const y = view.unscale(view.network.forward(view.theta, there));
      return colours.kind(y) !== colours.kind(view.walk[n].y);
    }).length;
  }

  /** The inputs and the output at a place of the canvas, in words; empty beside the picture. */
  words(x, y) {
    const n = this.boxes.findIndex((box) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height);
    if (n < 0) return "";
    const { view, plane, colours } = this;
    const { origin, across, up } = plane.slices[n];
    const [u, v] = this.plot.from(x, y, this.boxes[n]);
    const { inputs, outputs, scale } = view.picture;
    const there = view.input(plane.slices[n], u, v, new Float64Array(origin.length));
    const out = view.unscale(view.network.forward(view.theta, there));
    const each = inputs.map((name, k) => `${name} ${formatted(origin[k] + u * across[k] + v * up[k], 3)}`);
    const best = colours.kind(out);
    const shown = scale.classes > 2 ? [best] : [...out.keys()];
    return [...(each.length > 4 ? [] : each), ...shown.map((k) => `${outputs[k]} ${formatted(out[k])}`)].join(", ");
  }
}

/** Where an example in units of the data is, in the box of the slice that contains it; nowhere if none does. */
export function placeIn({ slices, isCurve, left, right, bottom, top }, boxes, x, t) {
  const n = slices.length === 1 ? 0 : slices.findIndex(({ origin }) => isInSlice(x, origin));
  if (n < 0) return [NaN, NaN];
  const { origin, toU, toV } = slices[n];
  const along = (to) => x.reduce((sum, value, k) => sum + (value - origin[k]) * to[k], 0);
  const v = isCurve ? Math.max(bottom, Math.min(t[0], top)) : along(toV);
  const box = boxes[n];
  return [
    box.x + (box.width * (along(toU) - left)) / (right - left),
    box.y + (box.height * (top - v)) / (top - bottom),
  ];
}

function isInSlice(x, origin) {
  return x.every((value, k) => k < 2 || Math.abs(value - origin[k]) <= 1e-6 * (1 + Math.abs(value)));
}

/** The longest variant of labels that fits for all of them. */
function fitting(g, labels, room) {
  const variants = labels[0] ?? [];
  const best = variants.findIndex((_, k) => labels.every((one) => g.measureText(one[k]).width <= room));
  return labels.map((one) => one.at(best));
}

/** Why there is no value. */
export function failure({ walk }) {
  return walk.every((one) => one.y.every(Number.isFinite)) ? "off the scale" : "no value";
}

/** The box of each slice: in rows and columns, or in a grid that is as square as possible. */
export function sliceBoxes(box, { slices, columns, rows }, gap = Math.min(7, box.width / 20), room = 16) {
  if (slices.length === 1) return [box];
  const across = columns.length || Math.ceil(Math.sqrt(slices.length));
  const down = Math.ceil(slices.length / across);
  const [head, edge] = columns.length ? [room, rows.length && room] : [0, 0];
  const above = columns.length ? 0 : room;
  const width = (box.width - edge - gap * (across - 1)) / across;
  const side = Math.floor(Math.min(width, (box.height - head - gap * (down - 1)) / down - above));
  return slices.map((_, n) => ({
    x: box.x + (n % across) * (side + gap),
    y: box.y + head + above + Math.floor(n / across) * (side + gap + above),
    width: side,
    height: side,
  }));
}

/** The decision field of the shown run. */
export function fieldView(page) {
  const canvas = byId("field");
  const caption = canvas.previousElementSibling;
  const picture = new FieldPicture(page, canvas);
  const draw = () => {
    picture.draw();
    caption.textContent = fieldWords(picture);
  };
  follow(["run", "epoch", "isPlaying", "theme"], draw);
  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
    caption.textContent = picture.words(offsetX, offsetY) || fieldWords(picture);
  });
  canvas.addEventListener("pointerleave", () => {
    caption.textContent = fieldWords(picture);
  });
}

function fieldWords(picture) {
  const { slices, note } = picture.plane;
  if (note) return note;
  if (slices.length > 1 || picture.view.network.inputs < 3) return "What the network sees";
  const count = picture.contradictions();
  return count ? `Principal plane: ${count} of ${picture.view.walk.length} beside it differ` : "Principal plane";
}
