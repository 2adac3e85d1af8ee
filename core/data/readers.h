#pragma once

#include <string>

#include "core/data/rows.h"

namespace rec {

// One function per format, each in its own file. They fill the sink's builder; load.cpp chooses one and finishes.

// A line of a saved data set's NAME.byte_ids: no id stands for a missing one.
inline constexpr std::string_view kEveryId = "every_id";

// CSV and similar; separator 0 = detected.
void read_csv(const std::string& path, char separator, RowSink& sink);
void read_gru4rec(const std::string& path, RowSink& sink);
// NAME.inter, a benchmark file NAME.train.inter, or a folder of them; titles from NAME.item.
void read_recbole(const std::string& path, RowSink& sink);
// train.csv, dev.csv and test.csv; relations and features from item_meta.csv, features from user_meta.csv.
void read_rechorus(const std::string& folder, RowSink& sink);
// A folder of train.txt [valid.txt] test.txt, or one .txt file.
void read_lightgcn(const std::string& path, RowSink& sink);
// u.data, ratings.dat or ratings.csv, or their folder; titles from u.item, movies.dat or movies.csv.
void read_movielens(const std::string& path, RowSink& sink);

// q_feats.npy, i_feats.npy, q_idmap.csv, i_idmap.csv, interactions.csv [q_side_cat.npy] [item_adj.npy].
void read_two_tower(const std::string& folder, RowSink& sink);

}  // namespace rec
