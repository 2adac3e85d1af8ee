#include "plugins/itemknn/itemknn.h"

namespace rec::itemknn {

void ItemKnn::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_ITEMS;
  plan.max_epochs = 1;
  plan.batch_size = 128;
  plan.wants_graph = 1;
  plan.memory_bytes = 16 * schema.n_items * (options.n_neighbors + 1) + 8 * schema.n_users;
  plugin::want(plan, {REC_COLUMN_ITEM});
}

ItemKnn::ItemKnn(const Options& options, const rec_schema_t& schema)
    : n_items_(schema.n_items),
      n_neighbors_(options.n_neighbors),
      shrink_(options.shrink),
      bm25_k1_(options.bm25_k1),
      bm25_b_(options.bm25_b),
      weighting_(options.weighting) {
  neighbors_.resize(n_items_ * n_neighbors_, -1);
  similarities_.resize(neighbors_.size());
}

void ItemKnn::initialize(const Context&, int64_t) {
  std::fill(neighbors_.begin(), neighbors_.end(), -1);
  std::fill(similarities_.begin(), similarities_.end(), 0.f);
}

void ItemKnn::bind(const Context&, const rec_dataset_view_t& view) {
  users_ = view.graph_users;
  items_ = view.graph_items;
  weigh();
}

// A user of degree d has the weight idf = log(n_items) - log(1 + d), as a word in many documents has a small one.
void ItemKnn::weigh() {
  const auto degree = [](const rec_csr_t& csr, int64_t row) {
    return static_cast<double>(csr.offsets[row + 1] - csr.offsets[row]);
  };
  user_weights_.assign(users_.n_rows, 1);
  if (weighting_ != Weighting::kNone)
    for (int64_t user = 0; user < users_.n_rows; ++user) {
      const double idf = std::log(static_cast<double>(n_items_)) - std::log1p(degree(users_, user));
      user_weights_[user] = idf * idf;
    }
  norms_.assign(n_items_, 0);
  gains_.assign(n_items_, 1);
  const double mean_degree = static_cast<double>(items_.offsets[n_items_]) / static_cast<double>(n_items_);
  for (int64_t item = 0; item < n_items_; ++item) {
    for (int64_t e = items_.offsets[item]; e < items_.offsets[item + 1]; ++e)
      norms_[item] += user_weights_[items_.columns[e]];
    const double length = 1 - bm25_b_ + bm25_b_ * degree(items_, item) / mean_degree;
    if (weighting_ == Weighting::kBm25) gains_[item] = (bm25_k1_ + 1) / (bm25_k1_ * length + 1);
  }
}

// The product of the two items' vectors over their lengths, for bm25 the product alone; equal similarities go to the lower
// row.
void ItemKnn::find_neighbors(int32_t item, std::vector<double>& overlaps, std::vector<int32_t>& met, int32_t* neighbors,
                             float* similarities) const {
  met.clear();
  for (int64_t e = items_.offsets[item]; e < items_.offsets[item + 1]; ++e) {
    const int32_t user = items_.columns[e];
    const double weight = user_weights_[user];
    if (weight == 0) continue;
    for (int64_t f = users_.offsets[user]; f < users_.offsets[user + 1]; ++f) {
      const int32_t other = users_.columns[f];
      if (other == item) continue;
      if (overlaps[other] == 0) met.push_back(other);
      overlaps[other] += weight;
    }
  }
  std::vector<std::pair<float, int32_t>> ranked;
  ranked.reserve(met.size());
  for (int32_t other : met) {
    const double lengths = weighting_ == Weighting::kBm25 ? 1 : std::sqrt(norms_[item] * norms_[other]);
    const double similarity = gains_[item] * gains_[other] * overlaps[other] / (lengths + shrink_);
    ranked.emplace_back(static_cast<float>(similarity), other);
    overlaps[other] = 0;
  }
  const int64_t k = std::min(n_neighbors_, std::ssize(ranked));
  std::partial_sort(ranked.begin(), ranked.begin() + k, ranked.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (int64_t n = 0; n < n_neighbors_; ++n) {
    const bool there = n < k;
    neighbors[n] = there ? ranked[n].second : -1;
    similarities[n] = there ? ranked[n].first : 0.f;
  }
}

double ItemKnn::compute(const Context& context, const Batch& batch) {
  batch_items_.assign(batch.items(), batch.items() + batch.n_rows());
  batch_neighbors_.resize(batch.n_rows() * n_neighbors_);
  batch_similarities_.resize(batch_neighbors_.size());
  plugin::parallel_for(context, batch.n_rows(), 16, [&](int64_t begin, int64_t end) {
    std::vector<double> overlaps(n_items_);
    std::vector<int32_t> met;
    for (int64_t b = begin; b < end; ++b)
      find_neighbors(batch.items()[b], overlaps, met, batch_neighbors_.data() + b * n_neighbors_,
                     batch_similarities_.data() + b * n_neighbors_);
  });
  return 0;
}

void ItemKnn::apply(const Context&) {
  for (size_t b = 0; b < batch_items_.size(); ++b) {
    const int64_t from = static_cast<int64_t>(b) * n_neighbors_, to = batch_items_[b] * n_neighbors_;
    std::copy_n(batch_neighbors_.data() + from, n_neighbors_, neighbors_.data() + to);
    std::copy_n(batch_similarities_.data() + from, n_neighbors_, similarities_.data() + to);
  }
}

void ItemKnn::append_state(std::vector<plugin::TensorRef>& out) {
  const std::vector<int64_t> shape{n_items_, n_neighbors_};
  out.push_back({"neighbors", REC_DTYPE_I32, REC_TENSOR_STATE, shape, neighbors_.data(), -1, n_items_ - 1});
  out.push_back({"similarities", REC_DTYPE_F32, REC_TENSOR_STATE, shape, similarities_.data()});
}

void ItemKnn::freeze(const Context&) {
  offsets_.assign(n_items_ + 1, 0);
  for (int32_t neighbor : neighbors_)
    if (neighbor >= 0) ++offsets_[neighbor + 1];
  for (size_t i = 1; i < offsets_.size(); ++i) offsets_[i] += offsets_[i - 1];
  columns_.resize(offsets_.back());
  weights_.resize(columns_.size());
  std::vector<int64_t> next(offsets_.begin(), offsets_.end() - 1);
  for (int64_t item = 0; item < n_items_; ++item)
    for (int64_t n = 0; n < n_neighbors_; ++n) {
      const int32_t neighbor = neighbors_[item * n_neighbors_ + n];
      if (neighbor < 0) continue;
      const int64_t at = next[neighbor]++;
      columns_[at] = static_cast<int32_t>(item);
      weights_[at] = similarities_[item * n_neighbors_ + n];
    }
}

void ItemKnn::item_weights(rec_csr_t& csr, const float*& weights) const {
  csr = {offsets_.data(), columns_.data(), n_items_, n_items_};
  weights = weights_.data();
}

}  // namespace rec::itemknn
