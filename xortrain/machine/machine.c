/* The machine's one translation unit: what it exports, and what a training passes to it (run.py has the same fields). */
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
typedef struct {
  int64_t runs, slots, inputs, outputs, thetas, states, memories, settings, rates, frozen, constants; /* counts */
  int64_t theta, state, memory, setting, g, rate, frozen_at, epoch, right, sound, stops, loss, test_loss; /* slots */
  int64_t update, stop, stop_needs, judging, training, testing, is_full_batch, ordered;
  int64_t first, last, final, window, stride;
  const instruction *code;
  const part *parts;
  const step *judge, *train, *test;
  const int32_t *constant_slots, *frozen_rows, *loss_rows, *frame_rows, *order;
  const void *constant_numbers, *setting_of, *factors;
  void *theta_of, *state_of, *memory_of, *losses, *test_losses, *frames;
  const int64_t *columns;
  int32_t *left, *wrong, *diverged_at, *diverged_in;
  examples data, test_data;
} plan;

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
