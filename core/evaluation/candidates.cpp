#include <algorithm>
#include <numeric>

#include "core/base/log.h"
#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/evaluation/ranking_evaluation.h"

namespace rec {

void CsrBuilder::close_sorted() {
  std::sort(columns_.begin() + offsets_.back(), columns_.end());
  close();
}

void CsrBuilder::close_sorted_distinct() {
  const auto begin = columns_.begin() + offsets_.back();
  std::sort(begin, columns_.end());
  columns_.erase(std::unique(begin, columns_.end()), columns_.end());
  close();
}

namespace {

// Items that must not be drawn: those of one user, and those already drawn for the row.
class TakenItems {
 public:
  explicit TakenItems(const EvaluationInput& input) : input_(input), taken_(input.n_items) {}

  // Does nothing if the user is the same as before.
  void start_user(int32_t user) {
    if (user == user_) return;
    if (user_ >= 0) mark(user_, 0);
    user_ = user;
    n_of_user_ = mark(user, 1);
  }
  int64_t n_of_user() const { return n_of_user_; }
  bool take(int32_t item) {
    return item < input_.n_items && !has_bit(input_.untrained, item) && std::exchange(taken_[item], 1) == 0;
  }
  void give_back(int32_t item) { taken_[item] = 0; }

 private:
  // Returns how many items changed.
  int64_t mark(int32_t user, uint8_t value) {
    int64_t n = 0;
    for (int64_t i : input_.timelines.of(user)) {
      const int32_t item = input_.item_row[input_.data.item[i]];
      if (item < input_.n_items && input_.data.is_positive(i)) n += std::exchange(taken_[item], value) != value;
    }
    return n;
  }

  const EvaluationInput& input_;
  std::vector<uint8_t> taken_;
  int32_t user_ = -1;  // of the data set
  int64_t n_of_user_ = 0;
};

// The cumulative training counts of the items.
std::vector<double> popularity(const EvaluationInput& input) {
  const Dataset& data = input.data;
  std::vector<double> counts(input.n_items);
  for (int64_t i = 0; i < data.n(); ++i)
    if (const int32_t item = input.item_row[data.item[i]];
        data.part[i] == Part::kTrain && data.is_positive(i) && item < input.n_items)
      counts[item] += 1;
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
  if (counts.empty() || counts.back() == 0)
    throw argument_error(REC_INVALID_DATA, "dataset", "popular candidates need training interactions");
  return counts;
}

// Adds the listed items other than the target; an item that is listed twice counts twice.
void add_given(const EvaluationInput& input, int64_t interaction, int32_t target, CsrBuilder& candidates) {
  const Dataset& data = input.data;
  for (int64_t e = data.candidate_offsets[interaction]; e < data.candidate_offsets[interaction + 1]; ++e)
    if (const int32_t item = input.item_row[data.candidates[e]]; item < input.n_items && item != target)
      candidates.add(item);
  candidates.close_sorted();
}

// Draws distinct items for one row; false when there are fewer than are wanted. Popularity may leave too few items with a
// count, so the tries are bounded.
bool add_drawn(const EvaluationInput& input, int64_t row, int64_t n_positives, std::span<const double> cdf,
               TakenItems& taken, CsrBuilder& candidates) {
  Rng rng(input.protocol.seed, RngStream::kEvaluation, 0, static_cast<uint64_t>(row));
  const int64_t wanted =
      std::min<int64_t>(input.protocol.n_candidates * n_positives, input.n_items - taken.n_of_user());
  const size_t n_before = candidates.open_row().size();
  int64_t got = 0;
  for (int64_t tries = 0; got < wanted && tries < 100 * wanted + 1000; ++tries) {
    const auto item = static_cast<int32_t>(
        cdf.empty() ? rng.next_below(static_cast<uint32_t>(input.n_items))
                    : std::upper_bound(cdf.begin(), cdf.end(), rng.next_double() * cdf.back()) - cdf.begin());
    if (!taken.take(item)) continue;
    candidates.add(item);
    ++got;
  }
  for (int32_t item : candidates.open_row().subspan(n_before)) taken.give_back(item);
  candidates.close_sorted_distinct();
  return got == input.protocol.n_candidates * n_positives;
}

}  // namespace

Csr make_candidates(const EvaluationInput& input, const RankingRows& rows) {
  const Protocol& protocol = input.protocol;
  CsrBuilder candidates;
  std::vector<double> cdf;
  if (protocol.candidates == REC_CANDIDATES_POPULAR) cdf = popularity(input);
  TakenItems taken(input);
  int64_t n_short = 0, n_given = 0;
  for (int64_t row = 0; row < rows.positives.n_rows(); ++row) {
    throw_if_cancelled(input.cancel);
    const int64_t interaction = rows.interactions[row];
    const std::span<const int32_t> positives = rows.positives.row(row);
    for (int32_t item : positives)
      if (item < input.n_items) candidates.add(item);
    if (protocol.candidates == REC_CANDIDATES_GIVEN) {
      add_given(input, interaction, positives.front(), candidates);
      const auto& offsets = input.data.candidate_offsets;
      n_given += offsets[interaction + 1] - offsets[interaction];
    } else {
      taken.start_user(input.data.user[interaction]);
      n_short += !add_drawn(input, row, std::ssize(positives), cdf, taken, candidates);
    }
  }
  // Alone, each target would be first, whatever the model.
  if (protocol.candidates == REC_CANDIDATES_GIVEN && n_given == 0)
    throw argument_error(REC_INVALID_DATA, "dataset", "no row of its ",
                         protocol.part == Part::kValid ? "valid" : "test", " part has candidates beside its own item");
  if (n_short > 0)
    log::write(REC_LOG_WARNING,
               cat("evaluation: ", n_short, " of ", rows.positives.n_rows(), " rows have fewer than ",
                   protocol.n_candidates, " candidates, as there are too few items that the user does not have"));
  return candidates.take();
}

}  // namespace rec
