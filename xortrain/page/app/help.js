/** The help panel, for someone who knows nothing of the page, and how the page was made. */

import { byId, element } from "./text.js";

const TOPICS = {
  "What this is": `A small neural network was trained many times, each time with other settings or another seed, which sets its
    random start. One training is a run. In an epoch the network sees every example once and changes its weights a little; the
    loss says how far its outputs are from the right ones. A run has solved its task when every output is right.`,
  Runs: `One row a run: its settings, how it ended, its last loss. Click a row to show the run, its box to select it; click the
    name of a column to sort. The filter takes conditions such as run = 17, or lr > 0.5 and outcome = 'solved', with and, or,
    not, in (…), between, like and is null. What you select is marked in every view.`,
  Losses: `The loss of every run, by epoch. Point at a line to learn which run it is, click it to show that run, click below the
    axis to go to an epoch. Thick: the shown run. Lines and bands in groups are medians and the middle half.`,
  Settings: `Results by one or two settings, at first those that matter most. The share of solved runs has its 95 % interval.
    Click a cell to select its runs, again to clear; a cell with one run shows it.`,
  "One run": `The network at the chosen epoch: its outputs for every input, its hidden layer, its weights. Play it, or step.
    Change a setting, or drag a line of the network up or down, to train it on here from this epoch: a fork, drawn beside the
    recorded run. Its command, pasted into a terminal where xortrain is installed, trains the same fork there.`,
  "How a run ended": `Solved: every output is right, and stays so. Learnt: as good as noisy data allow. Training: not solved, but its loss
    was still falling at the last epoch, so more epochs may help. Plateau, saturated, dead: the loss no longer falls, and why.
    Diverged, exploded: numbers that are not finite, or a loss far above the first. The words above the picture say more.`,
  Marks: `Circles and squares are examples of the two classes, a cross is one that is wrong. The black line is where the output changes
    sides. Orange and blue are low and high outputs, and in the network negative and positive weights, which are dashed and solid; a
    thick line is a large weight. lr is the learning rate, how far the weights move in an epoch.`,
  "Side by side": "The selected runs at the same epoch, or all of the table if none is selected.",
};
const KEYS = {
  "↑ ↓, Page ↑ ↓, Home, End": "in the table: show another run; with Shift, select on the way",
  "Space or Enter": "select the shown run or cell, or no longer",
  "Arrows": "in Settings: go to the next cell",
  Escape: "clear the selection, close this help",
};

const OF_ALL_RUNS = ["Runs", "Losses", "Settings", "Side by side"];

export function helpView(page) {
  const dialog = byId("help");
  const close = element("button", { type: "button", text: "Close", onclick: () => dialog.close() });
  const topics = Object.entries(TOPICS).filter(([title]) => page.runs > 1 || !OF_ALL_RUNS.includes(title)).flatMap(([title, text]) => [element("h3", { text: title }), element("p", { text })]);
  const keys = Object.entries(KEYS).flatMap(([key, text]) => [element("dt", { text: key }), element("dd", { text })]);
  const title = element("h2", { id: "help-title", tabIndex: -1, text: "How to read this page" });
  const made = madeWords(page.made ?? {});
  dialog.append(title, ...topics, element("h3", { text: "Keys" }), element("dl", { children: keys }));
  if (made) dialog.append(element("h3", { text: "How it was made" }), element("p", { text: made }));
  dialog.append(element("p", { text: "It is one file: it needs no server and sends nothing anywhere." }), close);
  byId("help-open").addEventListener("click", () => {
    dialog.showModal();
    title.focus();
  });
  byId("made").textContent = made;
}

/** As in "xortrain 0.1.0, NumPy 2.1.0, 2026-11-29: xortrain page 12". */
function madeWords({ version, numpy, command, date }) {
  const parts = [version && `xortrain ${version}`, numpy && `NumPy ${numpy}`, date].filter(Boolean).join(", ");
  return [parts, command].filter(Boolean).join(": ");
}
