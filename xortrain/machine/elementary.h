/* Any operation on vectors, not inlined; and on arrays, for the tests: out[i] = operation(a[i], b[i], c[i]). */
#define ARGUMENTS1 a
#define ARGUMENTS2 a, b
#define ARGUMENTS3 a, b, c
#define APPLY_D(name, operands) case CODE_##name: return d_##name(ARGUMENTS##operands);
#define APPLY_S(name, operands) case CODE_##name: return s_##name(ARGUMENTS##operands);
#define ELEMENTARY(function, any, real, vector, APPLY) \
  static __attribute__((noinline)) vector any(int operation, vector a, vector b, vector c) { \
    switch (operation) { OPERATIONS(APPLY) } \
    return a; \
  } \
  void function(int operation, long n, const real *a, const real *b, const real *c, real *result) { \
    const long width = sizeof(vector) / sizeof(real); \
    for (long i = 0; i < n; i += width) { \
      const size_t size = sizeof(real) * (n - i < width ? n - i : width); \
      vector x[3] = {{0}}; \
      memcpy(&x[0], a + i, size); memcpy(&x[1], b + i, size); memcpy(&x[2], c + i, size); \
      const vector out = any(operation, x[0], x[1], x[2]); \
      memcpy(result + i, &out, size); \
    } \
  }
ELEMENTARY(elementary, d_any, double, v, APPLY_D)
ELEMENTARY(elementary32, s_any, float, f, APPLY_S)
/* A line for each operation, in the order of their codes: its name and the number of its operands. */
#define LINE(name, operands) #name " " #operands "\n"
const char *operation_names(void) { return OPERATIONS(LINE) "dot 2\ndot_from 3\nend 0"; }
