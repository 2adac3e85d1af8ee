// One recommend() for one user through the C API, as in the other languages of this folder.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "rec_c_api.h"

namespace {

void check(rec_status_t status, rec_error_t** error) {
  if (status == REC_OK) return;
  std::fprintf(stderr, "%s\n", rec_error_message(*error));
  std::exit(1);
}

const char* setting(const char* name) {
  const char* value = std::getenv(name);
  if (value != nullptr) return value;
  std::fprintf(stderr, "%s is not set; run tools/bench.sh calls\n", name);
  std::exit(1);
}

void TopK(benchmark::State& state) {
  rec_error_t* error = nullptr;
  rec_model_t* model = nullptr;
  rec_recommender_t* recommender = nullptr;
  rec_recommender_options_t options;
  rec_ids_t users;
  rec_request_t request;
  const int64_t user = std::atoll(setting("REC_BENCH_USER"));
  const int64_t k = std::atoll(setting("REC_BENCH_K"));
  std::vector<int64_t> rows(k);
  std::vector<float> scores(k);
  check(rec_model_load(setting("REC_BENCH_MODEL"), nullptr, nullptr, &model, &error), &error);
  check(rec_recommender_options_init(&options, sizeof options, &error), &error);
  options.exclude_seen = 1;
  check(rec_recommender_create(model, &options, &recommender, &error), &error);
  check(rec_ids_init(&users, sizeof users, &error), &error);
  users.type = REC_ID_INT64;
  users.i64 = &user;
  users.n = 1;
  check(rec_request_init(&request, sizeof request, &error), &error);
  request.k = k;
  request.users = &users;
  const rec_output_t output{sizeof output, 0, rows.data(), k, scores.data(), k, nullptr, 0};
  for (auto _ : state) {
    check(rec_recommender_top_k(recommender, &request, &output, &error), &error);
    benchmark::ClobberMemory();
  }
  rec_recommender_destroy(recommender);
  rec_model_destroy(model);
}
BENCHMARK(TopK);

}  // namespace
