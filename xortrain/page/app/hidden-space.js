/** What the hidden layer makes of the inputs: the space in which the last layer separates the examples. */

import { hiddenPlane } from "./hidden-plane.js";
import { PlanePicture, pixelOf } from "./plane-picture.js";
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
