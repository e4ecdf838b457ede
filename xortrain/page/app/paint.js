/** Colours that are computed, and layers of a picture. */

import { styled } from "./canvas.js";

/** Red, green and blue of a variable of the style sheet that is written as #rrggbb. */
export function rgbOf(name) {
  const bits = Number.parseInt(styled(name).slice(1), 16);
  return [bits >> 16, (bits >> 8) & 255, bits & 255];
}

export function mixed(from, to, share) {
  return from.map((value, k) => value + share * (to[k] - value));
}

/** A colour between blue, for 0, and orange, for 1, through violet and rose. */
export function ramp(share) {
  const stops = ["--blue", "--violet", "--rose", "--orange"].map(rgbOf);
  const place = Math.min(share * 3, 2.999);
  return mixed(stops[Math.floor(place)], stops[Math.floor(place) + 1], place % 1);
}

export function cssOf([red, green, blue], alpha = 1) {
  return `rgb(${Math.round(red)} ${Math.round(green)} ${Math.round(blue)} / ${alpha})`;
}

/** Black or white, whichever has the higher contrast to a colour. */
export function inkOn(colour) {
  const [red, green, blue] = colour.map((value) => (value / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000000" : "#ffffff";
}

/** A picture as large as a canvas, to be drawn once and shown often. */
export function layer(canvas) {
  const picture = document.createElement("canvas");
  [picture.width, picture.height] = [canvas.width, canvas.height];
  const g = picture.getContext("2d");
  g.scale(devicePixelRatio || 1, devicePixelRatio || 1);
  g.font = `12px ${styled("--font")}`;
  return { picture, g };
}
