#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/data/csr.h"
#include "core/data/features.h"
#include "core/data/id_map.h"

namespace rec {

// Which items an item leads to, such as its complements; rows ascend without repetition.
struct Relation {
  std::string name;
  Csr items;  // [n_items] -> items

  Relation copy() const { return {name, {items.offsets.copy(), items.columns.copy()}}; }
};

enum class Part : uint8_t { kTrain = REC_PART_TRAIN, kValid = REC_PART_VALID, kTest = REC_PART_TEST };

// Train is before valid, and both are before test.
inline bool is_before(Part part, Part other) { return part < other; }
static_assert(Part::kTrain < Part::kValid && Part::kValid < Part::kTest);

// Interactions in the order they were read. Immutable once built; assigning other parts makes a copy.
struct Dataset {
  IdMap users, items;          // rows are numbered by first appearance
  Buffer<int32_t> user, item;  // [n] rows
  Buffer<int64_t> time;        // [n], or empty
  Buffer<float> weight;        // [n], or empty
  Buffer<Part> part;           // [n]
  // Labelled rows: 1 = clicked, 0 = shown only; and each row's impression list, numbered by first appearance.
  Buffer<float> label;         // [n], or empty: every row is a positive
  Buffer<int32_t> impression;  // [n], or empty
  // Candidates given with evaluation rows (ReChorus neg_items): row i has candidates[candidate_offsets[i] ..). Or empty.
  Buffer<int64_t> candidate_offsets;  // [n + 1]
  Buffer<int32_t> candidates;
  // Item titles, UTF-8: item i has title_bytes[title_offsets[i] ..). Or empty.
  Buffer<int64_t> title_offsets;  // [n_items + 1]
  Buffer<char> title_bytes;

  std::vector<Relation> relations;  // of the items, in the order of their file

  std::vector<Feature> user_features, item_features;  // in the order of their files

  std::string format;  // "csv", "recbole", ...; "memory" for columns from a caller
  std::string source;  // path, or ""
  int64_t n_skipped = 0;   // bad rows
  int64_t n_missing = 0;   // rows without a user or an item
  bool has_parts = false;  // the parts were given, rather than train for want of a word about them
  // How it was read, in pairs such as "separator" and "tab"; what of it could be meant otherwise, in sentences.
  std::vector<std::pair<std::string, std::string>> read_as;
  std::vector<std::string> notes;

  int64_t n_users() const { return users.size(); }
  int64_t n_items() const { return items.size(); }
  int64_t n() const { return user.size(); }
  bool is_positive(int64_t i) const { return label.empty() || label[i] != 0; }
};

}  // namespace rec
