/** Reads the arrays of the page: base64, gzip, bytes of equal weight side by side, each row against the one before. */

const KINDS = {
  f8: Float64Array, f4: Float32Array, i8: BigInt64Array, u4: Uint32Array, i4: Int32Array, u2: Uint16Array,
  u1: Uint8Array,
};

/** The content of an inert script element, which is removed, as bytes. */
export async function unpacked(id) {
  const element = document.getElementById(id);
  const text = element.textContent;
  element.remove();
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Every array of the page, flat in the order of C, as it is described. */
export function arraysOf(described, bytes) {
  let start = 0;
  return described.map((one) => {
    const part = bytes.subarray(start, (start += one.bytes));
    return decoded(one, part);
  });
}

function decoded({ kind, shape, coding }, planes) {
  const width = Number(kind.slice(1));
  const bits = joined(planes, width);
  const row = shape.slice(1).reduce((product, size) => product * size, 1);
  if (coding === "changes") {
    const words = width === 8 ? new BigUint64Array(bits) : new Uint32Array(bits);
    for (let i = row; i < words.length; i++) words[i] ^= words[i - row];
  }
  return new KINDS[kind](bits);
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
