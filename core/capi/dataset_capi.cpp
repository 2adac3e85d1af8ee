#include <tuple>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/capi/ids.h"
#include "core/capi/long_call.h"
#include "core/capi/objects.h"
#include "core/data/arrow.h"
#include "core/data/arrow_abi.h"
#include "core/data/arrow_export.h"
#include "core/data/columns.h"
#include "core/data/describe.h"
#include "core/data/load.h"
#include "core/data/rows.h"
#include "core/data/split.h"
#include "core/data/write.h"
#include "core/plugin/reader.h"

using namespace rec;

namespace {

DatasetOptions read_options(const rec_dataset_options_t* given) {
  const rec_dataset_options_t o = read_struct(given, "options");
  DatasetOptions options;
  options.user_id_type = o.user_id_type;
  options.item_id_type = o.item_id_type;
  options.bad_rows = o.bad_rows;
  if (o.format != nullptr) options.format = o.format;
  if (o.user_column != nullptr) options.user_column = o.user_column;
  if (o.item_column != nullptr) options.item_column = o.item_column;
  if (o.time_column != nullptr) options.time_column = o.time_column;
  if (o.weight_column != nullptr) options.weight_column = o.weight_column;
  if (o.separator != nullptr) options.separator = o.separator;
  if (o.has_min_weight != 0) options.min_weight = o.min_weight;
  options.max_bad_rows = o.max_bad_rows;
  options.memory_limit_bytes = o.memory_limit_bytes;
  if (o.label_column != nullptr) options.label_column = o.label_column;
  if (o.impression_key != nullptr) options.impression_key = o.impression_key;
  options.header = o.header;
  options.quotes = o.quotes;
  options.time_unit = o.time_unit;
  if (o.has_part != 0) options.part = o.part;
  if (o.time_format != nullptr) options.time_format = o.time_format;
  if (o.missing != nullptr) options.missing = o.missing;
  if (o.valid_path != nullptr) options.valid_path = o.valid_path;
  if (o.test_path != nullptr) options.test_path = o.test_path;
  return options;
}

bool is_parquet(const std::string& path, const DatasetOptions& options) {
  if (options.format != "auto" || is_directory(path) || !file_exists(path)) return options.format == "parquet";
  constexpr std::string_view kMagic = "PAR1";
  const PieceFile file(path);
  if (file.size() < std::ssize(kMagic)) return false;
  const Buffer<char> head = file.read(0, std::ssize(kMagic));
  return std::string_view(head.data(), kMagic.size()) == kMagic;
}

Dataset load_parquet(const std::string& path, DatasetOptions options, const CancelToken* cancel) {
  check_applies(options, "parquet");
  options.format = "auto";
  check_options(options);
  ArrowArrayStream stream{};
  open_by_reader("parquet", path, [&](const char* column) { return may_be_read(column, options); }, stream);
  Dataset dataset = dataset_from_arrow(&stream, options, cancel);
  dataset.format = "parquet";
  dataset.source = path;
  return dataset;
}

rec_dataset_t* new_dataset(Dataset dataset) {
  return new_handle<rec_dataset_t>(std::make_shared<const Dataset>(std::move(dataset)));
}

// One that was read, from `source` unless it has none or several: what could be meant otherwise is told.
rec_dataset_t* give(Dataset dataset, const std::string& source = "") {
  for (const std::string& note : dataset.notes)
    log::write(REC_LOG_WARNING, source.empty() ? note : cat(printable(source), ": ", note));
  return new_dataset(std::move(dataset));
}

}  // namespace

