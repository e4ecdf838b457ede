/* The numbers of NumPy's RandomState(seed), bit for bit, for many seeds at once: MT19937 with one run in each lane.
   Only the words that are read are made: word k needs words k, k + 1 and k + 397 of a seed's 624.  All lanes take their
   words together; of normal numbers, a lane whose pair is rejected, or that has all it needs, skips a turn. */
#ifdef __AVX2__
enum { RUNS = 16 }; /* numbers of 32 bits in two vector registers */
#else
enum { RUNS = 8 };
#endif
typedef uint32_t words __attribute__((vector_size(4 * RUNS)));
typedef uint32_t pair __attribute__((vector_size(2 * RUNS), may_alias));
typedef int32_t integers __attribute__((vector_size(4 * RUNS)));
typedef double uniforms __attribute__((vector_size(8 * RUNS)));

static inline void seed_words(words *key, long from, long to) { /* those after `from`, up to `to` */
  pair *pairs = (pair *)key, a = pairs[2 * from], b = pairs[2 * from + 1]; /* two chains of products, side by side */
  for (long k = from + 1; k <= to; k++) {
    pairs[2 * k] = a = 1812433253u * (a ^ (a >> 30)) + (uint32_t)k;
    pairs[2 * k + 1] = b = 1812433253u * (b ^ (b >> 30)) + (uint32_t)k;
  }
}
static inline words next_words(words *key, long read) {
  long k = read % 624, at = (k + 397) % 624;
  if (read < 624 - 397) seed_words(key, at - 1, at);
  words y = (key[k] & 0x80000000u) | (key[(k + 1) % 624] & 0x7fffffffu);
  words w = key[k] = key[at] ^ (y >> 1) ^ (-(y & 1) & 0x9908b0dfu);
  w ^= w >> 11, w ^= (w << 7) & 0x9d2c5680u, w ^= (w << 15) & 0xefc60000u;
  return w ^ (w >> 18);
}
static inline uniforms next_uniforms(words *key, long *read) { /* 53 bits of two words, in [0, 1) */
  integers high = (integers)(next_words(key, (*read)++) >> 5), low = (integers)(next_words(key, (*read)++) >> 6);
  return (__builtin_convertvector(high, uniforms) * 0x1p26 + __builtin_convertvector(low, uniforms)) * 0x1p-53;
}
void draw(int normal, const uint32_t *seeds, long runs, long count, double *out) { /* out (count, runs) */
  for (long first = 0; first < runs; first += RUNS) {
    long lanes = runs - first < RUNS ? runs - first : RUNS, left = count ? lanes : 0, drawn[RUNS] = {0}, read = 0;
    words key[624];
    for (long i = 0; i < RUNS; i++) key[0][i] = seeds[first + (i < lanes ? i : 0)];
    for (seed_words(key, 0, 396); left;) {
      uniforms a = next_uniforms(key, &read), b = a, q = a;
      if (normal) a = 2 * a - 1, b = 2 * next_uniforms(key, &read) - 1, q = a * a + b * b; /* polar method */
      for (long i = 0; i < lanes; i++) {
        if (drawn[i] == count || (normal && (q[i] >= 1 || q[i] == 0))) continue;
        double f = normal ? sqrt(-2 * log(q[i]) / q[i]) : 1;
        out[drawn[i]++ * runs + first + i] = f * b[i];
        if (normal && drawn[i] < count) out[drawn[i]++ * runs + first + i] = f * a[i];
        left -= drawn[i] == count;
      }
    }
  }
}
