/** The marks of examples: their shape and colour show the target; a cross marks a wrong example, as in the films. */

import { clamp, shortened, stroked, styled } from "./canvas.js";

/** A shape by its corners; a circle has none. */
function outline(g, corners, x, y, radius) {
  g.beginPath();
  if (!corners.length) g.arc(x, y, radius, 0, 2 * Math.PI);
  for (const [right, up] of corners) g.lineTo(x + radius * right, y - radius * up);
  g.closePath();
}

/** The radius of each of many marks in a picture of some width. */
export function markRadius(count, width) {
  const largest = width < 200 ? 5 : 8;
  return count <= 16 ? largest : Math.max(2.4, 4.6 - count / 150);
}

/** Mark an example with targets t: on paper with an edge of ink, so that it shows on every colour. */
export function drawMark(g, colours, t, isRight, x, y, radius) {
  const shape = colours.shapes[colours.kind(t)];
  outline(g, shape, x, y, radius);
  g.fillStyle = g.strokeStyle = colours.paper;
  g.fill();
  g.strokeStyle = radius > 5 ? colours.ink : colours.paper;
  g.lineWidth = 1;
  g.stroke();
  outline(g, shape, x, y, radius * (radius > 5 ? 0.7 : 0.8));
  g.fillStyle = colours.mark(t);
  g.lineWidth = colours.classes ? 0.6 : 1;
  g.fill();
  g.stroke();
  if (isRight) return;
  const reach = 0.95 * radius;
  const cross = new Path2D();
  for (const slope of [1, -1]) {
    cross.moveTo(x - reach, y - slope * reach);
    cross.lineTo(x + reach, y + slope * reach);
  }
  const width = Math.max(radius / 4.5, 1.2);
  stroked(g, cross, [[colours.paper, width + 1.8], [colours.ink, width]]);
}

const NEAR_SIDES = [[1, -1], [-1, -1], [1, 1], [-1, 1], [1, 0], [-1, 0], [0, -1], [0, 1]];
const NAME_SIDES = [...NEAR_SIDES, ...NEAR_SIDES.map(([right, below]) => [right, 2.4 * below]).filter(([, below]) => below)];

const ASTRAY = 200; // square pixels of overlap that are better than a name beside the mark of another

/** Names beside marks, of those in one place joined; each stays on its side of the mark as long as it is free. */
export class Names {
  sides = new Map();

  draw(g, names, places, box) {
    g.font = `bold ${box.width < 200 ? 10 : 12}px ${styled("--font")}`;
    const taken = places.map(([x, y]) => [x - 9, y - 9, x + 9, y + 9]);
    for (const group of grouped(places)) {
      const text = joinedName(group.map((n) => names[n]));
      const options = NAME_SIDES.map((side) => besides(places[group[0]], side, g.measureText(text).width + 6, box));
      const costs = options.map((one) => overlap(one, taken) + (isBesideAnother(one, group, places) ? ASTRAY : 0));
      const least = Math.min(...costs);
      let side = this.sides.get(text) ?? 0;
      if (costs[side] > least) side = costs.indexOf(least);
      this.sides.set(text, side);
      taken.push(options[side]);
      written(g, text, options[side]);
    }
  }
}

/** Whether the box of a name is nearer to another mark than to its own. */
function isBesideAnother([left, top, right, low], group, places) {
  const away = ([x, y]) => Math.hypot(x - clamp(x, left, right), y - clamp(y, top, low));
  const own = away(places[group[0]]);
  return places.some((place, n) => !group.includes(n) && away(place) < own);
}

function written(g, text, [left, top, right, low]) {
  g.globalAlpha = 0.88;
  g.fillStyle = styled("--paper");
  g.fillRect(left, top, right - left, low - top);
  g.globalAlpha = 1;
  g.fillStyle = styled("--ink");
  write(g, text, left + 3, (top + low) / 2 + 1, "left");
}

const LEGIBLE = 0.85; // of its width, to which a text may be squeezed

/** Plain text in the middle of y, at most `width` wide: squeezed a little, or shortened. */
export function write(g, text, x, y, align, width) {
  g.textAlign = align;
  g.textBaseline = "middle";
  g.fillText(width === undefined ? text : shortened(g, text, width / LEGIBLE), x, y, width);
}

/** Text from below to above, centred. */
export function writeUpright(g, text, x, y, height) {
  g.save();
  g.translate(x, y);
  g.rotate(-Math.PI / 2);
  write(g, text, 0, 0, "center", height);
  g.restore();
}

function joinedName(names) {
  return names.slice(0, 2).join(" = ") + (names.length > 2 ? ` + ${names.length - 2} more` : "");
}

/** The numbers of the places that are nearly the same. */
function grouped(places) {
  const groups = [];
  for (const [n, [x, y]] of places.entries()) {
    if (!Number.isFinite(x + y)) continue;
    const near = groups.find(([first]) => Math.hypot(places[first][0] - x, places[first][1] - y) < 5);
    if (near) near.push(n);
    else groups.push([n]);
  }
  return groups;
}

function besides([x, y], [right, below], width, box) {
  const [left, top] = [x + right * 12 + ((right - 1) * width) / 2, y + below * 10 + ((below - 1) * 17) / 2];
  const [a, b] = [clamp(left, box.x + 1, box.x + box.width - width - 1), clamp(top, box.y + 1, box.y + box.height - 18)];
  return [a, b, a + width, b + 17];
}

function overlap([left, top, right, low], others) {
  const shared = (a, b, c, d) => Math.max(0, Math.min(b, d) - Math.max(a, c));
  return others.reduce((sum, [a, b, c, d]) => sum + shared(left, right, a, c) * shared(top, low, b, d), 0);
}
