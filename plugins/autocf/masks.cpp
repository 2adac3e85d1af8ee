#include "plugins/autocf/masks.h"

namespace rec::autocf {

namespace {

void sort_unique(std::vector<int32_t>& nodes) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

// (deg + eps)^-1/2; a row without entries is never read.
void scale_by_degree(Pattern& pattern, double eps) {
  pattern.scale.resize(pattern.n());
  for (int64_t r = 0; r < pattern.n(); ++r) {
    const auto degree = static_cast<double>(pattern.offsets[r + 1] - pattern.offsets[r]);
    pattern.scale[r] = degree > 0 ? static_cast<float>(1 / std::sqrt(degree + eps)) : 0.f;
  }
}

// Rows are visited in order, so the entries of column c are met in the order of those of row c.
void find_mirrors(Pattern& pattern) {
  std::vector<int64_t> next(pattern.offsets.begin(), pattern.offsets.end() - 1);
  pattern.mirror.resize(pattern.columns.size());
  for (int64_t r = 0; r < pattern.n(); ++r)
    for (int64_t e = pattern.offsets[r]; e < pattern.offsets[r + 1]; ++e)
      pattern.mirror[e] = static_cast<int32_t>(next[pattern.columns[e]]++);
}

}  // namespace

Pattern adjacency_with_loops(const rec_dataset_view_t& view) {
  const int64_t n_users = view.graph_users.n_rows, n_items = view.graph_items.n_rows;
  Pattern out;
  for (int64_t u = 0; u < n_users; ++u) {
    out.columns.push_back(static_cast<int32_t>(u));
    for (int64_t e = view.graph_users.offsets[u]; e < view.graph_users.offsets[u + 1]; ++e)
      out.columns.push_back(static_cast<int32_t>(n_users + view.graph_users.columns[e]));
    out.offsets.push_back(std::ssize(out.columns));
  }
  for (int64_t i = 0; i < n_items; ++i) {
    for (int64_t e = view.graph_items.offsets[i]; e < view.graph_items.offsets[i + 1]; ++e)
      out.columns.push_back(view.graph_items.columns[e]);
    out.columns.push_back(static_cast<int32_t>(n_users + i));
    out.offsets.push_back(std::ssize(out.columns));
  }
  scale_by_degree(out, 0);
  find_mirrors(out);
  return out;
}

Masks draw_masks(const Pattern& adjacency, const std::vector<int64_t>& seeds, const MaskOptions& options,
                 const DrawFn& draw) {
  const int64_t N = adjacency.n();
  const auto begin = [&](int64_t r) { return adjacency.offsets[r]; };
  const auto column = [&](int64_t e) { return adjacency.columns[e]; };
  Masks out;

  // An entry is removed with the first of its ends, so it remains as long as neither end is removed.
  std::vector<char> removed(N);
  std::vector<int32_t> current(seeds.begin(), seeds.end());
  out.pool = current;
  for (int64_t depth = 0; depth < options.mask_depth; ++depth) {
    std::vector<int32_t> next;
    for (int32_t node : current) {
      if (removed[node] != 0) continue;
      for (int64_t e = begin(node); e < begin(node + 1); ++e)
        if (removed[column(e)] == 0) next.push_back(column(e));
      removed[node] = 1;
    }
    if (depth + 1 == options.mask_depth) break;  // the last round's neighbours are not masked
    sort_unique(next);
    out.pool.insert(out.pool.end(), next.begin(), next.end());
    current = std::move(next);
  }
  const auto n_keep = static_cast<int64_t>(std::floor(static_cast<double>(N) * options.keep_rate));
  for (int64_t node : draw(Draw::kKeep, n_keep, N)) out.pool.push_back(static_cast<int32_t>(node));
  sort_unique(out.pool);

  // Decoder: as many random ordered pairs as there were entries, each in both directions.
  std::vector<int64_t> keys;  // row * N + column
  const auto n_pool = std::ssize(out.pool);
  const std::vector<int64_t> rows = draw(Draw::kPairRows, adjacency.nnz(), n_pool);
  const std::vector<int64_t> columns = draw(Draw::kPairColumns, adjacency.nnz(), n_pool);
  keys.reserve(3 * rows.size() + N);
  for (size_t p = 0; p < rows.size(); ++p) {
    const int64_t a = out.pool[rows[p]], b = out.pool[columns[p]];
    keys.push_back(a * N + b);
    keys.push_back(b * N + a);
  }
  for (int64_t r = 0; r < N; ++r) {
    keys.push_back(r * N + r);
    for (int64_t e = begin(r); e < begin(r + 1); ++e) {
      if (removed[r] != 0 || removed[column(e)] != 0) continue;
      out.encoder.columns.push_back(column(e));
      keys.push_back(r * N + column(e));
    }
    out.encoder.offsets.push_back(std::ssize(out.encoder.columns));
  }
  scale_by_degree(out.encoder, 1e-12);

  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  size_t at = 0;
  for (int64_t r = 0; r < N; ++r) {
    for (; at < keys.size() && keys[at] < (r + 1) * N; ++at)
      out.decoder.columns.push_back(static_cast<int32_t>(keys[at] - r * N));
    out.decoder.offsets.push_back(std::ssize(out.decoder.columns));
  }
  find_mirrors(out.decoder);
  return out;
}

}  // namespace rec::autocf
