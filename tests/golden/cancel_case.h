#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "core/data/columns.h"
#include "core/training/trainer.h"
#include "tests/plugin_harness.h"

namespace rec {

// Sits between the library and a plugin while it lives: counts how often the plugin asks should_stop or calls propagate,
// and cancels at the n-th time.
class CancelAt {
 public:
  CancelAt(const std::string& model, int64_t n) {
    PluginRegistry::instance().add_folder(REC_PLUGINS_FOLDER);
    plugin_ = &PluginRegistry::instance().find(model);
    n_ = n;
    seen_ = 0;
    token_ = std::make_unique<CancelToken>();
    host_ = host_table();
    host_.should_stop = [](rec_call_t* call) {
      count();
      return host_table().should_stop(call);
    };
    host_.propagate = [](rec_call_t* call, const rec_csr_t* csr, const float* row_scale, const float* column_scale,
                         const float* x, int64_t d, const float* addend, float addend_scale, float* y,
                         const int32_t* rows, int64_t n_rows_listed) {
      count();
      host_table().propagate(call, csr, row_scale, column_scale, x, d, addend, addend_scale, y, rows, n_rows_listed);
    };
    use(host_);
  }
  ~CancelAt() { use(host_table()); }
  CancelAt(const CancelAt&) = delete;
  CancelAt& operator=(const CancelAt&) = delete;

  const CancelToken* token() const { return token_.get(); }
  static int64_t seen() { return seen_; }

 private:
  static void count() {
    if (seen_++ == n_) token_->request();
  }
  void use(const rec_host_t& host) const {
    rec_call_t call;
    EXPECT_EQ(plugin_->slots->init(&call, &host), REC_OK);
  }

  static inline std::atomic<int64_t> seen_ = 0;
  static inline int64_t n_ = 0;
  static inline std::unique_ptr<CancelToken> token_;
  const Plugin* plugin_;
  rec_host_t host_;
};

// The rule of rec_plugin_api.h: a slot that notices a cancel leaves the model as it was. So a run that is cancelled at any
// such place and then resumed ends with the same file, byte for byte.
inline void expect_same_model_after_a_cancel(const std::string& model, const std::string& params) {
  std::vector<int64_t> users, items;
  std::vector<int32_t> parts;
  for (int64_t u = 0; u < 24; ++u)
    for (int64_t k = 0; k < 6; ++k) {
      users.push_back(u);
      items.push_back((5 * u + k * k + k) % 17);
      parts.push_back(k == 5 ? REC_PART_VALID : REC_PART_TRAIN);
    }
  const auto list = [](const std::vector<int64_t>& ids) {
    return rec_ids_t{sizeof(rec_ids_t), REC_ID_INT64, ids.data(), nullptr, 0, nullptr, std::ssize(ids)};
  };
  const rec_ids_t user_ids = list(users), item_ids = list(items);
  rec_columns_t columns{};
  columns.struct_size = sizeof columns;
  columns.users = &user_ids;
  columns.items = &item_ids;
  columns.parts = parts.data();
  columns.n_parts = std::ssize(parts);
  const auto data = std::make_shared<const Dataset>(dataset_from_columns(columns));

  struct Bytes : FileWriter {
    std::string bytes;
    void write(const void* more, int64_t n) override { bytes.append(static_cast<const char*>(more), n); }
  };
  const auto file_of = [&](int64_t n, int& cancels) {
    const CancelAt source(model, n);
    Trainer trainer(data, model, params, {});
    try {
      trainer.run([](const TrainingEvent&) {}, source.token());
    } catch (const Error& error) {
      EXPECT_EQ(error.status, REC_CANCELLED) << error.message;
      ++cancels;
      trainer.run([](const TrainingEvent&) {}, nullptr);
    }
    Bytes file;
    write_model(file, *trainer.model(REC_MODEL_LAST), true);
    return file.bytes;
  };
  int cancels = 0;
  const std::string whole = file_of(-1, cancels);
  EXPECT_EQ(cancels, 0);
  const int64_t places = CancelAt::seen();
  ASSERT_GT(places, 1) << "the model never asks";
  for (int64_t n = 0; n < places; n += std::max<int64_t>(1, places / 40))
    ASSERT_TRUE(file_of(n, cancels) == whole) << "cancelled at place " << n << " of " << places;
  EXPECT_GT(cancels, 1);
}

}  // namespace rec
