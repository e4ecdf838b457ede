/** Functions that the mathematics needs and `Math` lacks, or has slower. */

const ERF_NEAR = [
  [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
  [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
];
const ERF_FAR = [
  [
    2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
    881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
  ],
  [
    1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903,
    3290.7992357334597, 4362.619090143247, 3439.3676741437216, 1230.3393548037495,
  ],
];

/** A quotient of two polynomials, highest powers first. */
function rational([above, below], x) {
  let top = above[0], bottom = below[0];
  for (let k = 1; k < above.length; k++) {
    top = top * x + above[k];
    bottom = bottom * x + below[k];
  }
  return top / bottom;
}

/** The error function, to 1e-15 (Cody 1969: rational approximations of erf and of erfc). */
export function erf(x) {
  const far = Math.abs(x);
  if (far < 0.46875) return x * rational(ERF_NEAR, x * x);
  if (far > 6) return Math.sign(x);
  return Math.sign(x) * (1 - Math.exp(-far * far) * rational(ERF_FAR, far));
}

const PARTS = 64; // of a factor of 2
const PART = Math.LN2 / PARTS, PER = PARTS / Math.LN2;
const POWERS = Float64Array.from({ length: 60 * PARTS }, (_, k) => 2 ** (k / PARTS));

/**
 * tanh to 1e-15 in half the time: near 0 Lambert's continued fraction, else 1 - 2 / (exp(2x) + 1) with exp as a power
 * of 2 and a short series.
 */
export function tanh(x) {
  const twice = 2 * Math.abs(x);
  if (twice < 0.8) {
    const s = x * x;
    return (x * (135135 + s * (17325 + s * (378 + s)))) / (135135 + s * (62370 + s * (3150 + 28 * s)));
  }
  if (!(twice < 40)) return Math.sign(x);
  const k = (twice * PER + 0.5) | 0;
  const r = twice - k * PART;
  const exp = POWERS[k] * (1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120))))));
  return (1 - 2 / (exp + 1)) * (x < 0 ? -1 : 1);
}

/** ⌊a / b⌋ for a ≥ 0 and b > 0, without an error where the quotient is rounded up to a whole number. */
export function floorDivide(a, b) {
  return Math.round((a - (a % b)) / b);
}
