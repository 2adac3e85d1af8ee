#pragma once

#include "plugins/common/graph.h"
#include "recore/plugin_torch.h"

namespace rec::plugin {

// The listed rows, each once, of E_0 .. E_L, E_{l+1} = A_hat E_l: [rows, L + 1, d] of users and of items. A_hat is
// symmetric, so the backward pass is the same product; all arguments must live until then.
std::pair<Tensor, Tensor> propagate_hops(const Context& context, const BipartiteGraph& graph, const Tensor& users,
                                         const Tensor& items, int64_t n_layers, const std::vector<int32_t>& user_rows,
                                         const std::vector<int32_t>& item_rows);

}  // namespace rec::plugin
