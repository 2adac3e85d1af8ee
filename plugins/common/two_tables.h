#pragma once

#include <string>
#include <vector>

#include "plugins/common/embedding.h"

namespace rec::plugin {

struct TableInit {
  std::string rule;        // "normal", "xavier_normal" or "xavier_uniform"
  double deviation = 0.1;  // of "normal"
};

// A model whose parameters are a user table and an item table of the same width: user_emb and item_emb.
class TwoTables : public Model {
 public:
  TwoTables(const rec_schema_t& schema, int64_t d, const OptimizerOptions& optimizer, TableInit init);

  void initialize(const Context& context, int64_t seed) override;
  std::vector<TensorRef> tensors() override;
  void settle(const Context& context) override;
  void restored() override;

 protected:
  enum class TensorOf { kUsers, kItems };
  // Whose parameter tensor i is; a tensor that is no parameter has no gradient.
  TensorOf parameter_at(int64_t i);

  Embedding users_, items_;

 private:
  TableInit init_;
  std::vector<std::string> user_state_, item_state_;
};

}  // namespace rec::plugin
