/* Vectors of numbers and every operation of the machine on them, for double (d_exp) and float (s_exp).

   Each operation computes each lane by itself, with the same instructions: its bits depend neither on its place in a
   vector nor on the length of vectors (only which nan a result is, is left open). Products are added by fma() alone,
   which rounds once; the "plain" family, for x86 without that instruction, rounds twice. Compile with
   -O2 -ffp-contract=off -fno-math-errno -fno-trapping-math, never with -ffast-math. */
#pragma once
#include <math.h>
#if defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__SSE2__)
#include <immintrin.h>
#endif
#if defined(LANES) /* doubles in a vector; another number gives the same bits, only more slowly */
#elif defined(__AVX512F__)
#define LANES 8
#elif defined(__AVX2__) && defined(__FMA__)
#define LANES 4
#else
#define LANES 2
#endif
#pragma GCC diagnostic ignored "-Wpsabi" /* all functions on vectors are inlined */
#define INLINE static inline __attribute__((always_inline))
typedef double v __attribute__((vector_size(8 * LANES)));
typedef __typeof__((v){0} == (v){0}) m; /* the bits of v, signed; all or none of a lane's are set by a comparison */
typedef unsigned long long bits __attribute__((vector_size(8 * LANES))); /* the same, where sums may wrap around */
typedef float f __attribute__((vector_size(8 * LANES)));                 /* 2 * LANES floats */
typedef float half __attribute__((vector_size(4 * LANES)));

/* Every operation and the number of its operands, in the order of the codes; names are those of NumPy's ufuncs. */
#define OPERATIONS(X) \
  X(positive, 1) X(negative, 1) X(absolute, 1) X(sign, 1) X(floor, 1) X(ceil, 1) X(rint, 1) X(trunc, 1) X(sqrt, 1) \
  X(exp, 1) X(expm1, 1) X(log, 1) X(log1p, 1) X(tanh, 1) X(sin, 1) X(cos, 1) X(sinh, 1) X(cosh, 1) X(arctan, 1) \
  X(arcsin, 1) X(arccos, 1) X(arcsinh, 1) X(arctanh, 1) X(cbrt, 1) X(erf, 1) X(isnan, 1) X(isfinite, 1) \
  X(logical_not, 1) X(add, 2) X(subtract, 2) X(multiply, 2) X(divide, 2) X(maximum, 2) X(minimum, 2) X(greater, 2) \
  X(less, 2) X(greater_equal, 2) X(less_equal, 2) X(equal, 2) X(not_equal, 2) X(power, 2) X(floor_divide, 2) \
  X(logical_and, 2) X(logical_or, 2) X(fma, 3) X(fnma, 3) X(where, 3) /* fma is a b + c, fnma is c - a b */
#define CODE(name, operands) CODE_##name,
enum { OPERATIONS(CODE) CODE_dot, CODE_dot_from, CODE_end }; /* the last ones are those of tile.h */

/* An operation of both types is one expression; an integer vector like a has the type of a comparison, a == a. */
#define ALL(a, number) ((__typeof__(a)){0} + (number)) /* the number in each lane of a vector like a */
#define EACH(type, term) ({ type r_; for (int i = 0; i < (int)(sizeof r_ / sizeof r_[0]); i++) r_[i] = (term); r_; })
#define BITS(a) ((__typeof__((a) == (a)))(a))
#define WHERE(c, a, b) ((__typeof__(b))(((c) & BITS(a)) | (~(c) & BITS(b))))
#define TRUTH(a, c) ((__typeof__(a))((c) & BITS(ALL(a, 1))))
#define SIGN_OF(a) (BITS(a) & BITS(-ALL(a, 0)))
#define WITH_SIGN_OF(a, b) ((__typeof__(a))(BITS(b) | SIGN_OF(a)))
#define BOTH1(name, term) INLINE v d_##name(v a) { return term; } INLINE f s_##name(f a) { return term; }
#define BOTH2(name, term) INLINE v d_##name(v a, v b) { return term; } INLINE f s_##name(f a, f b) { return term; }
#define BOTH3(name, term) \
  INLINE v d_##name(v a, v b, v c) { return term; } INLINE f s_##name(f a, f b, f c) { return term; }
