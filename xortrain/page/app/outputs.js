/** The outputs for the examples beside their targets: bars of a few, else counts of classes, or marks over targets. */

import { clamp, sized, styled } from "./canvas.js";
import { drawMark, write } from "./marks.js";
import { shownRun } from "./picture.js";
import { follow } from "./state.js";
import { byId, setText, short } from "./text.js";

const MOST_BARS = 16; // examples that have a bar each, or a column
const MOST_CLASSES = 12; // that are counted in a table

export function outputsView(page) {
  const canvas = byId("outputs");
  follow(["run", "epoch", "fork", "live", "theme"], () => {
    const shown = shownRun(page);
    const { view, colours } = shown;
    const many = colours.classes > 2 && colours.classes <= MOST_CLASSES ? confusion : scatter;
    const draw = view.walk.length > MOST_BARS ? many : colours.outputs === 1 ? bars : chips;
    const isOfClass = ({ y }, n) => colours.kind(y) === colours.kind(view.examples.aims[n]);
    const [isCounted, what] = draw === confusion ? [isOfClass, "of the right class"] : [({ isRight }) => isRight, "right"];
    const crossed = view.walk.every(({ isRight }) => isRight) ? "" : `; cross: ${colours.wrong}`;
    setText(canvas.previousElementSibling, `Outputs: ${view.walk.filter(isCounted).length} of ${view.walk.length} ${what}${crossed}`);
    draw(shown, sized(canvas));
  });
}

/** From the low target at 0 to the high one at 1, and a little beyond. */
function shareOf({ low, high }, value) {
  return Number.isFinite(value) ? clamp((value - low) / (high - low || 1), -0.04, 1.04) : NaN;
}

function rounded(value) {
  return Number.isFinite(value) ? short(value) : "–";
}

/** A row for each example: its name, its output as a bar, a mark at the target, and the number. */
function bars({ view, colours }, { g, width, height }) {
  const { names, aims } = view.examples;
  const step = Math.min(height / names.length, 36);
  g.font = `${Math.min(12, step)}px ${styled("--font")}`;
  const left = Math.min(width / 3, Math.max(...names.map((name) => g.measureText(name).width)) + 14);
  const numbers = view.walk.map(({ y }) => rounded(y[0]));
  const room = width - left - 20 - Math.max(...numbers.map((text) => g.measureText(text).width));
  const thick = Math.min(step * 0.6, 18);
  names.forEach((name, n) => {
    const { y, isRight } = view.walk[n];
    const middle = (n + 0.5) * step;
    const at = (value) => left + room * shareOf(colours, value);
    g.fillStyle = colours.tone(colours.place(y));
    if (Number.isFinite(y[0])) g.fillRect(left, middle - thick / 2, Math.max(0, at(y[0]) - left), thick);
    g.strokeStyle = colours.pale;
    g.strokeRect(left, middle - thick / 2, room, thick);
    g.fillStyle = colours.ink;
    for (const x of [at(y[0]), ...(colours.classes ? [at(colours.middle)] : [])]) g.fillRect(x - 0.7, middle - thick / 2, 1.4, thick);
    write(g, name, 0, middle, "left", left - 12);
    write(g, numbers[n], width, middle, "right");
    drawMark(g, colours, aims[n], isRight, at(aims[n][0]), middle, Math.min(5, step / 3.4));
  });
}

