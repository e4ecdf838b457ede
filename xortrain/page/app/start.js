/** Unpacks the page, builds its views, and shows the first run. */

import { cellsView } from "./cells.js";
import { diagramView } from "./diagram.js";
import { fieldView } from "./field.js";
import { forkView } from "./fork-panel.js";
import { helpView } from "./help.js";
import { hiddenView } from "./hidden-space.js";
import { lossesView } from "./losses.js";
import { outputsView } from "./outputs.js";
import { Page } from "./page-data.js";
import { playerView } from "./player.js";
import { runLossesView } from "./run-losses.js";
import { settingsView } from "./settings.js";
import { shown } from "./shown.js";
import { change, changeAndDraw, redraw, state } from "./state.js";
import { stepView } from "./step.js";
import { tableView } from "./table.js";
import { arraysOf, unpacked } from "./unpack.js";

const OF_MANY = [tableView, lossesView, settingsView, cellsView];
const OF_ONE = [
  playerView,
  fieldView,
  hiddenView,
  outputsView,
  diagramView,
  runLossesView,
  forkView,
  stepView,
  helpView,
];

async function start() {
  const meta = JSON.parse(new TextDecoder().decode(await unpacked("meta")));
  const page = new Page(meta, arraysOf(meta.arrays, await unpacked("data")));
  const isSingle = page.runs === 1;
  document.body.classList.toggle("single", isSingle);
  if (isSingle) for (const part of document.querySelectorAll(".many")) part.remove();
  for (const view of isSingle ? OF_ONE : [...OF_MANY, ...OF_ONE]) view(page);
  change({ epoch: page.last, live: state.live + 1, theme: state.theme + 1 }); // of some runs the last epoch is 0
  redraw();
  globalThis.xortrain = { page, state, change: changeAndDraw, shown };
  document.documentElement.dataset.ready = "1";
}

start();
