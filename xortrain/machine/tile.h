/* The tile machine: instructions over TILE runs at a time, and the epochs of a training made of them.
   Included once for each type of number (REAL, in vectors VECTOR) and TILE; OF(x) names what is made for them. */
#define COUNT (TILE / (int)(sizeof(VECTOR) / sizeof(REAL))) /* vectors of a slot */
#define SLOT(k) (S + (long)(k) * COUNT)
#define NUMBERS(k) ((REAL *)SLOT(k))
#define OUTSIDE __attribute__((noinline)) /* seldom called: smaller */
#define LANE(vectors, i) ((__typeof__(vectors[0][0]) *)(vectors))[i]

/* Sums of products: out (rows, columns) = start + Σ a (rows, terms) b (columns, terms). Some rows and columns of some
   vectors are summed at a time, in registers: each vector that is read is then used for several sums. */
#define EACH_SUM _Pragma("GCC unroll 4") for (int r = 0; r < ROWS; r++) \
  _Pragma("GCC unroll 4") for (int c = 0; c < COLUMNS; c++) _Pragma("GCC unroll 8") for (int i = 0; i < WIDTH; i++)
static inline __attribute__((always_inline)) void OF(sum)(const instruction *q, VECTOR *S, int from, int i0, int i1,
                                                          const int ROWS, const int COLUMNS, const int WIDTH) {
  const long ar = (long)q->a0 * COUNT, bc = (long)q->b1 * COUNT, ak = (long)q->ak * COUNT, bk = (long)q->bk * COUNT;
  VECTOR *d = SLOT(q->d + i0 * q->d0 + i1 * q->d1), *start = SLOT(q->c + i0 * q->c0 + i1 * q->c1);
  for (int at = 0; at < COUNT; at += WIDTH, d += WIDTH, start += WIDTH) {
    VECTOR sum[4][3][8];
    EACH_SUM sum[r][c][i] = from ? start[(long)(r * q->c0 + c * q->c1) * COUNT + i] : (VECTOR){0};
    const VECTOR *a = SLOT(q->a + i0 * q->a0) + at, *b = SLOT(q->b + i1 * q->b1) + at;
    for (int k = 0; k < q->terms; k++, a += ak, b += bk)
      EACH_SUM sum[r][c][i] = OP(fma)(a[r * ar + i], b[c * bc + i], sum[r][c][i]);
    EACH_SUM d[(long)(r * q->d0 + c * q->d1) * COUNT + i] = sum[r][c][i];
  }
}
static void OF(dot)(const instruction *q, VECTOR *S, int from) {
  enum { SMALL = COUNT == 1, ROWS = SMALL ? 4 : 2, COLUMNS = SMALL ? 3 : 2, SOME = SMALL ? 1 : 2, ALL = COUNT < 8 ? COUNT : 8 };
  const int blocked = SMALL || q->terms >= 6, end = q->columns;
  const int rows = blocked ? q->rows / ROWS * ROWS : 0, columns = blocked ? end / COLUMNS * COLUMNS : 0;
  for (int i0 = 0; i0 < rows; i0 += ROWS) {
    for (int i1 = 0; i1 < columns; i1 += COLUMNS) OF(sum)(q, S, from, i0, i1, ROWS, COLUMNS, SOME);
    if (SMALL) for (int i1 = columns; i1 < end; i1++) OF(sum)(q, S, from, i0, i1, ROWS, 1, SOME);
  }
  for (int i0 = SMALL ? rows : 0; i0 < q->rows; i0++) {
    if (SMALL) for (int i1 = 0; i1 < columns; i1 += COLUMNS) OF(sum)(q, S, from, i0, i1, 1, COLUMNS, SOME);
    for (int i1 = SMALL || i0 < rows ? columns : 0; i1 < end; i1++) OF(sum)(q, S, from, i0, i1, 1, 1, ALL);
  }
}

