/** How outcomes look, as a colour and a shape, and a run in words. */

import { element } from "./text.js";

/** Kinds of outcomes, each with its mark and the variable of the style sheet with its colour; the last has all others. */
export const KINDS = [
  { name: "solved", mark: "●", colour: "--blue", outcomes: ["solved"] },
  { name: "learnt", mark: "◐", colour: "--olive", outcomes: ["learnt"] },
  { name: "training or early", mark: "○", colour: "--label", outcomes: ["pending", "early", "training"] },
  { name: "diverged", mark: "✕", colour: "--ink", outcomes: ["diverged", "exploded"] },
  { name: "stuck", mark: "◆", colour: "--orange", outcomes: [] },
];

export function kindOf(outcome) {
  return KINDS.find(({ outcomes }) => outcomes.includes(outcome)) ?? KINDS.at(-1);
}

/** The mark of a kind of outcomes, in its colour. */
export function markOf({ mark, colour }) {
  const made = element("span", { className: "mark", text: mark, "aria-hidden": "true" });
  made.style.setProperty("--mark", `var(${colour})`);
  return made;
}

/** The number of a run in its sweep from its name, as in 2026-11-29/14-00-35#17; 0 of a run that is in none. */
export function runPlace(name) {
  return Number(name.split("#")[1] ?? 0);
}

/** A run as in #17, behind the record that holds it if it is in no sweep or the page has runs of several. */
export function runNumber(page, run) {
  const [record, number] = page.column("run").text(run).split("#");
  const isOne = page.recordNames.size === 1;
  return (isOne && number ? "" : page.recordNames.get(record)) + (number ? `#${number}` : "");
}

/** The last part of a setting's name, as in hidden for architecture.hidden, unless another column has the same. */
export function shortName(page, name) {
  const last = (full) => full.split(".").at(-1);
  return page.columns.filter((column) => last(column.name) === last(name)).length === 1 ? last(name) : name;
}

/** A run with the settings that vary, its seed and its outcome, as in "#17 · lr 0.3 · seed 4 · solved". */
export function runWords(page, run) {
  const names = [...page.axes, "seed"].filter((name) => page.column(name)?.of(run) != null);
  const settings = names.map((name) => `${shortName(page, name)} ${page.column(name).text(run)}`);
  return [runNumber(page, run), ...settings, page.column("outcome").text(run)].join(" · ");
}
