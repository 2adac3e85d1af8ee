#pragma once

#include <vector>

#include "rec_plugin_cpp.h"

namespace rec::lightgcn {

// The two halves of a graph as a propagation reads them, and the scale of each row's sum.
struct GraphView {
  rec_csr_t users{}, items{};
  const float *user_rows = nullptr, *item_rows = nullptr;  // scales
};

// A graph whose stored entries are kept with a probability, drawn again for each batch; the two directions of an edge are
// drawn independently, so the backward pass runs over the transpose.
class DroppedGraph {
 public:
  // keep: probability; scales are divided by it.
  void bind(const rec_csr_t& users, const rec_csr_t& items, const std::vector<float>& user_scale,
            const std::vector<float>& item_scale, double keep);
  void draw(const plugin::Context& context, int64_t seed, int32_t stream, const rec_batch_t& batch);

  GraphView forward() const { return {view(0), view(1), user_scale_.data(), item_scale_.data()}; }
  GraphView backward() const { return {view(2), view(3), user_scale_.data(), item_scale_.data()}; }

 private:
  struct Half {
    std::vector<int64_t> offsets;
    std::vector<int32_t> columns;
    int64_t n_columns = 0;
  };
  rec_csr_t view(size_t half) const {
    const Half& h = halves_[half];
    return {h.offsets.data(), h.columns.data(), std::ssize(h.offsets) - 1, h.n_columns};
  }

  rec_csr_t users_{}, items_{};
  double keep_ = 1;
  std::vector<float> user_scale_, item_scale_;
  Half halves_[4];  // users <- items, items <- users, and both for the transpose
};

}  // namespace rec::lightgcn
