/**
 * A picture of a network's outputs over a plane, with the examples.  A plane has the ranges of u and v, and
 * head: the network over it, `parameters(theta)` of which belong to those of the whole network,
 * input(slice, u, v, out, first): what the head receives,
 * place(n, view): [slice, u, v] of an example,
 * slices, names, ticks; isCurve: v is the output over one input u; isRuled: the outputs depend on u alone;
 * isBeside: the examples may be beside the plane.
 */

import { clamp, sized, stroked, styled } from "./canvas.js";
import { drawMark, markRadius, Names, write, writeUpright } from "./marks.js";
import { shownRun } from "./picture.js";
import { pointsAlong, Raster } from "./raster.js";
import { state } from "./state.js";

const [ROOM_LEFT, ROOM_BELOW] = [34, 34]; // room for the axes; left there is more where numbers are long
const NAME_ROOM = 17; // of the left name, where numbers are beside it
const MOST_NAMED = 8; // of examples

export class PlanePicture {
  exampleNames = new Names();

  constructor(page, canvas, planeOf) {
    Object.assign(this, { page, canvas, planeOf });
  }

  draw() {
    Object.assign(this, shownRun(this.page), sized(this.canvas));
    const { view, colours } = this;
    this.plane = this.planeOf(view);
    if (!this.plane) return;
    this.arrange(ROOM_LEFT);
    this.arrange(this.room());
    this.paint();
    this.axes();
    if (!view.walk.some(({ y }) => colours.place(y) === colours.noValue)) return this.marks();
    this.g.font = `bold 15px ${styled("--font")}`;
    this.g.fillStyle = colours.ink;
    const isKnown = view.walk.every(({ y }) => y.every(Number.isFinite));
    write(this.g, isKnown ? "off the scale" : "no value", this.box.x + this.box.width / 2, this.box.height / 2, "center", this.box.width);
  }

  /** The boxes of the picture, with room for the axis at their left. */
  arrange(left) {
    const [width, height] = [this.width - left - 2, this.height - ROOM_BELOW - 2].map((side) => Math.max(20, side));
    this.box = { x: left, y: 2, width, height };
    this.boxes = sliceBoxes(this.box, this.plane);
    this.low = this.boxes.at(-1).y + this.boxes.at(-1).height;
  }

  /** The pixels that numbers and name need at the left of the boxes. */
  room() {
    const { g, plane, box, boxes, low } = this;
    const reach = 7 + g.measureText(plane.names[1]).width / 2;
    const isBeside = (v) => Math.abs(pixelOf(plane, boxes.at(-1), 0, v)[1] - (box.y + low) / 2) < reach;
    return Math.max(ROOM_LEFT, ...plane.ticks[1].map(([v, text]) => g.measureText(text).width + (isBeside(v) ? NAME_ROOM : 6)));
  }

  paint() {
    const { view, colours, boxes, plane, g } = this;
    const pixels = Math.round(boxes[0].width * devicePixelRatio);
    const side = pointsAlong(plane.head, pixels, boxes.length, state.isPlaying);
    const isFlat = plane.isCurve || plane.isRuled;
    const key = isFlat ? pixels : side;
    if (this.key !== key || this.raster.plane !== plane) this.raster = new Raster(plane, isFlat ? pixels : side, isFlat ? 2 : side);
    this.key = key;
    this.raster.update(plane.head, plane.parameters(view.theta), view, colours);
    if (plane.isCurve) return this.curve();
    g.save();
    g.beginPath();
    for (const { x, y, width, height } of boxes) g.rect(x, y, width, height);
    g.clip();
    boxes.forEach((box, slice) => {
      this.raster.draw(g, box, slice);
      this.raster.boundary(g, box, slice, colours, boxes.length > 1 ? 1.4 : 2.2);
    });
    this.drawInside?.();
    g.restore();
  }

  /** Over one input; real values on paper, with a stick from each mark to the curve. */
  curve() {
    const { g, box, colours, plane, view } = this;
    if (colours.classes) this.raster.draw(g, box);
    const inside = (value) => clamp(value, plane.bottom, plane.top);
    const sticks = new Path2D();
    if (!colours.classes) view.walk.forEach((one, n) => {
      const [, u, v] = plane.place(n, view);
      sticks.moveTo(...pixelOf(plane, box, u, inside(v)));
      sticks.lineTo(...pixelOf(plane, box, u, inside(one.y[0])));
    });
    stroked(g, sticks, [[colours.label, 1]]);
    drawCurve(g, this.raster, box, colours, 2.2);
    g.strokeStyle = colours.pale;
    g.strokeRect(box.x, box.y, box.width, box.height);
  }

