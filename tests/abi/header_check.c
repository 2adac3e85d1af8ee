/* Both headers on their own, as C99 and as C++17, every warning an error; and the layout that compiled clients rely on. */
#include "rec_c_api.h"
#include "rec_plugin_api.h"
#include "rec_reader_api.h"

#ifdef __cplusplus
#define REC_CHECK(name, condition) static_assert(condition, #name)
#else
#define REC_CHECK(name, condition) typedef char check_##name[(condition) ? 1 : -1]
#endif

REC_CHECK(ids_size, sizeof(rec_ids_t) == 48);
REC_CHECK(ids_n, offsetof(rec_ids_t, n) == 40);
REC_CHECK(dataset_options_min_weight, offsetof(rec_dataset_options_t, min_weight) == 64);
REC_CHECK(dataset_options_label_column, offsetof(rec_dataset_options_t, label_column) == 96);
REC_CHECK(dataset_options_size, sizeof(rec_dataset_options_t) == 168);
REC_CHECK(columns_labels, offsetof(rec_columns_t, labels) == 72);
REC_CHECK(columns_title_items, offsetof(rec_columns_t, title_items) == 104);
REC_CHECK(columns_more_users, offsetof(rec_columns_t, more_users) == 136);
REC_CHECK(columns_size, sizeof(rec_columns_t) == 152);
REC_CHECK(lists_gains, offsetof(rec_lists_t, gains) == 56);
REC_CHECK(lists_size, sizeof(rec_lists_t) == 72);
REC_CHECK(split_options_size, sizeof(rec_split_options_t) == 40);
REC_CHECK(protocol_n_candidates, offsetof(rec_protocol_t, n_candidates) == 24);
REC_CHECK(protocol_max_pos, offsetof(rec_protocol_t, max_pos) == 40);
REC_CHECK(protocol_history, offsetof(rec_protocol_t, history) == 56);
REC_CHECK(protocol_size, sizeof(rec_protocol_t) == 80);
REC_CHECK(event_loss, offsetof(rec_event_t, loss) == 40);
REC_CHECK(event_metric_names, offsetof(rec_event_t, metric_names) == 64);
REC_CHECK(event_done, offsetof(rec_event_t, done) == 96);
REC_CHECK(event_size, sizeof(rec_event_t) == 104);
REC_CHECK(run_options_cancel, offsetof(rec_run_options_t, cancel) == 24);
REC_CHECK(run_options_isolation, offsetof(rec_run_options_t, isolation) == 32);
REC_CHECK(run_options_size, sizeof(rec_run_options_t) == 40);
REC_CHECK(trainer_options_metrics, offsetof(rec_trainer_options_t, metrics) == 32);
REC_CHECK(trainer_options_isolation, offsetof(rec_trainer_options_t, isolation) == 64);
REC_CHECK(trainer_options_size, sizeof(rec_trainer_options_t) == 72);
REC_CHECK(save_options_size, sizeof(rec_save_options_t) == 8);
REC_CHECK(load_options_size, sizeof(rec_load_options_t) == 16);
REC_CHECK(recommender_options_size, sizeof(rec_recommender_options_t) == 24);
REC_CHECK(request_users, offsetof(rec_request_t, users) == 16);
REC_CHECK(request_deny_bits, offsetof(rec_request_t, deny_bits) == 120);
REC_CHECK(request_size, sizeof(rec_request_t) == 136);
REC_CHECK(output_scores, offsetof(rec_output_t, scores) == 24);
REC_CHECK(output_size, sizeof(rec_output_t) == 56);
REC_CHECK(tuner_options_seed, offsetof(rec_tuner_options_t, seed) == 16);
REC_CHECK(tuner_options_size, sizeof(rec_tuner_options_t) == 56);

REC_CHECK(view_size, sizeof(rec_tensor_view_t) == 88);
REC_CHECK(column_size, sizeof(rec_column_t) == 96);
REC_CHECK(batch_size, sizeof(rec_batch_t) == 56);
REC_CHECK(csr_size, sizeof(rec_csr_t) == 32);
REC_CHECK(feature_dense, offsetof(rec_feature_t, dense) == 32);
REC_CHECK(feature_size, sizeof(rec_feature_t) == 48);
REC_CHECK(schema_n_relations, offsetof(rec_schema_t, n_relations) == 36);
REC_CHECK(schema_user_features, offsetof(rec_schema_t, user_features) == 48);
REC_CHECK(schema_size, sizeof(rec_schema_t) == 80);
REC_CHECK(dataset_view_n_relations, offsetof(rec_dataset_view_t, n_relations) == 160);
REC_CHECK(dataset_view_user_features, offsetof(rec_dataset_view_t, user_features) == 168);
REC_CHECK(dataset_view_size, sizeof(rec_dataset_view_t) == 200);
REC_CHECK(param_size, sizeof(rec_param_t) == 56);
REC_CHECK(plan_columns, offsetof(rec_plan_t, columns) == 52);
REC_CHECK(plan_wants_features, offsetof(rec_plan_t, wants_features) == 348);
REC_CHECK(plan_min_batch_size, offsetof(rec_plan_t, min_batch_size) == 352);
REC_CHECK(plan_size, sizeof(rec_plan_t) == 360);
REC_CHECK(adam_size, sizeof(rec_adam_t) == 104);
REC_CHECK(tensor_info_size, sizeof(rec_tensor_info_t) == 72);
REC_CHECK(note_size, sizeof(rec_plugin_note_t) == 376);
REC_CHECK(plugin_init, offsetof(rec_plugin_t, init) == 80);
REC_CHECK(plugin_score, offsetof(rec_plugin_t, score) == 232);
REC_CHECK(host_propagate, offsetof(rec_host_t, propagate) == 104);
REC_CHECK(host_list_loss, offsetof(rec_host_t, list_loss) == 208);
REC_CHECK(host_label_loss, offsetof(rec_host_t, label_loss) == 216);
REC_CHECK(host_augment, offsetof(rec_host_t, augment) == 232);
REC_CHECK(augment_noise, offsetof(rec_augment_t, noise) == 104);
REC_CHECK(augment_size, sizeof(rec_augment_t) == 200);