#define EACH_ELEMENT(result) \
  for (int i0 = 0; i0 < q->rows; i0++) { \
    VECTOR *d = SLOT(q->d + i0 * q->d0); \
    const VECTOR *a = SLOT(q->a + i0 * q->a0), *b = SLOT(q->b + i0 * q->b0), *c = SLOT(q->c + i0 * q->c0); \
    for (int i1 = 0; i1 < q->columns; i1++) { \
      _Pragma("GCC unroll 2") for (int i = 0; i < COUNT; i++) d[i] = result; \
      d += (long)q->d1 * COUNT, a += (long)q->a1 * COUNT, b += (long)q->b1 * COUNT, c += (long)q->c1 * COUNT; \
    } \
  } \
  break;
/* The frequent operations are inlined, for the sake of the library's size no others. */
#define FREQUENT(X) X(positive, 1) X(negative, 1) X(absolute, 1) X(sqrt, 1) X(exp, 1) X(expm1, 1) X(log, 1) X(log1p, 1) \
  X(tanh, 1) X(add, 2) X(subtract, 2) X(multiply, 2) X(divide, 2) X(maximum, 2) X(minimum, 2) X(greater, 2) X(fma, 3) \
  X(fnma, 3) X(where, 3)
#define OPERANDS_1 (a[i])
#define OPERANDS_2 (a[i], b[i])
#define OPERANDS_3 (a[i], b[i], c[i])
#define CASE(name, operands) case CODE_##name: EACH_ELEMENT(OP(name) OPERANDS_##operands)

static void OF(execute)(const instruction *q, VECTOR *S) {
  for (;; q++) switch (q->operation) {
    FREQUENT(CASE)
    case CODE_dot: OF(dot)(q, S, 0); break;
    case CODE_dot_from: OF(dot)(q, S, 1); break;
    case CODE_end: return;
    default: EACH_ELEMENT(OP(any)(q->operation, a[i], b[i], c[i]))
  }
}

/* Rows of (rows, runs): of the runs from r on into slots, where lanes beyond repeat the last; and back of one run. */
static OUTSIDE void OF(get)(VECTOR *S, int slot, const REAL *from, long rows, long runs, long r, int lanes) {
  for (long k = 0; k < rows; k++)
    for (int i = 0; i < TILE; i++) NUMBERS(slot + k)[i] = from[k * runs + r + (i < lanes ? i : lanes - 1)];
}
static OUTSIDE void OF(put)(const VECTOR *S, int slot, REAL *into, long rows, long runs, long run, int lane) {
  for (long k = 0; k < rows; k++) into[k * runs + run] = ((const REAL *)SLOT(slot + k))[lane];
}
static OUTSIDE void OF(record)(const VECTOR *S, int slot, REAL *into, long rows, long stride, const int64_t *columns, int lanes) {
  for (long k = 0; k < rows; k++)
    if (columns[lanes - 1] - columns[0] == lanes - 1) memcpy(into + k * stride + columns[0], SLOT(slot + k), sizeof(REAL) * lanes);
    else for (int i = 0; i < lanes; i++) into[k * stride + columns[i]] = ((const REAL *)SLOT(slot + k))[i];
}
static void OF(fill)(VECTOR *S, int slot, REAL number) {
  for (int i = 0; i < TILE; i++) NUMBERS(slot)[i] = number;
}

/* Numbers of some examples, `width` of each, which all runs share or each has (per_run), in an order of each run's own
   or none. */
static OUTSIDE void OF(place)(VECTOR *S, int slot, const REAL *from, int per_run, const part *at, long first, long width,
                      const int32_t *order, long runs, long r, int lanes) {
  for (long e = first; e < first + at->examples; e++)
    for (long k = 0; k < width; k++, slot++) {
      if (!per_run && !order) { OF(fill)(S, slot, from[e * width + k]); continue; }
      for (int i = 0; i < TILE; i++) {
        const long run = r + (i < lanes ? i : lanes - 1), row = order ? order[e * runs + run] : e;
        NUMBERS(slot)[i] = per_run ? from[(row * width + k) * runs + run] : from[row * width + k];
      }
    }
}
static void OF(load)(const plan *p, VECTOR *S, const examples *data, const step *now, const int32_t *order, long r, int lanes) {
  const part *at = p->parts + now->part;
  OF(place)(S, at->x, data->x, data->x_per_run, at, now->first, p->inputs, order, p->runs, r, lanes);
  OF(place)(S, at->t, data->t, data->t_per_run, at, now->first, p->outputs, order, p->runs, r, lanes);
}

