#include "core/data/row_blocks.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/files.h"
#include "core/base/thread_pool.h"

namespace rec {

namespace {

// A block of whole lines, and what a thread has made of it.
struct Block {
  int64_t begin = 0, end = 0;  // offsets
  int64_t n_lines = 0;
  std::optional<RowBlock> rows;  // none when a row is not plain
  int64_t n_missing = 0, n_light = 0;
  bool has_quote = false, has_nul = false;  // only told of a block without rows
};

class BlockParser {
 public:
  BlockParser(const TableRows& table, const ColumnPlan& plan, RowSink& sink)
      : plan_(plan),
        sink_(sink),
        separator_(table.separator),
        reads_quotes_(table.quotes == Quotes::kRfc4180 || table.quotes == Quotes::kWithinLine) {
    for (char c : {table.separator, '\r', '\n', '\0'}) ends_cell_[static_cast<unsigned char>(c)] = true;
    if (table.quotes == Quotes::kNone) return;
    is_blank_[' '] = true;
    if (table.separator != '\t') is_blank_['\t'] = true;
  }

  void parse(std::string_view text, Block& block) const {
    block.n_lines = std::count(text.begin(), text.end(), '\n');
    block.rows.emplace(sink_.builder().users().declared_type(), sink_.builder().items().declared_type());
    if (add_rows(text, block)) return;
    block.rows.reset();
    block.has_quote = text.find('"') != std::string_view::npos;
    block.has_nul = text.find('\0') != std::string_view::npos;
  }

 private:
  // False at a row that is not plain.
  bool add_rows(std::string_view text, Block& block) const try {
    const int64_t n_rows = block.n_lines + 1;
    block.rows->user.reserve(n_rows);
    block.rows->item.reserve(n_rows);
    if (plan_.time >= 0) block.rows->time.reserve(n_rows);
    if (plan_.weight >= 0) block.rows->weight.reserve(n_rows);
    std::vector<std::string_view> cells;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
      if (const int64_t n = line_end(at, end); n != 0) {  // an empty line
        if (n < 0) return false;
        at += n;
        continue;
      }
      cells.clear();
      while (true) {
        while (at < end && is_blank_[static_cast<unsigned char>(*at)]) ++at;
        if (reads_quotes_ && at < end && *at == '"') return false;
        const char* const begin = at;
        while (at < end && !ends_cell_[static_cast<unsigned char>(*at)]) ++at;
        const char* last = at;
        while (last > begin && is_blank_[static_cast<unsigned char>(last[-1])]) --last;
        if (cells.size() == plan_.n_columns) return false;
        cells.emplace_back(begin, last - begin);
        if (at == end || *at != separator_) break;
        ++at;
      }
      if (at < end) {
        const int64_t n = line_end(at, end);
        if (n <= 0) return false;  // a NUL
        at += n;
      }
      if (!add_row(sink_.parse(cells, plan_), block)) return false;
    }
    return true;
  } catch (const Error&) {
    return false;
  }

  // How many bytes the line end at `at` has; 0 if there is no line end. -1 for a CR alone, whose row is read the slow way.
  static int64_t line_end(const char* at, const char* end) {
    if (*at == '\n') return 1;
    if (*at != '\r') return 0;
    return at + 1 < end && at[1] == '\n' ? 2 : -1;
  }

  bool add_row(const Row& row, Block& block) const {
    const RowSink::Fate fate = sink_.fate_of(row);
    block.n_missing += fate == RowSink::Fate::kMissing;
    block.n_light += fate == RowSink::Fate::kLight;
    if (fate != RowSink::Fate::kKept) return true;
    RowBlock& rows = *block.rows;
    if (plan_.time >= 0 && !rows.time.empty() && row.time.is_date != rows.time.front().is_date) return false;
    const IdColumn::Key user = rows.users.key(row.user), item = rows.items.key(row.item);
    rows.user.push_back(rows.users.add(user));
    rows.item.push_back(rows.items.add(item));
    if (plan_.time >= 0) rows.time.push_back(row.time);
    if (plan_.weight >= 0) rows.weight.push_back(row.weight);
    return true;
  }

  const ColumnPlan& plan_;
  RowSink& sink_;
  char separator_;
  bool reads_quotes_;
  std::array<bool, 256> ends_cell_{}, is_blank_{};
};

class BlockReader {
 public:
  BlockReader(const TableRows& table, const ColumnPlan& plan, int threads, RowSink& sink)
      : table_(table), plan_(plan), sink_(sink), file_(table.path), parser_(table, plan, sink), pool_(threads) {}

  void run() {
    const int64_t n_blocks = (file_.size() - table_.offset) / table_.block_bytes + 1;
    // The text of a block and what is made of it.
    const int64_t block_memory = 3 * table_.block_bytes;
    MemoryBudget& budget = sink_.builder().budget();
    int64_t n_beside = std::min<int64_t>({8 * pool_.size(), n_blocks, 256});
    if (budget.limit() > 0) n_beside = std::clamp<int64_t>((budget.limit() - budget.used()) / 8 / block_memory, 1, n_beside);
    budget.charge(n_beside * block_memory, "blocks of the file");
    add_blocks(n_blocks, n_beside);
    budget.give_back(n_beside * block_memory);
  }

