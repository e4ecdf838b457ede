/** Brings the panel of a run into sight when a run is picked far from it, with a button that leads back. */

import { change } from "./state.js";
import { byId } from "./text.js";

const LEAST_IN_SIGHT = 240; // px of its pictures with which nothing moves

/** Show a run that was picked in an element. */
export function showRun(run, picked) {
  change({ run });
  const { top, bottom } = byId("pictures").getBoundingClientRect();
  if (Math.min(bottom, innerHeight) - Math.max(top, 0) >= LEAST_IN_SIGHT) return;
  const back = byId("back");
  const { scrollY } = globalThis;
  back.hidden = false;
  back.onclick = () => {
    back.hidden = true;
    scrollTo({ top: scrollY });
    picked.focus({ preventScroll: true });
  };
  back.focus({ preventScroll: true });
  byId("one").scrollIntoView();
}