/* Forward pass of all examples, which adds to the loss if it is wanted; `right` keeps the runs that have all right.
   Examples that are one part are in their slots already. */
static void OF(look)(const plan *p, VECTOR *S, const step *steps, long count, const examples *data, int wants_loss,
                     int trains, MASK *right, long r, int lanes) {
  const int loss = trains ? p->loss : p->test_loss;
  if (wants_loss) OF(fill)(S, loss, 0);
  for (long s = 0; s < count; s++) {
    const part *at = p->parts + steps[s].part;
    if (count > 1) OF(load)(p, S, data, steps + s, 0, r, lanes);
    OF(execute)(p->code + at->forward, S);
    if (right) for (long k = 0; k < at->examples * p->outputs; k++) {
      const long place = steps[s].first * p->outputs + k;
      const VECTOR *y = SLOT(at->y + k / p->outputs * at->y0 + k % p->outputs * at->y1);
      const REAL *low = data->low, *high = data->high;
      if (data->bounds_per_run) for (int i = 0; i < TILE; i++) {
        const long run = place * p->runs + r + (i < lanes ? i : lanes - 1);
        LANE(right, i) &= -(((const REAL *)y)[i] > low[run] && ((const REAL *)y)[i] < high[run]);
      } else for (int i = 0; i < COUNT; i++) right[i] &= (y[i] > low[place]) & (y[i] < high[place]);
    }
    if (wants_loss) {
      OF(execute)(p->code + at->loss, S);
      for (int i = 0; i < COUNT; i++) SLOT(loss)[i] += SLOT(at->loss_at)[i];
    }
    if (trains && p->is_full_batch) {
      if (!s && count > 1) for (long k = 0; k < p->thetas; k++) OF(fill)(S, p->g + k, 0);
      OF(execute)(p->code + at->back, S);
    }
  }
}

/* The updates of an epoch in batches: each computes the gradient, which several parts add to, and updates. */
static void OF(batches)(const plan *p, VECTOR *S, const int32_t *order, long r, int lanes) {
  for (long s = 0; s < p->training; s++) {
    const step *now = p->train + s;
    const part *at = p->parts + now->part;
    if (now->begins && !now->ends) for (long k = 0; k < p->thetas; k++) OF(fill)(S, p->g + k, 0);
    OF(load)(p, S, &p->data, now, order, r, lanes);
    OF(execute)(p->code + at->forward, S);
    OF(execute)(p->code + at->back, S);
    if (now->ends) OF(execute)(p->code + p->update, S);
  }
}

/* What is left of the run in a lane: its parameters, state, memory, and last wrong epoch go to the arrays. */
static OUTSIDE void OF(leave)(const plan *p, const VECTOR *S, const VECTOR *theta, const MASK *wrong, long r, int lane) {
  OF(put)(theta, 0, p->theta_of, p->thetas, p->runs, r + lane, lane);
  OF(put)(S, p->state, p->state_of, p->states, p->runs, r + lane, lane);
  OF(put)(S, p->memory, p->memory_of, p->memories, p->runs, r + lane, lane);
  p->wrong[r + lane] = LANE(wrong, lane);
}

/* The index of the first parameter of a lane that is not finite, -1 for none. */
static OUTSIDE long OF(broken)(const plan *p, const VECTOR *S, int lane) {
  for (long k = 0; k < p->thetas; k++) {
    const REAL number = ((const REAL *)SLOT(p->theta + k))[lane];
    if (number - number != 0) return k;
  }
  return -1;
}