  /** Names and ticks below and on the left; above slices and on their right what they share. */
  axes() {
    const { g, plane, box, boxes, low, colours } = this;
    const left = box.x;
    const corner = boxes.find(({ y }) => y === boxes.at(-1).y);
    g.fillStyle = colours.label;
    for (const [u, text] of plane.ticks[0]) write(g, text, pixelOf(plane, corner, u, 0)[0], low + 10, "center");
    for (const [v, text] of plane.ticks[1]) write(g, text, left - 4, pixelOf(plane, corner, 0, v)[1], "right");
    const name = g.measureText(plane.names[0]).width > box.width ? plane.names[0].replace(" of the spread", "") : plane.names[0];
    write(g, name, box.x + box.width / 2, low + 25, "center", box.width);
    writeUpright(g, plane.names[1], plane.ticks[1].length ? 7 : left - 10, (box.y + low) / 2, low - box.y);
    const { columns = [], rows = [], slices } = plane;
    const heads = columns.length ? fitting(g, columns, corner.width) : slices.map(({ label = "" }) => label);
    heads.forEach((text, n) => { write(g, text, boxes[n].x + corner.width / 2, boxes[n].y - 8, "center", corner.width); });
    fitting(g, rows, corner.height).forEach((text, n) => {
      const { x, y, height } = boxes[(n + 1) * columns.length - 1];
      writeUpright(g, text, x + corner.width + 9, y + height / 2, height);
    });
  }

  marks() {
    const { g, view, colours, boxes, plane } = this;
    const { aims, names } = view.examples;
    const radius = markRadius(aims.length, boxes[0].width);
    const places = aims.map((_, n) => {
      const [slice, u, v] = plane.place(n, view);
      return pixelOf(plane, boxes[slice], u, v);
    });
    places.forEach(([x, y], n) => { drawMark(g, colours, aims[n], view.walk[n].isRight, x, y, radius); });
    if (names.length <= MOST_NAMED && boxes.length === 1) this.exampleNames.draw(g, names, places, boxes[0]);
  }

  /** The outputs at (u, v) of a slice, in units of the data. */
  outputs(slice, u, v) {
    const { plane, view } = this;
    const there = new Float64Array(plane.head.inputs);
    plane.input(slice, u, v, there, 0);
    return view.unscale(plane.head.forward(plane.parameters(view.theta), there));
  }

  /** What the picture shows, and how many examples are beside it where the network has another class. */
  words(title) {
    const { plane, view, colours } = this;
    const differ = plane.isBeside && colours.classes
      ? view.walk.filter(({ y }, n) => colours.kind(this.outputs(...plane.place(n, view))) !== colours.kind(y)).length
      : 0;
    const count = differ ? `${title}: ${differ} of ${view.walk.length}, off this plane, have another class` : title;
    return colours.hides ? `${count}; output ${view.picture.outputs[0]}` : count;
  }
}

/** The pixel at (u, v) of a plane in a box; none without a box. */
export function pixelOf({ left, right, bottom, top }, box, u, v) {
  if (!box) return [NaN, NaN];
  return [box.x + (box.width * (u - left)) / (right - left), box.y + (box.height * (top - v)) / (top - bottom)];
}

/** The first output over the only input as a line in ink, with a casing of paper twice as wide. */
export function drawCurve(g, { plane, columns, y }, box, colours, width) {
  const curve = new Path2D();
  for (let c = 0; c < columns; c++) {
    const value = clamp(y[c * colours.outputs], plane.bottom, plane.top);
    curve.lineTo(box.x + (box.width * (c + 0.5)) / columns, pixelOf(plane, box, 0, value)[1]);
  }
  stroked(g, curve, [[colours.paper, 2 * width], [colours.ink, width]]);
}

/** The longest variant of labels that fits for all of them. */
function fitting(g, labels, room) {
  const best = labels[0]?.findIndex((_, k) => labels.every((one) => g.measureText(one[k]).width <= room));
  return labels.map((one) => one.at(best));
}

/** The box of each slice: in rows and columns, or, without rows, in a grid as square as possible; with room for labels. */
export function sliceBoxes(box, { slices, columns = [], rows = [] }, gap = Math.min(7, box.width / 20), room = 16) {
  if (slices.length === 1) return [box];
  const across = rows.length ? columns.length : Math.ceil(Math.sqrt(slices.length));
  const down = Math.ceil(slices.length / across);
  const [head, each] = rows.length ? [room, 0] : [0, room];
  const width = (box.width - (rows.length && room) - gap * (across - 1)) / across;
  const side = Math.floor(Math.min(width, (box.height - head - gap * (down - 1)) / down - each));
  return slices.map((_, n) => ({
    x: box.x + (n % across) * (side + gap),
    y: box.y + head + each + Math.floor(n / across) * (side + gap + each),
    width: side,
    height: side,
  }));
}
