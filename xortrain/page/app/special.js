/** Two functions that the mathematics needs and `Math` lacks. */

const ERF_NEAR = [
  [1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3],
  [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3],
];
const ERF_FAR = [
  [
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
  ],
  [
    1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
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

/** ⌊a / b⌋ for a ≥ 0 and b > 0, without an error where the quotient is rounded up to a whole number. */
export function floorDivide(a, b) {
  return Math.round((a - (a % b)) / b);
}
