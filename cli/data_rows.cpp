#include "cli/data_rows.h"

#include <string>
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
    const auto [place, is_new] = numbers_.try_emplace(std::string(id), std::ssize(counts_));
    if (is_new) counts_.push_back(0);
    counts_[place->second] += is_training;
    of_row_.push_back(place->second);
  }
  const std::vector<int64_t>& of_row() const { return of_row_; }
  std::vector<int64_t> counts() const {
    std::vector<int64_t> counts;
    for (const int64_t number : of_row_) counts.push_back(counts_[number]);
    return counts;
  }

 private:
  std::unordered_map<std::string, int64_t> numbers_;
  std::vector<int64_t> counts_;  // of each id
  std::vector<int64_t> of_row_;  // the number of each row's id
};

}  // namespace

DataRows data_rows(const Dataset& dataset) {
  Owned<ArrowArrayStream> stream;
  call(rec_dataset_export_arrow, dataset.get(), &stream);
  Owned<ArrowSchema> schema;
  int64_t label = -1;
  if (stream.get_schema(&stream, &schema) != 0) throw Failure{REC_OUT_OF_MEMORY, "out of memory", {}, {}, -1};
  for (int64_t i = 0; i < schema.n_children; ++i)
    if (schema.children[i]->name == std::string_view("label")) label = i;
  Counter users, items;
  while (true) {
    Owned<ArrowArray> batch;
    if (stream.get_next(&stream, &batch) != 0) throw Failure{REC_OUT_OF_MEMORY, "out of memory", {}, {}, -1};
    if (batch.release == nullptr) break;
    const ArrowArray& part = *batch.children[batch.n_children - 1];
    const auto* labels = label < 0 ? nullptr : static_cast<const float*>(batch.children[label]->buffers[1]);
    for (int64_t row = 0; row < batch.length; ++row) {
      const bool counts = cell_at(part, row) == "train" && (labels == nullptr || labels[row] != 0);
      users.add(cell_at(*batch.children[0], row), counts);
      items.add(cell_at(*batch.children[1], row), counts);
    }
  }
  return {users.of_row(), users.counts(), items.counts()};
}

}  // namespace rec::cli
