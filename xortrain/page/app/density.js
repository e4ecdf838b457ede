/** Pictures of many lines: how many pass each pixel, by group. */

/** Count a line in its columns of pixels: one in each, shared by the pixels between its height and the next column's.
 * `places` says for each column where it is between the rows of the line, nan where the line has ended. */
export function addLine(counts, { width, first, top, floor }, heights, places) {
  let here = heightAt(heights, places[0]);
  for (let k = 0; k < places.length && !Number.isNaN(here); k++) {
    const next = heightAt(heights, places[k + 1]);
    const end = Number.isNaN(next) ? here : next;
    const high = Math.max(top, Math.min(here, end)) | 0;
    const low = Math.min(floor, Math.max(here, end)) | 0;
    const weight = 1 / (low - high + 1);
    for (let y = high; y <= low; y++) counts[y * width + first + k] += weight;
    here = next;
  }
}

function heightAt(heights, place) {
  const row = Math.floor(place);
  const share = place - row;
  return share ? heights[row] + share * (heights[row + 1] - heights[row]) : (heights[row] ?? NaN);
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
