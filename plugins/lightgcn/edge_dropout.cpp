#include "plugins/lightgcn/edge_dropout.h"

namespace rec::lightgcn {

namespace {

// Hashes an entry under the batch's key (the finisher of splitmix64), so that both orders of the graph agree on it.
uint64_t mixed(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}

}  // namespace

void DroppedGraph::bind(const rec_csr_t& users, const rec_csr_t& items, const std::vector<float>& user_scale,
                        const std::vector<float>& item_scale, double keep) {
  users_ = users, items_ = items, keep_ = keep;
  const auto divided = [keep](std::vector<float> scale) {
    for (float& value : scale) value = static_cast<float>(value / keep);
    return scale;
  };
  user_scale_ = divided(user_scale);
  item_scale_ = divided(item_scale);
}

void DroppedGraph::draw(const plugin::Context& context, int64_t seed, int32_t stream, const rec_batch_t& batch) {
  float draws[4];
  context.host.random_uniform(seed, stream, batch.epoch, batch.index, 0, 1, draws, 4);
  uint64_t key = 0;
  for (float draw : draws) key = key << 16 ^ static_cast<uint64_t>(draw * 0x1p24f);
  const auto limit = static_cast<uint64_t>(keep_ * 0x1p53);
  const auto fill = [&](Half& half, const rec_csr_t& graph, bool rows_are_users, uint64_t direction) {
    half.offsets.assign(1, 0);
    half.columns.clear();
    half.n_columns = graph.n_columns;
    for (int64_t r = 0; r < graph.n_rows; ++r) {
      for (int64_t e = graph.offsets[r]; e < graph.offsets[r + 1]; ++e) {
        const auto row = static_cast<uint64_t>(r), column = static_cast<uint64_t>(graph.columns[e]);
        const uint64_t entry = rows_are_users ? row << 32 | column : column << 32 | row;
        if (mixed(key ^ mixed(entry * 2 + direction)) >> 11 < limit) half.columns.push_back(graph.columns[e]);
      }
      half.offsets.push_back(std::ssize(half.columns));
    }
  };
  fill(halves_[0], users_, true, 0);   // users <- items
  fill(halves_[1], items_, false, 1);  // items <- users
  fill(halves_[2], users_, true, 1);   // the transpose of the second
  fill(halves_[3], items_, false, 0);  // and of the first
}

}  // namespace rec::lightgcn
