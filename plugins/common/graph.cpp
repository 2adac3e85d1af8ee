#include "plugins/common/graph.h"

namespace rec::plugin {

std::vector<float> inverse_sqrt_degrees(const rec_csr_t& graph, double eps) {
  std::vector<float> scale(graph.n_rows);
  for (int64_t r = 0; r < graph.n_rows; ++r) {
    const auto degree = static_cast<double>(graph.offsets[r + 1] - graph.offsets[r]);
    scale[r] = degree > 0 ? static_cast<float>(1 / std::sqrt(degree + eps)) : 0.f;
  }
  return scale;
}

void neighbours(const rec_csr_t& graph, const std::vector<int32_t>& rows, std::vector<int32_t>& out) {
  std::vector<uint8_t> is_near(graph.n_columns);
  for (int32_t row : rows)
    for (int64_t e = graph.offsets[row]; e < graph.offsets[row + 1]; ++e) is_near[graph.columns[e]] = 1;
  out.clear();
  for (size_t c = 0; c < is_near.size(); ++c)
    if (is_near[c] != 0) out.push_back(static_cast<int32_t>(c));
}

void BipartiteGraph::bind(const rec_dataset_view_t& view, double eps) {
  users = view.graph_users;
  items = view.graph_items;
  user_scale = inverse_sqrt_degrees(users, eps);
  item_scale = inverse_sqrt_degrees(items, eps);
}

void BipartiteGraph::propagate_to_users(const Context& context, const float* from, int64_t d, const float* addend,
                                        float* out) const {
  context.host.propagate(context.call, &users, user_scale.data(), item_scale.data(), from, d, addend, 1, out, nullptr,
                         0);
}

void BipartiteGraph::propagate_to_items(const Context& context, const float* from, int64_t d, const float* addend,
                                        float* out) const {
  context.host.propagate(context.call, &items, item_scale.data(), user_scale.data(), from, d, addend, 1, out, nullptr,
                         0);
}

}  // namespace rec::plugin
