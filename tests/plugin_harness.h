#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/data/dataset_builder.h"
#include "core/data/interactions.h"
#include "core/plugin/loop_params.h"
#include "core/plugin/model.h"

namespace rec {

// A plugin driven through its table as the library drives it: set tensors, give columns, take steps, get tensors.
class PluginHarness {
 public:
  using Pairs = std::vector<std::pair<int32_t, int32_t>>;

  PluginHarness(const std::string& model, const std::string& params_json, int64_t n_users, int64_t n_items,
                const Pairs& pairs, int threads = 1)
      : pool_(threads) {
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
    schema.n_interactions = static_cast<int64_t>(pairs.size());
    model_ = std::make_unique<PluginModel>(plugin, params_, schema);
    model_->use(&pool_, nullptr);
    model_->initialize(1);
    rec_dataset_view_t view{};
    view.struct_size = sizeof view;
    view.by_user = {by_user_.offsets.data(), by_user_.columns.data(), n_users, n_items};
    view.by_item = {by_item_.offsets.data(), by_item_.columns.data(), n_items, n_users};
    view.graph_users = {graph_.users.offsets.data(), graph_.users.columns.data(), n_users, n_items};
    view.graph_items = {graph_.items.offsets.data(), graph_.items.columns.data(), n_items, n_users};
    model_->bind(view);
  }

  PluginModel& model() { return *model_; }

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
    std::vector<float> values(static_cast<size_t>(tensor_elements(model_->tensors()[static_cast<size_t>(i)])));
    model_->get_tensor(i, values.data());
    return values;
  }
  std::vector<float> gradient(const std::string& name) {
    const rec_tensor_view_t view = model_->gradients(index_of(name));
    const auto* data = static_cast<const float*>(view.data);
    return {data, data + view.shape[0] * view.shape[1]};
  }

  // A batch of users [B] and items [B, C]; `body` gets it as the plugin would.
  template <class Body>
  auto with_batch(std::vector<int32_t> users, std::vector<int32_t> items, Body body) {
    const auto B = static_cast<int64_t>(users.size());
    const int64_t C = B > 0 ? static_cast<int64_t>(items.size()) / B : 1;
    std::vector<rec_column_t> columns;
    for (int32_t i = 0; i < model_->plan().n_columns; ++i) {
      const int32_t id = model_->plan().columns[i];
      rec_column_t column{id, 0, {}};
      column.view = id == REC_COLUMN_USER
                        ? rec_tensor_view_t{users.data(), REC_DTYPE_I32, 1, REC_DEVICE_CPU, 0, {B}, {1}}
                        : rec_tensor_view_t{items.data(), REC_DTYPE_I32, 2, REC_DEVICE_CPU, 0, {B, C}, {C, 1}};
      columns.push_back(column);
    }
    rec_batch_t batch{};
    batch.struct_size = sizeof batch;
    batch.n_columns = static_cast<int32_t>(columns.size());
    batch.columns = columns.data();
    batch.n_rows = B;
    batch.n_epoch_batches = 1;
    return body(batch);
  }
  double compute(const std::vector<int32_t>& users, const std::vector<int32_t>& items) {
    return with_batch(users, items, [&](const rec_batch_t& batch) { return model_->compute(batch); });
  }
  std::vector<float> score_live(const std::vector<int32_t>& users, const std::vector<int32_t>& items) {
    std::vector<float> scores(items.size());
    with_batch(users, items, [&](const rec_batch_t& batch) {
      model_->score_live(batch, scores.data());
      return 0;
    });
    return scores;
  }

 private:
  static Csr csr(const std::vector<int32_t>& rows, const std::vector<int32_t>& columns, int64_t n_rows) {
    Csr out{Buffer<int64_t>(n_rows + 1), Buffer<int32_t>::uninitialized(static_cast<int64_t>(rows.size()))};
    for (int32_t row : rows) ++out.offsets[row + 1];
    for (int64_t r = 0; r < n_rows; ++r) out.offsets[r + 1] += out.offsets[r];
    std::vector<int64_t> next(out.offsets.begin(), out.offsets.end());
    for (size_t e = 0; e < rows.size(); ++e) out.columns[next[static_cast<size_t>(rows[e])]++] = columns[e];
    return out;
  }

  ThreadPool pool_;
  std::shared_ptr<const Params> params_;
  std::vector<int32_t> users_of_pairs_, items_of_pairs_;
  Csr by_user_, by_item_;
  Graph graph_;
  std::unique_ptr<PluginModel> model_;
};

}  // namespace rec
