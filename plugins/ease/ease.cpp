#include "plugins/ease/ease.h"

namespace rec::ease {

void Ease::plan(const Options&, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_ITEMS;
  plan.max_epochs = 1;
  plan.batch_size = 64;
  plan.wants_graph = 1;
  if (schema.n_items > 100000)
    throw plugin::Failure{REC_LIMIT, "ease inverts an items-by-items matrix; " + std::to_string(schema.n_items) +
                                         " items are too many, 100000 is the most. itemknn scales further"};
  plan.memory_bytes = 16 * schema.n_items * schema.n_items;
  plugin::want(plan, {REC_COLUMN_ITEM});
}

Ease::Ease(const Options& options, const rec_schema_t& schema) : n_(schema.n_items), lambda_(options.lambda) {
  matrix_.resize(n_ * n_);
}

// G_ij = number of users who have both; row i is counted from the users of i.
void Ease::bind(const Context& context, const rec_dataset_view_t& view) {
  if (started_) return;
  const rec_csr_t &users = view.graph_users, &items = view.graph_items;
  plugin::parallel_for(context, n_, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double* row = matrix_.data() + i * n_;
      std::fill_n(row, n_, 0.0);
      for (int64_t e = items.offsets[i]; e < items.offsets[i + 1]; ++e)
        for (int64_t f = users.offsets[items.columns[e]]; f < users.offsets[items.columns[e] + 1]; ++f)
          row[users.columns[f]] += 1;
      row[i] += lambda_;
    }
  });
}

// Gauss-Jordan on the pivot block alone; G is positive definite, so no pivot vanishes.
void Ease::invert_pivot() {
  const int64_t w = width_;
  for (int64_t p = 0; p < w; ++p) {
    const double inverse = 1 / pivot_[p * w + p];
    pivot_[p * w + p] = 1;
    for (int64_t j = 0; j < w; ++j) pivot_[p * w + j] *= inverse;
    for (int64_t i = 0; i < w; ++i) {
      if (i == p) continue;
      const double factor = pivot_[i * w + p];
      pivot_[i * w + p] = 0;
      for (int64_t j = 0; j < w; ++j) pivot_[i * w + j] -= factor * pivot_[p * w + j];
    }
  }
}

// P_JJ = A_JJ^-1 of the panel J, and its product with the panel's rows.
double Ease::compute(const Context& context, const Batch& batch) {
  first_ = batch.items()[0];
  width_ = batch.n_rows();
  const int64_t w = width_;
  columns_of_panel_.resize(n_ * w);  // A_r,J; by symmetry also the panel's rows
  for (int64_t r = 0; r < n_; ++r)
    for (int64_t p = 0; p < w; ++p) columns_of_panel_[r * w + p] = matrix_[upper(r, first_ + p)];
  pivot_.assign(columns_of_panel_.begin() + first_ * w, columns_of_panel_.begin() + (first_ + w) * w);
  invert_pivot();
  std::vector<double> negative(pivot_), rows(w * n_);
  for (double& value : negative) value = -value;
  for (int64_t r = 0; r < n_; ++r)
    for (int64_t p = 0; p < w; ++p) rows[p * n_ + r] = columns_of_panel_[r * w + p];
  pivot_rows_.assign(w * n_, 0.0);
  context.host.rank_update(context.call, pivot_rows_.data(), n_, negative.data(), w, rows.data(), n_, w, n_, w);
  return 0;
}

// A_rest -= A_rest,J (P_JJ A_J,rest);  A_J,rest = P_JJ A_J,rest;  A_JJ = -P_JJ; of the upper triangle.
void Ease::apply(const Context& context) {
  const int64_t w = width_;
  const std::vector<double> pivot_rows(pivot_rows_);
  for (int64_t p = 0; p < w; ++p) std::fill_n(pivot_rows_.data() + p * n_ + first_, w, 0.0);
  std::fill_n(columns_of_panel_.data() + first_ * w, w * w, 0.0);  // what is of J does not change here
  // Bands of rows, each from its diagonal on: eight for any number of items, so that threads have work in each.
  const int64_t height = std::max<int64_t>(64, (n_ / 8 + 63) / 64 * 64);
  for (int64_t row = 0; row < n_; row += height)
    context.host.rank_update(context.call, matrix_.data() + row * n_ + row, n_, columns_of_panel_.data() + row * w, w,
                             pivot_rows_.data() + row, n_, std::min(height, n_ - row), n_ - row, w);
  for (int64_t p = 0; p < w; ++p) {
    for (int64_t r = 0; r < first_; ++r) matrix_[r * n_ + first_ + p] = pivot_rows[p * n_ + r];
    double* const row = matrix_.data() + (first_ + p) * n_;
    for (int64_t q = 0; q < w; ++q) row[first_ + q] = -pivot_[p * w + q];
    std::copy(pivot_rows.begin() + p * n_ + first_ + w, pivot_rows.begin() + (p + 1) * n_, row + first_ + w);
  }
}

void Ease::append_state(std::vector<plugin::TensorRef>& out) {
  out.push_back({"swept", REC_DTYPE_F64, REC_TENSOR_STATE, {n_, n_}, matrix_.data()});
}

void Ease::freeze(const Context&) {
  offsets_.resize(n_ + 1);
  columns_.resize(n_ * n_);
  weights_.resize(columns_.size());
  for (int64_t h = 0; h < n_; ++h) {
    offsets_[h + 1] = (h + 1) * n_;
    for (int64_t i = 0; i < n_; ++i) {
      const int64_t at = h * n_ + i;
      columns_[at] = static_cast<int32_t>(i);
      weights_[at] = h == i ? 0.f : static_cast<float>(-matrix_[upper(h, i)] / matrix_[upper(i, i)]);
    }
  }
}

void Ease::item_weights(rec_csr_t& csr, const float*& weights) const {
  csr = {offsets_.data(), columns_.data(), n_, n_};
  weights = weights_.data();
}

}  // namespace rec::ease
