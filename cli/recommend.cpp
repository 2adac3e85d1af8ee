#include <algorithm>

#include "cli/evaluation.h"
#include "cli/exit_codes.h"
#include "cli/ids.h"
#include "cli/output_file.h"
#include "cli/recommend_all.h"

namespace rec::cli {

namespace {

struct RecommendOptions {
  std::string model;
  std::vector<std::string> users, history;
  int64_t k = 10;
  bool exclude_seen = false, all = false;
  std::string out;
  ItemSetOptions sets;
};

int64_t checked_k(int64_t k) {
  if (k < 1 || k > 1'000'000) throw usage_error("k", "must be between 1 and 1000000, got " + std::to_string(k));
  return k;
}

// A user known only by a history has no id.
Json query_json(const std::string& type, const std::string& id) { return type.empty() ? Json() : id_json(type, id); }

// Prints the answer to each query, then an error for each one that the model does not know. kind: what was asked with,
// "user" or "item", which `similar` answers with the same.
int print_results(const Model& model, const std::string& kind, bool similar, const std::string& type,
                  const std::vector<std::string>& ids, const Answers& answers, int64_t k, bool has_history,
                  Context& context) {
  int code = 0;
  const std::string key = similar ? "similar_to" : kind;
  const std::string found = similar ? kind : "item";
  bool first = true;
  for (size_t q = 0; q < ids.size(); ++q) {
    const rec_status_t status = answers.status[q];
    if (status == REC_OK) {
      if (ids.size() > 1) context.output.line((first ? "" : "\n") + kind + " " + plain(ids[q]));
      const int64_t begin = q * k;
      print_items(context.output, key, query_json(type, ids[q]), found,
                  items_of(model, found == "user", answers.rows.data() + begin, answers.scores.data() + begin, k));
      first = false;
      continue;
    }
    const std::string unknown = "the model does not know '" + ids[q] + "'";
    const std::string why = status != REC_NOT_FOUND ? std::string(rec_status_name(status))
                            : type.empty()          ? "the model cannot answer from this history"
                            : similar               ? unknown
                            : has_history           ? unknown + ", and cannot answer from this history"
                                                    : unknown + "; give what they had with --history";
    context.output.failure({status, kind + ": " + why, kind, {}, -1}, {{key, query_json(type, ids[q])}});
    code = exit_code(status);
  }
  if (code == 0)
    context.output.event({{"event", "done"}, {"command", similar ? "similar" : "recommend"}, {"n", ids.size()}});
  return code;
}

int recommend(const RecommendOptions& options, Context& context) {
  const int64_t k = checked_k(options.k);
  std::vector<std::string> users = options.users;
  if (options.all && !(users.empty() && options.history.empty()))
    throw usage_error("all", "is every user, so --user and --history have no meaning with it");
  if (options.all == options.out.empty())
    throw usage_error(options.all ? "out" : "all",
                      options.all ? "the file for --all is required" : "is required with --out");
  if (options.all) {
    check_rows_path("out", options.out);
    std::vector<std::string> inputs = {options.model};
    for (const auto* lists : {&options.sets.allow, &options.sets.deny})
      for (const std::string& list : *lists) inputs.push_back(list.starts_with('@') ? list.substr(1) : "");
    check_is_no_input("out", options.out, inputs);
    const rec_run_options_t run = context.stop.run();
    const auto model = make<Model>(rec_model_load, options.model.c_str(), nullptr, &run);
    return recommend_all(model, k, options.exclude_seen, options.sets, options.out, context);
  }
  if (users.empty() && options.history.empty()) throw usage_error("user", "is required, or --history, or --all");
  const Stop::Abandonable abandonable(context.stop);
  const auto model = make<Model>(rec_model_load, options.model.c_str(), nullptr, nullptr);
  const Json card = describe(model);
  const std::string user_type = card["user_id_type"], item_type = card["item_id_type"];
  const bool anonymous = users.empty();
  const IdList known_users("user", user_type, users);
  const int64_t nobody = REC_NO_ROW;
  auto unknown = initialized<rec_ids_t>(rec_ids_init);
  unknown.type = REC_ID_ROW;
  unknown.i64 = &nobody;
  unknown.n = 1;

  std::vector<std::string> history;
  for (const std::string& list : options.history)
    for (std::string& item : split_ids("history", list)) history.push_back(std::move(item));
  if (users.empty() && history.empty()) throw usage_error("history", "has no item");
  std::vector<std::string> histories;
  std::vector<int64_t> offsets = {0};
  if (anonymous) users = {"(history)"};
  for (size_t u = 0; u < users.size(); ++u) {
    histories.insert(histories.end(), history.begin(), history.end());
    offsets.push_back(std::ssize(histories));
  }
  const IdList history_ids("history", item_type, histories);
  const IdList once("history", item_type, history);
  std::vector<int64_t> found(history.size());
  if (!history.empty()) call(rec_model_item_rows, model.get(), once.get(), found.data(), std::ssize(found));
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i] == REC_NO_ROW) context.output.note("history: the model does not know item '" + history[i] + "'");

