#pragma once

#include "plugins/autocf/attention.h"
#include "recore/plugin_torch.h"

namespace rec::autocf {

using at::Tensor;
using plugin::Context;

// Y = D^-1/2 A D^-1/2 X of a symmetric pattern, or A X without its scales.
Tensor propagate(const Context& context, const Pattern& pattern, bool scaled, const Tensor& x);

// Queries, keys and values of one decoder layer: X W, W [d, d].
struct GraphTransformer {
  Tensor q, k, v;
};
Tensor attend(const Context& context, const Pattern& pattern, const GraphTransformer& layer, int64_t n_heads,
              const Tensor& x);

// score_v = ln sigmoid(nrm(g_v) . nrm(E0_v)) + Gumbel noise: how much a node is like its two-hop neighbourhood.
Tensor center_scores(const Context& context, const Pattern& adjacency, const Tensor& E0, const Tensor& uniform);

// Sum of all layers: gcn_layer propagations over the encoder's graph, then the decoder layers.
Tensor encode(const Context& context, const Pattern& encoder, const Pattern& decoder, int64_t gcn_layer,
              const std::vector<GraphTransformer>& layers, int64_t n_heads, const Tensor& E0);

// mean over the rows a of anchors of ln sum over the rows t of table of exp(a . t); only a few blocks of the scores are
// in memory at a time.
Tensor mean_log_sum_exp(const Context& context, const Tensor& anchors, const Tensor& table);

struct Terms {
  Tensor pred, contrast_user, contrast_item, contrast_cross, reg;

  Tensor total(double ssl_reg) const { return pred + reg + ssl_reg * (contrast_user + contrast_item) + contrast_cross; }
};
// users, items: final embeddings; u, i: the batch's rows with repetitions; distinct_u, distinct_i: each row once.
Terms losses(const Context& context, const Tensor& users, const Tensor& items, const Tensor& u, const Tensor& i,
             const Tensor& distinct_u, const Tensor& distinct_i, const std::vector<Tensor>& parameters, double reg);

}  // namespace rec::autocf
