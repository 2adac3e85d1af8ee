#pragma once

#include "rec_plugin_cpp.h"

namespace rec::plugin {

// D^-1/2 of a graph's rows, 0 for isolated nodes; eps is added to the degrees.
std::vector<float> inverse_sqrt_degrees(const rec_csr_t& graph, double eps);

// The columns of the listed rows, ascending and each once.
void neighbours(const rec_csr_t& graph, const std::vector<int32_t>& rows, std::vector<int32_t>& out);

// A_hat = D^-1/2 A D^-1/2 of the user-item graph as a pattern and two scale vectors.
struct BipartiteGraph {
  rec_csr_t users{}, items{};
  std::vector<float> user_scale, item_scale;

  void bind(const rec_dataset_view_t& view, double eps);
  // users_out = A_hat items (+ addend), [n_users, d]; the other way round for propagate_to_items.
  void propagate_to_users(const Context& context, const float* items, int64_t d, const float* addend, float* out) const;
  void propagate_to_items(const Context& context, const float* users, int64_t d, const float* addend, float* out) const;
};

}  // namespace rec::plugin
