/** What the hidden layer makes of the inputs: the space in which the last layer separates the examples. */

import { sized } from "./canvas.js";
import { failure } from "./field.js";
import { hiddenPlane } from "./hidden-plane.js";
import { drawMark, MOST_NAMED_MARKS, markRadius, Names } from "./marks.js";
import { shownRun } from "./picture.js";
import { Plot, pointsAlong, Raster } from "./plot.js";
import { follow, state } from "./state.js";
import { byId } from "./text.js";

const [LINES, DOTS] = [9, 25]; // of the grid of the inputs in each direction, and the points of each

class HiddenPicture {
  names = new Names();

  constructor(page, canvas) {
    Object.assign(this, { page, canvas });
  }

  draw() {
    Object.assign(this, shownRun(this.page));
    const { view, colours } = this;
    view.hidden ??= { plane: hiddenPlane(view), grid: inputGrid(view) };
    this.plane = view.hidden.plane;
    if (!this.plane) return sized(this.canvas);
    this.plot = new Plot(this.canvas, this.plane);
    this.paint();
    this.plot.axes();
    if (view.hidden.grid && !this.plane.isCurve) this.grid(view.hidden.grid);
    this.marks();
    if (view.walk.some((one) => colours.place(one.y) === colours.noValue)) this.plot.banner(failure(view), colours);
  }

  paint() {
    const { plane, plot, view, colours } = this;
    const { box, g } = plot;
    const isFlat = plane.isCurve || plane.isRuled;
    const side = pointsAlong(plane.head, box.width * devicePixelRatio, 1, state.isPlaying);
    const raster = this.rasterOf(isFlat ? Math.round(box.width) : side, isFlat ? 2 : side);
    raster.update(plane.parameters(view.theta), view, colours);
    if (!plane.isCurve || colours.classes) raster.draw(g, box);
    if (!plane.isCurve) raster.boundary(g, box, 0, colours);
    else plot.curve(Array.from({ length: raster.columns }, (_, c) => colours.value(raster.y, c * colours.outputs)), colours);
  }

  rasterOf(columns, rows) {
    const key = `${this.view.run} ${columns} ${rows}`;
    if (this.key === key) return this.raster;
    this.key = key;
    const { plane } = this;
    this.raster = new Raster(plane.head, columns, rows);
    return this.raster.fill(plane, (_, u, v, out, first) => plane.input(u, v, out, first));
  }

  placeOf(received) {
    const { plane, view, plot } = this;
    return plot.at(...plane.place(received, view.theta));
  }

  /** The straight lines of the input plane, as the hidden layers bend them. */
  grid(points) {
    const { view, plot, colours } = this;
    const { network, theta } = view;
    const { g, box } = plot;
    g.save();
    g.beginPath();
    g.rect(box.x, box.y, box.width, box.height);
    g.clip();
    g.beginPath();
    points.forEach((x, n) => {
      network.forward(theta, x);
      const place = this.placeOf(network.received.at(-1));
      if (n % DOTS) g.lineTo(...place);
      else g.moveTo(...place);
    });
    g.strokeStyle = colours.ink;
    g.globalAlpha = 0.4;
    g.lineWidth = 0.8;
    g.stroke();
    g.restore();
  }

  marks() {
    const { view, colours, plot, plane } = this;
    const { aims, names } = view.examples;
    const places = view.walk.map(({ y, received }) => {
      const [x, h] = this.placeOf(received);
      return plane.isCurve ? [x, plot.at(0, Math.max(plane.bottom, Math.min(colours.value(y), plane.top)))[1]] : [x, h];
    });
    const radius = markRadius(aims.length, plot.box.width);
    places.forEach(([x, y], n) => { drawMark(plot.g, colours, aims[n], view.walk[n].isRight, x, y, radius); });
    if (names.length <= MOST_NAMED_MARKS) this.names.draw(plot.g, names, places, plot.box);
  }

  /** Examples whose colour in a plane beside them is that of another class. */
  contradictions() {
    const { view, colours, plane } = this;
    if (!plane.isBeside || !colours.classes) return 0;
    const parameters = plane.parameters(view.theta);
    const there = new Float64Array(plane.head.inputs);
    return view.walk.filter(({ received, y }) => {
      plane.input(...plane.place(received, view.theta), there, 0);
      return colours.kind(view.unscale(plane.head.forward(parameters, there))) !== colours.kind(y);
    }).length;
  }

  words() {
    const { plane, view } = this;
    if (!plane) return "No hidden layer";
    const count = this.contradictions();
    if (count) return `Hidden layer: ${count} of ${view.walk.length} beside this plane differ`;
    return view.network.layers.length > 1 ? "What the hidden layer makes of it" : "The weighted sum of the inputs";
  }
}

/** Points of straight lines over the plane of the inputs; none for slices or a single input. */
function inputGrid(view) {
  const { slices, isCurve, left, right, bottom, top } = view.picture.plane;
  if (slices.length > 1 || isCurve) return null;
  const found = [];
  for (let line = 0; line < 2 * LINES; line++) {
    for (let dot = 0; dot < DOTS; dot++) {
      const [share, along] = [(line % LINES) / (LINES - 1), dot / (DOTS - 1)];
      const [a, b] = line < LINES ? [share, along] : [along, share];
      const [u, v] = [left + a * (right - left), bottom + b * (top - bottom)];
      found.push(view.input(slices[0], u, v, new Float64Array(view.network.inputs)));
    }
  }
  return found;
}

/** The hidden space of the shown run; the first picture if that of the inputs is only a plane through more inputs. */
export function hiddenView(page) {
  const canvas = byId("hidden");
  const caption = canvas.previousElementSibling;
  const picture = new HiddenPicture(page, canvas);
  follow(["run", "epoch", "isPlaying", "theme"], () => {
    picture.draw();
    caption.textContent = picture.words();
    const { network, picture: { plane } } = picture.view;
    const isMain = plane.slices.length === 1 && network.inputs > 2 && network.layers.length > 1;
    canvas.parentElement.style.order = isMain ? -1 : 0;
  });
}
