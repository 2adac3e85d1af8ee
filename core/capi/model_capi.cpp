#include "core/capi/ids.h"
#include "core/capi/long_call.h"
#include "core/capi/objects.h"

using namespace rec;

namespace {

// DLPack 1.x, https://dmlc.github.io/dlpack/latest/c_api.html
struct DlTensor {
  void* data;
  struct {
    int32_t type, id;
  } device;
  int32_t ndim;
  struct {
    uint8_t code, bits;
    uint16_t lanes;
  } dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};
struct DlManagedTensorVersioned {
  struct {
    uint32_t major, minor;
  } version;
  void* manager_ctx;
  void (*deleter)(DlManagedTensorVersioned* self);
  uint64_t flags;
  DlTensor dl_tensor;
};
constexpr uint64_t kDlReadOnly = 1;

struct SharedView {
  DlManagedTensorVersioned tensor{};
  std::shared_ptr<const Model> model;
  int64_t shape[2], strides[2];
};

::DLManagedTensorVersioned* share(std::shared_ptr<const Model> model, const MatrixView& matrix) {
  auto view = std::make_unique<SharedView>();
  view->model = std::move(model);
  view->shape[0] = matrix.rows;
  view->shape[1] = view->strides[0] = matrix.d;
  view->strides[1] = 1;
  view->tensor.version = {1, 0};
  view->tensor.manager_ctx = view.get();
  view->tensor.deleter = [](DlManagedTensorVersioned* self) {
    DeleteUnlessForked()(static_cast<SharedView*>(self->manager_ctx));
  };
  view->tensor.flags = kDlReadOnly;
  view->tensor.dl_tensor = {const_cast<float*>(matrix.data), {1, 0}, 2, {2, 32, 1}, view->shape, view->strides, 0};
  return reinterpret_cast<::DLManagedTensorVersioned*>(&view.release()->tensor);
}

rec_status_t give_vectors(const rec_model_t* model, bool items, struct DLManagedTensorVersioned** out_tensor,
                          rec_error_t** out_error) {
  return guarded_giving(out_tensor, "out_tensor", out_error, [&] {
    auto object = object_of(model);
    const MatrixView matrix = items ? object->items() : object->users();
    if (matrix.data == nullptr)
      throw Error(REC_UNSUPPORTED, cat("model '", object->name, "' has no ", items ? "item" : "user", " vectors"));
    return share(std::move(object), matrix);
  });
}

void find_rows(const IdMap& map, const rec_ids_t* ids, int64_t* out_rows, int64_t n_out_rows) {
  const IdList list = read_ids(ids, "ids");
  if (list.size() > 0) check_room("out_rows", &not_null(out_rows, "out_rows"), n_out_rows, list.size());
  for (int64_t i = 0; i < list.size(); ++i) out_rows[i] = list.row(i, map);
}

int64_t memory_limit_of(const rec_load_options_t* options) {
  const int64_t limit = read_struct(options, "options").memory_limit_bytes;
  if (limit < 0) throw invalid_argument("memory_limit_bytes", "must be >= 0, got ", limit);
  return limit;
}

}  // namespace

extern "C" {

rec_status_t rec_model_save(const rec_model_t* model, const char* path, const rec_save_options_t* options,
                            const rec_run_options_t* run, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(model);
    const rec_save_options_t o = read_struct(options, "options");
    with_path(path, "path", [&](const std::string& file) {
      run_long_call(run, [&](const Caller& caller) { save_model(*object, file, o.no_user_data == 0, caller.cancel); });
    });
  });
}

rec_status_t rec_model_load(const char* path, const rec_load_options_t* options, const rec_run_options_t* run,
                            rec_model_t** out_model, rec_error_t** out_error) {
  return guarded_giving(out_model, "out_model", out_error, [&] {
    return with_path(path, "path", [&](const std::string& file) {
      const int64_t limit = memory_limit_of(options);
      return new_handle<rec_model_t>(
          long_call(run, [&](const Caller& caller) { return load_model(file, limit, caller.cancel); }));
    });
  });
}

