#pragma once

#include <memory>
#include <mutex>

#include "core/base/cancel.h"
#include "core/capi/guard.h"
#include "core/data/dataset.h"
#include "core/evaluation/evaluation.h"
#include "core/serving/recommender.h"
#include "core/training/trainer.h"
#include "core/tuning/tuner.h"

namespace rec {

struct TrainerObject {
  std::unique_ptr<Training> training;
  std::mutex running;  // held by the call that uses it
};

REC_HANDLE(rec_cancel_t, kCancel, CancelToken, "cancel");
REC_HANDLE(rec_dataset_t, kDataset, const Dataset, "dataset");
REC_HANDLE(rec_trainer_t, kTrainer, TrainerObject, "trainer");
REC_HANDLE(rec_model_t, kModel, const Model, "model");
REC_HANDLE(rec_report_t, kReport, const Report, "report");
REC_HANDLE(rec_recommender_t, kRecommender, const Recommender, "recommender");
REC_HANDLE(rec_tuner_t, kTuner, Tuner, "tuner");

// Checks a rec_protocol_t and converts it to the evaluator's form.
Protocol read_protocol(const rec_protocol_t* given);

}  // namespace rec
