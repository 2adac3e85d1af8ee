#pragma once

#include "tests/conformance/capi.h"

namespace rec::test {

class Worlds {
 protected:
  static void add_plugins() {
    for (const char* folder : {REC_PLUGINS_FOLDER, REC_BUILD_FOLDER "/lib/recore/third_party"})
      call([&](rec_error_t** error) { return rec_plugin_add_folder(folder, error); });
  }

  // A world whose answer is known: even users like even items. Item i of 20 is held out from user u by (u + i) % 5.
  static Handle<rec_dataset_t> checkerboard(int64_t n_users = 40, int64_t n_items = 20, bool valid = true) {
    std::vector<int64_t> users, items;
    std::vector<int32_t> parts;
    for (int64_t u = 0; u < n_users; ++u)
      for (int64_t j = 0; j < n_items / 2; ++j) {
        const int64_t i = u % 2 + 2 * ((7 * j + u) % (n_items / 2));  // no two users in the same order
        users.push_back(1000 + u);
        items.push_back(-50 + i);
        parts.push_back((u + i / 2) % 5 == 0            ? REC_PART_TEST
                        : valid && (u + i / 2) % 5 == 1 ? REC_PART_VALID
                                                        : REC_PART_TRAIN);
      }
    return dataset(users, items, parts);
  }
  // A world for models of sequences: item i is always followed by item i + 1. Each user walks 8 steps from its own start;
  // the last two are held out.
  static Handle<rec_dataset_t> cycle() {
    std::vector<int64_t> users, items;
    std::vector<int32_t> parts;
    for (int64_t u = 0; u < 60; ++u)
      for (int64_t t = 0; t < 8; ++t) {
        users.push_back(1000 + u);
        items.push_back((7 * u + t) % 20);
        parts.push_back(t == 7 ? REC_PART_TEST : t == 6 ? REC_PART_VALID : REC_PART_TRAIN);
      }
    return dataset(users, items, parts);
  }
};

}  // namespace rec::test