rec_status_t rec_model_load_bytes(const void* data, int64_t n_data, const rec_load_options_t* options,
                                  const rec_run_options_t* run, rec_model_t** out_model, rec_error_t** out_error) {
  return guarded_giving(out_model, "out_model", out_error, [&] {
    if (n_data < 0) throw invalid_argument("n_data", "must be >= 0, got ", n_data);
    const std::span bytes(&not_null(static_cast<const char*>(data), "data"), n_data);
    const int64_t limit = memory_limit_of(options);
    return of_argument("data", [&] {
      return new_handle<rec_model_t>(
          long_call(run, [&](const Caller& caller) { return load_model_bytes(bytes, limit, caller.cancel); }));
    });
  });
}

rec_status_t rec_model_describe(const rec_model_t* model, rec_text_t** out_json, rec_error_t** out_error) {
  return guarded_giving(out_json, "out_json", out_error,
                        [&] { return new_text(dump_json(describe_model(*object_of(model)))); });
}

rec_status_t rec_model_counts(const rec_model_t* model, int64_t* out_n_users, int64_t* out_n_items,
                              rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(model);
    if (out_n_users != nullptr) *out_n_users = object->n_users();
    if (out_n_items != nullptr) *out_n_items = object->n_items();
  });
}

rec_status_t rec_model_item_ids(const rec_model_t* model, const int64_t* rows, int64_t n_rows, rec_ids_t* out_ids,
                                rec_text_t** out_owner, rec_error_t** out_error) {
  return guarded_giving(out_owner, "out_owner", out_error,
                        [&] { return give_ids(object_of(model)->catalog->items, rows, n_rows, out_ids); });
}

rec_status_t rec_model_user_ids(const rec_model_t* model, const int64_t* rows, int64_t n_rows, rec_ids_t* out_ids,
                                rec_text_t** out_owner, rec_error_t** out_error) {
  return guarded_giving(out_owner, "out_owner", out_error,
                        [&] { return give_ids(object_of(model)->catalog->users, rows, n_rows, out_ids); });
}

rec_status_t rec_model_item_titles(const rec_model_t* model, const int64_t* rows, int64_t n_rows, rec_ids_t* out_titles,
                                   rec_text_t** out_owner, rec_error_t** out_error) {
  return guarded_giving(out_owner, "out_owner", out_error, [&] {
    const auto object = object_of(model);
    not_null(out_titles, "out_titles");
    check_rows(rows, n_rows, object->n_items());
    auto owner = std::make_shared<TextObject>();
    owner->numbers.push_back(0);
    for (int64_t i = 0; i < n_rows; ++i) {
      if (rows[i] >= 0) owner->text += object->catalog->title(rows[i]);
      owner->numbers.push_back(std::ssize(owner->text));
    }
    const auto n_bytes = std::ssize(owner->text);
    write_struct<rec_ids_t>(
        {sizeof(rec_ids_t), REC_ID_BYTES, nullptr, owner->text.data(), n_bytes, owner->numbers.data(), n_rows},
        out_titles, "out_titles");
    return new_handle<rec_text_t>(std::move(owner));
  });
}

rec_status_t rec_model_item_rows(const rec_model_t* model, const rec_ids_t* ids, int64_t* out_rows, int64_t n_out_rows,
                                 rec_error_t** out_error) {
  return guarded(out_error, [&] { find_rows(object_of(model)->catalog->items, ids, out_rows, n_out_rows); });
}

rec_status_t rec_model_user_rows(const rec_model_t* model, const rec_ids_t* ids, int64_t* out_rows, int64_t n_out_rows,
                                 rec_error_t** out_error) {
  return guarded(out_error, [&] { find_rows(object_of(model)->catalog->users, ids, out_rows, n_out_rows); });
}

rec_status_t rec_model_item_vectors(const rec_model_t* model, struct DLManagedTensorVersioned** out_tensor,
                                    rec_error_t** out_error) {
  return give_vectors(model, true, out_tensor, out_error);
}

rec_status_t rec_model_user_vectors(const rec_model_t* model, struct DLManagedTensorVersioned** out_tensor,
                                    rec_error_t** out_error) {
  return give_vectors(model, false, out_tensor, out_error);
}

void rec_model_destroy(rec_model_t* model) { destroy_handle(model); }

}  // extern "C"
