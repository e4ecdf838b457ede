/** Pictures of many lines: how many pass each pixel, by group. */

/** Count a line in its columns of pixels: one in each, shared by the pixels between its height and the next column's. */
export function addLine(counts, { width, first, top, floor }, heights) {
  for (let k = 0; k < heights.length && !Number.isNaN(heights[k]); k++) {
    const next = Number.isNaN(heights[k + 1] ?? NaN) ? heights[k] : heights[k + 1];
    const high = Math.max(top, Math.min(heights[k], next)) | 0;
    const low = Math.min(floor, Math.max(heights[k], next)) | 0;
    const weight = 1 / (low - high + 1);
    for (let y = high; y <= low; y++) counts[y * width + first + k] += weight;
  }
}

/** Counts of groups as an image: the logarithm of all as opacity, the mixture of the groups' colours as tone. */
export function toned(image, groups) {
  const { data } = image;
  const total = groups[0].counts.map((_, i) => groups.reduce((sum, { counts }) => sum + counts[i], 0));
  const most = Math.log1p(4 * total.reduce((a, b) => Math.max(a, b), 0));
  total.forEach((sum, i) => {
    if (sum === 0) return;
    for (let k = 0; k < 3; k++) {
      data[4 * i + k] = groups.reduce((tone, { counts, colour }) => tone + counts[i] * colour[k], 0) / sum;
    }
    data[4 * i + 3] = 255 * Math.min(1, (1.4 * Math.log1p(4 * sum)) / most);
  });
  return image;
}
