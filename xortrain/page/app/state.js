/** What is shown, shared by all views: the run, the epoch, the selection.  Views say which parts they follow. */

export const state = {
  run: 0, // the run that is shown alone
  epoch: 0, // the epoch that is shown, of all runs
  isPlaying: false,
  order: [], // the runs that meet the filter, sorted
  selected: new Set(), // some of them, picked in any view; empty for none
  hover: -1, // the run under the pointer, -1 for none
  fork: null, // a run that is trained on here with other settings
  weight: -1, // the place in theta of the weight that is looked at, -1 for none
  live: 0, // counts what is trained here: runs without snapshots, and forks
  theme: 0, // counts changes of colours and sizes
};

const followers = [];
const changed = new Set();
let isWaiting = false;

/** Call `draw` once before the next picture whenever one of these parts has changed. */
export function follow(parts, draw) {
  followers.push({ parts, draw });
}

/** Change parts of the state. */
export function change(parts) {
  for (const [name, value] of Object.entries(parts)) {
    if (state[name] === value) continue;
    state[name] = value;
    changed.add(name);
  }
  if (changed.size && !isWaiting) {
    isWaiting = true;
    requestAnimationFrame(redraw);
  }
}

/** Change parts of the state; the promise is kept when everything that follows them is drawn. */
export function changeAndDraw(parts) {
  change(parts);
  return new Promise(requestAnimationFrame);
}

/** Draw everything that follows a changed part, at once. */
export function redraw() {
  isWaiting = false;
  const now = new Set(changed);
  changed.clear();
  for (const { parts, draw } of followers) if (parts.some((part) => now.has(part))) draw();
}

/** The selected runs in the order of the table; all that meet the filter if none is selected. */
export function selection() {
  return state.selected.size ? state.order.filter((run) => state.selected.has(run)) : state.order;
}
