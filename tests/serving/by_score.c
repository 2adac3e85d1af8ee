/* A model that is served by its plugin's score: it answers every query with a hash of history and item. */
#include <stddef.h>

#include "rec_plugin_api.h"

static int state;

static rec_status_t init(rec_call_t* call, const rec_host_t* host) {
  (void)call, (void)host;
  return REC_OK;
}
static rec_status_t plan(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema, rec_plan_t* out) {
  (void)call, (void)params, (void)schema;
  out->rows = REC_PLAN_INTERACTIONS;
  out->capabilities = REC_CAP_TRAIN | REC_CAP_SCORE | REC_CAP_COLD_USER;
  out->max_epochs = 1;
  out->columns[out->n_columns++] = REC_COLUMN_USER;
  out->query_columns[out->n_query_columns++] = REC_COLUMN_HISTORY;
  out->query_columns[out->n_query_columns++] = REC_COLUMN_HISTORY_LENGTH;
  out->query_columns[out->n_query_columns++] = REC_COLUMN_HISTORY_TIME;
  out->query_columns[out->n_query_columns++] = REC_COLUMN_TIME;
  out->query_columns[out->n_query_columns++] = REC_COLUMN_ITEM;
  return REC_OK;
}
static rec_status_t create(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema,
                           rec_plugin_model_t** out) {
  (void)call, (void)params, (void)schema;
  *out = (rec_plugin_model_t*)(void*)&state;
  return REC_OK;
}
static void destroy(rec_plugin_model_t* model) { (void)model; }
static rec_status_t initialize(rec_call_t* call, rec_plugin_model_t* model, int64_t seed) {
  (void)call, (void)model, (void)seed;
  return REC_OK;
}
static rec_status_t bind(rec_call_t* call, rec_plugin_model_t* model, const rec_dataset_view_t* view) {
  (void)call, (void)model, (void)view;
  return REC_OK;
}
static rec_status_t compute(rec_call_t* call, rec_plugin_model_t* model, const rec_batch_t* batch, double* loss) {
  (void)call, (void)model, (void)batch;
  *loss = 0;
  return REC_OK;
}
static rec_status_t apply(rec_call_t* call, rec_plugin_model_t* model) {
  (void)call, (void)model;
  return REC_OK;
}
static int64_t tensor_count(const rec_plugin_model_t* model) {
  (void)model;
  return 0;
}
static rec_status_t tensor_info(rec_call_t* call, const rec_plugin_model_t* model, int64_t i, rec_tensor_info_t* out) {
  (void)call, (void)model, (void)i, (void)out;
  return REC_NOT_FOUND;
}
static rec_status_t get_tensor(rec_call_t* call, rec_plugin_model_t* model, int64_t i, void* out) {
  (void)call, (void)model, (void)i, (void)out;
  return REC_NOT_FOUND;
}
static rec_status_t set_tensor(rec_call_t* call, rec_plugin_model_t* model, int64_t i, const void* data) {
  (void)call, (void)model, (void)i, (void)data;
  return REC_NOT_FOUND;
}
static rec_status_t freeze(rec_call_t* call, rec_plugin_model_t* model) {
  (void)call, (void)model;
  return REC_OK;
}

static const rec_tensor_view_t* column(const rec_batch_t* batch, int32_t id) {
  for (int32_t i = 0; i < batch->n_columns; ++i)
    if (batch->columns[i].column_id == id) return &batch->columns[i].view;
  return NULL;
}

static rec_status_t score(rec_call_t* call, const rec_plugin_model_t* model, const rec_batch_t* queries, float* out) {
  (void)call, (void)model;
  const rec_tensor_view_t *history = column(queries, REC_COLUMN_HISTORY), *items = column(queries, REC_COLUMN_ITEM);
  const int32_t* lengths = (const int32_t*)column(queries, REC_COLUMN_HISTORY_LENGTH)->data;
  for (int64_t b = 0; b < queries->n_rows; ++b) {
    uint32_t hash = 1;
    for (int32_t h = 0; h < lengths[b]; ++h)
      hash = hash * 31 + (uint32_t)((const int32_t*)history->data)[b * history->shape[1] + h];
    for (int64_t c = 0; c < items->shape[1]; ++c) {
      const uint32_t item = (uint32_t)((const int32_t*)items->data)[b * items->shape[1] + c];
      out[b * items->shape[1] + c] = (float)((hash + item) * 2654435761u % 1000);
    }
  }
  return REC_OK;
}

REC_PLUGIN_NOTE(by_score, "1.0.0", 0, "");

static const rec_plugin_t table = {
    REC_PLUGIN_IDENTITY,
    .doc = "a hash of history and item",
    .paper = "",
    .model_version = 1,
    .capabilities = REC_CAP_TRAIN | REC_CAP_SCORE | REC_CAP_COLD_USER,
    .init = init,
    .plan = plan,
    .create = create,
    .destroy = destroy,
    .initialize = initialize,
    .bind = bind,
    .compute = compute,
    .apply = apply,
    .tensor_count = tensor_count,
    .tensor_info = tensor_info,
    .get_tensor = get_tensor,
    .set_tensor = set_tensor,
    .freeze = freeze,
    .score = score,
};

REC_PLUGIN_ENTRY(&table)
