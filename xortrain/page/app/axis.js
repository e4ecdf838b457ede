/** Axes: from values to pixels, linear or logarithmic, with their ticks. */

import { clamp, label, logTicks, styled, ticks, tickText } from "./canvas.js";

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
