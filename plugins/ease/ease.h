#pragma once

#include <algorithm>

#include "rec_plugin_cpp.h"

namespace rec::ease {

using plugin::Batch;
using plugin::Context;

// A linear item-item model in closed form. H. Steck: "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
//   G = X'X + lambda I,  P = G^-1,  B_ij = -P_ij / P_jj for i != j, 0 on the diagonal;  score(u, i) = sum_h B_hi
// -P is computed in place by sweeping one panel of rows per batch (the sweep operator of Beaton, 1964, by blocks), which keeps
// the matrix symmetric: only its upper triangle is read and changed. A checkpoint holds just the matrix.
class Ease : public plugin::Model {
 public:
  struct Options {
    double lambda;

    void declare(plugin::Fields& field);
  };
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  Ease(const Options& options, const rec_schema_t& schema);

  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  void append_state(std::vector<plugin::TensorRef>& out) override;
  void restored() override { started_ = true; }
  void freeze(const Context& context) override;
  void item_weights(rec_csr_t& csr, const float*& weights) const override;

 private:
  void invert_pivot();
  size_t upper(int64_t i, int64_t j) const { return static_cast<size_t>(std::min(i, j) * n_ + std::max(i, j)); }

  int64_t n_;
  double lambda_;
  bool started_ = false;            // the matrix came from a checkpoint
  std::vector<double> matrix_;            // [n, n], upper triangle: first G, finally -P
  int64_t first_ = 0, width_ = 0;         // the panel
  std::vector<double> pivot_;             // [width, width] inverse of the pivot block
  std::vector<double> pivot_rows_;        // [width, n] pivot * rows of the panel
  std::vector<double> columns_of_panel_;  // [n, width] as they were
  std::vector<int64_t> offsets_;
  std::vector<int32_t> columns_;
  std::vector<float> weights_;
};

}  // namespace rec::ease
