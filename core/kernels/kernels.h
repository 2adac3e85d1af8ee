#pragma once

#include <cstdint>

// Hot loops, written once and compiled per instruction set; every level gives the same bits.
//
// Matrices are compact and row-major. Every function works on the range [begin, end) of its rows on the calling thread
// and allocates nothing; callers cut ranges into chunks that depend on the number of rows only. Pointers are non-null
// unless said otherwise; d >= 1 is any value. Row ids are trusted to be in range: callers check them first.
namespace rec::kernels {

// y[r] = row_scale[r] * sum over the row's columns c of column_scale[c] * x[c]  +  addend_scale * addend[r].
// Bits: acc = fma(column_scale[c], x[c], acc) from 0 in the order given (acc + x[c] without a scale), then one product
// with row_scale, then fma(addend_scale, addend, that).
struct Propagation {
  const int64_t* offsets = nullptr;     // [n_rows + 1]
  const int32_t* columns = nullptr;     // [n_edges]
  const float* row_scale = nullptr;     // [n_rows], nullable
  const float* column_scale = nullptr;  // [n_columns], nullable
  const float* x = nullptr;             // [n_columns, d]
  const float* addend = nullptr;        // [n_rows, d], nullable; may be y itself
  float addend_scale = 1;
  float* y = nullptr;  // [n_rows, d]
  int64_t d = 0;
  const int32_t* row_list = nullptr;  // nullable: only these rows, and begin and end count into this list
};

// y[rows[i]] = sum over entries e of group i of weights[e] * x[columns[e]], the chain in the order given; it starts
// from y's value if `accumulate`, else from 0.
struct WeightedRows {
  const int64_t* offsets = nullptr;  // [n_groups + 1]
  const int32_t* columns = nullptr;  // [n_entries]
  const float* weights = nullptr;    // [n_entries]
  const float* x = nullptr;          // [n_columns, d]
  float* y = nullptr;                // [n_rows, d]
  int64_t d = 0;
  const int32_t* rows = nullptr;  // [n_groups], nullable: group i writes row i
  bool accumulate = false;
};

// scores[b, c] = user_table[users[b]] . item_table[items[b, c]]
struct PairScores {
  const int32_t* users = nullptr;     // [B]
  const int32_t* items = nullptr;     // [B, C]
  const float* user_table = nullptr;  // [n_users, d]
  const float* item_table = nullptr;  // [n_items, d]
  float* scores = nullptr;            // [B, C]
  int64_t n_candidates = 0;           // C
  int64_t d = 0;
};

// Items in tiles of 16: dimension-major inside a tile, the last one padded with zeros; element (i, j) of the table is
// tiles[(i / 16 * d + j) * 16 + i % 16].
inline constexpr int64_t kTileItems = 16;
int64_t tile_count(int64_t n_items);
// Number of floats in the tiles of n_items.
int64_t tiled_size(int64_t n_items, int64_t d);
// Writes tiles [tile_begin, tile_end).
void tile_items(const float* items, int64_t n_items, int64_t d, float* tiles, int64_t tile_begin, int64_t tile_end);

// scores[q, i - 16 * tile_begin] = queries[q] . item i, for the items of tiles [tile_begin, tile_end), padding included
// (it scores as zeros do).
struct TileScores {
  const float* queries = nullptr;  // [n_queries, d]
  int64_t n_queries = 0;
  const float* tiles = nullptr;
  int64_t d = 0;
  float* scores = nullptr;  // [n_queries, stride]
  int64_t stride = 0;       // >= 16 * (tile_end - tile_begin)
};

// Which items may be ranked.
struct ItemFilter {
  const int64_t* exclude_offsets = nullptr;  // [n_queries + 1], nullable
  const int32_t* exclude_rows = nullptr;     // ascending within a query
  const uint8_t* allow = nullptr;            // nullable; bit i % 8 of byte i / 8
  const uint8_t* deny = nullptr;             // nullable
};

// The k best items of each query by (score descending, row ascending). NaN and -INFINITY are never ranked; k may exceed
// the number of items; a score of -0 is reported as 0.
struct TopK {
  const float* queries = nullptr;  // [n_queries, d]
  const float* tiles = nullptr;
  int64_t n_items = 0;
  int64_t d = 0;
  ItemFilter filter;
  int64_t k = 0;
  int64_t* rows = nullptr;  // [n_queries, k], padded with -1
  float* scores = nullptr;  // [n_queries, k], padded with -INFINITY
  void* scratch = nullptr;  // top_k_scratch_bytes(n_items, k), 8-byte aligned, one per concurrent call
};

// The same selection over given scores.
struct TopKOfScores {
  const float* item_scores = nullptr;  // [n_queries, n_items]
  int64_t n_items = 0;
  ItemFilter filter;
  int64_t k = 0;
  int64_t* rows = nullptr;
  float* scores = nullptr;
  void* scratch = nullptr;
};
int64_t top_k_scratch_bytes(int64_t n_items, int64_t k);

// Losses over scores [B, C], column 0 the positive. Each writes the gradient of the MEAN loss and returns its rows'
// share of that mean, so that the shares of all chunks, added in order, give the loss.
struct ScoreLoss {
  const float* scores = nullptr;  // [B, C]
  float* dscores = nullptr;       // [B, C]
  int64_t n_candidates = 0;       // C; >= 2 for the BPR family
  int64_t n_rows_total = 0;       // B
  float gamma = 1e-10f;           // bpr_log only
};

// Constants of one Adam step t.
struct AdamStep {
  float step_size;       // lr / (1 - beta1^t)
  float inv_sqrt_bias2;  // 1 / sqrt(1 - beta2^t)
};
inline const AdamStep& step_at(const AdamStep* steps, int64_t n_steps, int64_t t) {
  return steps[t < n_steps ? t : n_steps - 1];
}
// Fills table[1 .. n_steps] (table[0] is unused) for a constant learning rate.
void adam_steps(double lr, double beta1, double beta2, int64_t n_steps, AdamStep* table);

// Adam with coupled weight decay over the listed rows of a table [n, d], bit for bit like dense Adam: a row's missed
// steps, in which its gradient was zero, are replayed first. The bits of one step:
//   g = fma(weight_decay, param, g) if there is decay;  m = fma(beta1, m, (1 - beta1) g);
//   v = fma(beta2, v, ((1 - beta2) g) g);  param = fma(-step_size, m / fma(sqrt(v), inv_sqrt_bias2, epsilon), param).
struct AdamRows {
  float* param = nullptr;  // [n, d]
  float* m = nullptr;      // [n, d]
  float* v = nullptr;      // [n, d]
  int64_t d = 0;
  const int32_t* row_ids = nullptr;  // nullable = all rows; distinct
  const float* grads = nullptr;      // [n_listed, d], nullable = zero gradients: catch up
  int64_t* last_step = nullptr;      // [n], the step each row has reached; set to `step`
  const AdamStep* steps = nullptr;   // [n_steps]; step sizes never grow with t, and stay from the last on
  int64_t n_steps = 0;               // >= 2
  int64_t step = 0;                  // t
  float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f, weight_decay = 0;
};

// One Adam step of the listed rows only; the moments of the others are frozen.
struct LazyAdamRows {
  float* param = nullptr;  // [n, d]
  float* m = nullptr;      // [n, d]
  float* v = nullptr;      // [n, d]
  int64_t d = 0;
  const int32_t* row_ids = nullptr;  // nullable = all rows; distinct
  const float* grads = nullptr;      // [n_listed, d]
  AdamStep step{};                   // of the global step; {lr, 1} is Adam without bias correction
  float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f, weight_decay = 0;
};

// g = fma(weight_decay, param, g) if there is decay. sgd: param = fma(-lr, g, param).
// adagrad: acc = fma(g, g, acc), scaled = g / (sqrt(acc) + epsilon), or g / sqrt(acc + epsilon) if epsilon_inside;
// param = fma(-lr, scaled, param), or with a velocity: velocity = fma(momentum, velocity, -lr scaled), param += velocity.
struct GradientRows {
  float* param = nullptr;        // [n, d]
  float* accumulator = nullptr;  // [n, d], adagrad only
  int64_t d = 0;
  const int32_t* row_ids = nullptr;  // nullable = all rows; distinct
  const float* grads = nullptr;      // [n_listed, d]
  float lr = 0, weight_decay = 0, epsilon = 1e-10f;
  float* velocity = nullptr;  // [n, d], nullable; adagrad only
  float momentum = 0;
  bool epsilon_inside = false;
};

// c[i, j] = fma(-a[i, p], b[p, j], c[i, j]) for p ascending. c overlaps neither a nor b.
struct RankUpdate {
  double* c = nullptr;  // [m, ldc]
  int64_t ldc = 0;
  const double* a = nullptr;  // [m, lda]
  int64_t lda = 0;
  const double* b = nullptr;  // [k, ldb]
  int64_t ldb = 0;
  int64_t n = 0, k = 0;
};

// c[i, j] = fma(a[i, p], b[p, j], c[i, j]) for p ascending, from 0 unless `accumulate`.
struct Product {
  const float* a = nullptr;  // a[i, p] is a[i * a_row + p * a_column]
  int64_t a_row = 0, a_column = 1;
  const float* b = nullptr;  // [k, ldb]
  int64_t ldb = 0;
  float* c = nullptr;  // [m, ldc]
  int64_t ldc = 0;
  int64_t n = 0, k = 0;
  bool accumulate = false;
};

// Systems a[s] x = b[s] with a[s] symmetric positive definite.
template <class T>
struct Systems {
  T* a = nullptr;  // [n, d, d]; only the upper triangle of each is read, and overwritten
  T* b = nullptr;  // [n, d]; receives x
  int64_t d = 0;
};

// Augmented negative sampling; for the arrays see rec_augment_t in rec_plugin_api.h. The caller sums the rows' shares.
struct Augment {
  int64_t n_rows = 0, n_candidates = 0, n_hops = 0, d = 0;
  const int32_t *user_slots = nullptr, *item_slots = nullptr;
  const float *users = nullptr, *user_gates = nullptr, *items = nullptr, *item_gates = nullptr;
  const float *margin_weight = nullptr, *margin_bias = nullptr, *noise = nullptr;
  float eps = 0, noise_scale = 0, margin_eps = 0;
  double gamma = 0;
  float *d_users = nullptr, *d_user_gates = nullptr, *d_items = nullptr, *d_item_gates = nullptr;
  int32_t* selected = nullptr;
  float* d_margin = nullptr;  // [n_rows, d + 1] each row's share of the gradient of weight and bias
  double* losses = nullptr;   // [n_rows, 4] each row's share
};
// Number of floats of scratch that a call needs.
int64_t augment_scratch(const Augment& a);

// Uniform floats in [0, 1) of 24 bits from the blocks of Philox4x32-10 from `counter` on, four a block.
struct PhiloxFloats {
  uint32_t counter[4], key[2];
};

struct KernelTable {
  const char* name;
  void (*propagate_rows)(const Propagation&, int64_t begin, int64_t end);
  void (*weighted_rows)(const WeightedRows&, int64_t begin, int64_t end);
  void (*pair_scores)(const PairScores&, int64_t begin, int64_t end);
  void (*score_tiles)(const TileScores&, int64_t tile_begin, int64_t tile_end);
  void (*top_k)(const TopK&, int64_t query_begin, int64_t query_end);
  void (*top_k_of_scores)(const TopKOfScores&, int64_t query_begin, int64_t query_end);
  double (*bpr_softplus)(const ScoreLoss&, int64_t begin, int64_t end);  // mean over all B (C - 1) pairs
  double (*bpr_log)(const ScoreLoss&, int64_t begin, int64_t end);       // the same, -ln(gamma + sigmoid)
  double (*bpr_multi)(const ScoreLoss&, int64_t begin, int64_t end);     // mean over rows
  double (*bce_logits)(const ScoreLoss&, int64_t begin, int64_t end);    // column 0 label 1; mean over all B C entries
  double (*softmax_ce)(const ScoreLoss&, int64_t begin, int64_t end);    // column 0 the target, mean over rows
  void (*adam_rows)(const AdamRows&, int64_t begin, int64_t end);
  void (*lazy_adam_rows)(const LazyAdamRows&, int64_t begin, int64_t end);
  void (*sgd_rows)(const GradientRows&, int64_t begin, int64_t end);
  void (*adagrad_rows)(const GradientRows&, int64_t begin, int64_t end);
  void (*rank_update_f64)(const RankUpdate&, int64_t begin_row, int64_t end_row);
  void (*product)(const Product&, int64_t begin_row, int64_t end_row);
  // Return -1, or the first system of the range that is not positive definite.
  int64_t (*solve_f64)(const Systems<double>&, int64_t begin, int64_t end);
  int64_t (*solve_f32)(const Systems<float>&, int64_t begin, int64_t end);
  void (*augment_rows)(const Augment&, float* scratch, int64_t begin, int64_t end);
  void (*transpose)(const float* a, int64_t rows, int64_t columns, float* out);  // out [columns, rows]
  void (*philox_floats)(const PhiloxFloats&, float* out, int64_t n);             // n is a multiple of 64
  // y[i] = f(x[i]), within 2 ulp; x may be y.
  void (*exp)(const float* x, float* y, int64_t n);
  void (*log)(const float* x, float* y, int64_t n);
  void (*log1p)(const float* x, float* y, int64_t n);
  void (*sigmoid)(const float* x, float* y, int64_t n);
  void (*tanh)(const float* x, float* y, int64_t n);  // within 2e-7 of 1
};

enum class Level { kScalar, kAvx2, kAvx512 };

// nullptr when this build or this CPU lacks the level.
const KernelTable* table(Level level);
// The table of the highest level that this CPU supports.
const KernelTable& fastest();

}  // namespace rec::kernels
