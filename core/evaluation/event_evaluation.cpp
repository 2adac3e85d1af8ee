#include <utility>

#include "core/evaluation/ranking_evaluation.h"

namespace rec {

namespace {

// A row is one interaction of the part. The rows of a user share their masked items, those of whole parts, as a split
// need not be by time.
class EventEvaluation final : public RankingEvaluation {
 public:
  explicit EventEvaluation(const EvaluationInput& input) : RankingEvaluation(input, rows_of(input)) {}

 private:
  static RankingRows rows_of(const EvaluationInput& input) {
    const Dataset& data = input.data;
    const bool masks_items = input.protocol.candidates != REC_CANDIDATES_GIVEN;  // given ones are ranked unmasked
    RankingRows rows;
    CsrBuilder positives, masks;
    for (int32_t user = 0; user < data.n_users(); ++user) {
      if (!input.measures(user)) continue;
      const size_t n_before = rows.users.size();
      bool is_first = input.protocol.skip_first;
      for (int64_t i : input.timelines.of(user)) {
        if (!data.is_positive(i)) continue;
        const int32_t item = input.item_row[data.item[i]];
        if (input.protocol.skip_first && item >= input.n_items) continue;
        if (masks_items && is_masked(input.protocol, data.part[i]) && item < input.n_items) masks.add(item);
        if (std::exchange(is_first, false) || data.part[i] != input.protocol.part) continue;
        positives.add(item);
        positives.close();
        rows.add(input.user_row[user], i, masks.n_rows());
      }
      if (masks_items && masks.open_row().empty() && is_masked(input.protocol, Part::kTrain))
        for (int32_t item : input.seen_by(user)) masks.add(item);
      if (rows.users.size() > n_before)
        masks.close_sorted_distinct();
      else
        masks.drop();
    }
    rows.positives = positives.take();
    rows.masks = masks.take();
    return rows;
  }
};

}  // namespace

std::unique_ptr<const Evaluation> make_event_evaluation(const EvaluationInput& input) {
  return std::make_unique<EventEvaluation>(input);
}

}  // namespace rec
