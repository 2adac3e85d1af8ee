// One list of fields for both directions: ArchiveWriter and ArchiveReader take the same calls. The two processes run the
// same version of the library, so the layout needs no version.
#include "core/worker/archive.h"

#include <cstring>
#include <type_traits>

namespace rec {

namespace {

constexpr int64_t kAlignment = 64;  // of arrays; plugins are promised this alignment

class ArchiveWriter {
 public:
  explicit ArchiveWriter(FileWriter& out) : out_(out) {}

  void operator()(const int64_t& number) { put(&number, sizeof number); }
  void operator()(const FeatureKind& kind) { (*this)(static_cast<int64_t>(kind)); }
  template <class T>
  void operator()(const Buffer<T>& values) {
    array(values.data(), values.size());
  }
  template <class T>
  void operator()(const std::vector<T>& values) {
    array(values.data(), std::ssize(values));
  }
  void operator()(const std::string& text) { array(text.data(), std::ssize(text)); }
  template <class T, class Visit>
  void each(const std::vector<T>& values, const Visit& visit) {
    (*this)(std::ssize(values));
    for (const T& value : values) visit(*this, value);
  }
  void operator()(const IdMap& ids) {
    (*this)(int64_t{ids.type()});
    if (ids.type() == REC_ID_INT64) {
      array(ids.i64().data(), ids.i64().size());
    } else {
      array(ids.offsets().data(), ids.offsets().size());
      array(ids.bytes().data(), ids.bytes().size());
    }
    array(ids.sorted().data(), ids.sorted().size());
  }

 private:
  template <class T>
  void array(const T* data, int64_t n) {
    (*this)(n);
    static constexpr char kZeros[kAlignment] = {};
    put(kZeros, (kAlignment - at_ % kAlignment) % kAlignment);
    put(data, n * static_cast<int64_t>(sizeof(T)));
  }
  void put(const void* data, int64_t n_bytes) {
    out_.write(data, n_bytes);
    at_ += n_bytes;
  }

  FileWriter& out_;
  int64_t at_ = 0;
};

Error damaged() { return Error(REC_PLUGIN_FAILED, "a memory file of the other process is not sound"); }

class ArchiveReader {
 public:
  explicit ArchiveReader(std::shared_ptr<Buffer<char>> pages) : pages_(std::move(pages)) {}

  void operator()(int64_t& number) { std::memcpy(&number, take(sizeof number), sizeof number); }
  void operator()(FeatureKind& kind) {
    int64_t number = 0;
    (*this)(number);
    kind = static_cast<FeatureKind>(number);
  }
  template <class T>
  void operator()(Buffer<T>& values) {
    int64_t n = 0;
    T* data = array<T>(n);
    values = n == 0 ? Buffer<T>() : Buffer<T>::over(data, n, pages_);
  }
  template <class T>
  void operator()(std::vector<T>& values) {
    int64_t n = 0;
    const T* data = array<T>(n);
    values.assign(data, data + n);
  }
  void operator()(std::string& text) {
    int64_t n = 0;
    const char* data = array<char>(n);
    text.assign(data, n);
  }
  template <class T, class Visit>
  void each(std::vector<T>& values, const Visit& visit) {
    int64_t n = 0;
    (*this)(n);
    if (n < 0) throw damaged();
    values.clear();
    for (int64_t i = 0; i < n; ++i) visit(*this, values.emplace_back());  // memory for what is there, not for the count
  }
  void operator()(IdMap& ids) {
    int64_t type = 0;
    Buffer<int64_t> numbers;  // ids or offsets
    Buffer<char> bytes;
    Buffer<int32_t> sorted;
    (*this)(type);
    (*this)(numbers);
    if (type == REC_ID_BYTES) (*this)(bytes);
    (*this)(sorted);
    ids = IdMap::from_sorted(static_cast<int32_t>(type), std::move(numbers), std::move(bytes), std::move(sorted));
  }

 private:
  template <class T>
  T* array(int64_t& n) {
    (*this)(n);
    take((kAlignment - at_ % kAlignment) % kAlignment);
    if (n < 0 || n > pages_->size()) throw damaged();
    return reinterpret_cast<T*>(take(n * static_cast<int64_t>(sizeof(T))));
  }
  char* take(int64_t n_bytes) {
    if (n_bytes < 0 || n_bytes > pages_->size() - at_) throw damaged();
    char* place = pages_->data() + at_;
    at_ += n_bytes;
    return place;
  }

