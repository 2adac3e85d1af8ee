/* Answers from a saved model: serve MODEL.rec K USER_ROW... prints user row, item row, the score's bits and the item. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rec_c_api.h"

/* Ends the program with the library's message when a call failed. */
static void check(rec_status_t status, rec_error_t** error) {
  if (status == REC_OK) return;
  fprintf(stderr, "%s: %s\n", rec_status_name(status), rec_error_message(*error));
  rec_error_destroy(*error);
  exit(1);
}

int main(int argc, char** argv) {
  rec_error_t* error = NULL;
  rec_model_t* model = NULL;
  rec_recommender_t* recommender = NULL;
  rec_recommender_options_t options;
  rec_request_t request;
  rec_output_t output;
  rec_ids_t users, items;
  rec_text_t* owner = NULL;
  int64_t n_users, n_answers, k, i, *user_rows, *item_rows;
  float* scores;
  if (argc < 4) {
    fprintf(stderr, "usage: %s MODEL.rec K USER_ROW...\n", argv[0]);
    return 2;
  }
  k = strtoll(argv[2], NULL, 10);
  n_users = argc - 3;
  user_rows = malloc((size_t)n_users * sizeof *user_rows);
  n_answers = n_users * (k > 0 ? k : 0);
  item_rows = malloc((size_t)(n_answers + 1) * sizeof *item_rows);
  scores = malloc((size_t)(n_answers + 1) * sizeof *scores);
  if (user_rows == NULL || item_rows == NULL || scores == NULL) return 1;
  for (i = 0; i < n_users; ++i) user_rows[i] = strtoll(argv[3 + i], NULL, 10);

  check(rec_model_load(argv[1], NULL, NULL, &model, &error), &error);
  check(rec_recommender_options_init(&options, sizeof options, &error), &error);
  options.exclude_seen = 1;
  check(rec_recommender_create(model, &options, &recommender, &error), &error);
  check(rec_ids_init(&users, sizeof users, &error), &error);
  users.type = REC_ID_ROW;
  users.i64 = user_rows;
  users.n = n_users;
  check(rec_request_init(&request, sizeof request, &error), &error);
  request.k = k;
  request.users = &users;
  check(rec_output_init(&output, sizeof output, &error), &error);
  output.rows = item_rows;
  output.n_rows = n_answers;
  output.scores = scores;
  output.n_scores = n_answers;
  check(rec_recommender_top_k(recommender, &request, &output, &error), &error);
  check(rec_ids_init(&items, sizeof items, &error), &error);
  check(rec_model_item_ids(model, item_rows, n_users * k, &items, &owner, &error), &error);
  for (i = 0; i < n_users * k; ++i) {
    uint32_t bits;
    if (item_rows[i] == REC_NO_ROW) continue; /* fewer than k */
    memcpy(&bits, &scores[i], sizeof bits);
    printf("%" PRId64 " %" PRId64 " %08" PRIx32 " ", user_rows[i / k], item_rows[i], bits);
    if (items.type == REC_ID_INT64)
      printf("%" PRId64 "\n", items.i64[i]);
    else
      printf("%.*s\n", (int)(items.offsets[i + 1] - items.offsets[i]), items.bytes + items.offsets[i]);
  }
  rec_text_destroy(owner);
  rec_recommender_destroy(recommender);
  rec_model_destroy(model);
  free(scores);
  free(item_rows);
  free(user_rows);
  return 0;
}
