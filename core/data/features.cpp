#include "core/data/features.h"

#include <algorithm>

#include "core/base/text.h"

namespace rec {

// Makes room for every id that the column has so far.
template <class T>
void FeatureColumns::reach(std::vector<T>& values, int64_t width) {
  const int64_t wanted = checked_mul(ids_.size(), width), have = std::ssize(values);
  if (wanted <= have) return;
  budget_.charge(checked_mul(wanted - have, sizeof(T)), "features");
  values.resize(wanted);
}

size_t FeatureColumns::add_dense(std::string name, int64_t width) {
  Column& column = columns_.emplace_back();
  column.made.name = std::move(name);
  column.made.width = width;
  return columns_.size() - 1;
}

size_t FeatureColumns::add_categorical(std::string name) {
  Column& column = columns_.emplace_back();
  column.made.name = std::move(name);
  column.made.kind = FeatureKind::kCategorical;
  column.made.vocabulary = 1;
  return columns_.size() - 1;
}

void FeatureColumns::set(size_t feature, int32_t row, std::span<const float> numbers) {
  Column& column = columns_[feature];
  const int64_t width = column.made.width;
  if (row * width >= std::ssize(column.dense)) reach(column.dense, width);
  std::copy(numbers.begin(), numbers.end(), column.dense.begin() + row * width);
}

void FeatureColumns::set(size_t feature, int32_t row, int64_t category) {
  Column& column = columns_[feature];
  if (category < 0 || category > kLargestCategory)
    throw argument_error(REC_INVALID_DATA, column.made.name, "must be a category within 0 .. ", kLargestCategory,
                         ", got ", category);
  if (row >= std::ssize(column.values)) reach(column.values, 1);
  column.values[row] = static_cast<int32_t>(category);
  column.made.vocabulary = std::max(column.made.vocabulary, category + 1);
}

std::vector<Feature> FeatureColumns::finish() {
  std::vector<Feature> out;
  for (Column& column : columns_) {
    if (column.made.kind == FeatureKind::kDense) {
      reach(column.dense, column.made.width);
      column.made.dense = Buffer<float>(std::span<const float>(column.dense));
    } else {
      reach(column.values, 1);
      column.made.values = Buffer<int32_t>(std::span<const int32_t>(column.values));
    }
    out.push_back(std::move(column.made));
  }
  columns_.clear();
  return out;
}

}  // namespace rec
