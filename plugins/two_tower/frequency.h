#pragma once

#include "rec_plugin_cpp.h"

namespace rec::two_tower {

struct FrequencyOptions {
  double alpha;     // rate of the moving average
  int64_t n_slots;  // 0 or at least the number of items: every item has its own
  bool dedup;       // an item counts once a step, and so does a slot
  double b_init;    // first gap
  // h_k(y) = ((a_k y + c_k) mod (2^31 - 1)) mod n_slots; none: h(y) = y
  std::vector<std::pair<int64_t, int64_t>> hashes;
};

// Algorithm 2 of the paper: how often an item is in a batch, from the average gap in steps between two of its
// appearances. p(y) = 1 / max(1, gap); of several hashes the largest gap is the least spoilt by collisions.
class FrequencyEstimator {
 public:
  FrequencyEstimator(const FrequencyOptions& options, int64_t n_items);

  // Probabilities of the items of the next step, with that step counted. Nothing changes until commit, so an interrupted
  // step counts once when it is repeated.
  void observe(const int32_t* items, int64_t n, double* out_probabilities);
  void commit();

  void append_tensors(std::vector<plugin::TensorRef>& out);

 private:
  int64_t slot(size_t hash, int64_t item) const;

  FrequencyOptions options_;
  int64_t n_hashes_, n_slots_;
  int64_t step_ = 0;                // the last one counted
  std::vector<int64_t> last_seen_;  // A [n_hashes, n_slots]
  std::vector<double> gap_;         // B [n_hashes, n_slots]
  struct Update {
    size_t at;
    double gap;
  };
  std::vector<Update> pending_;
  std::vector<int32_t> update_of_;  // [n_hashes, n_slots] number of the pending update, -1 = none
};

}  // namespace rec::two_tower
