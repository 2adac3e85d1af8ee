#include "plugins/common/two_tables.h"

#include <cmath>

namespace rec::plugin {

namespace {

enum Stream : int32_t { kUserStream = 0, kItemStream = 1 };

}  // namespace

TwoTables::TwoTables(const rec_schema_t& schema, int64_t d, const OptimizerOptions& optimizer, TableInit init)
    : users_(schema.n_users, d, optimizer),
      items_(schema.n_items, d, optimizer),
      init_(std::move(init)),
      user_state_(Embedding::state_names("user_emb")),
      item_state_(Embedding::state_names("item_emb")) {}

void TwoTables::initialize(const Context& context, int64_t seed) {
  for (auto [table, stream] : {std::pair{&users_, kUserStream}, {&items_, kItemStream}}) {
    if (init_.rule == "xavier_uniform") {
      table->initialize_xavier(context, seed, stream);
    } else {
      const double xavier = std::sqrt(2.0 / static_cast<double>(table->n() + table->d()));
      const double deviation = init_.rule == "xavier_normal" ? xavier : init_.deviation;
      table->initialize_normal(context, seed, stream, static_cast<float>(deviation));
    }
  }
}

std::vector<TensorRef> TwoTables::tensors() {
  std::vector<TensorRef> out;
  users_.append_tensors(out, "user_emb", user_state_);
  items_.append_tensors(out, "item_emb", item_state_);
  return out;
}

void TwoTables::settle(const Context& context) {
  users_.catch_up_all(context);
  items_.catch_up_all(context);
}

void TwoTables::restored() {
  users_.restored();
  items_.restored();
}

TwoTables::TensorOf TwoTables::parameter_at(int64_t i) {
  const std::string name = tensors().at(static_cast<size_t>(i)).name;
  if (name == "user_emb") return TensorOf::kUsers;
  if (name == "item_emb") return TensorOf::kItems;
  throw Failure{REC_INVALID_ARGUMENT, "tensor '" + name + "' has no gradient"};
}

}  // namespace rec::plugin
