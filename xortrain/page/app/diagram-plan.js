/** Where the units and the weights of a network stand: inputs on the left, then a column for each layer. */

import { clamp } from "./canvas.js";

const LEAST_SIDE = 20; // pixels of a unit
const REACH = 7; // pixels from a line at which the pointer finds it

/** The name of a unit; column 0 has the inputs. */
export function unitNameOf({ names }, { depth, widths }, column, unit) {
  if (column === 0) return names.inputs[unit] ?? `x${unit + 1}`;
  if (column === depth) return names.outputs[unit] ?? names.classes[unit] ?? (widths.at(-1) > 1 ? `y${unit + 1}` : "y");
  return depth === 2 ? `h${unit + 1}` : `h${column},${unit + 1}`;
}

/** The column and the number of what a layer receives at a place: with skip connections, the inputs are the last. */
export function sourceOf({ widths }, layer, from) {
  return from < widths[layer] ? [layer, from] : [0, from - widths[layer]];
}

export class DiagramPlan {
  constructor(g, { run, population, place, network }, width, height) {
    Object.assign(this, { run, population, network, width, height });
    const { widths, depth, inputs } = network;
    const theta = population.theta(place, population.snapshotRows ? population.frameEpochs.length - 1 : 0);
    this.low = height - (Math.max(widths[0] / 2, ...widths.slice(1)) > this.most ? 16 : 4); // room for the counts of what is not shown
    this.units = widths.map((count, column) => strongest(network, theta, column, Math.min(count, column ? this.most : 2 * this.most)));
    const rooms = this.units.map((units) => (this.low - 12) / units.length);
    const least = Math.min(...rooms.slice(1));
    this.side = Math.floor(Math.min(34, least - (least >= LEAST_SIDE + 28 ? 28 : 5), (0.6 * width) / (depth + 1)));
    this.isNamed = rooms.map((room) => room >= this.side + 28);
    this.hasThumbnails = inputs === 2 && this.side >= 16;
    this.widest = 6 / Math.max(1, Math.max(...this.units.map((units) => units.length)) / 3);
    this.placeNodes(g);
    this.edges = this.nodes.slice(1).flatMap((nodes) => nodes.flatMap((to) => this.linesTo(to)));
    const places = [...this.edges.map((edge) => edge.place), ...this.nodes.slice(1).flatMap((nodes) => nodes.map((node) => node.bias))];
    this.places = places.filter((one) => one >= 0).sort((one, other) => one - other);
  }

  /** The most units of a column that have room. */
  get most() {
    return Math.max(2, Math.floor((this.height - 24) / (LEAST_SIDE + 5)));
  }

  fits({ run }, width, height) {
    return this.run === run && this.width === width && this.height === height;
  }

  unitName(column, unit) {
    return unitNameOf(this.population, this.network, column, unit);
  }

  sourceName(layer, from) {
    return this.unitName(...sourceOf(this.network, layer, from));
  }

  placeNodes(g) {
    const { network, units, width } = this;
    const wide = (column) => Math.max(...units[column].map((unit) => g.measureText(this.unitName(column, unit)).width));
    this.space = Math.min(0.3 * width, wide(0));
    const left = this.space + 12;
    const right = width - (this.isNamed.at(-1) ? Math.max(22, Math.min(60, wide(network.depth)) / 2) : this.side / 2) - 4;
    this.nodes = units.map((column, number) => {
      const step = Math.min((this.low - 8) / column.length, 80);
      const x = Math.round(left + ((right - left) * number) / network.depth);
      const y = (row) => Math.round(this.low / 2 + 4 + (row - (column.length - 1) / 2) * step);
      const bias = (unit) => (number && network.bias ? network.indexOf(number - 1, unit) : -1);
      return column.map((unit, row) => ({ unit, column: number, bias: bias(unit), x, y: y(row) }));
    });
    const hidden = units.map((column, number) => network.widths[number] - column.length);
    this.counts = hidden.map((count, number) => ({ x: this.nodes[number][0].x, text: count ? `+${count}` : "" }));
  }

  linesTo(to) {
    const { network, nodes } = this;
    const layer = to.column - 1;
    const inputs = network.skip && to.column === network.depth && layer > 0 ? nodes[0] : [];
    const direct = nodes[layer].map((from) => ({ place: network.indexOf(layer, to.unit, from.unit), points: this.line(from, to) }));
    const skipping = inputs.map((from) => {
      const place = network.indexOf(layer, to.unit, network.widths[layer] + from.unit);
      return { place, points: bent(this.line(from, to), from.y > this.height / 2 ? 1.15 * this.height : -0.15 * this.height) };
    });
    return [...direct, ...skipping];
  }

  line(from, to) {
    return [[from.x + (from.column ? this.side / 2 : 4), from.y], [to.x - this.side / 2, to.y]];
  }

  /** The place in theta of the unit or the line at a point, -1 if there is none. */
  find(x, y) {
    const half = this.side / 2 + 2;
    const node = this.nodes.slice(1).flat().find((one) => Math.abs(x - one.x) <= half && Math.abs(y - one.y) <= half);
    if (node) return node.bias;
    const away = this.edges.map(({ points }) => Math.min(...points.slice(1).map((end, i) => distance(x, y, points[i], end))));
    const least = Math.min(...away);
    return least < REACH ? this.edges[away.indexOf(least)].place : -1;
  }

  /** What a unit covers. */
  boxOf({ column, x, y }) {
    const half = column ? this.side / 2 + 2 : 6;
    return { x: x - half, y: y - half, width: 2 * half, height: 2 * half };
  }
}

/** The units of a layer with the largest outgoing weights, in order; of inputs and outputs the first. */
function strongest(network, theta, column, most) {
  const all = [...Array(network.widths[column]).keys()];
  if (column === 0 || column === network.depth || all.length === most) return all.slice(0, most);
  const targets = [...Array(network.widths[column + 1]).keys()];
  const weights = all.map((unit) => targets.reduce((sum, to) => sum + Math.abs(theta[network.indexOf(column, to, unit)]), 0));
  const order = all.sort((one, other) => weights[other] - weights[one]);
  return order.slice(0, most).sort((one, other) => one - other);
}

/** A curve between the ends of a line, towards a height. */
function bent([[x0, y0], [x1, y1]], height) {
  return Array.from({ length: 17 }, (_, i) => {
    const t = i / 16;
    const middle = 2 * t * (1 - t);
    return [x0 + t * (x1 - x0), (1 - t) ** 2 * y0 + middle * height + t * t * y1];
  });
}

/** From a point to a piece of a line. */
function distance(x, y, [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const t = clamp(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1), 0, 1);
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
}
