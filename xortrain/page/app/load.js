/** Starts the page: unpacks its script, or says why it cannot. */

import { unpacked } from "./unpack.js";

async function load() {
  if (typeof DecompressionStream === "undefined") {
    const problem = document.getElementById("problem");
    problem.textContent =
      "This browser cannot unpack the page: it has no DecompressionStream. Any browser since 2023 has it.";
    problem.hidden = false;
    return;
  }
  const script = document.createElement("script"); // it may run, since the policy of the page names its hash
  script.textContent = new TextDecoder().decode(await unpacked("app"));
  document.body.append(script);
}

load();
