#pragma once

#include <cstdint>
#include <string>

#include "core/data/rows.h"

namespace rec {

// The rows of a file that is not compressed, from an offset on.
struct TableRows {
  std::string path;
  char separator = ',';
  Quotes quotes = Quotes::kRfc4180;
  int64_t offset = 0, line = 1;  // where they begin
  int64_t block_bytes = int64_t{1} << 19;  // the ids of a block fit a cache
};

// Whether read_row_blocks knows such rows: not those that runs of blanks separate, nor labelled ones.
bool reads_in_blocks(const TableRows& table, const ColumnPlan& plan);

// Adds the rows to the sink: data set, counts and errors are those of reading them one after the other. Threads parse blocks
// of plain rows, each with ids of its own, and one adds the blocks in their order. A block in which a row is not plain (a
// quoted cell, a bad row) is read row by row, and the rest of the file after a quote that may hold a line end.
void read_row_blocks(const TableRows& table, const ColumnPlan& plan, int threads, RowSink& sink);

}  // namespace rec