  auto request = initialized<rec_request_t>(rec_request_init);
  request.k = k;
  request.users = anonymous ? &unknown : known_users.get();
  if (!history.empty()) {
    request.history_items = history_ids.get();
    request.history_offsets = offsets.data();
    request.n_history_offsets = std::ssize(offsets);
  }
  const ItemSet allow("allow", options.sets.allow, model, context), deny("deny", options.sets.deny, model, context);
  request.allow_bits = allow.bits();
  request.n_allow_bytes = allow.n_bytes();
  request.deny_bits = deny.bits();
  request.n_deny_bytes = deny.n_bytes();
  Answers answers(users.size(), k);
  const Recommender recommender = make_recommender(model, k, options.exclude_seen);
  const rec_output_t output = answers.output();
  call(rec_recommender_top_k, recommender.get(), &request, &output);
  return print_results(model, "user", false, anonymous ? "" : user_type, users, answers, k, !history.empty(), context);
}

struct SimilarOptions {
  std::string model;
  std::vector<std::string> items, users;
  int64_t k = 10;
  ItemSetOptions sets;
};

int similar(const SimilarOptions& options, Context& context) {
  const bool of_users = !options.users.empty();
  if (of_users != options.items.empty()) throw usage_error("item", "or --user is required, and not both");
  const int64_t k = checked_k(options.k);
  const Stop::Abandonable abandonable(context.stop);
  const auto model = make<Model>(rec_model_load, options.model.c_str(), nullptr, nullptr);
  const std::string kind = of_users ? "user" : "item";
  const std::vector<std::string>& given = of_users ? options.users : options.items;
  const std::string type = describe(model)[kind + "_id_type"];
  const IdList ids(kind, type, given);
  Answers answers(given.size(), k);
  if (of_users && !(options.sets.allow.empty() && options.sets.deny.empty()))
    throw usage_error("allow", "and --deny are sets of items, and --user asks for users");
  const ItemSet allow("allow", options.sets.allow, model, context), deny("deny", options.sets.deny, model, context);
  const Recommender recommender = make_recommender(model, k, false);
  const rec_output_t output = answers.output();
  call(of_users ? rec_recommender_similar_users : rec_recommender_similar_items, recommender.get(), ids.get(), k,
       allow.bits(), allow.n_bytes(), deny.bits(), deny.n_bytes(), &output);
  return print_results(model, kind, true, type, given, answers, k, false, context);
}

}  // namespace

void add_recommend(Commands& commands) {
  auto options = std::make_shared<RecommendOptions>();
  CLI::App& app = commands.add("recommend", "Items for a user, best first.",
                               "recommend --model m.rec --user u0061 -k 10 --exclude-seen",
                               [options](Context& context) { return recommend(*options, context); });
  app.add_option("--model", options->model, "Model file")->type_name("FILE")->required();
  app.add_option("--user", options->users, "User id; may be given several times")
      ->type_name("ID")
      ->allow_extra_args(false);
  app.add_option("-k", options->k, "Items wanted")->type_name("N")->capture_default_str();
  app.add_flag("--exclude-seen", options->exclude_seen,
               "Leave out what the user had in training, as kept in the model file");
  app.add_option("--history", options->history,
                 "What an unknown user had: item ids by comma, one with a comma in quotes")
      ->type_name("ITEM,ITEM")
      ->allow_extra_args(false);
  app.add_flag("--all", options->all, "Every user of the model, to --out");
  app.add_option("--out", options->out, "With --all: the file to write, .csv, .tsv or .jsonl")->type_name("FILE");
  add_item_sets(app, options->sets);
}

void add_similar(Commands& commands) {
  auto options = std::make_shared<SimilarOptions>();
  CLI::App& app = commands.add("similar", "Items similar to an item, or users to a user.",
                               "similar --model m.rec --item film-039 -k 5",
                               [options](Context& context) { return similar(*options, context); });
  app.add_option("--model", options->model, "Model file")->type_name("FILE")->required();
  app.add_option("--item", options->items, "Item id; may be given several times")
      ->type_name("ID")
      ->allow_extra_args(false);
  app.add_option("--user", options->users, "User id, in place of items; may be given several times")
      ->type_name("ID")
      ->allow_extra_args(false);
  app.add_option("-k", options->k, "Items, or users, wanted")->type_name("N")->capture_default_str();
  add_item_sets(app, options->sets);
}

}  // namespace rec::cli
