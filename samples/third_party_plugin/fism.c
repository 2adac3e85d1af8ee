/*
 * FISM, a model outside the library's tree: an item is scored by the mean of the user's other items.
 *   score(u, i) = b_i + |H|^-alpha sum over h in H of p_h . q_i,   H = the user's items without i
 * trained on pairwise order by plain SGD. S. Kabbur, X. Ning, G. Karypis: "FISM: Factored Item Similarity Models for
 * Top-N Recommender Systems", KDD 2013. Deviation: the paper trains FISMauc without BPR's logistic; this uses it.
 *
 * Copy this file to start a plugin. It needs rec_plugin_api.h and a C compiler, and links nothing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rec_plugin_api.h"

REC_PLUGIN_NOTE(fism, "1.0.0", 0, "",
                "an item is scored by the mean of the user's other items; serves every user who has a history");

#define INIT_P 0 /* random streams */
#define INIT_Q 1

typedef struct {
  int64_t n_items, d;
  double lr, l2, alpha;
  float *p, *q, *bias;                /* [n_items, d], [n_items, d], [n_items] */
  float *grad_p, *grad_q, *grad_bias; /* dense; zero except in touched rows */
  int32_t *touched, n_touched;        /* rows with a gradient, each once */
  unsigned char* is_touched;
  float* table;    /* [n_items, d + 1]: q and the bias, for serving */
  float* x;        /* [d] the user's mean */
  rec_csr_t graph; /* distinct items of each user */
} fism_t;

static const rec_host_t* host; /* written once, by init */

static const rec_param_t params[] = {
    {"emb_size", REC_PARAM_INT, 0, "32", 1, 1024, NULL, "length of item vectors"},
    {"lr", REC_PARAM_FLOAT, 0, "0.05", 1e-6, 100, NULL, "learning rate of SGD, for the sum over a batch"},
    {"l2", REC_PARAM_FLOAT, 0, "0.0001", 0, 1000, NULL, "weight decay of touched rows"},
    {"alpha", REC_PARAM_FLOAT, 0, "0.5", 0, 1, NULL, "0: sum of the user's items, 1: their mean"},
};

static fism_t* of(rec_plugin_model_t* model) { return (fism_t*)(void*)model; }
static const fism_t* of_const(const rec_plugin_model_t* model) { return (const fism_t*)(const void*)model; }

static rec_status_t init(rec_call_t* call, const rec_host_t* given) {
  (void)call;
  host = given;
  return REC_OK;
}

static rec_status_t plan(rec_call_t* call, const rec_params_t* values, const rec_schema_t* schema, rec_plan_t* out) {
  (void)call;
  out->rows = REC_PLAN_INTERACTIONS;
  out->negatives = REC_NEGATIVES_SAMPLED;
  out->wants_graph = 1;
  out->capabilities = REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC;
  out->memory_bytes = 4 * 5 * schema->n_items * (host->param_int(values, "emb_size") + 1);
  out->columns[out->n_columns++] = REC_COLUMN_USER;
  out->columns[out->n_columns++] = REC_COLUMN_ITEM;
  out->query_columns[out->n_query_columns++] = REC_COLUMN_HISTORY;
  out->query_columns[out->n_query_columns++] = REC_COLUMN_HISTORY_LENGTH;
  return REC_OK;
}

static void destroy(rec_plugin_model_t* model) {
  fism_t* m = of(model);
  if (m == NULL) return;
  free(m->p), free(m->q), free(m->bias), free(m->grad_p), free(m->grad_q), free(m->grad_bias);
  free(m->touched), free(m->is_touched), free(m->table), free(m->x), free(m);
}

static rec_status_t create(rec_call_t* call, const rec_params_t* values, const rec_schema_t* schema,
                           rec_plugin_model_t** out) {
  size_t n = (size_t)schema->n_items, nd;
  fism_t* m = calloc(1, sizeof *m);
  if (m == NULL) return host->fail(call, REC_OUT_OF_MEMORY, "out of memory");
  m->n_items = schema->n_items;
  m->d = host->param_int(values, "emb_size");
  m->lr = host->param_float(values, "lr");
  m->l2 = host->param_float(values, "l2");
  m->alpha = host->param_float(values, "alpha");
  nd = n * (size_t)m->d;
  m->p = calloc(nd, sizeof(float)), m->q = calloc(nd, sizeof(float)), m->bias = calloc(n, sizeof(float));
  m->grad_p = calloc(nd, sizeof(float)), m->grad_q = calloc(nd, sizeof(float)), m->grad_bias = calloc(n, sizeof(float));
  m->touched = calloc(n, sizeof(int32_t)), m->is_touched = calloc(n, 1);
  m->table = calloc(nd + n, sizeof(float)), m->x = calloc((size_t)m->d, sizeof(float));
  if (!m->p || !m->q || !m->bias || !m->grad_p || !m->grad_q || !m->grad_bias || !m->touched || !m->is_touched ||
      !m->table || !m->x) {
    destroy((rec_plugin_model_t*)(void*)m);
    return host->fail(call, REC_OUT_OF_MEMORY, "out of memory");
  }
  *out = (rec_plugin_model_t*)(void*)m;
  return REC_OK;
}

