// Arrow streams that lie where a consumer can tell: buffers are as long as the columns' own lengths and offsets say.
#include "core/data/arrow.h"

#include <deque>

#include "core/data/arrow_abi.h"
#include "tests/fuzz/fuzz.h"

namespace rec::fuzz {
namespace {

class Producer {
 public:
  explicit Producer(Input& in) : in_(in) {
    n_batches_ = in.below(4);
    fails_at_ = in.one_in(16) ? in.below(4) : 9;
    for (size_t i = 1 + in.below(7); i > 0; --i) columns_.push_back(column());
  }
  Producer(const Producer&) = delete;

  ArrowArrayStream stream() {
    ArrowArrayStream out{};
    out.private_data = this;
    out.get_schema = [](ArrowArrayStream* self, ArrowSchema* schema) {
      return static_cast<Producer*>(self->private_data)->fill(*schema);
    };
    out.get_next = [](ArrowArrayStream* self, ArrowArray* array) {
      return static_cast<Producer*>(self->private_data)->fill(*array);
    };
    out.get_last_error = [](ArrowArrayStream*) -> const char* { return "\x1b[31mplanted \xff\n"; };
    if (in_.one_in(8)) out.get_last_error = [](ArrowArrayStream*) -> const char* { return nullptr; };
    if (in_.one_in(16)) out.get_last_error = nullptr;
    out.release = [](ArrowArrayStream* self) {
      --static_cast<Producer*>(self->private_data)->n_live_;
      self->release = nullptr;
    };
    ++n_live_;
    return out;
  }

  void check_released() const {
    if (n_live_ != 0) finding(cat(n_live_, " more structs were made than released"));
  }

 private:
  struct Column {
    std::string name, format;
    bool has_name = true, has_format = true, has_schema = true;
    std::unique_ptr<Column> dictionary;
  };

  Column column(int depth = 0) {
    Column made;
    made.name = in_.one_of({"user_id", "item_id", "time", "rating", "label", "impression_id", "x", "\xff\n"});
    made.format = in_.one_of(
        {"l", "u",    "i",       "U",    "f",    "g",   "z", "Z",  "vu",  "vz",     "c", "C",    "s", "S", "I",
         "L", "tss:", "tsm:UTC", "tsu:", "tsn:", "tdD", "n", "+s", "w:4", "d:10,2", "",  "tsx:", "b", "e", "\x1b"});
    made.has_name = !in_.one_in(32);
    made.has_format = !in_.one_in(32);
    made.has_schema = !in_.one_in(64);
    if (in_.one_in(8) && depth < 3) made.dictionary = std::make_unique<Column>(column(depth + 1));
    return made;
  }

  template <class T>
  void own(T& value) {
    ++n_live_;
    value.private_data = this;
    value.release = [](T* self) {
      --static_cast<Producer*>(self->private_data)->n_live_;
      self->release = nullptr;
    };
  }

  ArrowSchema schema_of(const Column& column) {
    ArrowSchema out{};
    out.format = column.has_format ? column.format.c_str() : nullptr;
    out.name = column.has_name ? column.name.c_str() : nullptr;
    if (column.dictionary != nullptr) out.dictionary = &schemas_.emplace_back(schema_of(*column.dictionary));
    return out;
  }

  int fill(ArrowSchema& out) {
    out = {};
    if (fails_at_ == 0) return 5;
    out.format = in_.one_in(32) ? nullptr : in_.one_in(32) ? "l" : "+s";
    auto& children = schema_children_;
    for (const Column& column : columns_)
      children.push_back(column.has_schema ? &schemas_.emplace_back(schema_of(column)) : nullptr);
    out.children = in_.one_in(64) ? nullptr : children.data();
    out.n_children = in_.one_in(32) ? -1 : std::ssize(children);
    n_columns_ = out.n_children;
    own(out);
    return 0;
  }

  int fill(ArrowArray& out) {
    out = {};
    if (++n_asked_ == fails_at_) return 5;
    if (n_batches_-- == 0) return 0;
    const auto n = static_cast<int64_t>(in_.below(7));
    out.length = n;
    auto& children = array_children_.emplace_back();
    for (const Column& column : columns_)
      children.push_back(in_.one_in(64) ? nullptr : &arrays_.emplace_back(array_of(column, n)));
    out.children = in_.one_in(64) ? nullptr : children.data();
    out.n_children = in_.one_in(32) ? std::min<int64_t>(odd_integer(in_), std::ssize(children)) : n_columns_;
    out.n_buffers = 1;
    auto& buffers = buffer_lists_.emplace_back(1, nullptr);
    out.null_count = in_.one_in(8) ? -1 : 0;
    if (in_.one_in(4)) buffers[0] = keep(std::string(2, in_.one_in(2) ? '\xff' : '\x15'));
    out.buffers = in_.one_in(16) ? nullptr : buffers.data();
    switch (in_.below(16)) {  // lies that the columns contradict
      case 0: out.length = odd_integer(in_, n); break;
      case 1: out.offset = odd_integer(in_, n); break;
      case 2: out.null_count = odd_integer(in_); break;
      case 3: out.n_buffers = in_.one_in(2) ? 0 : INT64_MIN; break;
      default: break;
    }
    own(out);
    return 0;
  }

  // An exact allocation.
  const void* keep(const std::string& bytes) {
    auto& copy = memory_.emplace_back(new char[bytes.size()]);
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    return copy.get();
  }

