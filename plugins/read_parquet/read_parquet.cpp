// Parquet by Arrow C++: record batches of the wanted columns, row group by row group.
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <numeric>
#include <string>

#include "rec_reader_api.h"

namespace {

constexpr int64_t kBatchRows = 1 << 16;

// Closes the file after its last batch: the batches of a FileReader need it.
class Batches final : public arrow::RecordBatchReader {
 public:
  Batches(std::unique_ptr<parquet::arrow::FileReader> file, std::shared_ptr<arrow::RecordBatchReader> batches)
      : file_(std::move(file)), batches_(std::move(batches)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override { return batches_->ReadNext(batch); }

 private:
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;  // ends first
};

arrow::Status open_file(const char* path, rec_reader_wants_fn wants, void* context, ArrowArrayStream* out) {
  ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(kBatchRows);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(input));
  std::unique_ptr<parquet::arrow::FileReader> file;
  ARROW_RETURN_NOT_OK(builder.properties(properties)->Build(&file));
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(file->GetSchema(&schema));
  // Leaves of nested columns have numbers, too, so that a wanted column is found by its name among the leaves.
  const parquet::SchemaDescriptor& leaves = *file->parquet_reader()->metadata()->schema();
  std::vector<int> columns, groups(file->num_row_groups());
  for (int leaf = 0; leaf < leaves.num_columns(); ++leaf)
    if (leaves.Column(leaf)->path()->ToDotVector().size() == 1 && wants(context, leaves.Column(leaf)->name().c_str()))
      columns.push_back(leaf);
  if (columns.empty()) {  // its error names the columns that there are
    columns.resize(leaves.num_columns());
    std::iota(columns.begin(), columns.end(), 0);
  }
  std::iota(groups.begin(), groups.end(), 0);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatchReader> batches, file->GetRecordBatchReader(groups, columns));
  return arrow::ExportRecordBatchReader(std::make_shared<Batches>(std::move(file), std::move(batches)), out);
}

void tell(const std::string& why, char* message, int64_t n_message) {
  if (n_message < 1) return;
  const auto n = std::min(why.size(), static_cast<size_t>(n_message) - 1);
  std::memcpy(message, why.data(), n);
  message[n] = 0;
}

int32_t open(const char* path, rec_reader_wants_fn wants, void* context, ArrowArrayStream* out_stream, char* message,
             int64_t n_message) {
  try {
    const arrow::Status status = open_file(path, wants, context, out_stream);
    if (status.ok()) return 0;
    tell(status.message(), message, n_message);
  } catch (const std::exception& error) {
    tell(error.what(), message, n_message);
  }
  return 1;
}

}  // namespace

const rec_reader_t* rec_reader_entry(void) {
  static const rec_reader_t reader{sizeof reader, REC_READER_ABI, "parquet", open};
  return &reader;
}
