/** The filter of the table in the language of `--where`: conditions of SQL on the columns, with SQLite's answers. */

import { runPlace } from "./outcomes.js";

const TEXT = "(?<text>'(?:[^']|'')*')|(?<quoted>\"(?:[^\"]|\"\")*\")";
const NUMBER = String.raw`(?<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?!\w))`;
const NAME = String.raw`(?<name>[a-z_]\w*(?:\.\w+|\s*\.\s*[a-z_]\w*)*(?:\s*\[\s*\d+(?:\s*,\s*\d+)*\s*\])?)`;
const TOKEN = new RegExp(String.raw`${TEXT}|${NUMBER}|${NAME}|(?<sign><>|[<>=!]=|\|\||[^\s])`, "giu");

/** Operators between two values: how strongly they bind, and what they make of both. */
const OPERATORS = {
  or: [1, (a, b) => notTrue(bothTrue(notTrue(a), notTrue(b)))],
  and: [2, bothTrue],
  "=": comparison(4, (order) => order === 0),
  "<>": comparison(4, (order) => order !== 0),
  "<": comparison(5, (order) => order < 0),
  "<=": comparison(5, (order) => order <= 0),
  ">": comparison(5, (order) => order > 0),
  ">=": comparison(5, (order) => order >= 0),
};
const SAME = { "==": "=", "!=": "<>" };
const [NOT, TESTS] = [3, 4]; // how strongly `not` binds, and how strongly is, in, between and like
const MOST_WORDS = 50; // of a column, that may be suggested
const CONSTANTS = { null: null, true: 1, false: 0 };
const RESERVED = new Set([...Object.keys(OPERATORS), "not", "is", "in", "between", "like"]);

/** What is wrong with a condition, in one line. */
export class ConditionError extends Error {}

/** Whether a condition is true for a run, as a function of the run; a ConditionError if it is not understood. */
export function condition(text, columns) {
  const parser = new ConditionParser(text, columns);
  const value = parser.value(0);
  if (parser.token.kind) parser.refuse();
  return (run) => truth(value.of(run)) === true;
}

/** Values have `of(run)`, which is a number, a text or null, and say what they are where it is known. */
class ConditionParser {
  constructor(text, columns) {
    const run = columns.find((column) => column.name === "run");
    const own = columns.map((column) => [columnKey(column.name), columnValue(column)]);
    this.values = new Map([["id", columnValue(run)], ["number", columnValue(run).number], ...own]);
    this.columns = columns;
    this.tokens = [...text.matchAll(TOKEN)].map(tokenOf);
    this.place = 0;
  }

  get token() {
    return this.tokens[this.place] ?? {};
  }

  /** Whether the next token is this word or sign, which is then passed. */
  pass(word) {
    const found = this.token.word === word;
    this.place += Number(found);
    return found;
  }

  need(word) {
    if (!this.pass(word)) this.refuse(word);
  }

  refuse(needed = "a value") {
    const { kind, written, at } = this.token;
    if (!kind) throw new ConditionError(`${needed} is missing at the end`);
    throw new ConditionError(`${written} (at ${at + 1}) is not supported here`);
  }

  /** What follows, up to an operator that binds less than `least`. */
  value(least) {
    let left = this.pass("not") ? lifted(notTrue, this.value(NOT)) : this.atom();
    for (;;) {
      const { word } = this.token;
      const [strength, made] = OPERATORS[word] ?? [TESTS, null];
      if (strength < least || !RESERVED.has(word)) return left;
      if (made) {
        const { written } = this.tokens[this.place++];
        const right = this.value(strength + 1);
        if (strength >= TESTS && right.constant === null) throw new ConditionError(`${written} null is never true; write is null or is not null`);
        left = strength >= TESTS ? compare(word, left, right) : lifted(made, left, right);
      } else left = this.tested(left);
    }
  }

  tested(left) {
    const negate = this.pass("not") ? (value) => lifted(notTrue, value) : (value) => value;
    for (const name of ["in", "between", "like"]) if (this.pass(name)) return negate(this[name](left));
    this.need("is");
    const answer = Number(!this.pass("not"));
    this.need("null");
    return lifted((value) => (value === null ? answer : 1 - answer), left);
  }

  in(left) {
    this.need("(");
    let found = { of: () => 0 };
    if (this.pass(")")) return found;
    do {
      found = lifted(OPERATORS.or[1], found, compare("=", left, this.value(TESTS)));
    } while (this.pass(","));
    this.need(")");
    return found;
  }

  between(left) {
    const low = this.value(TESTS + 1);
    this.need("and");
    const high = this.value(TESTS + 1);
    return lifted(bothTrue, compare(">=", left, low), compare("<=", left, high));
  }

  like(left) {
    const pattern = this.atom();
    if (!left.isText || typeof pattern.constant !== "string") {
      throw new ConditionError("like is supported for a column of texts and a text alone: outcome like 'sol%'");
    }
    const expression = patternOf(pattern.constant);
    return lifted((text) => (text === null ? null : Number(expression.test(lowered(text)))), left);
  }