/* The epochs first to last - 1 of all runs. Values that are not finite are looked for at the end
   of each window of epochs; where there are some, the window is trained again with a look at each epoch. */
int OF(train)(const plan *p) {
  const long core = p->thetas + p->states + p->memories; /* slots that are saved, one after the other from theta on */
  VECTOR *memory, *S, *saved, *before;
  if (posix_memalign((void **)&memory, 64, sizeof(VECTOR) * COUNT * (p->slots + core + p->thetas + 1))) return 1;
  S = memory, saved = S + p->slots * COUNT, before = saved + core * COUNT;
  memset(memory, 0, sizeof(VECTOR) * COUNT * (p->slots + core + p->thetas + 1));
  for (long k = 0; k < p->constants; k++) OF(fill)(S, p->constant_slots[k], ((const REAL *)p->constant_numbers)[k]);
  const size_t core_size = sizeof(VECTOR) * COUNT * core, theta_size = sizeof(VECTOR) * COUNT * p->thetas;
  for (long r = 0; r < p->runs; r += TILE) {
    const int lanes = p->runs - r < TILE ? (int)(p->runs - r) : TILE;
    OF(get)(S, p->theta, p->theta_of, p->thetas, p->runs, r, lanes);
    OF(get)(S, p->state, p->state_of, p->states, p->runs, r, lanes);
    OF(get)(S, p->memory, p->memory_of, p->memories, p->runs, r, lanes);
    OF(get)(S, p->setting, p->setting_of, p->settings, p->runs, r, lanes);
    for (long k = 0; k < p->frozen; k++) memcpy(SLOT(p->frozen_at + k), SLOT(p->theta + p->frozen_rows[k]), sizeof(VECTOR) * COUNT);
    if (p->judging == 1) OF(load)(p, S, &p->data, p->judge, 0, r, lanes);
    if (p->testing == 1) OF(load)(p, S, &p->test_data, p->test, 0, r, lanes);
    int32_t left[TILE];
    MASK wrong[COUNT]; /* the last epoch with a wrong example */
    for (int i = 0; i < TILE; i++) left[i] = i < lanes ? p->left[r + i] : 0, LANE(wrong, i) = i < lanes ? p->wrong[r + i] : 0;
    int some = 0;
    for (int i = 0; i < lanes; i++) some |= left[i] < 0;
    if (!some) continue;
    memcpy(saved, SLOT(p->theta), core_size);
    OF(fill)(S, p->sound, 1);
    VECTOR bad[COUNT] = {{0}}; /* nan once a recorded loss is not finite */
    long checked = p->first;
    int is_careful = 0;
    for (long epoch = p->first; epoch <= p->last; epoch++) {
      const long at = epoch - p->first;
      if (is_careful) { /* the runs whose parameters are not finite any more have diverged */
        for (int i = 0; i < lanes; i++) {
          const long place = left[i] < 0 ? OF(broken)(p, S, i) : -1;
          if (place < 0) continue;
          left[i] = p->diverged_at[r + i] = (int32_t)epoch, p->diverged_in[r + i] = (int32_t)place;
          OF(leave)(p, S, before, wrong, r, i);
          NUMBERS(p->sound)[i] = 0;
        }
        memcpy(before, SLOT(p->theta), theta_size);
      }
      if (epoch == p->last || epoch - checked == p->window) { /* the end of a window */
        VECTOR sum[COUNT];
        for (int i = 0; i < COUNT; i++) sum[i] = bad[i];
        for (long k = 0; k < p->thetas; k++) for (int i = 0; i < COUNT; i++) sum[i] += SLOT(p->theta + k)[i] - SLOT(p->theta + k)[i];
        int is_whole = 1, remain = 0;
        for (int i = 0; i < lanes; i++) if (left[i] < 0) is_whole &= ((REAL *)sum)[i] == 0, remain++;
        if (!is_whole && !is_careful) { /* again, from the start of the window */
          memcpy(SLOT(p->theta), saved, core_size);
          memset(bad, 0, sizeof bad);
          memcpy(before, saved, theta_size);
          is_careful = 1, epoch = checked - 1;
          continue;
        }
        if (!remain) break;
        memcpy(saved, SLOT(p->theta), core_size);
        memset(bad, 0, sizeof bad);
        OF(fill)(S, p->sound, 1);
        checked = epoch, is_careful = 0;
        if (epoch == p->last) break;
      }
      const int row = p->loss_rows[at], frame = p->frame_rows[at];
      if (row >= 0) for (int i = 0; i < lanes; i += 64 / sizeof(REAL)) /* losses are written after the examples */
        __builtin_prefetch((REAL *)p->losses + row * p->stride + p->columns[r + i], 1);
      if (frame >= 0) OF(record)(S, p->theta, (REAL *)p->frames + frame * p->thetas * p->stride, p->thetas, p->stride, p->columns + r, lanes);
      MASK right[COUNT];
      memset(right, 0xff, sizeof right);
      OF(look)(p, S, p->judge, p->judging, &p->data, row >= 0 || p->stop_needs & 1, 1, right, r, lanes);
      if (p->testing && (row >= 0 || p->stop_needs & 2)) OF(look)(p, S, p->test, p->testing, &p->test_data, 1, 0, 0, r, lanes);
      for (int i = 0; i < COUNT; i++) wrong[i] = (wrong[i] & right[i]) | (((MASK){0} + (WHOLE)epoch) & ~right[i]);
      if (row >= 0) {
        OF(record)(S, p->loss, (REAL *)p->losses + row * p->stride, 1, p->stride, p->columns + r, lanes);
        if (p->testing) OF(record)(S, p->test_loss, (REAL *)p->test_losses + row * p->stride, 1, p->stride, p->columns + r, lanes);
        for (int i = 0; i < COUNT; i++) bad[i] += SLOT(p->loss)[i] - SLOT(p->loss)[i];
        if (is_careful) for (int i = 0; i < lanes; i++) if (((REAL *)bad)[i] != 0 && left[i] < 0) {
          left[i] = p->diverged_at[r + i] = (int32_t)epoch;
          OF(leave)(p, S, SLOT(p->theta), wrong, r, i);
          NUMBERS(p->sound)[i] = 0;
        }
      }
      if (p->stop) {
        OF(fill)(S, p->epoch, (REAL)epoch);
        for (int i = 0; i < COUNT; i++) SLOT(p->right)[i] = __builtin_convertvector(-right[i], VECTOR);
        OF(execute)(p->code + p->stop, S);
        for (int i = 0; i < lanes; i++) if (left[i] < 0 && NUMBERS(p->stops)[i] != 0) {
          if (OF(broken)(p, S, i) >= 0 || ((REAL *)bad)[i] != 0) continue; /* the end of the window finds it */
          left[i] = (int32_t)epoch + 1;
          OF(leave)(p, S, SLOT(p->theta), wrong, r, i);
        }
      }
      if (epoch == p->final) continue; /* nothing is updated after the last epoch */
      if (p->factors) for (long k = 0; k < p->rates; k++) for (int i = 0; i < TILE; i++)
        NUMBERS(p->rate + k)[i] = NUMBERS(p->setting + k)[i] * ((const REAL *)p->factors)[at * p->runs + r + (i < lanes ? i : lanes - 1)];
      if (p->is_full_batch) OF(execute)(p->code + p->update, S);
      else OF(batches)(p, S, p->order ? p->order + at * p->ordered * p->runs : 0, r, lanes);
    }
    for (int i = 0; i < lanes; i++) {
      if (left[i] < 0) OF(leave)(p, S, SLOT(p->theta), wrong, r, i);
      p->left[r + i] = left[i];
    }
  }
  free(memory);
  return 0;
}
#undef COUNT
#undef SLOT
#undef NUMBERS
#undef LANE
#undef OUTSIDE
#undef PREFIX
#undef TILE
