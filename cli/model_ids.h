// All ids of a model's users or items, in memory of their own.
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"

namespace rec::cli {

class ModelIds {
 public:
  // get: rec_model_user_ids or rec_model_item_ids.
  ModelIds(decltype(&rec_model_item_ids) get, const Model& model);

  int64_t n() const { return std::ssize(texts_); }
  const std::string& text(int64_t row) const { return texts_[row]; }
  std::string json(int64_t row) const { return are_numbers_ ? texts_[row] : dump(text_json(texts_[row])); }

 private:
  std::vector<std::string> texts_;
  bool are_numbers_ = false;
};

}  // namespace rec::cli
