#pragma once

#include "rec_plugin_cpp.h"

namespace rec::itemknn {

using plugin::Batch;
using plugin::Context;

// The weight of a user in an item's vector of users: 1; or less for a user of many items, and then also for an item of many
// users.
enum class Weighting { kNone, kTfIdf, kBm25 };

// Each item's most similar items by their users; score(u, i) = sum over the user's items among the neighbours of i. Sarwar et
// al., WWW 2001; the weights of Spärck Jones, Journal of Documentation 1972, and Robertson & Zaragoza, FnTIR 2009.
class ItemKnn : public plugin::Model {
 public:
  struct Options {
    int64_t n_neighbors;
    double shrink;
    Weighting weighting;
    double bm25_k1, bm25_b;

    void declare(plugin::Fields& field);
  };
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  ItemKnn(const Options& options, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  void append_state(std::vector<plugin::TensorRef>& out) override;
  void freeze(const Context& context) override;
  void item_weights(rec_csr_t& csr, const float*& weights) const override;

 private:
  void weigh();
  void find_neighbors(int32_t item, std::vector<double>& overlaps, std::vector<int32_t>& met, int32_t* neighbors,
                      float* similarities) const;

  int64_t n_items_, n_neighbors_;
  double shrink_, bm25_k1_, bm25_b_;
  Weighting weighting_;
  rec_csr_t users_{}, items_{};
  std::vector<double> user_weights_;  // [n_users] the square of a user's weight
  std::vector<double> norms_;         // [n_items] square of the length of an item's vector
  std::vector<double> gains_;         // [n_items] bm25: the factor of all its weights
  std::vector<int32_t> neighbors_;   // [n_items, n_neighbors], padded with -1
  std::vector<float> similarities_;  // [n_items, n_neighbors]
  std::vector<int32_t> batch_items_, batch_neighbors_;
  std::vector<float> batch_similarities_;
  std::vector<int64_t> offsets_;  // transposed: row h, the items it is a neighbour of
  std::vector<int32_t> columns_;
  std::vector<float> weights_;
};

}  // namespace rec::itemknn
