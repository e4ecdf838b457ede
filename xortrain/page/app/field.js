/** What the network sees: its output over the plane of the inputs, live from the parameters. */

import { PlanePicture } from "./plane-picture.js";
import { follow } from "./state.js";
import { byId, formatted, setCaption } from "./text.js";

const MOST_INPUTS = 4; // whose values are said under the pointer

/** The plane of the inputs, for a `PlanePicture`. */
export function inputPlane(view) {
  const { plane } = view.picture;
  const { x, raw, aims } = view.examples;
  view.field ??= {
    ...plane,
    head: view.network,
    parameters: (theta) => theta,
    input: (slice, u, v, out, first) => view.input(plane.slices[slice], u, v, out, first),
    place: (n) => placeIn(plane, raw[n], aims[n]),
    isBeside: plane.slices.length === 1 && x[0].length > 2,
  };
  return view.field;
}

/** The slice that contains an example in units of the data, -1 for none, and its place there. */
function placeIn({ slices, isCurve }, x, t) {
  const isNear = (a, b) => Math.abs(a - b) <= 1e-6 * (1 + Math.abs(a));
  const contains = ({ origin }) => origin.every((value, k) => k < 2 || isNear(value, x[k]));
  const slice = slices.length === 1 ? 0 : slices.findIndex(contains);
  const { origin, toU, toV } = slices[Math.max(slice, 0)];
  const along = (to) => to.reduce((sum, value, k) => sum + value * (x[k] - origin[k]), 0);
  return [slice, along(toU), isCurve ? t[0] : along(toV)];
}

/** The decision field of the shown run; under the pointer inputs and outputs as numbers. */
export function fieldView(page) {
  const canvas = byId("field");
  const caption = canvas.previousElementSibling;
  const picture = new PlanePicture(page, canvas, inputPlane);
  const say = ({ offsetX = -1, offsetY = -1 } = {}) => {
    setCaption(caption, picture.words(titleOf(picture.plane)), numbersAt(picture, offsetX, offsetY));
  };
  follow(["run", "epoch", "isPlaying", "fork", "live", "theme"], () => {
    picture.draw();
    say();
  });
  canvas.addEventListener("pointermove", say);
  canvas.addEventListener("pointerleave", () => say());
}

function titleOf({ isBeside, note }) {
  return note || (isBeside ? "Principal plane" : "What the network sees");
}

/** Inputs and outputs at a place of the canvas in words; empty beside the picture. */
function numbersAt(picture, x, y) {
  const { boxes, plane, view, colours } = picture;
  const slice = boxes.findIndex((box) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height);
  if (slice < 0) return "";
  const box = boxes[slice];
  const u = plane.left + ((x - box.x) / box.width) * (plane.right - plane.left);
  const v = plane.top - ((y - box.y) / box.height) * (plane.top - plane.bottom);
  const { origin, across, up } = plane.slices[slice];
  const listed = (names, values) => names.map((name, k) => `${name} ${formatted(values[k])}`).join(", ");
  const { inputs, outputs } = view.picture;
  const before = inputs.length > MOST_INPUTS ? "" : listed(inputs, origin.map((value, k) => value + u * across[k] + v * up[k]));
  const there = picture.outputs(slice, u, v);
  const kind = colours.kind(there);
  return `${before} → ${colours.classes > 2 ? listed([outputs[kind]], [there[kind]]) : listed(outputs, there)}`;
}
