#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/data/dataset_builder.h"
#include "core/data/interactions.h"
#include "core/plugin/loop_params.h"
#include "core/plugin/model.h"
#include "core/serving/model.h"

namespace rec {

// While it lives, replaces host->random_uniform by given numbers for a plugin; one at a time.
class RandomSource {
 public:
  // draw(stream, row, out, n)
  using Draw = std::function<void(int32_t, int64_t, float*, int64_t)>;

  RandomSource(const std::string& model, Draw draw) {
    PluginRegistry::instance().add_folder(REC_PLUGINS_FOLDER);
    plugin_ = &PluginRegistry::instance().find(model);
    draw_ = std::move(draw);
    host_ = host_table();
    host_.random_uniform = [](int64_t, int32_t stream, int64_t, int64_t row, float, float, float* out, int64_t n) {
      draw_(stream, row, out, n);
    };
    use(host_);
  }
  ~RandomSource() { use(host_table()); }
  RandomSource(const RandomSource&) = delete;
  RandomSource& operator=(const RandomSource&) = delete;

 private:
  void use(const rec_host_t& host) const {
    rec_call_t call;
    EXPECT_EQ(plugin_->slots->init(&call, &host), REC_OK);
  }

  static inline Draw draw_;
  const Plugin* plugin_;
  rec_host_t host_;
};

// What a test's data set has besides its pairs.
struct HarnessData {
  std::vector<Relation> relations;
  std::vector<Feature> user_features, item_features;
  bool has_weights = false;
};

// Drives a plugin through its table as the library does: sets tensors, passes columns, takes steps, gets tensors.
class PluginHarness {
 public:
  using Pairs = std::vector<std::pair<int32_t, int32_t>>;

  PluginHarness(const std::string& model, const std::string& params_json, int64_t n_users, int64_t n_items,
                const Pairs& pairs, int threads = 1, HarnessData data = {})
      : pool_(threads), data_(std::move(data)) {
    PluginRegistry::instance().add_folder(REC_PLUGINS_FOLDER);
    const Plugin& plugin = PluginRegistry::instance().find(model);
    const std::span<const rec_param_t> tables[] = {plugin.params(), loop_params()};
    params_ = std::make_shared<const Params>(parse_params(parse_json(params_json, "params"), tables));
    for (const auto& [user, item] : pairs) users_of_pairs_.push_back(user), items_of_pairs_.push_back(item);
    by_user_ = csr(users_of_pairs_, items_of_pairs_, n_users);
    by_item_ = csr(items_of_pairs_, users_of_pairs_, n_items);
    graph_ = build_graph(by_user_, n_items);
    rec_schema_t schema{};
    schema.struct_size = sizeof schema;
    schema.n_users = n_users;
    schema.n_items = n_items;
    schema.n_interactions = std::ssize(pairs);
    schema.has_weights = data_.has_weights;
    std::vector<const char*> names;
    for (const Relation& relation : data_.relations) names.push_back(relation.name.c_str());
    schema.n_relations = static_cast<int32_t>(names.size());
    schema.relation_names = names.data();
    user_features_ = views_of(data_.user_features, FeatureData::kAll);
    item_features_ = views_of(data_.item_features, FeatureData::kAll);
    schema.user_features = user_features_.data();
    schema.n_user_features = std::ssize(user_features_);
    schema.item_features = item_features_.data();
    schema.n_item_features = std::ssize(item_features_);
    model_ = std::make_unique<PluginModel>(plugin, params_, schema);
    model_->use(&pool_, nullptr);
    model_->initialize(1);
    rec_dataset_view_t view{};
    view.struct_size = sizeof view;
    view.by_user = {by_user_.offsets.data(), by_user_.columns.data(), n_users, n_items};
    view.by_item = {by_item_.offsets.data(), by_item_.columns.data(), n_items, n_users};
    view.graph_users = {graph_.users.offsets.data(), graph_.users.columns.data(), n_users, n_items};
    view.graph_items = {graph_.items.offsets.data(), graph_.items.columns.data(), n_items, n_users};
    relations_ = views_of(data_.relations);
    view.relations = relations_.data();
    view.n_relations = std::ssize(relations_);
    view.user_features = schema.user_features;
    view.n_user_features = schema.n_user_features;
    view.item_features = schema.item_features;
    view.n_item_features = schema.n_item_features;
    model_->bind(view);
  }

  PluginModel& model() { return *model_; }