static rec_status_t initialize(rec_call_t* call, rec_plugin_model_t* model, int64_t seed) {
  fism_t* m = of(model);
  int64_t i;
  (void)call;
  for (i = 0; i < m->n_items; ++i) {
    host->random_normal(seed, INIT_P, 0, i, 0, 0.1f, m->p + i * m->d, m->d);
    host->random_normal(seed, INIT_Q, 0, i, 0, 0.1f, m->q + i * m->d, m->d);
    m->bias[i] = 0;
  }
  return REC_OK;
}

static rec_status_t bind(rec_call_t* call, rec_plugin_model_t* model, const rec_dataset_view_t* view) {
  (void)call;
  of(model)->graph = view->graph_users;
  return REC_OK;
}

static void touch(fism_t* m, int32_t row) {
  if (m->is_touched[row]) return;
  m->is_touched[row] = 1;
  m->touched[m->n_touched++] = row;
}

/* x = |H|^-alpha sum of p_h over the user's items but `without`; returns the factor, 0 for an empty H. */
static float mean_of(const fism_t* m, const int32_t* items, int64_t n_items, int32_t without, float* x) {
  int64_t n = 0, e, k;
  float factor;
  memset(x, 0, (size_t)m->d * sizeof(float));
  for (e = 0; e < n_items; ++e) {
    if (items[e] == without || items[e] < 0) continue;
    for (k = 0; k < m->d; ++k) x[k] += m->p[items[e] * m->d + k];
    ++n;
  }
  factor = n > 0 ? (float)pow((double)n, -m->alpha) : 0.0f;
  for (k = 0; k < m->d; ++k) x[k] *= factor;
  return factor;
}

static const rec_tensor_view_t* column(const rec_batch_t* batch, int32_t id) {
  int32_t c;
  for (c = 0; c < batch->n_columns; ++c)
    if (batch->columns[c].column_id == id) return &batch->columns[c].view;
  return NULL;
}

/* L = sum over rows and negatives of ln(1 + exp(s_j - s_i)); the loss reported is its mean. */
static rec_status_t compute(rec_call_t* call, rec_plugin_model_t* model, const rec_batch_t* batch, double* out_loss) {
  fism_t* m = of(model);
  const rec_tensor_view_t *users = column(batch, REC_COLUMN_USER), *items = column(batch, REC_COLUMN_ITEM);
  int64_t b, c, k, e, d = m->d, n_candidates;
  double loss = 0;
  if (users == NULL || items == NULL) return host->fail(call, REC_INVALID_ARGUMENT, "fism: the batch lacks a column");
  n_candidates = items->shape[1];
  for (b = 0; b < batch->n_rows; ++b) {
    const int32_t user = ((const int32_t*)users->data)[b];
    const int32_t* row = (const int32_t*)items->data + b * n_candidates;
    const int32_t* history = m->graph.columns + m->graph.offsets[user];
    const int64_t n_history = m->graph.offsets[user + 1] - m->graph.offsets[user];
    const float* q_i = m->q + row[0] * d;
    const float factor = mean_of(m, history, n_history, row[0], m->x);
    for (c = 1; c < n_candidates; ++c) {
      const float* q_j = m->q + row[c] * d;
      double margin = m->bias[row[0]] - m->bias[row[c]], slope;
      for (k = 0; k < d; ++k) margin += m->x[k] * (q_i[k] - q_j[k]);
      loss += margin > 0 ? log1p(exp(-margin)) : -margin + log1p(exp(margin));
      slope = -1 / (1 + exp(margin)); /* dL / dmargin */
      touch(m, row[0]), touch(m, row[c]);
      m->grad_bias[row[0]] += (float)slope, m->grad_bias[row[c]] -= (float)slope;
      for (k = 0; k < d; ++k) {
        m->grad_q[row[0] * d + k] += (float)slope * m->x[k];
        m->grad_q[row[c] * d + k] -= (float)slope * m->x[k];
      }
      for (e = 0; e < n_history; ++e) {
        if (history[e] == row[0]) continue;
        touch(m, history[e]);
        for (k = 0; k < d; ++k) m->grad_p[history[e] * d + k] += (float)slope * factor * (q_i[k] - q_j[k]);
      }
    }
  }
  *out_loss = loss / (double)(batch->n_rows * (n_candidates - 1));
  return REC_OK;
}

