/* Trains BPR-MF, saves it, loads the file again and recommends: train_and_serve DATA MODEL.rec */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "rec_c_api.h"

/* Ends the program with the library's message when a call failed. */
static void check(rec_status_t status, rec_error_t** error) {
  if (status == REC_OK) return;
  fprintf(stderr, "%s: %s\n", rec_status_name(status), rec_error_message(*error));
  rec_error_destroy(*error);
  exit(1);
}

static rec_status_t on_event(const rec_event_t* event, void* user_data) {
  (void)user_data;
  if (event->kind == REC_EVENT_EPOCH && event->epoch % 10 == 0)
    printf("epoch %3" PRId64 "  loss %.4f  %s %.4f\n", event->epoch, event->loss,
           event->n_metrics > 0 ? event->metric_names[0] : "", event->n_metrics > 0 ? event->metric_values[0] : 0.0);
  return REC_OK;
}

static rec_model_t* train(const char* path) {
  rec_error_t* error = NULL;
  rec_dataset_t *all = NULL, *split = NULL;
  rec_trainer_t* trainer = NULL;
  rec_model_t* model = NULL;
  rec_run_options_t run;

  check(rec_dataset_load(path, NULL, NULL, &all, &error), &error);
  check(rec_dataset_split(all, NULL, NULL, &split, &error), &error); /* 8:1:1 by user */
  check(rec_trainer_create(split, "bprmf", "{\"epochs\": 30, \"batch_size\": 512, \"lr\": 0.005}", NULL, NULL,
                           &trainer, &error),
        &error);
  check(rec_run_options_init(&run, sizeof run, &error), &error);
  run.on_event = on_event;
  check(rec_trainer_run(trainer, &run, &error), &error);
  check(rec_trainer_create_model(trainer, REC_MODEL_BEST, NULL, &model, &error), &error);
  rec_trainer_destroy(trainer);
  rec_dataset_destroy(split);
  rec_dataset_destroy(all);
  return model;
}

static void recommend(const rec_model_t* model, int64_t user_row) {
  enum { K = 5 };
  rec_error_t* error = NULL;
  rec_recommender_t* recommender = NULL;
  rec_recommender_options_t options;
  rec_request_t request;
  rec_output_t output;
  rec_ids_t users, titles;
  rec_text_t* owner = NULL;
  int64_t rows[K];
  float scores[K];
  int i;

  check(rec_recommender_options_init(&options, sizeof options, &error), &error);
  options.exclude_seen = 1;
  check(rec_recommender_create(model, &options, &recommender, &error), &error);
  check(rec_ids_init(&users, sizeof users, &error), &error);
  users.type = REC_ID_ROW;
  users.i64 = &user_row;
  users.n = 1;
  check(rec_request_init(&request, sizeof request, &error), &error);
  request.k = K;
  request.users = &users;
  check(rec_output_init(&output, sizeof output, &error), &error);
  output.rows = rows;
  output.n_rows = K;
  output.scores = scores;
  output.n_scores = K;
  check(rec_recommender_top_k(recommender, &request, &output, &error), &error);
  check(rec_ids_init(&titles, sizeof titles, &error), &error);
  check(rec_model_item_titles(model, rows, K, &titles, &owner, &error), &error);
  for (i = 0; i < K; ++i)
    if (rows[i] != REC_NO_ROW)
      printf("%2d  item row %4" PRId64 "  %9.6f  %.*s\n", i + 1, rows[i], (double)scores[i],
             (int)(titles.offsets[i + 1] - titles.offsets[i]), titles.bytes + titles.offsets[i]);
  rec_text_destroy(owner);
  rec_recommender_destroy(recommender);
}

int main(int argc, char** argv) {
  rec_error_t* error = NULL;
  rec_model_t *trained, *loaded = NULL;
  if (argc != 3) {
    fprintf(stderr, "usage: %s DATA MODEL.rec\n", argv[0]);
    return 2;
  }
  trained = train(argv[1]);
  check(rec_model_save(trained, argv[2], NULL, NULL, &error), &error);
  rec_model_destroy(trained);
  check(rec_model_load(argv[2], NULL, NULL, &loaded, &error), &error);
  printf("recore %s, model file %s\n", rec_version_string(), argv[2]);
  recommend(loaded, 0);
  rec_model_destroy(loaded);
  return 0;
}