/** A column for each example, a cell for each output: filled by the output, framed where the target is high. */
function chips({ view, colours }, { g, width, height }) {
  const { names, aims } = view.examples;
  const head = 18;
  const [wide, high] = [width / names.length, Math.min((height - head) / colours.outputs, 30)];
  g.font = `12px ${styled("--font")}`;
  names.forEach((name, n) => {
    const left = n * wide;
    g.fillStyle = colours.label;
    write(g, names.length > 8 ? `${n + 1}` : name, left + wide / 2, head / 2, "center", wide);
    view.walk[n].y.forEach((value, k) => {
      const top = head + k * high;
      const place = colours.single(value, k);
      g.fillStyle = colours.tone(place);
      g.fillRect(left + 2, top + 2, wide - 4, high - 4);
      const isHigh = colours.classes && aims[n][k] > colours.middle;
      g.strokeStyle = isHigh ? colours.ink : colours.pale;
      g.lineWidth = isHigh ? 2 : 1;
      g.strokeRect(left + 2, top + 2, wide - 4, high - 4);
      g.fillStyle = colours.contrast(place);
      if (wide > 34 && high > 14) write(g, rounded(value), left + wide / 2, top + high / 2, "center", wide - 8);
    });
  });
}

/** How many examples of each class have which class as their output. */
function confusion({ view, colours }, { g, width, height }) {
  const { aims } = view.examples;
  const names = view.population.names.classes.length ? view.population.names.classes : view.picture.outputs;
  const left = Math.min(width / 3, Math.max(...names.map((name) => g.measureText(name).width)) + 10);
  const head = 34;
  const [wide, high] = [(width - left) / names.length, Math.min((height - head) / names.length, 34)];
  g.fillStyle = colours.label;
  write(g, "class", 0, head - 8, "left", left);
  write(g, "the network says", left + (width - left) / 2, 8, "center", width - left);
  names.forEach((name, kind) => {
    const own = view.walk.filter((_, n) => colours.kind(aims[n]) === kind);
    const top = head + kind * high;
    g.fillStyle = colours.label;
    write(g, name, left + (kind + 0.5) * wide, head - 8, "center", wide - 4);
    write(g, name, 0, top + high / 2, "left", left - 6);
    names.forEach((_, said) => {
      const count = own.filter(({ y }) => colours.kind(y) === said).length;
      const place = colours.single(colours.low + ((colours.high - colours.low) * count) / (own.length || 1), said);
      g.fillStyle = count ? colours.tone(place) : colours.paper;
      g.fillRect(left + said * wide + 1, top + 1, wide - 2, high - 2);
      g.strokeStyle = said === kind ? colours.ink : colours.pale;
      g.strokeRect(left + said * wide + 1.5, top + 1.5, wide - 3, high - 3);
      g.fillStyle = count ? colours.contrast(place) : colours.label;
      write(g, String(count), left + (said + 0.5) * wide, top + high / 2, "center");
    });
  });
}

/** A mark for each example at its output; above each other by class, or real values by their targets. */
function scatter({ view, colours }, { g, width, height }) {
  const { aims } = view.examples;
  const box = { left: 8, wide: width - 16, top: 4, high: height - 26 };
  const kinds = Math.max(colours.classes, 1);
  g.strokeStyle = colours.pale;
  g.strokeRect(box.left, box.top, box.wide, box.high);
  g.beginPath();
  const at = (value) => box.left + box.wide * (0.04 + 0.92 * shareOf(colours, value));
  const over = (t) => box.top + box.high * (0.96 - 0.92 * shareOf(colours, t));
  if (colours.classes) for (const y of [box.top, box.top + box.high]) g.lineTo(at(colours.middle), y);
  else for (const value of [colours.low, colours.high]) g.lineTo(at(value), over(value));
  g.stroke();
  g.fillStyle = colours.label;
  write(g, colours.ends[0], 8, height - 10, "left", width / 3);
  write(g, colours.ends[1], width - 8, height - 10, "right", width / 3);
  write(g, colours.classes ? "output" : "output, over target", width / 2, height - 10, "center", width / 3);
  view.walk.forEach(({ y, isRight }, n) => {
    const value = colours.classes > 2 ? y[colours.kind(aims[n])] : colours.value(y);
    const lane = (colours.kind(aims[n]) + 0.5 + (((n * 0.618034) % 1) - 0.5) * 0.7) / kinds;
    drawMark(g, colours, aims[n], isRight, at(value), colours.classes ? box.top + box.high * lane : over(aims[n][0]), 3.2);
  });
}
