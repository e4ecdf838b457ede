/** How outcomes look, as a colour and a shape, and a run in words. */

const GOOD = ["solved", "learnt"];
const GONE = ["diverged", "exploded"];
const OPEN = ["pending", "early", "training"];

/** The kind of a run's outcome: its name, its mark, and the variable of the style sheet with its colour. */
export function kindOf(outcome) {
  if (GOOD.includes(outcome)) return { name: "solved", mark: "●", colour: "--blue" };
  if (GONE.includes(outcome)) return { name: "diverged", mark: "✕", colour: "--ink" };
  if (OPEN.includes(outcome)) return { name: "not finished", mark: "○", colour: "--label" };
  return { name: "stuck", mark: "◆", colour: "--orange" };
}

/** The number of a run as in #17, behind the record that holds it if the page has runs of several. */
export function runNumber(page, run) {
  const text = page.column("run").text(run);
  const [record, number] = text.split("#");
  const isOne = page.populations.every((one) => one.id === page.populations[0].id);
  return isOne ? `#${number}` : `${record.split("/").at(-1)}#${number}`;
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
