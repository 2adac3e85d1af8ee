#include "core/data/npy.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/base/files.h"
#include "core/base/text.h"

namespace rec {

namespace {

static_assert(std::endian::native == std::endian::little, "the numbers are taken as they stand in the file");

struct Header {
  std::string type;
  int64_t rows = 0, columns = 0, data = 0;  // data: where the numbers begin
};

template <class... Parts>
Error bad(const std::string& path, const Parts&... parts) {
  Error error(REC_INVALID_DATA, cat(path, ": ", parts...));
  error.file = path;
  return error;
}

// The header's dictionary, a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Literal {
 public:
  Literal(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  bool take(char c) {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) throw unsound();
  }
  std::string_view quoted() {
    const char quote = take('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const size_t end = text_.find(quote);
    if (end == std::string_view::npos) throw unsound();
    return taken(end, 1);
  }
  std::string_view word() {
    take(' ');
    return taken(std::min(text_.find_first_of(",} "), text_.size()), 0);
  }
  int64_t extent() {
    take(' ');
    const auto value = parse_int64(taken(std::min(text_.find_first_not_of("0123456789"), text_.size()), 0));
    if (!value) throw unsound();
    return *value;
  }
  Error unsound() const { return bad(path_, "the header of the .npy file is not sound"); }

 private:
  std::string_view taken(size_t n, size_t beyond) {
    const std::string_view out = text_.substr(0, n);
    text_.remove_prefix(n + beyond);
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
    return out;
  }

  std::string_view text_;
  const std::string& path_;
};

Header parse_header(const Buffer<char>& file, const std::string& path) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  const std::string_view bytes(file.data(), file.size());
  if (!bytes.starts_with(kMagic)) throw bad(path, "expected a .npy file, which begins with \\x93NUMPY");
  if (bytes.size() < 12) throw bad(path, "the .npy file ends in its header");
  const int version = bytes[6];
  if (version != 1 && version != 2) throw bad(path, "expected .npy version 1 or 2, got ", version);
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(bytes[i])); };
  const size_t begin = version == 1 ? 10 : 12;
  const size_t length = byte(8) + (byte(9) << 8) + (version == 1 ? 0 : (byte(10) << 16) + (byte(11) << 24));
  if (length > bytes.size() - begin) throw bad(path, "the .npy file ends in its header");

  Header header;
  header.data = static_cast<int64_t>(begin + length);
  Literal text(bytes.substr(begin, length), path);
  bool has_order = false;
  std::optional<std::pair<int64_t, int64_t>> shape;
  text.expect('{');
  while (!text.take('}')) {
    const std::string_view key = text.quoted();
    text.expect(':');
    if (key == "descr") {
      header.type = text.quoted();
    } else if (key == "fortran_order") {
      if (text.word() != "False") throw bad(path, "expected fortran_order False: numbers in C order");
      has_order = true;
    } else if (key == "shape") {
      std::vector<int64_t> extents;
      text.expect('(');
      while (!text.take(')')) {
        extents.push_back(text.extent());
        if (!text.take(',')) {
          text.expect(')');
          break;
        }
      }
      if (extents.size() != 2) throw bad(path, "expected a matrix of two dimensions, got ", extents.size());
      shape = {extents[0], extents[1]};
    } else {
      throw text.unsound();
    }
    if (!text.take(',')) {
      text.expect('}');
      break;
    }
  }
  if (header.type.empty() || !has_order || !shape) throw text.unsound();
  if (shape->first < 1 || shape->second < 1)
    throw bad(path, "expected at least one row and one column, got ", shape->first, " x ", shape->second);
  header.rows = shape->first;
  header.columns = shape->second;
  return header;
}

// Copies every number, a From, as a To made by `convert`.
template <class From, class To, class Convert>
void copy_numbers(const Buffer<char>& file, const Header& header, const std::string& path, Buffer<To>& out,
                  const Convert& convert) {
  const int64_t wanted = checked_mul(checked_mul(header.rows, header.columns), sizeof(From));
  if (file.size() - header.data != wanted)
    throw bad(path, "expected ", wanted, " bytes of ", header.rows, " x ", header.columns, " ", header.type,
              " after the header, got ", file.size() - header.data);
  out = Buffer<To>::uninitialized(header.rows * header.columns);
  for (int64_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, file.data() + header.data + i * static_cast<int64_t>(sizeof value), sizeof value);
    out[i] = convert(value, i);
  }
}

template <class To, class Read>
NpyMatrix<To> read_matrix(const std::string& path, MemoryBudget& budget, const Read& read) {
  const Buffer<char> file = read_file(path, budget.limit());
  const Header header = parse_header(file, path);
  budget.charge(checked_mul(checked_mul(header.rows, header.columns), sizeof(To)), "a matrix");
  NpyMatrix<To> out{header.rows, header.columns, {}};
  read(file, header, out.values);
  return out;
}

}  // namespace

NpyMatrix<float> read_npy_floats(const std::string& path, MemoryBudget& budget) {
  return read_matrix<float>(path, budget, [&](const Buffer<char>& file, const Header& header, Buffer<float>& out) {
    const auto to_float = [&](auto value, int64_t i) {
      const auto number = static_cast<float>(value);
      if (!std::isfinite(number))
        throw bad(path, "row ", i / header.columns, ", column ", i % header.columns, ": expected a finite float, got ",
                  value);
      return number;
    };
    if (header.type == "<f4") return copy_numbers<float>(file, header, path, out, to_float);
    if (header.type == "<f8") return copy_numbers<double>(file, header, path, out, to_float);
    if (header.type == "<i4") return copy_numbers<int32_t>(file, header, path, out, to_float);
    if (header.type == "<i8") return copy_numbers<int64_t>(file, header, path, out, to_float);
    throw bad(path, "expected numbers of type <f4, <f8, <i4 or <i8, got '", printable(header.type), "'");
  });
}

NpyMatrix<int64_t> read_npy_integers(const std::string& path, MemoryBudget& budget) {
  return read_matrix<int64_t>(path, budget, [&](const Buffer<char>& file, const Header& header, Buffer<int64_t>& out) {
    const auto to_integer = [](auto value, int64_t) { return static_cast<int64_t>(value); };
    if (header.type == "<i4") return copy_numbers<int32_t>(file, header, path, out, to_integer);
    if (header.type == "<i8") return copy_numbers<int64_t>(file, header, path, out, to_integer);
    throw bad(path, "expected integers of type <i4 or <i8, got '", printable(header.type), "'");
  });
}

}  // namespace rec
