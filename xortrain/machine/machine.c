/* The machine's one translation unit: what it exports, and what a training passes to it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "lanes.h"
#include "draws.h"
#include "elementary.h"

typedef struct {
  int32_t operation, rows, columns, terms; /* of the result, and the products of a sum */
  int32_t d, d0, d1, a, a0, a1, ak, b, b0, b1, bk, c, c0, c1; /* result and operands: first slot and strides */
} instruction;
typedef struct { int64_t examples, x, t, y, y0, y1, loss_at, forward, loss, back; } part; /* slots, places in the code */
typedef struct { int64_t part, first, begins, ends; } step; /* a part's examples from the first; ends of its batch */
typedef struct { const void *x, *t, *low, *high; int64_t x_per_run, t_per_run, bounds_per_run; } examples;
/* What a training passes: NUMBER(name), each an int64_t, and ARRAY(type, name), each a pointer. */
#define PLAN(NUMBER, ARRAY) \
  NUMBER(runs) NUMBER(slots) NUMBER(inputs) NUMBER(outputs) NUMBER(thetas) NUMBER(states) NUMBER(memories) /* counts */ \
  NUMBER(settings) NUMBER(rates) NUMBER(frozen) NUMBER(constants) \
  NUMBER(theta) NUMBER(state) NUMBER(memory) NUMBER(setting) NUMBER(g) NUMBER(rate) NUMBER(frozen_at) /* slots */ \
  NUMBER(epoch) NUMBER(right) NUMBER(sound) NUMBER(stops) NUMBER(loss) NUMBER(test_loss) \
  NUMBER(update) NUMBER(stop) NUMBER(stop_needs) NUMBER(judging) NUMBER(training) NUMBER(testing) \
  NUMBER(is_full_batch) NUMBER(ordered) NUMBER(first) NUMBER(last) NUMBER(final) NUMBER(window) NUMBER(stride) \
  ARRAY(const instruction, code) ARRAY(const part, parts) \
  ARRAY(const step, judge) ARRAY(const step, train) ARRAY(const step, test) \
  ARRAY(const int32_t, constant_slots) ARRAY(const int32_t, frozen_rows) ARRAY(const int32_t, loss_rows) \
  ARRAY(const int32_t, frame_rows) ARRAY(const int32_t, order) \
  ARRAY(const void, constant_numbers) ARRAY(const void, setting_of) ARRAY(const void, factors) \
  ARRAY(void, theta_of) ARRAY(void, state_of) ARRAY(void, memory_of) \
  ARRAY(void, losses) ARRAY(void, test_losses) ARRAY(void, frames) ARRAY(const int64_t, columns) \
  ARRAY(int32_t, left) ARRAY(int32_t, wrong) ARRAY(int32_t, diverged_at) ARRAY(int32_t, diverged_in)
#define NUMBER(name) int64_t name;
#define ARRAY(type, name) type *name;
typedef struct { PLAN(NUMBER, ARRAY) examples data, test_data; } plan;
#define NUMBER_NAME(name) #name "\n"
#define ARRAY_NAME(type, name) "*" #name "\n"
const char *plan_names(void) { return PLAN(NUMBER_NAME, ARRAY_NAME); } /* a line for each field but the examples */

typedef int64_t wholes64 __attribute__((vector_size(8 * LANES)));
typedef int32_t wholes32 __attribute__((vector_size(8 * LANES)));

#define JOIN(a, b) a##_##b
#define NAMED(a, b) JOIN(a, b)
#define OF(x) NAMED(PREFIX, x)
#define REAL double
#define VECTOR v
#define MASK wholes64
#define WHOLE int64_t
#define OP(name) d_##name
#define PREFIX d_small
#define TILE LANES /* one vector: for large networks and for few runs */
#include "tile.h"
#define PREFIX d_large
#define TILE 32
#include "tile.h"
#undef REAL
#undef VECTOR
#undef MASK
#undef WHOLE
#undef OP
#define REAL float
#define VECTOR f
#define MASK wholes32
#define WHOLE int32_t
#define OP(name) s_##name
#define PREFIX s_small
#define TILE (2 * LANES)
#include "tile.h"
#define PREFIX s_large
#define TILE 64
#include "tile.h"

const char *source(void) { return SOURCE; }
