/** Unpacks the page, builds its views, and shows the first run. */

import { helpView } from "./help.js";
import { lossesView } from "./losses.js";
import { Page } from "./page-data.js";
import { settingsView } from "./settings.js";
import { change, redraw, state } from "./state.js";
import { tableView } from "./table.js";
import { byId } from "./text.js";
import { arraysOf, unpacked } from "./unpack.js";

const VIEWS = [tableView, lossesView, settingsView, helpView];

async function start() {
  const meta = JSON.parse(new TextDecoder().decode(await unpacked("meta")));
  const page = new Page(meta, arraysOf(meta.arrays, await unpacked("data")));
  document.body.classList.toggle("single", page.runs === 1);
  for (const view of VIEWS) view(page);
  followSizes();
  change({ epoch: page.last, theme: state.theme + 1 });
  redraw();
  globalThis.xortrain = { page, state, change };
  document.documentElement.dataset.ready = "1";
}

function followSizes() {
  const again = () => change({ theme: state.theme + 1 });
  addEventListener("resize", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}

start();