extern "C" {

rec_status_t rec_dataset_load(const char* path, const rec_dataset_options_t* options, const rec_run_options_t* run,
                              rec_dataset_t** out_dataset, rec_error_t** out_error) {
  return guarded_giving(out_dataset, "out_dataset", out_error, [&] {
    return with_path(path, "path", [&](const std::string& file) {
      DatasetOptions read = read_options(options);
      read.threads = read_struct(run, "run").threads;
      Dataset dataset = long_call(run, [&](const Caller& caller) {
        return is_parquet(file, read) ? load_parquet(file, read, caller.cancel) : load_dataset(file, read, caller.cancel);
      });
      const bool is_alone = read.valid_path.empty() && read.test_path.empty();
      return give(std::move(dataset), is_alone ? file : "");
    });
  });
}

rec_status_t rec_dataset_create_from_columns(const rec_columns_t* columns, const rec_run_options_t* run,
                                             rec_dataset_t** out_dataset, rec_error_t** out_error) {
  return guarded_giving(out_dataset, "out_dataset", out_error, [&] {
    rec_columns_t read = read_struct(&not_null(columns, "columns"), "columns");
    rec_ids_t users, items, title_items, titles, more_users, more_items;
    for (const auto& [list, copy, name] :
         {std::tuple{&read.users, &users, "users"}, std::tuple{&read.items, &items, "items"},
          std::tuple{&read.title_items, &title_items, "title_items"}, std::tuple{&read.titles, &titles, "titles"},
          std::tuple{&read.more_users, &more_users, "more_users"},
          std::tuple{&read.more_items, &more_items, "more_items"}}) {
      if (*list == nullptr) continue;
      *copy = read_struct(*list, name);
      *list = copy;
    }
    return give(long_call(run, [&](const Caller& caller) { return dataset_from_columns(read, caller.cancel); }));
  });
}

rec_status_t rec_dataset_create_from_arrow(struct ArrowArrayStream* stream, const rec_dataset_options_t* options,
                                           const rec_run_options_t* run, rec_dataset_t** out_dataset,
                                           rec_error_t** out_error) {
  if (out_dataset != nullptr) *out_dataset = nullptr;
  bool is_taken = false;
  // Also when a callback ends this thread.
  const std::unique_ptr<ArrowArrayStream, std::function<void(ArrowArrayStream*)>> owner(stream,
                                                                                        [&](ArrowArrayStream* left) {
                                                                                          if (!is_taken)
                                                                                            release_arrow_stream(left);
                                                                                        });
  return guarded(out_error, [&] {
    not_null(stream, "stream");
    not_null(out_dataset, "out_dataset");
    const DatasetOptions read = read_options(options);
    *out_dataset = give(long_call(run, [&](const Caller& caller) {
      is_taken = true;
      return dataset_from_arrow(stream, read, caller.cancel, caller.on_caller);
    }));
  });
}

rec_status_t rec_dataset_split(const rec_dataset_t* dataset, const rec_split_options_t* options,
                               const rec_run_options_t* run, rec_dataset_t** out_dataset, rec_error_t** out_error) {
  return guarded_giving(out_dataset, "out_dataset", out_error, [&] {
    const auto object = object_of(dataset);
    const rec_split_options_t o = read_struct(options, "options");
    SplitOptions split;
    if (o.kind != 0) split.kind = o.kind;
    if (o.train_ratio != 0 || o.valid_ratio != 0 || o.test_ratio != 0) {
      split.train_ratio = o.train_ratio;
      split.valid_ratio = o.valid_ratio;
      split.test_ratio = o.test_ratio;
    }
    split.seed = static_cast<uint64_t>(o.seed);
    return new_dataset(
        long_call(run, [&](const Caller& caller) { return split_dataset(*object, split, caller.cancel); }));
  });
}

rec_status_t rec_dataset_save(const rec_dataset_t* dataset, const char* directory, const rec_run_options_t* run,
                              rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(dataset);
    with_path(directory, "directory", [&](const std::string& folder) {
      run_long_call(run, [&](const Caller& caller) { write_dataset(*object, folder, caller.cancel); });
    });
  });
}

rec_status_t rec_dataset_describe(const rec_dataset_t* dataset, rec_text_t** out_json, rec_error_t** out_error) {
  return guarded_giving(out_json, "out_json", out_error,
                        [&] { return new_text(describe_dataset(*object_of(dataset))); });
}

rec_status_t rec_dataset_export_arrow(const rec_dataset_t* dataset, struct ArrowArrayStream* out_stream,
                                      rec_error_t** out_error) {
  return guarded(out_error, [&] { export_arrow(object_of(dataset), not_null(out_stream, "out_stream")); });
}

rec_status_t rec_dataset_counts(const rec_dataset_t* dataset, int64_t* out_n_users, int64_t* out_n_items,
                                int64_t* out_n_interactions, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(dataset);
    if (out_n_users != nullptr) *out_n_users = object->n_users();
    if (out_n_items != nullptr) *out_n_items = object->n_items();
    if (out_n_interactions != nullptr) *out_n_interactions = object->n();
  });
}

rec_status_t rec_dataset_user_ids(const rec_dataset_t* dataset, const int64_t* rows, int64_t n_rows, rec_ids_t* out_ids,
                                  rec_text_t** out_owner, rec_error_t** out_error) {
  return guarded_giving(out_owner, "out_owner", out_error,
                        [&] { return give_ids(object_of(dataset)->users, rows, n_rows, out_ids); });
}

rec_status_t rec_dataset_item_ids(const rec_dataset_t* dataset, const int64_t* rows, int64_t n_rows, rec_ids_t* out_ids,
                                  rec_text_t** out_owner, rec_error_t** out_error) {
  return guarded_giving(out_owner, "out_owner", out_error,
                        [&] { return give_ids(object_of(dataset)->items, rows, n_rows, out_ids); });
}

void rec_dataset_destroy(rec_dataset_t* dataset) { destroy_handle(dataset); }

}  // extern "C"
