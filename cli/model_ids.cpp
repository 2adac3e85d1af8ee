#include "cli/model_ids.h"

#include <numeric>

namespace rec::cli {

ModelIds::ModelIds(decltype(&rec_model_item_ids) get, const Model& model) {
  int64_t n_users = 0, n_items = 0;
  call(rec_model_counts, model.get(), &n_users, &n_items);
  std::vector<int64_t> rows(get == rec_model_item_ids ? n_items : n_users);
  std::iota(rows.begin(), rows.end(), int64_t{0});
  auto ids = initialized<rec_ids_t>(rec_ids_init);
  rec_text_t* owner = nullptr;
  call(get, model.get(), rows.data(), std::ssize(rows), &ids, &owner);
  const Text keep(owner);
  are_numbers_ = ids.type == REC_ID_INT64;
  for (int64_t i = 0; i < ids.n; ++i)
    texts_.push_back(are_numbers_ ? std::to_string(ids.i64[i])
                                  : std::string(ids.bytes + ids.offsets[i], ids.bytes + ids.offsets[i + 1]));
}

}  // namespace rec::cli
