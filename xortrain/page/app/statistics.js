/** Statistics of groups of runs: quantiles, groups of equal or near values, and what a group has in common. */

import { clamp } from "./canvas.js";
import { wilson } from "./mathematics.js";
import { formatted } from "./text.js";

/** A quantile of sorted numbers, interpolated linearly; nan for none. */
export function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  if (!sorted.length) return NaN;
  return sorted[below] + (place - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]);
}

/** The finite ones of some numbers, sorted. */
export function finiteSorted(values) {
  return Float64Array.from(values).filter(Number.isFinite).sort();
}

/** Some numbers sorted, each of them once. */
export function distinct(values) {
  return [...new Set(values)].sort((a, b) => a - b);
}

/** Whether positive numbers, sorted, are better seen on a logarithmic axis. */
export function isWide(sorted) {
  return sorted[0] > 0 && sorted.at(-1) / sorted[0] > 50;
}

/** Groups of runs by a column: the label of each, and the group of a run, -1 where the value is not known. */
export function groupsOf(column, runs, most, cuts = quantileCuts) {
  const known = runs.filter((run) => column.of(run) !== null);
  if (!column.isNumber) return wordGroups(column, known, most);
  const values = Float64Array.from(known, (run) => column.values[run]).sort();
  const ranks = distinct(values);
  if (ranks.length > most) {
    const edges = cuts(values, most);
    return rangeGroups(column, ranks.every(Number.isInteger) ? distinct(edges.map((edge) => Math.ceil(edge - 1e-6))) : edges);
  }
  const places = new Map(ranks.map((value, place) => [value, place]));
  return { labels: ranks.map((value) => formatted(value)), of: (run) => places.get(column.values[run]) ?? -1 };
}

/** The most frequent words, in the order in which the page has them, and all others as one group. */
function wordGroups(column, runs, most) {
  const counts = new Map();
  for (const run of runs) counts.set(column.of(run), (counts.get(column.of(run)) ?? 0) + 1);
  const words = column.words.filter((word) => counts.has(word));
  const isCut = words.length > most;
  const frequent = [...words].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, isCut ? most - 1 : most);
  const labels = words.filter((word) => frequent.includes(word));
  const places = new Map(labels.map((word, place) => [word, place]));
  if (isCut) labels.push("others");
  const rest = isCut ? labels.length - 1 : -1;
  return { labels, of: (run) => (column.of(run) === null ? -1 : (places.get(column.of(run)) ?? rest)) };
}

function rangeGroups(column, edges) {
  const labels = edges.slice(1).map((edge, k) => `${formatted(edges[k], 2)} – ${formatted(edge, 2)}`);
  const last = labels.length - 1;
  const near = (k) => 1e-9 * (edges[k] - (edges[k - 1] ?? edges[k])); // a value that is an edge but for its last bits is on it
  const place = (value) => clamp(edges.findLastIndex((edge, k) => edge - near(k) <= value), 0, last);
  return { labels, edges, of: (run) => (Number.isNaN(column.values[run]) ? -1 : place(column.values[run])) };
}

/** Edges of ranges with about as many values each. */
function quantileCuts(sorted, count) {
  const cuts = Array.from({ length: count + 1 }, (_, k) => quantile(sorted, k / count));
  return cuts.filter((cut, k) => cut !== cuts[k - 1]);
}

/** Edges of at most twelve ranges that are equally wide, on a logarithmic axis where that shows more. */
export function evenCuts(sorted) {
  const [low, high, wide] = [sorted[0], sorted.at(-1), isWide(sorted)];
  const at = (share) => (wide ? low * (high / low) ** share : low + share * (high - low));
  return Array.from({ length: 13 }, (_, k) => (k === 12 ? high : at(k / 12)));
}

export const percent = (share) => `${Math.round(100 * share)} %`;

/** Each `of` is {value, low, high}, with nan for what is not known; `colour` is that of high values. */
export const MEASURES = {
  solved: { name: "share solved", colour: "--blue", text: percent, range: [0, 1], of: shareSolved },
  loss: { name: "median final loss", colour: "--orange", text: formatted, of: medianOf("final_loss") },
  epochs: { name: "median epochs to solve", colour: "--violet", text: formatted, of: medianOf("solved_at") },
  runs: { name: "number of runs", colour: "--label", text: formatted, isCount: true, of: (_, { length }) => ({ value: length }) },
  outcome: { name: "outcome of each run", colour: "--blue", text: () => "", of: shareSolved },
};

export function shareSolved(page, runs) {
  const outcome = page.column("outcome");
  const ended = runs.filter((run) => outcome.of(run) !== "pending").length;
  const solved = runs.filter((run) => outcome.of(run) === "solved").length;
  const [low, high] = wilson(solved, ended);
  return { value: solved / ended, low, high, solved, ended };
}

function medianOf(name) {
  return (page, runs) => {
    const sorted = finiteSorted(runs.map((run) => page.column(name)?.values[run] ?? NaN));
    return { value: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
  };
}