  // Names of the trained tensors.
  std::vector<std::string> parameters() const {
    std::vector<std::string> names;
    for (const rec_tensor_info_t& tensor : model_->tensors())
      if (tensor.kind == REC_TENSOR_PARAMETER) names.push_back(tensor.name);
    return names;
  }
  int64_t index_of(const std::string& name) const {
    const auto tensors = model_->tensors();
    for (size_t i = 0; i < tensors.size(); ++i)
      if (name == tensors[i].name) return static_cast<int64_t>(i);
    throw std::runtime_error("no tensor " + name);
  }
  void set(const std::string& name, const std::vector<float>& values) {
    model_->set_tensor(index_of(name), values.data());
  }
  std::vector<float> get(const std::string& name) {
    const int64_t i = index_of(name);
    std::vector<float> values(tensor_elements(model_->tensors()[i]));
    model_->get_tensor(i, values.data());
    return values;
  }
  // Copies every tensor of another model, as a resumed training does.
  void copy_from(PluginHarness& other) {
    const auto tensors = other.model().tensors();
    for (size_t i = 0; i < tensors.size(); ++i) {
      std::vector<char> bytes(tensor_elements(tensors[i]) * dtype_size(tensors[i].dtype));
      other.model().get_tensor(static_cast<int64_t>(i), bytes.data());
      model_->set_tensor(static_cast<int64_t>(i), bytes.data());
    }
  }
  std::vector<float> gradient(const std::string& name) {
    const rec_tensor_view_t view = model_->gradients(index_of(name));
    const auto* data = static_cast<const float*>(view.data);
    return {data, data + view.shape[0] * view.shape[1]};
  }

  // The query vectors [B, d] of users with histories; -1 = a user that the model does not know.
  std::vector<float> encode(const std::vector<int32_t>& users, const std::vector<std::vector<int32_t>>& histories,
                            int64_t d) {
    Batch batch = batch_of(users, std::vector<int32_t>(users.size()));
    add_histories(batch, histories);
    std::vector<float> vectors(batch.n_rows * d);
    model_->freeze();
    model_->encode(batch.view(1), vectors.data());
    return vectors;
  }

  // A batch of users [B] and items [B, C].
  static Batch batch_of(const std::vector<int32_t>& users, const std::vector<int32_t>& items) {
    Batch batch;
    batch.n_rows = std::ssize(users);
    const int64_t C = batch.n_rows > 0 ? std::ssize(items) / batch.n_rows : 1;
    std::copy(users.begin(), users.end(), batch.column(REC_COLUMN_USER).reshape<int32_t>(batch.n_rows));
    std::copy(items.begin(), items.end(), batch.column(REC_COLUMN_ITEM).reshape<int32_t>(batch.n_rows, C));
    return batch;
  }
  // Adds histories, one per row, as the history columns.
  static void add_histories(Batch& batch, const std::vector<std::vector<int32_t>>& histories) {
    int64_t longest = 1;
    for (const auto& history : histories) longest = std::max(longest, std::ssize(history));
    auto* lengths = batch.column(REC_COLUMN_HISTORY_LENGTH).reshape<int32_t>(batch.n_rows);
    auto* items = batch.column(REC_COLUMN_HISTORY).reshape<int32_t>(batch.n_rows, longest);
    std::fill_n(items, batch.n_rows * longest, -1);
    for (size_t b = 0; b < histories.size(); ++b) {
      lengths[b] = static_cast<int32_t>(histories[b].size());
      std::copy(histories[b].begin(), histories[b].end(), items + static_cast<int64_t>(b) * longest);
    }
  }

  double compute(Batch batch) { return model_->compute(batch.view(1)); }
  double compute(const std::vector<int32_t>& users, const std::vector<int32_t>& items) {
    return compute(batch_of(users, items));
  }
  std::vector<float> score_live(Batch batch) {
    std::vector<float> scores(batch.n_rows * batch.column(REC_COLUMN_ITEM).extent(1));
    model_->score_live(batch.view(1), scores.data());
    return scores;
  }
  std::vector<float> score_live(const std::vector<int32_t>& users, const std::vector<int32_t>& items) {
    return score_live(batch_of(users, items));
  }

  // Row r has the columns of the pairs (r, column), in their order.
  static Csr csr(const std::vector<int32_t>& rows, const std::vector<int32_t>& columns, int64_t n_rows) {
    Csr out{Buffer<int64_t>(n_rows + 1), Buffer<int32_t>::uninitialized(std::ssize(rows))};
    for (int32_t row : rows) ++out.offsets[row + 1];
    for (int64_t r = 0; r < n_rows; ++r) out.offsets[r + 1] += out.offsets[r];
    std::vector<int64_t> next(out.offsets.begin(), out.offsets.end());
    for (size_t e = 0; e < rows.size(); ++e) out.columns[next[rows[e]]++] = columns[e];
    return out;
  }

 private:
  ThreadPool pool_;
  std::shared_ptr<const Params> params_;
  std::vector<int32_t> users_of_pairs_, items_of_pairs_;
  Csr by_user_, by_item_;
  HarnessData data_;
  std::vector<rec_csr_t> relations_;
  std::vector<rec_feature_t> user_features_, item_features_;
  Graph graph_;
  std::unique_ptr<PluginModel> model_;
};

}  // namespace rec
