#pragma once

#include "core/training/batches.h"

namespace rec {

// Session-parallel rows (Hidasi et al., ICLR 2016): a row is a slot, which walks one session event by event; a slot whose
// session has ended takes the next one, in order of start, and is removed when no session is left. All epochs are the same.
class SessionRows : public RowSource {
 public:
  explicit SessionRows(const BatchPlan& plan);

  int64_t batches_per_epoch() const override { return n_steps_; }
  void seek(int64_t epoch, int64_t batch) override;
  void fill(Batch& batch, const CancelToken* cancel) override;

 private:
  struct Slot {
    int64_t at, end;  // entries of by_user: input `at`, target `at + 1` < end
    bool fresh;       // no step of this session is done
  };

  void restart();
  void advance();  // to the next step
  bool over() const { return slots_.size() < min_slots_; }

  const BatchPlan plan_;
  const Interactions& train_;
  std::vector<int32_t> sessions_;  // users with two events or more, by their first event's time
  size_t min_slots_;               // 2 without samples: a lone session has no negative
  int64_t n_steps_ = 0;

  std::vector<Slot> slots_;
  std::vector<int32_t> kept_;  // for the slots of the step before: 1 = still there
  size_t next_ = 0;            // next session to begin
  int64_t first_row_ = 0;
};

}  // namespace rec
