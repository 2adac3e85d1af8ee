#pragma once

#include <vector>

#include "core/data/id_list.h"
#include "core/serving/model.h"
#include "core/serving/queries.h"

namespace rec {

// What a caller asks for, by ids; see rec_request_t. Counts and offsets are checked, ids are not looked up yet.
struct Request {
  int64_t k = 0;
  IdList users;
  IdList histories;                          // of all users
  const int64_t* history_offsets = nullptr;  // [n_users + 1], nullable: no histories are given
  const int64_t* history_times = nullptr;    // beside histories, nullable
  const int64_t* times = nullptr;            // [n_users], nullable
  bool has_candidates = false;
  IdList candidates;
  const int64_t* candidate_offsets = nullptr;  // [n_users + 1], nullable: the same candidates for every user
  const uint8_t* allow = nullptr;              // bit maps over item rows, nullable
  const uint8_t* deny = nullptr;

  bool allows(int32_t item) const {
    const auto bit = [item](const uint8_t* bits) { return (bits[item / 8] >> (item % 8) & 1) != 0; };
    return (allow == nullptr || bit(allow)) && (deny == nullptr || !bit(deny));
  }
};

// The rows of a request's ids. It keeps its memory for the next request.
class RequestRows {
 public:
  void read(const Request& request, const Catalog& catalog);

  const Queries& queries() const { return queries_; }
  const int64_t* candidate_offsets() const { return candidate_offsets_.data(); }  // [n + 1]
  const int32_t* candidates() const { return candidates_.data(); }                // -1 = unknown to the model

 private:
  void read_histories(const Request& request, const IdMap& items);
  void read_candidates(const Request& request, const IdMap& items);

  Queries queries_;  // over the vectors
  std::vector<int32_t> users_, history_, candidates_;
  std::vector<int64_t> history_offsets_, history_times_, candidate_offsets_;
};

}  // namespace rec