/* What GNU C has no operator for: intrinsics where a vector is one register, else lane by lane, with the same bits. */
#if defined(__AVX512F__) && LANES == 8
#define X86(name) _mm512_##name
#elif defined(__AVX2__) && LANES == 4
#define X86(name) _mm256_##name
#elif defined(__SSE2__) && LANES == 2
#define X86(name) _mm_##name
#endif
#if defined(X86)
INLINE v d_sqrt(v a) { return X86(sqrt_pd)(a); }
INLINE f s_sqrt(f a) { return X86(sqrt_ps)(a); }
INLINE v at_least(double low, v a) { return X86(max_pd)(ALL(a, low), a); } /* a nan stays */
INLINE v at_most(double high, v a) { return X86(min_pd)(ALL(a, high), a); }
#elif defined(__aarch64__) && LANES == 2
INLINE v d_sqrt(v a) { return vsqrtq_f64(a); }
INLINE f s_sqrt(f a) { return vsqrtq_f32(a); }
INLINE v at_least(double low, v a) { return vmaxq_f64(ALL(a, low), a); }
INLINE v at_most(double high, v a) { return vminq_f64(ALL(a, high), a); }
#else
BOTH1(sqrt, EACH(__typeof__(a), __builtin_sqrt(a[i])))
INLINE v at_least(double low, v a) { return EACH(v, a[i] < low ? low : a[i]); }
INLINE v at_most(double high, v a) { return EACH(v, a[i] > high ? high : a[i]); }
#endif
#if defined(X86) && (defined(__FMA__) || LANES == 8) /* for gcc, AVX-512 does not imply __FMA__ */
INLINE v d_fma(v a, v b, v c) { return X86(fmadd_pd)(a, b, c); }
INLINE f s_fma(f a, f b, f c) { return X86(fmadd_ps)(a, b, c); }
#elif defined(__aarch64__) && LANES == 2
INLINE v d_fma(v a, v b, v c) { return vfmaq_f64(c, a, b); }
INLINE f s_fma(f a, f b, f c) { return vfmaq_f32(c, a, b); }
#elif defined(__FMA__) || defined(__aarch64__)
BOTH3(fma, EACH(__typeof__(a), sizeof a[i] == 8 ? __builtin_fma(a[i], b[i], c[i]) : __builtin_fmaf(a[i], b[i], c[i])))
#else
BOTH3(fma, a * b + c)
#endif

BOTH1(positive, a) BOTH1(negative, -a) BOTH1(absolute, (__typeof__(a))(BITS(a) ^ SIGN_OF(a)))
BOTH1(sign, WHERE(a == a, TRUTH(a, a > 0) - TRUTH(a, a < 0), a))
BOTH1(isnan, TRUTH(a, a != a)) BOTH1(isfinite, TRUTH(a, a - a == 0)) BOTH1(logical_not, TRUTH(a, a == 0))
BOTH1(floor, EACH(__typeof__(a), __builtin_floor(a[i]))) BOTH1(ceil, EACH(__typeof__(a), __builtin_ceil(a[i])))
BOTH1(rint, EACH(__typeof__(a), __builtin_rint(a[i]))) BOTH1(trunc, EACH(__typeof__(a), __builtin_trunc(a[i])))
BOTH2(add, a + b) BOTH2(subtract, a - b) BOTH2(multiply, a * b) BOTH2(divide, a / b)
BOTH2(maximum, WHERE((a > b) | (a != a), a, b)) BOTH2(minimum, WHERE((a < b) | (a != a), a, b))
BOTH2(greater, TRUTH(a, a > b)) BOTH2(less, TRUTH(a, a < b)) BOTH2(equal, TRUTH(a, a == b))
BOTH2(greater_equal, TRUTH(a, a >= b)) BOTH2(less_equal, TRUTH(a, a <= b)) BOTH2(not_equal, TRUTH(a, a != b))
BOTH2(logical_and, TRUTH(a, (a != 0) & (b != 0))) BOTH2(logical_or, TRUTH(a, (a != 0) | (b != 0)))
BOTH3(where, WHERE(a != 0, b, c))
INLINE v d_fnma(v a, v b, v c) { return d_fma(-a, b, c); }
INLINE f s_fnma(f a, f b, f c) { return s_fma(-a, b, c); }

