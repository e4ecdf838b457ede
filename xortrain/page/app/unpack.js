/** Reads the arrays of the page: base64, gzip, bytes of equal weight side by side, each row against the one before. */

const KINDS = { f8: Float64Array, f4: Float32Array, u4: Uint32Array, u1: Uint8Array };
const UNKNOWN = 65535; // the code of nan

/** The content of an inert script element, which is removed, as bytes. */
export async function unpacked(id) {
  const element = document.getElementById(id);
  const text = element.textContent;
  element.remove();
  const letters = atob(text);
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < packed.length; i++) packed[i] = letters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Every array of the page, flat in the order of C, as it is described. */
export function arraysOf(described, bytes) {
  const found = [];
  let start = 0;
  for (const one of described) {
    found.push(decoded(one, bytes.subarray(start, start + one.bytes), found));
    start += one.bytes;
  }
  return found;
}

function decoded({ kind, shape, coding, low, step, isLog }, planes, before) {
  const row = shape.slice(1).reduce((product, size) => product * size, 1);
  if (coding === "rounded") return unrounded(joined(planes, 2), row, before[low], before[step], isLog);
  const width = Number(kind.slice(1));
  const bits = joined(planes, width);
  if (coding === "changes") {
    const words = width === 8 ? new BigUint64Array(bits) : new Uint32Array(bits);
    for (let i = row; i < words.length; i++) words[i] ^= words[i - row];
  }
  return new KINDS[kind](bits);
}

/** Numbers from 16 bits each: zigzag, second differences down the rows, steps from the least number of a column. */
function unrounded(bits, row, low, step, isLog) {
  const codes = new Uint16Array(bits);
  const rises = new Uint16Array(row);
  const found = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const column = i % row;
    rises[column] += (codes[i] >>> 1) ^ -(codes[i] & 1);
    codes[i] = rises[column] + (i < row ? 0 : codes[i - row]);
    const value = low[column] + step[column] * codes[i];
    found[i] = codes[i] === UNKNOWN ? NaN : isLog ? Math.exp(value) : value;
  }
  return found;
}

/** From bytes of equal weight side by side to numbers one after the other. */
function joined(planes, width) {
  const count = planes.length / width;
  const bytes = new Uint8Array(planes.length);
  for (let place = 0; place < width; place++) {
    const from = place * count;
    for (let i = 0, to = place; i < count; i++, to += width) bytes[to] = planes[from + i];
  }
  return bytes.buffer;
}