  template <class T>
  std::string numbers(int64_t n) {
    std::string out;
    for (int64_t i = 0; i < n; ++i) {
      T value = static_cast<T>(in_.below(4));
      if (in_.one_in(8)) value = in_.raw<T>();
      out.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    return out;
  }

  // The last offset says how many bytes there are; those before it may be anything.
  template <class T>
  void add_text(std::vector<const void*>& buffers, int64_t n) {
    std::vector<T> offsets{0};
    for (int64_t i = 0; i < n; ++i) offsets.push_back(static_cast<T>(offsets.back() + static_cast<T>(in_.below(3))));
    const T size = offsets.back();
    if (n > 0 && in_.one_in(4)) offsets[in_.below(n)] = static_cast<T>(odd_integer(in_, size));
    buffers.push_back(keep({reinterpret_cast<const char*>(offsets.data()), offsets.size() * sizeof(T)}));
    std::string bytes = in_.text(size);
    bytes.resize(size);
    buffers.push_back(in_.one_in(16) && size == 0 ? nullptr : keep(bytes));
  }

  void add_views(std::vector<const void*>& buffers, int64_t n) {
    std::string views;
    for (int64_t i = 0; i < n; ++i) {
      int32_t view[4] = {static_cast<int32_t>(in_.below(20)), 0, 0, 0};
      if (view[0] <= 12) {
        const std::string text = in_.text(view[0]);
        std::memcpy(view + 1, text.data(), text.size());
      } else if (in_.one_in(4)) {
        view[1 + in_.below(3)] = static_cast<int32_t>(odd_integer(in_));
      }
      if (in_.one_in(16)) view[0] = static_cast<int32_t>(odd_integer(in_));
      views.append(reinterpret_cast<const char*>(view), sizeof view);
    }
    buffers.push_back(keep(views));
    const std::string bytes(24, 'v');
    buffers.push_back(keep(bytes));
    const int64_t size = std::ssize(bytes);
    buffers.push_back(in_.one_in(16) ? nullptr : keep({reinterpret_cast<const char*>(&size), sizeof size}));
  }

  ArrowArray array_of(const Column& column, int64_t n) {
    ArrowArray out{};
    out.offset = in_.one_in(8) ? static_cast<int64_t>(in_.below(3)) : 0;
    out.length = n + static_cast<int64_t>(in_.one_in(8));
    const int64_t all = out.offset + out.length;
    auto& buffers = buffer_lists_.emplace_back();
    const bool has_valid = in_.one_in(4);
    buffers.push_back(has_valid ? keep(std::string((all + 7) / 8, in_.one_in(4) ? '\x5b' : '\xff')) : nullptr);
    out.null_count = has_valid ? static_cast<int64_t>(in_.below(3)) - 1 : in_.one_in(8) ? odd_integer(in_) : 0;
    const std::string& format = column.format;
    if (format == "u" || format == "z")
      add_text<int32_t>(buffers, all);
    else if (format == "U" || format == "Z")
      add_text<int64_t>(buffers, all);
    else if (format[0] == 'v')
      add_views(buffers, all);
    else if (format == "c" || format == "C")
      buffers.push_back(keep(numbers<int8_t>(all)));
    else if (format == "s" || format == "S")
      buffers.push_back(keep(numbers<int16_t>(all)));
    else if (format == "i" || format == "I" || format == "tdD")
      buffers.push_back(keep(numbers<int32_t>(all)));
    else if (format == "f")
      buffers.push_back(keep(numbers<float>(all)));
    else if (format == "g")
      buffers.push_back(keep(numbers<double>(all)));
    else
      buffers.push_back(keep(numbers<int64_t>(all)));
    out.n_buffers = std::ssize(buffers);
    out.buffers = buffers.data();
    if (column.dictionary != nullptr && !in_.one_in(32))
      out.dictionary = &arrays_.emplace_back(array_of(*column.dictionary, static_cast<int64_t>(in_.below(4))));
    switch (in_.below(32)) {  // lies
      case 0: out.length = std::min(odd_integer(in_), out.length); break;
      case 1: out.offset = INT64_MAX - static_cast<int64_t>(in_.below(2)); break;
      case 2: out.offset = -1 - static_cast<int64_t>(in_.below(3)); break;
      case 3: out.n_buffers = std::min(odd_integer(in_), out.n_buffers); break;
      case 4: out.buffers = nullptr; break;
      case 5: buffers[in_.below(buffers.size())] = nullptr; break;
      default: break;
    }
    return out;
  }

  Input& in_;
  std::vector<Column> columns_;
  size_t n_batches_, fails_at_, n_asked_ = 0;
  int64_t n_columns_ = 0;
  int n_live_ = 0;
  std::deque<ArrowSchema> schemas_;
  std::deque<ArrowArray> arrays_;
  std::vector<ArrowSchema*> schema_children_;
  std::deque<std::vector<ArrowArray*>> array_children_;
  std::deque<std::vector<const void*>> buffer_lists_;
  std::deque<std::unique_ptr<char[]>> memory_;
};

}  // namespace
}  // namespace rec::fuzz

int LLVMFuzzerInitialize(int*, char***) { return 0; }

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rec::fuzz;
  Input in(data, size);
  rec::DatasetOptions options;
  options.memory_limit_bytes = int64_t{16} << 20;
  options.bad_rows = in.one_in(2);
  options.user_id_type = static_cast<int32_t>(in.one_in(8) ? in.below(4) : 0);
  if (in.one_in(8)) options.min_weight = odd_number(in);
  if (in.one_in(8)) options.impression_key = in.one_of({"time", "", "x"});
  Producer producer(in);
  ArrowArrayStream stream = producer.stream();
  attempt([&] { rec::dataset_from_arrow(&stream, options); });
  producer.check_released();
  return 0;
}