/* Elementary functions, for double. That for float is computed as double, in two halves. */
#define FLOAT1(name) INLINE f s_##name(f a) { \
  union { f all; half of[2]; } u = {a}; \
  for (int i = 0; i < 2; i++) u.of[i] = __builtin_convertvector(d_##name(__builtin_convertvector(u.of[i], v)), half); \
  return u.all; }
#define LN2_HIGH 0x1.62e42fefa3p-1 /* 41 bits, so that products with exponents are exact */
#define LN2_LOW 2.8235290563031577e-13
#define EXPONENT(n) ((unsigned long long)(n) << 52) /* n in the place of the exponent, which is 1023 for 1.0 */
INLINE v polynomial(v x, const double *c, int last, int step) { /* c[0] + c[step] x + ... + c[last] x^(last / step) */
  v q = ALL(x, c[last]);
  _Pragma("GCC unroll 8") for (int i = last - step; i >= 0; i -= step) q = d_fma(q, x, ALL(x, c[i]));
  return q;
}
/* p of e^a = 2^k (1 + p), where a = k ln 2 + r and p = r + r² q(r). The polynomial q, split into even and odd powers,
   passes through (e^r - 1 - r) / r² at the Chebyshev points of |r| <= ln(2)/2; its error is 2^-61 of e^r. */
INLINE v reduced_exp(v a, bits *k) { /* and k + 2046 in the place of sign and exponent */
  static const double c[] = {0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326136, 0.0013888888888883748,
                             0.00019841269874820627, 2.4801587325547743e-05, 2.7557255400206422e-06,
                             2.75572736431103e-07, 2.5105217004720745e-08, 2.0914686968086876e-09};
  const v big = ALL(a, 0x1.8p52 + 2046); /* a sum with it is an integer, in its lowest bits */
  v sum = d_fma(a, ALL(a, 1.4426950408889634), big), n = sum - big;
  v high = d_fma(n, ALL(a, -LN2_HIGH), a), low = n * -LN2_LOW, r = high + low, r2 = r * r; /* high is exact */
  *k = (bits)sum << 52;
  return high + d_fma(d_fma(polynomial(r2, c + 1, 8, 2), r, polynomial(r2, c, 10, 2)), r2, low);
}
INLINE v d_exp(v a) { /* 2^k in two factors, as no double has all these exponents; the last one rounds if it must */
  bits k; v p = reduced_exp(at_least(-746, at_most(710, a)), &k);
  bits first = k >> 1 & EXPONENT(2047);
  return (1 + p) * (v)first * (v)(k - first);
}
INLINE v d_expm1(v a) { /* 2^k p + (2^k - 1), all halved against overflow; a itself where it is tiny */
  bits k; v p = reduced_exp(at_least(-40, at_most(710, a)), &k), s = (v)(k - EXPONENT(1024)), e = d_fma(s, p, s - 0.5);
  return WHERE(d_absolute(a) < 0x1p-54, a, e + e);
}
INLINE v d_tanh(v a) { /* (1 - E) / (1 + E), E = e^(-2|a|) = 2^k + 2^k p */
  bits k; v p = reduced_exp(at_least(-40, d_absolute(a) * -2), &k), s = (v)(k - EXPONENT(1023));
  return WITH_SIGN_OF(a, d_fnma(s, p, 1 - s) / d_fma(s, p, 1 + s));
}
/* log x = k ln 2 + log(1 + g) with x = 2^k (1 + g), √½ <= 1 + g < √2. From s = g / (2 + g), where log(1 + g) is
   2 artanh s = 2 s + s³ R(s²), and 2 s = g - s g, follows log(1 + g) = g - s (g - s² R(s²)). R passes through
   Chebyshev points too; its error is 2^-57 of the logarithm. */
