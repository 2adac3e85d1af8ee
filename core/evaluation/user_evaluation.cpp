#include "core/evaluation/ranking_evaluation.h"

namespace rec {

namespace {

// A row is a user with all items of the part.
class UserEvaluation final : public RankingEvaluation {
 public:
  explicit UserEvaluation(const EvaluationInput& input) : RankingEvaluation(input, rows_of(input)) {}

 private:
  static RankingRows rows_of(const EvaluationInput& input) {
    const Dataset& data = input.data;
    RankingRows rows;
    CsrBuilder positives, masks;
    for (int32_t user = 0; user < data.n_users(); ++user) {
      if (!input.measures(user)) continue;
      int64_t first = -1;  // of the part
      for (int64_t i : input.timelines.of(user)) {
        if (!data.is_positive(i)) continue;
        const int32_t item = input.item_row[data.item[i]];
        if (data.part[i] == input.protocol.part) positives.add(item), first = first < 0 ? i : first;
        if (is_masked(input.protocol, data.part[i]) && item < input.n_items) masks.add(item);
      }
      if (first < 0) {
        masks.drop();
        continue;
      }
      if (masks.open_row().empty() && is_masked(input.protocol, Part::kTrain))
        for (int32_t item : input.seen_by(user)) masks.add(item);
      positives.close_sorted_distinct();
      masks.close_sorted_distinct();
      rows.add(input.user_row[user], first, masks.n_rows() - 1);
    }
    rows.positives = positives.take();
    rows.masks = masks.take();
    return rows;
  }
};

}  // namespace

std::unique_ptr<const Evaluation> make_user_evaluation(const EvaluationInput& input) {
  return std::make_unique<UserEvaluation>(input);
}

}  // namespace rec
