// Versions, errors, texts, cancel tokens and the log.
#include "core/base/log.h"
#include "core/capi/objects.h"

using namespace rec;

namespace {

// A field of an error, or a fallback for a closed handle. Nothing here can fail.
template <class T, class Field>
T field_of(const rec_error_t* error, T fallback, Field field) noexcept {
  try {
    if (error == nullptr) return fallback;
    if (const Error* standing = standing_error(error)) return field(*standing);
    const auto object = HandleTable::instance().find(HandleTable::Kind::kError, error);
    return object == nullptr ? fallback : field(static_cast<const ErrorObject*>(object.get())->error);
  } catch (...) {
    return fallback;
  }
}

}  // namespace

extern "C" {

int32_t rec_api_version(void) { return REC_API_VERSION_MAJOR * 1000 + REC_API_VERSION_MINOR; }

const char* rec_version_string(void) { return REC_VERSION; }

const char* rec_status_name(rec_status_t status) { return status_name(status); }

rec_status_t rec_error_code(const rec_error_t* error) {
  return field_of<rec_status_t>(error, REC_BAD_STATE, [](const Error& e) { return e.status; });
}
const char* rec_error_message(const rec_error_t* error) {
  return field_of<const char*>(error, "error: the handle is closed", [](const Error& e) { return e.message.c_str(); });
}
const char* rec_error_argument(const rec_error_t* error) {
  return field_of<const char*>(error, "", [](const Error& e) { return e.argument.c_str(); });
}
const char* rec_error_file(const rec_error_t* error) {
  return field_of<const char*>(error, "", [](const Error& e) { return e.file.c_str(); });
}
int64_t rec_error_line(const rec_error_t* error) {
  return field_of<int64_t>(error, -1, [](const Error& e) { return e.line; });
}
int64_t rec_error_byte_offset(const rec_error_t* error) {
  return field_of<int64_t>(error, -1, [](const Error& e) { return e.byte_offset; });
}
void rec_error_destroy(rec_error_t* error) { destroy_handle(error); }

const char* rec_text_data(const rec_text_t* text) {
  if (Process::is_forked_child()) return nullptr;
  try {
    const auto object = HandleTable::instance().find(HandleTable::Kind::kText, text);
    return object == nullptr ? nullptr : static_cast<const TextObject*>(object.get())->text.c_str();
  } catch (...) {
    return nullptr;
  }
}
void rec_text_destroy(rec_text_t* text) { destroy_handle(text); }

rec_status_t rec_cancel_create(rec_cancel_t** out_cancel, rec_error_t** out_error) {
  return guarded_giving(out_cancel, "out_cancel", out_error,
                        [&] { return new_handle<rec_cancel_t>(std::make_shared<CancelToken>()); });
}
rec_status_t rec_cancel_request(rec_cancel_t* cancel, rec_error_t** out_error) {
  return guarded(out_error, [&] { object_of(cancel)->request(); });
}
void rec_cancel_destroy(rec_cancel_t* cancel) { destroy_handle(cancel); }

rec_status_t rec_log_set_sink(rec_log_fn sink, int32_t level, void* user_data, rec_destroy_fn destroy,
                              rec_error_t** out_error) {
  return guarded_setup(out_error, [&] {
    if (level < REC_LOG_DEBUG || level > REC_LOG_ERROR)
      throw invalid_argument("level", "must be REC_LOG_DEBUG (1) to REC_LOG_ERROR (4), got ", level);
    log::set_sink(sink, level, user_data, destroy);
  });
}
rec_status_t rec_log_poll(int64_t* out_dropped, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    log::deliver();
    if (out_dropped != nullptr) *out_dropped = log::take_dropped();
  });
}

static_assert(static_cast<int32_t>(HandleTable::Kind::kTuner) == REC_OBJECT_TUNER);

rec_status_t rec_live_objects(int32_t kind, int64_t* out_n, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    if (kind < REC_OBJECT_ANY || kind > REC_OBJECT_TUNER)
      throw invalid_argument("kind", "must be REC_OBJECT_ANY (0) to REC_OBJECT_TUNER (", REC_OBJECT_TUNER, "), got ",
                             kind);
    not_null(out_n, "out_n") = HandleTable::instance().count(static_cast<HandleTable::Kind>(kind));
  });
}

#define REC_DEFINE_INIT(function, type)                                                 \
  rec_status_t function(type* options, uint32_t struct_size, rec_error_t** out_error) { \
    return guarded_setup(out_error, [&] { init_struct(options, struct_size); });        \
  }
REC_DEFINE_INIT(rec_ids_init, rec_ids_t)
REC_DEFINE_INIT(rec_dataset_options_init, rec_dataset_options_t)
REC_DEFINE_INIT(rec_columns_init, rec_columns_t)
REC_DEFINE_INIT(rec_lists_init, rec_lists_t)
REC_DEFINE_INIT(rec_split_options_init, rec_split_options_t)
REC_DEFINE_INIT(rec_protocol_init, rec_protocol_t)
REC_DEFINE_INIT(rec_run_options_init, rec_run_options_t)
REC_DEFINE_INIT(rec_trainer_options_init, rec_trainer_options_t)
REC_DEFINE_INIT(rec_save_options_init, rec_save_options_t)
REC_DEFINE_INIT(rec_load_options_init, rec_load_options_t)
REC_DEFINE_INIT(rec_recommender_options_init, rec_recommender_options_t)
REC_DEFINE_INIT(rec_request_init, rec_request_t)
REC_DEFINE_INIT(rec_output_init, rec_output_t)
REC_DEFINE_INIT(rec_tuner_options_init, rec_tuner_options_t)

}  // extern "C"
