/** The help panel, and how the page was made. */

import { byId } from "./text.js";

export function helpView(page) {
  const dialog = byId("help");
  byId("help-open").addEventListener("click", () => {
    dialog.showModal();
    byId("help-title").focus();
  });
  byId("help-close").addEventListener("click", () => dialog.close());
  for (const place of document.querySelectorAll(".made")) place.textContent = madeWords(page);
}

/** As in "xortrain 0.1.0, NumPy 2.1.0, 2026-11-29: xortrain page 12", and what was left out for the page's size. */
function madeWords({ made: { version, numpy, command, date } = {}, leftOut }) {
  const parts = [version && `xortrain ${version}`, numpy && `NumPy ${numpy}`, date].filter(Boolean).join(", ");
  return [[parts, command].filter(Boolean).join(": "), leftOut].filter(Boolean).join("; ");
}
