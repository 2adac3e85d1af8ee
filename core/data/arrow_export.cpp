#include "core/data/arrow_export.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <vector>

#include "core/base/text.h"
#include "core/data/arrow_abi.h"

namespace rec {

namespace {

constexpr int64_t kBatchRows = 1 << 16;

// The columns of a data set, in their order.
enum class Kind { kUser, kItem, kTime, kWeight, kLabel, kImpression, kPart };

struct Column {
  Kind kind;
  const char* name;
  const char* format;
};

// An id that is not UTF-8 makes the whole column binary.
const char* id_format(const IdMap& ids) {
  if (ids.type() == REC_ID_INT64) return "l";
  for (int64_t row = 0; row < ids.size(); ++row)
    if (invalid_utf8(ids.bytes_at(row))) return "Z";
  return "U";
}

std::vector<Column> columns_of(const Dataset& data) {
  std::vector<Column> columns = {{Kind::kUser, "user_id", id_format(data.users)},
                                 {Kind::kItem, "item_id", id_format(data.items)}};
  if (!data.time.empty()) columns.push_back({Kind::kTime, "time", "l"});
  if (!data.weight.empty()) columns.push_back({Kind::kWeight, "weight", "f"});
  if (!data.label.empty()) columns.push_back({Kind::kLabel, "label", "f"});
  if (!data.impression.empty()) columns.push_back({Kind::kImpression, "impression", "i"});
  columns.push_back({Kind::kPart, "part", "U"});
  return columns;
}

struct Stream {
  std::shared_ptr<const Dataset> data;
  std::vector<Column> columns;
  int64_t next_row = 0;
};

// A column of a batch: numbers, or texts with their offsets. The array's release ends it, wherever the array was moved.
struct ColumnMemory {
  std::vector<int64_t> offsets;
  std::vector<char> bytes;
  const void* buffers[3] = {};
};

struct BatchMemory {
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  const void* buffers[1] = {};
};

struct SchemaMemory {
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

template <class Memory, class Struct>
void release(Struct* value) {
  for (int64_t i = 0; i < value->n_children; ++i)
    if (value->children[i]->release != nullptr) value->children[i]->release(value->children[i]);
  delete static_cast<Memory*>(value->private_data);
  value->release = nullptr;
}

// The memory stays with the consumer who got the children.
void release_nothing(ArrowSchema* schema) { schema->release = nullptr; }

template <class Number>
void fill_numbers(ColumnMemory& memory, int64_t n, const auto& number_at) {
  memory.bytes.resize(static_cast<size_t>(n) * sizeof(Number));
  auto* numbers = reinterpret_cast<Number*>(memory.bytes.data());
  for (int64_t i = 0; i < n; ++i) numbers[i] = number_at(i);
  memory.buffers[1] = numbers;
}

void fill_texts(ColumnMemory& memory, int64_t n, const auto& text_at) {
  memory.offsets.assign(1, 0);
  memory.bytes.reserve(1);  // not null when every text is empty
  for (int64_t i = 0; i < n; ++i) {
    const std::string_view text = text_at(i);
    memory.bytes.insert(memory.bytes.end(), text.begin(), text.end());
    memory.offsets.push_back(std::ssize(memory.bytes));
  }
  memory.buffers[1] = memory.offsets.data();
  memory.buffers[2] = memory.bytes.data();
}

void fill_ids(ColumnMemory& memory, int64_t n, const IdMap& ids, const int32_t* rows) {
  if (ids.type() == REC_ID_INT64)
    fill_numbers<int64_t>(memory, n, [&](int64_t i) { return ids.int64_at(rows[i]); });
  else
    fill_texts(memory, n, [&](int64_t i) { return ids.bytes_at(rows[i]); });
}

void fill_column(const Dataset& data, const Column& column, int64_t begin, int64_t n, ArrowArray& out) {
  auto memory = std::make_unique<ColumnMemory>();
  switch (column.kind) {
    case Kind::kUser: fill_ids(*memory, n, data.users, data.user.data() + begin); break;
    case Kind::kItem: fill_ids(*memory, n, data.items, data.item.data() + begin); break;
    case Kind::kTime: fill_numbers<int64_t>(*memory, n, [&](int64_t i) { return data.time[begin + i]; }); break;
    case Kind::kWeight: fill_numbers<float>(*memory, n, [&](int64_t i) { return data.weight[begin + i]; }); break;
    case Kind::kLabel: fill_numbers<float>(*memory, n, [&](int64_t i) { return data.label[begin + i]; }); break;
    case Kind::kImpression:
      fill_numbers<int32_t>(*memory, n, [&](int64_t i) { return data.impression[begin + i]; });
      break;
    case Kind::kPart:
      static constexpr std::string_view kParts[] = {"train", "valid", "test"};
      fill_texts(*memory, n, [&](int64_t i) { return kParts[static_cast<size_t>(data.part[begin + i])]; });
      break;
  }
  out = {};
  out.length = n;
  out.n_buffers = memory->offsets.empty() ? 2 : 3;
  out.buffers = memory->buffers;
  out.private_data = memory.release();
  out.release = release<ColumnMemory, ArrowArray>;
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) noexcept try {
  const auto& columns = static_cast<const Stream*>(stream->private_data)->columns;
  auto memory = std::make_unique<SchemaMemory>();
  memory->children.resize(columns.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    ArrowSchema& child = memory->children[c];
    child = {};
    child.format = columns[c].format;
    child.name = columns[c].name;
    child.release = release_nothing;
    memory->pointers.push_back(&child);
  }
  *out = {};
  out->format = "+s";
  out->name = "";
  out->n_children = std::ssize(columns);
  out->children = memory->pointers.data();
  out->private_data = memory.release();
  out->release = release<SchemaMemory, ArrowSchema>;
  return 0;
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

int get_next(ArrowArrayStream* stream, ArrowArray* out) noexcept try {
  *out = {};
  Stream& self = *static_cast<Stream*>(stream->private_data);
  const int64_t n = std::min(kBatchRows, self.data->n() - self.next_row);
  if (n == 0) return 0;
  // Released with its children if one cannot be made.
  ArrowArray batch{};
  batch.release = release<BatchMemory, ArrowArray>;
  batch.private_data = new BatchMemory;
  const std::unique_ptr<ArrowArray, void (*)(ArrowArray*)> owner(&batch, [](ArrowArray* array) {
    if (array->release != nullptr) array->release(array);
  });
  auto& memory = *static_cast<BatchMemory*>(batch.private_data);
  memory.children.resize(self.columns.size());
  memory.pointers.reserve(self.columns.size());
  batch.length = n;
  batch.n_buffers = 1;
  batch.buffers = memory.buffers;
  for (size_t c = 0; c < self.columns.size(); ++c) {
    fill_column(*self.data, self.columns[c], self.next_row, n, memory.children[c]);
    memory.pointers.push_back(&memory.children[c]);
    batch.children = memory.pointers.data();
    batch.n_children = std::ssize(memory.pointers);
  }
  self.next_row += n;
  *out = batch;
  batch.release = nullptr;
  return 0;
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

const char* get_last_error(ArrowArrayStream*) noexcept { return "out of memory"; }

void release_stream(ArrowArrayStream* stream) noexcept {
  delete static_cast<Stream*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

void export_arrow(std::shared_ptr<const Dataset> dataset, ArrowArrayStream& out) {
  auto stream = std::make_unique<Stream>();
  stream->columns = columns_of(*dataset);
  stream->data = std::move(dataset);
  out = {get_schema, get_next, get_last_error, release_stream, stream.release()};
}

}  // namespace rec
