/** Drawing on canvases: their size in real pixels, colours of the style sheet, axes. */

import { change, redraw, state } from "./state.js";
import { formatted } from "./text.js";

const darkScheme = matchMedia("(prefers-color-scheme: dark)");
const sizes = new Map(); // of canvases in CSS pixels: to ask for one, the page is laid out
const styles = new Map(); // variables of the style sheet
const observer = new ResizeObserver((entries) => { if (entries.some(({ target }) => isResized(target))) forget(); });
addEventListener("resize", forget);
darkScheme.addEventListener("change", forget);
addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));

/** Paper is white: what is printed is drawn in the light scheme. */
function print(isPrinted) {
  document.documentElement.classList.toggle("printed", isPrinted);
  forget();
  redraw();
}

export function isDark() {
  return darkScheme.matches && !document.documentElement.classList.contains("printed");
}

function forget() {
  sizes.clear();
  styles.clear();
  change({ theme: state.theme + 1 });
}

function isResized(canvas) {
  const known = sizes.get(canvas);
  return known && (canvas.clientWidth !== known.width || canvas.clientHeight !== known.height);
}

function sizeOf(canvas) {
  if (!sizes.has(canvas)) {
    sizes.set(canvas, { width: canvas.clientWidth, height: canvas.clientHeight });
    observer.observe(canvas);
  }
  return sizes.get(canvas);
}

/** Give a canvas another height on the page. */
export function setCanvasHeight(canvas, height) {
  canvas.style.height = `${height}px`;
  sizes.delete(canvas);
}

/** The context of a canvas that fills its place on the page, cleared, and its size in CSS pixels. */
export function sized(canvas) {
  const scale = devicePixelRatio || 1;
  const { width, height } = sizeOf(canvas);
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const g = canvas.getContext("2d");
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.clearRect(0, 0, width, height);
  g.font = `12px ${styled("--font")}`;
  g.lineJoin = "round";
  g.lineWidth = 1;
  return { g, width, height };
}

/** A variable of the style sheet, as in styled("--ink"). */
export function styled(name) {
  if (!styles.has(name)) styles.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return styles.get(name);
}

/** About `count` round numbers from low to high. */
export function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((size) => size * unit >= rough * 0.999);
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-9; value += step) {
    found.push(Math.abs(value) < step * 1e-9 ? 0 : Number(value.toPrecision(12)));
  }
  return found;
}

/** Powers of ten from low to high, of a short range 2 and 5 times these too, or round numbers of a shorter one. */
export function logTicks(low, high, most) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  if (high < 5 * low) return ticks(low, high, 4).filter((value) => value > 0);
  const digits = last - first < 2 ? [1, 2, 5] : [1];
  const step = Math.ceil((last - first + 1) / most) || 1;
  const found = [];
  for (let power = digits.length > 1 ? first - 1 : first; power <= last; power += step) {
    found.push(...digits.map((digit) => Number(`${digit}e${power}`)));
  }
  return found.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
}

/** Text that stays legible over lines: first its outline in the colour of the paper. */
export function label(g, text, x, y, { colour = "--ink", align = "left", baseline = "alphabetic" } = {}) {
  g.textAlign = align;
  g.textBaseline = baseline;
  g.lineWidth = 3;
  g.strokeStyle = styled("--paper");
  g.strokeText(text, x, y);
  g.fillStyle = styled(colour);
  g.fillText(text, x, y);
}

/** A text that is cut to a width, and then ends with an ellipsis. */
export function shortened(g, text, width) {
  if (g.measureText(text).width <= width) return text;
  let end = text.length - 1;
  while (end > 1 && g.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end).trimEnd()}…`;
}

/** A disc with an edge, in colours of the style sheet. */
export function disc(g, x, y, radius, fill, edge = fill, width = 1) {
  g.beginPath();
  g.arc(x, y, radius, 0, 2 * Math.PI);
  g.fillStyle = styled(fill);
  g.fill();
  g.lineWidth = width;
  g.strokeStyle = styled(edge);
  g.stroke();
}

/** A line through points. */
export function polyline(g, points, colour, width = 1, dash = []) {
  g.beginPath();
  for (const [x, y] of points) g.lineTo(x, y);
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.setLineDash(dash);
  g.stroke();
  g.setLineDash([]);
}

/** Stroke a path in some colours and widths, one over the other. */
export function stroked(g, path, lines) {
  for (const [colour, width] of lines) {
    [g.strokeStyle, g.lineWidth] = [colour, width];
    g.stroke(path);
  }
}

/** A value that is at least `low` and at most `high`. */
export function clamp(value, low, high) {
  return Math.max(low, Math.min(value, high));
}

/** A tick of an axis as text, as in 1e12. */
export function tickText(value) {
  const text = Math.abs(value) < 1e7 ? formatted(value, 3) : value.toExponential(2).replace("e+", "e");
  return text.replace(/\.?0+(?=e)/, "");
}

export class Axis {
  /** From low to high between two pixels; a logarithmic axis puts what it cannot show at its low end. */
  constructor([low, high], isLog, from, to) {
    this.own = isLog ? Math.log10 : (value) => value;
    this.ticks = (isLog ? logTicks : ticks)(low, high, Math.max(2, Math.abs(to - from) / (to > from ? 90 : 45)));
    Object.assign(this, { low, high, isLog, from, to });
    this.start = this.own(low);
    this.scale = (to - from) / (this.own(high) - this.start || 1);
  }

  at(value) {
    if (this.isLog && value <= this.low) return this.from;
    return this.from + (this.own(value) - this.start) * this.scale;
  }

  /** The value at a pixel, of those on the axis. */
  back(pixel) {
    const own = this.start + (pixel - this.from) / this.scale;
    return clamp(this.isLog ? 10 ** own : own, this.low, this.high);
  }

  /** The pixels that its ticks need at its left, at least `least`. */
  room(g, least, text = tickText) {
    return Math.max(least, ...this.ticks.map((value) => g.measureText(text(value)).width + 8));
  }

  drawAcross(g, y) {
    for (const value of this.ticks) label(g, tickText(value), this.at(value), y + 15, { colour: "--label", align: "center" });
  }

  /** Ticks at the left of x, with pale lines up to `right`. */
  drawUp(g, x, right, text = tickText) {
    g.fillStyle = styled("--pale");
    for (const value of this.ticks) g.fillRect(x, Math.round(this.at(value)), right - x, 1);
    const style = { colour: "--label", align: "right", baseline: "middle" };
    for (const value of this.ticks) label(g, text(value), x - 6, this.at(value), style);
  }
}
