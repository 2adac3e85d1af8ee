#include "plugins/common/propagate_hops.h"

namespace rec::plugin {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

float* data_of(const Tensor& tensor) { return tensor.data_ptr<float>(); }

// Calls copy with row rows[s] of hops [H, n, d] and row s of nodes [rows, H, d].
template <class Copy>
void over_nodes(const std::vector<int32_t>& rows, const Tensor& hops, const Tensor& nodes, Copy copy) {
  const int64_t H = hops.size(0), n = hops.size(1), d = hops.size(2);
  for (size_t s = 0; s < rows.size(); ++s)
    for (int64_t h = 0; h < H; ++h)
      copy(data_of(hops) + (h * n + rows[s]) * d, data_of(nodes) + (static_cast<int64_t>(s) * H + h) * d, d);
}

class PropagateHops : public torch::autograd::Function<PropagateHops> {
 public:
  static variable_list forward(AutogradContext* ctx, const Tensor& users, const Tensor& items, const Context* context,
                               const BipartiteGraph* graph, int64_t L, const std::vector<int32_t>* user_rows,
                               const std::vector<int32_t>* item_rows) {
    ctx->saved_data["context"] = reinterpret_cast<int64_t>(context);
    ctx->saved_data["graph"] = reinterpret_cast<int64_t>(graph);
    ctx->saved_data["user_rows"] = reinterpret_cast<int64_t>(user_rows);
    ctx->saved_data["item_rows"] = reinterpret_cast<int64_t>(item_rows);
    ctx->saved_data["n_users"] = users.size(0);
    ctx->saved_data["n_items"] = items.size(0);
    const int64_t d = users.size(1);
    const Tensor U = at::empty({L + 1, users.size(0), d}, users.options());
    const Tensor I = at::empty({L + 1, items.size(0), d}, items.options());
    U[0].copy_(users);
    I[0].copy_(items);
    for (int64_t l = 0; l < L; ++l) {
      graph->propagate_to_users(*context, data_of(I[l]), d, nullptr, data_of(U[l + 1]));
      graph->propagate_to_items(*context, data_of(U[l]), d, nullptr, data_of(I[l + 1]));
      context->throw_if_cancelled();
    }
    const auto gather = [&](const std::vector<int32_t>& rows, const Tensor& hops) {
      const Tensor nodes = at::empty({std::ssize(rows), L + 1, d}, hops.options());
      over_nodes(rows, hops, nodes, [](const float* hop, float* node, int64_t n) { std::copy_n(hop, n, node); });
      return nodes;
    };
    return {gather(*user_rows, U), gather(*item_rows, I)};
  }

  // g_L = dE_L,  g_l = A_hat g_{l+1} + dE_l,  dL/dE_0 = g_0.
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto& context = *saved<Context>(ctx, "context");
    const auto& graph = *saved<BipartiteGraph>(ctx, "graph");
    const int64_t L = grads[0].size(1) - 1, d = grads[0].size(2);
    const auto scatter = [&](const std::vector<int32_t>& rows, const Tensor& nodes, int64_t n) {
      const Tensor hops = at::zeros({L + 1, n, d}, nodes.options());
      over_nodes(rows, hops, nodes.contiguous(),
                 [](float* hop, const float* node, int64_t m) { std::copy_n(node, m, hop); });
      return hops;
    };
    const Tensor dU =
        scatter(*saved<std::vector<int32_t>>(ctx, "user_rows"), grads[0], ctx->saved_data["n_users"].toInt());
    const Tensor dI =
        scatter(*saved<std::vector<int32_t>>(ctx, "item_rows"), grads[1], ctx->saved_data["n_items"].toInt());
    Tensor u = dU[L], i = dI[L];
    for (int64_t l = L - 1; l >= 0; --l) {
      Tensor next_u = at::empty_like(u), next_i = at::empty_like(i);
      graph.propagate_to_users(context, data_of(i), d, data_of(dU[l]), data_of(next_u));
      graph.propagate_to_items(context, data_of(u), d, data_of(dI[l]), data_of(next_i));
      u = next_u;
      i = next_i;
    }
    return {u, i, Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }

 private:
  template <class T>
  static const T* saved(AutogradContext* ctx, const char* name) {
    return reinterpret_cast<const T*>(ctx->saved_data[name].toInt());
  }
};

}  // namespace

std::pair<Tensor, Tensor> propagate_hops(const Context& context, const BipartiteGraph& graph, const Tensor& users,
                                         const Tensor& items, int64_t n_layers, const std::vector<int32_t>& user_rows,
                                         const std::vector<int32_t>& item_rows) {
  const variable_list nodes = PropagateHops::apply(users, items, &context, &graph, n_layers, &user_rows, &item_rows);
  return {nodes[0], nodes[1]};
}

}  // namespace rec::plugin