  std::shared_ptr<Buffer<char>> pages_;
  int64_t at_ = 0;
};

// A Dataset or Report of the reader, or a const one of the writer.
template <class Object, class Wanted>
concept Is = std::is_same_v<std::remove_const_t<Object>, Wanted>;

template <class Archive, class Features>
void visit_features(Archive& archive, Features& features) {
  archive.each(features, [](Archive& a, auto& feature) {
    a(feature.name), a(feature.kind), a(feature.width), a(feature.vocabulary), a(feature.dense), a(feature.values);
  });
}

template <class Archive, Is<Dataset> Data>
void visit(Archive& archive, Data& data) {
  archive(data.users), archive(data.items);
  archive(data.user), archive(data.item), archive(data.time), archive(data.weight), archive(data.part);
  archive(data.label), archive(data.impression);
  archive(data.candidate_offsets), archive(data.candidates);
  archive(data.title_offsets), archive(data.title_bytes);
  archive.each(data.relations, [](Archive& a, auto& relation) {
    a(relation.name), a(relation.items.offsets), a(relation.items.columns);
  });
  visit_features(archive, data.user_features);
  visit_features(archive, data.item_features);
  archive(data.format), archive(data.source), archive(data.n_skipped);  // the rest only a description needs
}

template <class Archive, Is<Report> Data>
void visit(Archive& archive, Data& report) {
  archive.each(report.names, [](Archive& a, auto& name) { a(name); });
  archive(report.means), archive(report.standard_errors), archive(report.values), archive(report.users);
  archive(report.interactions);
  archive(report.list_offsets), archive(report.list_items), archive(report.list_scores), archive(report.list_relevant);
}

template <class T>
MemoryFile share(const char* name, const T& object) {
  return MemoryFile::write(name, [&](FileWriter& out) {
    ArchiveWriter archive(out);
    visit(archive, object);
  });
}

template <class T>
std::shared_ptr<const T> shared(const MemoryFile& file) {
  auto object = std::make_shared<T>();
  ArchiveReader archive(file.map());
  visit(archive, *object);
  return object;
}

}  // namespace

MemoryFile share_dataset(const Dataset& dataset) { return share("recore data set", dataset); }
std::shared_ptr<const Dataset> shared_dataset(const MemoryFile& file) { return shared<Dataset>(file); }

MemoryFile share_report(const Report& report) { return share("recore report", report); }
std::shared_ptr<const Report> shared_report(const MemoryFile& file, const std::vector<std::string>& names,
                                            const ReportBounds& bounds) {
  const int64_t keep_lists = bounds.keep_lists;
  auto report = shared<Report>(file);
  const size_t n_metrics = report->names.size(), n_rows = report->users.size();
  if (report->means.size() != n_metrics || report->standard_errors.size() != n_metrics ||
      report->values.size() != n_metrics * n_rows || report->interactions.size() != n_rows ||
      report->list_offsets.size() != (keep_lists > 0 ? n_rows + 1 : 0) ||
      report->list_scores.size() != report->list_items.size() ||
      report->list_relevant.size() != report->list_items.size())
    throw damaged();
  if (report->names != names) throw Error(REC_PLUGIN_FAILED, "its metrics are not those that were asked for");
  const auto check = [](const std::vector<int64_t>& values, int64_t first, int64_t end, const char* what) {
    for (const int64_t value : values)
      if (value < first || value >= end) throw Error(REC_PLUGIN_FAILED, cat("its ", what));
  };
  check(report->users, REC_NO_ROW, bounds.n_users, "users are not the model's");
  check(report->interactions, 0, bounds.n_interactions, "rows are not those of the data set");
  check(report->list_items, 0, bounds.n_items, "lists have items that the model has not");
  const std::vector<int64_t>& offsets = report->list_offsets;
  if (keep_lists > 0 && (offsets.front() != 0 || offsets.back() != std::ssize(report->list_items))) throw damaged();
  for (size_t row = 0; row + 1 < offsets.size(); ++row)  // compared first: a difference of any two numbers may overflow
    if (offsets[row + 1] < offsets[row] || offsets[row + 1] - offsets[row] > keep_lists) throw damaged();
  return report;
}

}  // namespace rec
