#include "core/capi/long_call.h"
#include "core/capi/objects.h"
#include "core/worker/worker.h"

using namespace rec;

namespace {

TrainerOptions read_options(const rec_trainer_options_t* given) {
  const rec_trainer_options_t o = read_struct(given, "options");
  TrainerOptions options;
  options.resume = o.resume != 0;
  if (o.checkpoint_path != nullptr) options.checkpoint_path = o.checkpoint_path;
  if (!(o.checkpoint_seconds >= 0))
    throw invalid_argument("checkpoint_seconds", "must be >= 0, got ", o.checkpoint_seconds);
  if (o.checkpoint_seconds > 0) options.checkpoint_seconds = o.checkpoint_seconds;
  if (o.checkpoint_batches < 0)
    throw invalid_argument("checkpoint_batches", "must be >= 0, got ", o.checkpoint_batches);
  options.checkpoint_batches = o.checkpoint_batches;
  if (o.metrics != nullptr) options.metrics = o.metrics;
  if (o.main_metric != nullptr) options.main_metric = o.main_metric;
  options.protocol = read_protocol(o.protocol);
  if (options.protocol.keep_lists > 0)
    throw invalid_argument("keep_lists", "must be 0 in a protocol of training, got ", options.protocol.keep_lists);
  if (o.memory_limit_bytes < 0)
    throw invalid_argument("memory_limit_bytes", "must be >= 0, got ", o.memory_limit_bytes);
  options.memory_limit_bytes = o.memory_limit_bytes;
  return options;
}

// One call at a time: a second one is BUSY.
std::unique_lock<std::mutex> begin_call(TrainerObject& trainer) {
  std::unique_lock lock(trainer.running, std::try_to_lock);
  if (!lock.owns_lock()) throw argument_error(REC_BUSY, "trainer", "another call on it is running");
  return lock;
}

}  // namespace

extern "C" {

rec_status_t rec_trainer_create(const rec_dataset_t* dataset, const char* model, const char* params_json,
                                const rec_trainer_options_t* options, const rec_run_options_t* run,
                                rec_trainer_t** out_trainer, rec_error_t** out_error) {
  return guarded_giving(out_trainer, "out_trainer", out_error, [&] {
    const auto data = object_of(dataset);
    const std::string name = &not_null(model, "model");
    const TrainerOptions read = read_options(options);
    const std::string params = params_json != nullptr ? params_json : "";
    const bool elsewhere = wants_worker(read_struct(options, "options").isolation, name);
    const auto trainer = std::make_shared<TrainerObject>();
    run_long_call(run, [&](const Caller& caller) {
      if (elsewhere)
        trainer->training = train_in_worker(*data, name, params, read, caller.cancel);
      else
        trainer->training = std::make_unique<Trainer>(data, name, params, read, caller.cancel);
    });
    return new_handle<rec_trainer_t>(trainer);
  });
}

rec_status_t rec_trainer_check(const char* model, const char* params_json, const rec_trainer_options_t* options,
                               rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const std::string name = &not_null(model, "model");
    const TrainerOptions read = read_options(options);
    const std::string params = params_json != nullptr ? params_json : "";
    if (wants_worker(read_struct(options, "options").isolation, name))
      check_in_worker(name, params, read);
    else
      TrainingSetup(name, params, read);
  });
}

rec_status_t rec_trainer_warm_start(rec_trainer_t* trainer, const rec_model_t* model, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(trainer);
    const auto from = object_of(model);
    const auto lock = begin_call(*object);
    object->training->warm_start(*from);
  });
}

rec_status_t rec_trainer_run(rec_trainer_t* trainer, const rec_run_options_t* run, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(trainer);
    const auto lock = begin_call(*object);
    run_long_call(run, [&](const Caller& caller) { object->training->run(caller.observer, caller.cancel); });
  });
}

rec_status_t rec_trainer_create_model(rec_trainer_t* trainer, int32_t which, const rec_run_options_t* run,
                                      rec_model_t** out_model, rec_error_t** out_error) {
  return guarded_giving(out_model, "out_model", out_error, [&] {
    const auto object = object_of(trainer);
    const auto lock = begin_call(*object);
    return new_handle<rec_model_t>(
        long_call(run, [&](const Caller& caller) { return object->training->model(which, caller.cancel); }));
  });
}

void rec_trainer_destroy(rec_trainer_t* trainer) { destroy_handle(trainer); }

}  // extern "C"
