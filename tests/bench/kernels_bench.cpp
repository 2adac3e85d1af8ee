// Throughput of the kernels on one thread, compared with the machine's limits, which the first two rows measure.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/rng.h"
#include "core/kernels/kernels.h"

namespace rec::kernels {
namespace {

Buffer<float> random_floats(int64_t n, uint64_t seed, float scale = 1) {
  Rng rng(seed, RngStream::kInit);
  auto values = Buffer<float>::uninitialized(n);
  for (float& x : values) x = scale * rng.next_normal();
  return values;
}

const KernelTable* level_of(benchmark::State& state) {
  const KernelTable* level = table(static_cast<Level>(state.range(0)));
  if (level == nullptr) return state.SkipWithError("not on this machine"), nullptr;
  state.SetLabel(level->name);
  return level;
}

void set_flops(benchmark::State& state, double flops) {
  state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}
void set_bytes(benchmark::State& state, double bytes) {
  state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

// Everything in the first-level cache and in registers: what the multiply-add units reach in such a kernel.
void fma_peak(benchmark::State& state) {
  const KernelTable* level = level_of(state);
  if (level == nullptr) return;
  const int64_t d = 64, n_queries = 12, n_items = 32;
  const auto queries = random_floats(n_queries * d, 1), tiles = random_floats(n_items * d, 2);
  Buffer<float> scores(n_queries * n_items);
  for (auto _ : state) {
    level->score_tiles({queries.data(), n_queries, tiles.data(), d, scores.data(), n_items}, 0, n_items / kTileItems);
    benchmark::ClobberMemory();
  }
  set_flops(state, 2.0 * d * n_queries * n_items);
}
BENCHMARK(fma_peak)->Arg(1)->Arg(2);

// Rows of 64 floats read in random order from a table of the given size: the limit of a propagation.
void random_row_reads(benchmark::State& state) {
  const int64_t d = 64, n = state.range(0), n_reads = 1 << 20;
  const auto x = random_floats(n * d, 1);
  Rng rng(2, RngStream::kNegatives);
  std::vector<int32_t> rows(n_reads);
  for (auto& row : rows) row = static_cast<int32_t>(rng.next_below(static_cast<uint32_t>(n)));
  for (auto _ : state) {
    // One chain per line, so that the loads are the limit.
    float sum[4] = {};
    for (int32_t row : rows)
      for (int line = 0; line < 4; ++line) sum[line] += x[row * d + 16 * line];
    benchmark::DoNotOptimize(sum);
  }
  set_bytes(state, 256.0 * n_reads);
}
BENCHMARK(random_row_reads)->Arg(9700)->Arg(23394)->Unit(benchmark::kMillisecond);

// A bipartite graph with the degrees of a data set, popularity falling as 1 / rank.
struct Shape {
  const char* name;
  int64_t n_users, n_items;
  double degree;
  int least;
};
constexpr Shape kShapes[] = {{"movielens", 6040, 3660, 58, 10}, {"grocery", 14681, 8713, 4.4, 3}};

struct Graph {
  int64_t n_nodes;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> columns;
  std::vector<float> scale;

  explicit Graph(const Shape& shape) : n_nodes(shape.n_users + shape.n_items) {
    Rng rng(3, RngStream::kSplit);
    std::vector<std::vector<int32_t>> users(shape.n_users), items(shape.n_items);
    std::vector<int32_t> shuffled(items.size());
    std::iota(shuffled.begin(), shuffled.end(), 0);
    for (size_t i = shuffled.size(); i > 1; --i)
      std::swap(shuffled[i - 1], shuffled[rng.next_below(static_cast<uint32_t>(i))]);
    for (size_t u = 0; u < users.size(); ++u) {
      const double activity = std::exp(1.1 * rng.next_normal());
      const int degree = std::clamp(static_cast<int>(shape.degree * activity), shape.least, 1500);
      for (int e = 0; e < degree; ++e) {
        const double rank = static_cast<double>(shape.n_items) * std::pow(rng.next_double(), 2.2);
        users[u].push_back(shuffled[rank]);
      }
      std::sort(users[u].begin(), users[u].end());
      users[u].erase(std::unique(users[u].begin(), users[u].end()), users[u].end());
      for (int32_t i : users[u]) items[i].push_back(static_cast<int32_t>(u));
    }
    const auto append = [&](const std::vector<int32_t>& row, int64_t shift) {
      for (int32_t c : row) columns.push_back(c + static_cast<int32_t>(shift));
      offsets.push_back(std::ssize(columns));
      scale.push_back(1 / std::sqrt(static_cast<float>(std::max<size_t>(row.size(), 1))));
    };
    for (const auto& row : users) append(row, shape.n_users);
    for (const auto& row : items) append(row, 0);
  }
};

void propagate(benchmark::State& state) {
  const KernelTable* level = level_of(state);
  if (level == nullptr) return;
  static const Graph graphs[] = {Graph(kShapes[0]), Graph(kShapes[1])};
  const Graph& graph = graphs[state.range(1)];
  const int64_t d = state.range(2);
  const auto x = random_floats(graph.n_nodes * d, 4);
  Buffer<float> y(graph.n_nodes * d);
  Propagation p;
  p.offsets = graph.offsets.data();
  p.columns = graph.columns.data();
  p.row_scale = p.column_scale = graph.scale.data();
  p.x = x.data();
  p.y = y.data();
  p.d = d;
  for (auto _ : state) level->propagate_rows(p, 0, graph.n_nodes);
  set_bytes(state, 4.0 * static_cast<double>(d) * static_cast<double>(graph.columns.size()));
  state.counters["edges"] = static_cast<double>(graph.columns.size());
  state.SetLabel(std::string(level->name) + " " + kShapes[state.range(1)].name);
}
BENCHMARK(propagate)->ArgsProduct({{1, 2}, {0, 1}, {16, 32, 64, 128}})->Unit(benchmark::kMillisecond);

struct Ranking {
  int64_t n_users = 6040, n_items = 3628, d = 64;
  Buffer<float> users = random_floats(n_users * d, 5), items = random_floats(n_items * d, 6);
  Buffer<float> tiles{tiled_size(n_items, d)};
  Ranking() { tile_items(items.data(), n_items, d, tiles.data(), 0, tile_count(n_items)); }
  double flops() const { return 2.0 * static_cast<double>(n_users * n_items * d); }
};

void score_tiles(benchmark::State& state) {
  const KernelTable* level = level_of(state);
  if (level == nullptr) return;
  const Ranking r;
  const int64_t n_queries = state.range(1), stride = tile_count(r.n_items) * kTileItems;
  Buffer<float> scores(n_queries * stride);
  for (auto _ : state)
    level->score_tiles({r.users.data(), n_queries, r.tiles.data(), r.d, scores.data(), stride}, 0,
                       tile_count(r.n_items));
  set_flops(state, 2.0 * static_cast<double>(n_queries * r.n_items * r.d));
}
BENCHMARK(score_tiles)->ArgsProduct({{1, 2}, {1, 48}})->Unit(benchmark::kMicrosecond);

void full_ranking(benchmark::State& state) {
  const KernelTable* level = level_of(state);
  if (level == nullptr) return;
  const Ranking r;
  const int64_t k = state.range(1), n_excluded = state.range(2);
  Buffer<int64_t> rows(r.n_users * k), offsets(r.n_users + 1);
  Buffer<float> scores(r.n_users * k);
  Buffer<int32_t> excluded(r.n_users * n_excluded);
  for (int64_t u = 0; u <= r.n_users; ++u) offsets[u] = u * n_excluded;
  for (int64_t i = 0; i < excluded.size(); ++i)
    excluded[i] = static_cast<int32_t>((i % n_excluded) * r.n_items / n_excluded);
  Buffer<char> scratch(top_k_scratch_bytes(r.n_items, k));
  const ItemFilter filter{n_excluded > 0 ? offsets.data() : nullptr, excluded.data()};
  const TopK t{r.users.data(), r.tiles.data(), r.n_items, r.d, filter, k, rows.data(), scores.data(), scratch.data()};
  for (auto _ : state) level->top_k(t, 0, r.n_users);
  set_flops(state, r.flops());
}
BENCHMARK(full_ranking)->ArgsProduct({{1, 2}, {20, 100}, {0, 165}})->Unit(benchmark::kMillisecond);

// Args: level, steps missed by each row, whether there is weight decay (without it, rows settle).
void adam(benchmark::State& state) {
  const KernelTable* level = level_of(state);
  if (level == nullptr) return;
  const int64_t n = 4096, d = 64, gap = state.range(1);
  auto param = random_floats(n * d, 7, 0.1f), grads = random_floats(n * d, 8, 1e-3f);
  Buffer<float> m(n * d), v(n * d);
  Buffer<int64_t> last_step(n);
  const int64_t start = 1000;
  std::vector<AdamStep> steps(start + gap + 2);
  adam_steps(1e-3, 0.9, 0.999, start + gap + 1, steps.data());
  AdamRows a{param.data(), m.data(), v.data(), d, nullptr, grads.data(), last_step.data(), steps.data(), std::ssize(steps), 0};
  a.weight_decay = state.range(2) != 0 ? 1e-6f : 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (int64_t& s : last_step) s = start - 1;
    a.step = start;
    level->adam_rows(a, 0, n);
    a.step = start + gap + 1;
    state.ResumeTiming();
    level->adam_rows(a, 0, n);
  }
  state.counters["ns/step of 16"] =
      benchmark::Counter(1e-9 * static_cast<double>(n * d / 16 * (gap + 1)),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["rows/s"] = benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(adam)->ArgsProduct({{1, 2}, {0, 1, 10, 100, 1000}, {0, 1}})->Unit(benchmark::kMicrosecond);

void rank_update(benchmark::State& state) {
  const KernelTable* level = level_of(state);
  if (level == nullptr) return;
  const int64_t n = 3600, m = 128, k = 64;
  Buffer<double> c(m * n, 1.0), a(m * k, 1e-3), b(k * n, 1e-3);
  const RankUpdate u{c.data(), n, a.data(), k, b.data(), n, n, k};
  for (auto _ : state) level->rank_update_f64(u, 0, m);
  set_flops(state, 2.0 * static_cast<double>(n * m * k));
}
BENCHMARK(rank_update)->Arg(1)->Arg(2)->Unit(benchmark::kMicrosecond);

// m, n, k and whether a is transposed, as for a recurrent layer and its weights' gradient.
void product(benchmark::State& state) {
  const KernelTable* level = level_of(state);
  if (level == nullptr) return;
  const int64_t m = state.range(1), n = state.range(2), k = state.range(3);
  const bool transposed = state.range(4) != 0;
  const auto a = random_floats(m * k, 11), b = random_floats(k * n, 12);
  Buffer<float> c(m * n);
  const Product job{a.data(), transposed ? 1 : k, transposed ? m : 1, b.data(), n, c.data(), n, n, k, false};
  for (auto _ : state) level->product(job, 0, m);
  set_flops(state, 2.0 * static_cast<double>(m * n * k));
}
BENCHMARK(product)
    ->ArgsProduct({{1, 2}, {256}, {300}, {100}, {0}})
    ->ArgsProduct({{1, 2}, {256}, {100}, {300}, {0}})
    ->ArgsProduct({{1, 2}, {300}, {64}, {1400}, {1}})
    ->ArgsProduct({{1, 2}, {300}, {100}, {1400}, {1}})
    ->Unit(benchmark::kMicrosecond);

void pair_scores(benchmark::State& state) {
  const KernelTable* level = level_of(state);
  if (level == nullptr) return;
  const Ranking r;
  const int64_t b = 2048, c = state.range(1);
  Rng rng(9, RngStream::kNegatives);
  Buffer<int32_t> users(b), items(b * c);
  for (auto& u : users) u = static_cast<int32_t>(rng.next_below(static_cast<uint32_t>(r.n_users)));
  for (auto& i : items) i = static_cast<int32_t>(rng.next_below(static_cast<uint32_t>(r.n_items)));
  Buffer<float> scores(b * c);
  for (auto _ : state)
    level->pair_scores({users.data(), items.data(), r.users.data(), r.items.data(), scores.data(), c, r.d}, 0, b);
  state.counters["ns/pair"] = benchmark::Counter(
      1e-9 * static_cast<double>(b * c), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(pair_scores)->ArgsProduct({{1, 2}, {2, 100}})->Unit(benchmark::kMicrosecond);

void loss(benchmark::State& state, double (*KernelTable::*function)(const ScoreLoss&, int64_t, int64_t)) {
  const KernelTable* level = level_of(state);
  if (level == nullptr) return;
  const int64_t b = 2048, c = state.range(1);
  const auto scores = random_floats(b * c, 10);
  Buffer<float> slopes(b * c);
  for (auto _ : state) benchmark::DoNotOptimize((level->*function)({scores.data(), slopes.data(), c, b}, 0, b));
  state.counters["ns/score"] = benchmark::Counter(
      1e-9 * static_cast<double>(b * c), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(loss, bpr_softplus, &KernelTable::bpr_softplus)->ArgsProduct({{2}, {2, 100}});
BENCHMARK_CAPTURE(loss, bpr_multi, &KernelTable::bpr_multi)->ArgsProduct({{2}, {2, 100}});
BENCHMARK_CAPTURE(loss, softmax_ce, &KernelTable::softmax_ce)->ArgsProduct({{2}, {2, 2048}});

}  // namespace
}  // namespace rec::kernels
