/** Numbers and words as text. */

const WHOLE = new Intl.NumberFormat("en", { signDisplay: "negative" });

/** A number with up to 4 digits, as in 0.1234, 12,345, 1.5e-7; empty for null. */
export function formatted(value, digits = 4) {
  if (value === null || value === undefined) return "";
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return WHOLE.format(value);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(Math.min(2, digits - 1)).replace("e+", "e");
  const rounded = Number(value.toPrecision(digits));
  return Number.isInteger(rounded) ? WHOLE.format(rounded) : String(rounded);
}

/** A number with two decimals, or of larger ones three digits. */
export function short(value) {
  return Math.abs(value) < 9.995 ? value.toFixed(2) : formatted(value, 3);
}

/** Words as a sentence. */
export function sentence(words) {
  return `${words[0].toUpperCase()}${words.slice(1)}.`;
}

/** As in "1 run", "12 runs". */
export function counted(count, thing) {
  return `${formatted(count)} ${thing}${count === 1 ? "" : "s"}`;
}

/** A new element with properties, attributes and children. */
export function element(name, { text, children = [], ...attributes } = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A field in which one of some [value, text] is chosen. */
export function choiceOf(choices, chosen, attributes) {
  const children = choices.map(([value, text]) => element("option", { value, text, selected: value === chosen }));
  return element("select", { children, ...attributes });
}

/** A caption, or for as long as something is pointed at words in its place, in one line: nothing moves for them. */
export function setCaption(caption, words, pointed) {
  if (pointed && !caption.style.minHeight) caption.style.minHeight = `${caption.getBoundingClientRect().height}px`;
  if (!pointed && caption.style.minHeight) caption.style.minHeight = "";
  caption.classList.toggle("line", Boolean(pointed));
  setText(caption, pointed || words);
}

/** Give an element another text; the same one costs nothing, as the page need not be laid out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function byId(id) {
  return document.getElementById(id);
}