INLINE v reduced_log(v x, v *k, v *scale) { /* g, and 2^(1 - k) */
  const bits root = (bits)ALL(x, 0x1.6a09e667f3bcdp-1), t = (bits)x - root + EXPONENT(1023);
  const bits fraction = t & (EXPONENT(1) - 1);
  *k = (v)(t >> 52 | (bits)ALL(x, 0x1p52)) - (0x1p52 + 1023);
  *scale = (v)(EXPONENT(2047) - (t - fraction));
  return (v)(fraction + root) - 1;
}
INLINE v finished_log(v g, v k) {
  static const double c[] = {0.666666666666667, 0.39999999999899444, 0.2857142862600327, 0.22222211130259878,
                             0.18182889455674947, 0.15331710618210773, 0.14616585424888623};
  v s = g / (2 + g), s2 = s * s, rest = d_fnma(s2, polynomial(s2, c, 6, 1), g);
  return d_fma(k, ALL(k, LN2_HIGH), g) - d_fnma(k, ALL(k, LN2_LOW), s * rest);
}
INLINE v limits_of_log(v a, v x, v result) { /* where x, which is a or 1 + a, is 0, negative, infinite or nan */
  result = WHERE(x > 0, result, (v)((m)ALL(x, -INFINITY) | (x < 0))); /* a lane of ones is a nan */
  return WHERE(a < INFINITY, result, a);
}
INLINE v d_log(v a) {
  m tiny = a < 0x1p-1022; /* also subnormal numbers */
  v k, unused, g = reduced_log(WHERE(tiny, a * 0x1p54, a), &k, &unused);
  return limits_of_log(a, a, finished_log(g, k - WHERE(tiny, ALL(a, 54), ALL(a, 0))));
}
INLINE v d_log1p(v a) { /* what the sum x loses is added to g */
  v k, scale, x = 1 + a, g = reduced_log(x, &k, &scale);
  g = d_fma(a - (x - 1), scale * 0.5, g);
  return WITH_SIGN_OF(a, limits_of_log(a, x, finished_log(g, k)));
}
FLOAT1(exp) FLOAT1(expm1) FLOAT1(tanh) FLOAT1(log) FLOAT1(log1p)
/* Rare functions are those of C, lane by lane. */
#define OF_C(name, function) INLINE v d_##name(v a) { return EACH(v, function(a[i])); } FLOAT1(name)
OF_C(sin, sin) OF_C(cos, cos) OF_C(sinh, sinh) OF_C(cosh, cosh) OF_C(arctan, atan) OF_C(arcsin, asin) OF_C(arccos, acos)
OF_C(arcsinh, asinh) OF_C(arctanh, atanh) OF_C(cbrt, cbrt) OF_C(erf, erf)
BOTH2(power, EACH(__typeof__(a), pow(a[i], b[i])))
/* NumPy's floor_divide: from the remainder with the sign of b, so that it is exact; a / b where b is 0. */
#define QUOTIENT(p, real) static real p##_quotient(real a, real b) { \
  if (b == 0) return a / b; \
  real rest = (real)fmod(a, b), q = (a - rest) / b - (rest != 0 && (rest < 0) != (b < 0)), whole = (real)floor(q); \
  return q == 0 ? (real)copysign(0, a / b) : whole + (q - whole > (real)0.5); }
QUOTIENT(d, double) QUOTIENT(s, float)
BOTH2(floor_divide, EACH(__typeof__(a), sizeof a[i] == 8 ? d_quotient(a[i], b[i]) : s_quotient(a[i], b[i])))
