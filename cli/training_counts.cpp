#include "cli/training_counts.h"

#include <string_view>
#include <unordered_map>

#include "core/data/arrow_abi.h"

namespace rec::cli {

namespace {

// A struct of the Arrow C interface, released at the end.
template <class Struct>
struct Owned : Struct {
  Owned() : Struct{} {}
  ~Owned() {
    if (this->release != nullptr) this->release(this);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
};

// The cell of a column without missing values: an int64's bytes or a text's.
std::string_view cell_at(const ArrowArray& column, int64_t row) {
  constexpr int64_t kTextBuffers = 3;  // validity, offsets, bytes
  if (column.n_buffers != kTextBuffers) return {static_cast<const char*>(column.buffers[1]) + row * 8, 8};
  const auto* offsets = static_cast<const int64_t*>(column.buffers[1]);
  return {static_cast<const char*>(column.buffers[2]) + offsets[row],
          static_cast<size_t>(offsets[row + 1] - offsets[row])};
}

// Numbers the ids in order of appearance, and counts those of training.
class Counter {
 public:
  void add(std::string_view id, bool is_training) {
    const auto [place, is_new] = numbers_.try_emplace(std::string(id), counts_.size());
    if (is_new) counts_.push_back(0);
    counts_[place->second] += is_training;
    of_row_.push_back(place->second);
  }
  std::vector<int64_t> counts() const {
    std::vector<int64_t> counts;
    for (const size_t number : of_row_) counts.push_back(counts_[number]);
    return counts;
  }

 private:
  std::unordered_map<std::string, size_t> numbers_;
  std::vector<int64_t> counts_;  // of each id
  std::vector<size_t> of_row_;   // the number of each row's id
};

}  // namespace

TrainingCounts training_counts(const Dataset& dataset) {
  Owned<ArrowArrayStream> stream;
  call(rec_dataset_export_arrow, dataset.get(), &stream);
  Counter users, items;
  while (true) {
    Owned<ArrowArray> batch;
    if (stream.get_next(&stream, &batch) != 0) throw Failure{REC_OUT_OF_MEMORY, "out of memory", {}, {}, -1};
    if (batch.release == nullptr) break;
    const ArrowArray &user = *batch.children[0], &item = *batch.children[1],
                     &part = *batch.children[batch.n_children - 1];
    for (int64_t row = 0; row < batch.length; ++row) {
      const bool is_training = cell_at(part, row) == "train";
      users.add(cell_at(user, row), is_training);
      items.add(cell_at(item, row), is_training);
    }
  }
  return {users.counts(), items.counts()};
}

}  // namespace rec::cli
