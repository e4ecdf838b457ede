/** What a group of runs has in common, as a number: the share solved, medians, counts. */

import { wilson } from "./mathematics.js";
import { finiteSorted, quantile } from "./statistics.js";
import { formatted } from "./text.js";

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