static rec_status_t apply(rec_call_t* call, rec_plugin_model_t* model) {
  fism_t* m = of(model);
  const float lr = (float)m->lr, l2 = (float)m->l2;
  int64_t k;
  int32_t t;
  (void)call;
  for (t = 0; t < m->n_touched; ++t) {
    const int64_t row = m->touched[t];
    for (k = row * m->d; k < (row + 1) * m->d; ++k) {
      m->p[k] -= lr * (m->grad_p[k] + l2 * m->p[k]);
      m->q[k] -= lr * (m->grad_q[k] + l2 * m->q[k]);
      m->grad_p[k] = m->grad_q[k] = 0;
    }
    m->bias[row] -= lr * m->grad_bias[row];
    m->grad_bias[row] = 0;
    m->is_touched[row] = 0;
  }
  m->n_touched = 0;
  return REC_OK;
}

/* Plain SGD keeps no state: the three parameters are all that resuming needs. */
static int64_t tensor_count(const rec_plugin_model_t* model) {
  (void)model;
  return 3;
}

static float* tensor_at(fism_t* m, int64_t i) { return i == 0 ? m->p : i == 1 ? m->q : m->bias; }
static size_t tensor_bytes(const fism_t* m, int64_t i) {
  return sizeof(float) * (size_t)(i == 2 ? m->n_items : m->n_items * m->d);
}

static rec_status_t tensor_info(rec_call_t* call, const rec_plugin_model_t* model, int64_t i, rec_tensor_info_t* out) {
  static const char* const names[] = {"p", "q", "item_bias"};
  const fism_t* m = of_const(model);
  if (i < 0 || i > 2) return host->fail(call, REC_INVALID_ARGUMENT, "fism: there is no such tensor");
  out->name = names[i];
  out->dtype = REC_DTYPE_F32;
  out->kind = REC_TENSOR_PARAMETER;
  out->n_dims = i == 2 ? 1 : 2;
  out->shape[0] = m->n_items;
  out->shape[1] = m->d;
  return REC_OK;
}

static rec_status_t get_tensor(rec_call_t* call, rec_plugin_model_t* model, int64_t i, void* out) {
  (void)call;
  memcpy(out, tensor_at(of(model), i), tensor_bytes(of(model), i));
  return REC_OK;
}

static rec_status_t set_tensor(rec_call_t* call, rec_plugin_model_t* model, int64_t i, const void* data) {
  (void)call;
  memcpy(tensor_at(of(model), i), data, tensor_bytes(of(model), i));
  return REC_OK;
}

static rec_status_t freeze(rec_call_t* call, rec_plugin_model_t* model) {
  fism_t* m = of(model);
  int64_t i;
  (void)call;
  for (i = 0; i < m->n_items; ++i) {
    memcpy(m->table + i * (m->d + 1), m->q + i * m->d, (size_t)m->d * sizeof(float));
    m->table[i * (m->d + 1) + m->d] = m->bias[i];
  }
  return REC_OK;
}

static rec_status_t get_table(rec_call_t* call, const rec_plugin_model_t* model, int32_t table,
                              rec_tensor_view_t* out) {
  const fism_t* m = of_const(model);
  if (table != REC_TABLE_ITEM) return host->fail(call, REC_UNSUPPORTED, "fism has no user table");
  memset(out, 0, sizeof *out);
  out->data = m->table;
  out->dtype = REC_DTYPE_F32;
  out->n_dims = 2;
  out->device_type = REC_DEVICE_CPU;
  out->shape[0] = m->n_items, out->shape[1] = m->d + 1;
  out->strides[0] = m->d + 1, out->strides[1] = 1;
  return REC_OK;
}

/* The query vector of a history: its mean, and a 1 that meets the item bias. */
static rec_status_t encode(rec_call_t* call, const rec_plugin_model_t* model, const rec_batch_t* queries, float* out) {
  const fism_t* m = of_const(model);
  const rec_tensor_view_t *history = column(queries, REC_COLUMN_HISTORY),
                          *length = column(queries, REC_COLUMN_HISTORY_LENGTH);
  int64_t b;
  if (history == NULL || length == NULL)
    return host->fail(call, REC_INVALID_ARGUMENT, "fism: the query lacks its history");
  for (b = 0; b < queries->n_rows; ++b) {
    mean_of(m, (const int32_t*)history->data + b * history->shape[1], ((const int32_t*)length->data)[b], -1,
            out + b * (m->d + 1));
    out[b * (m->d + 1) + m->d] = 1;
  }
  return REC_OK;
}

static const rec_plugin_t table = {
    REC_PLUGIN_IDENTITY,
    "Kabbur et al., FISM: Factored Item Similarity Models for Top-N Recommender Systems, KDD 2013",
    1,
    0,
    REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC,
    params,
    sizeof params / sizeof *params,
    init,
    plan,
    create,
    destroy,
    initialize,
    bind,
    compute,
    apply,
    NULL, /* gradients */
    NULL, /* score_live */
    tensor_count,
    tensor_info,
    get_tensor,
    set_tensor,
    NULL, /* tensor_name_of */
    freeze,
    get_table,
    NULL, /* get_item_weights */
    encode,
    NULL, /* score */
};

REC_PLUGIN_ENTRY(&table)