 private:
  void add_blocks(int64_t n_blocks, int64_t n_beside) {
    int64_t line = table_.line;
    for (int64_t first = 0; first < n_blocks; first += n_beside) {
      std::vector<Block> blocks(std::min(n_beside, n_blocks - first));
      pool_.parallel_for(std::ssize(blocks), 1, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) {
          throw_if_cancelled(sink_.builder().cancel());
          parse(first + b, blocks[b]);
        }
      });
      for (Block& block : blocks) {
        if (!add(block, line)) return;
        block.rows.reset();
        sink_.set_done(static_cast<double>(block.end) / static_cast<double>(file_.size()));
      }
    }
  }

  // A block has the lines that begin within its bytes.
  void parse(int64_t number, Block& block) const {
    const int64_t begin = table_.offset + number * table_.block_bytes;
    const int64_t end = std::min(begin + table_.block_bytes, file_.size());
    block.begin = number == 0 ? begin : line_after(begin - 1, end);
    block.end = block.begin >= end ? block.begin : end == file_.size() ? end : line_after(end - 1, file_.size());
    if (block.end - block.begin > 4 * table_.block_bytes) {  // a line that long is read where its memory is charged
      block.has_quote = true;
      return;
    }
    const Buffer<char> text = file_.read(block.begin, block.end - block.begin);
    parser_.parse({text.data(), static_cast<size_t>(text.size())}, block);
  }

  // Where the line that holds the byte at `offset` ends: the offset after its line end, or `limit` if that comes first.
  int64_t line_after(int64_t offset, int64_t limit) const {
    constexpr int64_t kLongest = 1 << 18;
    for (int64_t piece_bytes = 1 << 12; offset < limit;) {
      throw_if_cancelled(sink_.builder().cancel());
      const Buffer<char> piece = file_.read(offset, std::min(piece_bytes, limit - offset));
      if (const auto at = std::find(piece.begin(), piece.end(), '\n'); at != piece.end())
        return offset + (at - piece.begin()) + 1;
      offset += piece.size();
      piece_bytes = std::min(2 * piece_bytes, kLongest);
    }
    return limit;
  }

  // Adds the block that begins at `line`, which becomes the line of the next. False when it has read the rest of the file.
  bool add(const Block& block, int64_t& line) {
    if (block.rows && sink_.builder().takes(*block.rows)) {
      expect_rows(block);
      sink_.add(*block.rows, block.n_missing, block.n_light);
      line += block.n_lines;
      return true;
    }
    const bool to_the_end = block.has_nul || (block.has_quote && table_.quotes == Quotes::kRfc4180);
    line = read_row_by_row(block.begin, to_the_end ? file_.size() : block.end, line);
    return !to_the_end;
  }

  // Makes room for the whole file, once there are rows to guess their number by.
  void expect_rows(const Block& block) {
    if (has_room_ || block.rows->user.empty()) return;
    has_room_ = true;
    const double rows_a_byte =
        static_cast<double>(block.rows->user.size()) / static_cast<double>(block.end - block.begin);
    const double n_left = 1.02 * rows_a_byte * static_cast<double>(file_.size() - block.begin);
    const MemoryBudget& budget = sink_.builder().budget();
    constexpr int64_t kRowBytes = 21;  // of user, item, time, weight and part
    const int64_t n_fit = budget.limit() > 0 ? std::max<int64_t>(0, budget.limit() - budget.used()) / kRowBytes : INT64_MAX;
    sink_.builder().expect(sink_.builder().n() + std::min(static_cast<int64_t>(n_left), n_fit));
  }

  // Returns the line behind.
  int64_t read_row_by_row(int64_t begin, int64_t end, int64_t line) {
    if (end - begin > 4 * table_.block_bytes) sink_.builder().budget().charge(end - begin, "the file's text");
    TextFile text{table_.path, file_.read(begin, end - begin, sink_.builder().cancel())};
    refuse_nul(text, begin, line);
    DelimitedReader reader(text, table_.separator, table_.quotes, {line, begin, file_.size()});
    for_each_row(reader, sink_, [&](const auto& row) { sink_.add(sink_.parse(row, plan_)); });
    return reader.next_line();
  }

  const TableRows& table_;
  const ColumnPlan& plan_;
  RowSink& sink_;
  PieceFile file_;
  BlockParser parser_;
  ThreadPool pool_;
  bool has_room_ = false;
};

}  // namespace

bool reads_in_blocks(const TableRows& table, const ColumnPlan& plan) {
  return !table.path.ends_with(".gz") && table.separator != ' ' && plan.label < 0 && plan.impression < 0;
}

void read_row_blocks(const TableRows& table, const ColumnPlan& plan, int threads, RowSink& sink) {
  BlockReader(table, plan, threads, sink).run();
}

}  // namespace rec