  atom() {
    const { kind, word, text } = this.token;
    if (this.pass("(")) {
      const inner = this.value(0);
      this.need(")");
      return inner;
    }
    if (!kind || kind === "sign" || RESERVED.has(word)) {
      if (!this.pass("-")) this.refuse();
      if (this.token.kind !== "number") this.refuse("a number");
      return constantValue(-Number(this.tokens[this.place++].text));
    }
    this.place++;
    if (kind === "text") return constantValue(text);
    if (kind === "number") return constantValue(Number(text));
    return word in CONSTANTS ? constantValue(CONSTANTS[word]) : this.column(this.place - 1);
  }

  column(place) {
    const { text, written } = this.tokens[place];
    const value = this.values.get(columnKey(text));
    if (value) return value;
    if (this.token.word === "(") throw new ConditionError(`${written}(…): functions are not supported here`);
    const isRight = OPERATORS[this.tokens[place - 1]?.word]?.[0] >= TESTS;
    const near = nearestName(text, this.suggestions());
    const advice = isRight ? `; write text in single quotes: '${text}'` : near && `. Did you mean ${near}?`;
    throw new ConditionError(`no such column in this page: ${text}${advice}`);
  }

  /** Words that may be meant, by what is written for them: columns, and words that a column has for its runs. */
  suggestions() {
    const texts = this.columns.filter(({ isNumber, words }) => !isNumber && words.length < MOST_WORDS);
    const words = texts.flatMap(({ name, words }) => words.filter(Boolean).map((word) => [`${name} = '${word}'`, word]));
    return [...this.columns.flatMap(({ name }) => [[name, name], [name, name.split(".").at(-1)]]), ...words];
  }
}

/** `word` is what the grammar looks for, `text` the inside of quotes. */
function tokenOf({ groups, index }) {
  const [kind, written] = Object.entries(groups).find(([, found]) => found !== undefined);
  const quote = { text: "'", quoted: '"' }[kind];
  if (quote) return { kind, written, at: index, text: written.slice(1, -1).replaceAll(quote + quote, quote) };
  const word = written.toLowerCase();
  return { kind, written, at: index, text: written, word: SAME[word] ?? word };
}

/** Names are the same in upper and lower case, with blanks or without, and with .name behind a group. */
function columnKey(name) {
  return name.toLowerCase().replace(/\s+/g, "").replace(/\.name$/, "");
}

function constantValue(value) {
  return { of: () => value, constant: value };
}

/** A column as a value; true and false are 1 and 0, as in SQLite.  A run beside a number is its number in its sweep. */
function columnValue(column) {
  if (column.name === "run") {
    const number = { of: (run) => runPlace(column.of(run)), isNumber: true };
    return { of: (run) => column.of(run), isText: true, number };
  }
  const isFlag = !column.isNumber && column.words.every((word) => [null, "true", "false"].includes(word));
  if (isFlag) return { of: (run) => column.of(run) && Number(column.of(run) === "true"), isNumber: true };
  return { of: (run) => column.of(run), isNumber: column.isNumber, isText: !column.isNumber };
}

/** A function of values as a function of runs. */
function lifted(made, ...values) {
  return { of: (run) => made(...values.map((value) => value.of(run))) };
}

function compare(operator, left, right) {
  const { constant: text } = right;
  if (left.isNumber && typeof text === "string" && !Number.isNaN(Number.parseFloat(text))) {
    throw new ConditionError(`'${text}' is a text; write the number without quotes: ${text}`);
  }
  const isOfNumbers = [left, right].some(({ isNumber, constant }) => isNumber || typeof constant === "number");
  const values = isOfNumbers ? [left, right].map((value) => value.number ?? value) : [left, right];
  return lifted(OPERATORS[operator][1], ...values);
}

/** The order of two values in SQLite: numbers stand before texts; null if one is not known. */
function compared(a, b) {
  if (a === null || b === null) return null;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}

function comparison(strength, holds) {
  const made = (a, b) => {
    const order = compared(a, b);
    return order === null ? null : Number(holds(order));
  };
  return [strength, made];
}

/** True, false, or null if it is not known; a text counts as the number at its beginning. */
function truth(value) {
  if (value === null) return null;
  return typeof value === "number" ? value !== 0 : Boolean(Number.parseFloat(value));
}

function notTrue(value) {
  return value === null ? null : Number(!truth(value));
}

function bothTrue(a, b) {
  const [left, right] = [truth(a), truth(b)];
  if (left === false || right === false) return 0;
  return left === null || right === null ? null : 1;
}

/** % stands for any text, _ for any letter; only A to Z are the same in upper and lower case. */
function patternOf(text) {
  const escaped = lowered(text).replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("%", ".*").replaceAll("_", ".")}$`, "su");
}

function lowered(text) {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** What is written for the known word that shares most pairs of letters with a word, if any does: [[written, word]]. */
function nearestName(word, known) {
  const pairs = (text) => new Set(Array.from(columnKey(text).slice(1), (letter, k) => columnKey(text)[k] + letter));
  const own = pairs(word);
  const shares = known.map(([, text]) => [...pairs(text)].filter((pair) => own.has(pair)).length / (own.size + pairs(text).size));
  const most = Math.max(...shares);
  return most > 0.2 ? known[shares.indexOf(most)][0] : "";
}
