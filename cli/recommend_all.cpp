#include "cli/recommend_all.h"

#include <algorithm>
#include <numeric>
#include <thread>

#include "cli/evaluation_rows.h"
#include "cli/model_ids.h"
#include "cli/output_file.h"

namespace rec::cli {

namespace {

constexpr int64_t kUsersAtOnce = 1024;

// The answers for users [begin, begin + n).
Answers answer(const Recommender& recommender, int64_t k, const ItemSet& allow, const ItemSet& deny, int64_t begin,
               int64_t n) {
  std::vector<int64_t> rows(n);
  std::iota(rows.begin(), rows.end(), begin);
  auto users = initialized<rec_ids_t>(rec_ids_init);
  users.type = REC_ID_ROW;
  users.i64 = rows.data();
  users.n = n;
  auto request = initialized<rec_request_t>(rec_request_init);
  request.users = &users;
  request.k = k;
  request.allow_bits = allow.bits();
  request.n_allow_bytes = allow.n_bytes();
  request.deny_bits = deny.bits();
  request.n_deny_bytes = deny.n_bytes();
  Answers answers(n, k);
  const rec_output_t output = answers.output();
  call(rec_recommender_top_k, recommender.get(), &request, &output);
  return answers;
}

class Writer {
 public:
  Writer(const Model& model, const std::string& path, int64_t k)
      : users_(rec_model_user_ids, model),
        items_(rec_model_item_ids, model),
        file_("out", path),
        separator_(path.ends_with(".jsonl") ? '\0'
                   : path.ends_with(".tsv") ? '\t'
                                            : ','),
        k_(k) {
    const std::string s(1, separator_);
    if (separator_ != '\0') file_.stream() << "user" << s << "rank" << s << "item" << s << "score\n";
  }

  void write(const Answers& answers, int64_t first_user) {
    for (size_t q = 0; q < answers.status.size(); ++q) {
      const int64_t* const rows = answers.rows.data() + q * k_;
      const float* const scores = answers.scores.data() + q * k_;
      const int64_t n = std::find(rows, rows + k_, REC_NO_ROW) - rows, user = first_user + static_cast<int64_t>(q);
      n_without_ += n == 0;
      if (separator_ == '\0')
        write_json(user, rows, scores, n);
      else
        for (int64_t i = 0; i < n; ++i)
          file_.stream() << cell(users_.text(user), separator_) << separator_ << i + 1 << separator_
                         << cell(items_.text(rows[i]), separator_) << separator_ << shortest(scores[i]) << '\n';
    }
    if (!file_.stream()) file_.close();  // which says why
  }
  void close() { file_.close(); }
  int64_t n_users() const { return users_.n(); }
  int64_t n_without() const { return n_without_; }  // users without an item

 private:
  void write_json(int64_t user, const int64_t* rows, const float* scores, int64_t n) {
    std::vector<std::string> items, values;
    for (int64_t i = 0; i < n; ++i) {
      items.push_back(items_.json(rows[i]));
      values.push_back(shortest(scores[i]));
    }
    file_.stream() << "{\"user\":" << users_.json(user) << ",\"items\":" << bracketed(items)
                   << ",\"scores\":" << bracketed(values) << "}\n";
  }

  ModelIds users_, items_;
  OutputFile file_;
  char separator_;  // NUL: JSON lines
  int64_t k_, n_without_ = 0;
};

}  // namespace

int recommend_all(const Model& model, int64_t k, bool exclude_seen, const ItemSetOptions& sets, const std::string& path,
                  Context& context) {
  const int64_t n_threads =
      context.common.threads > 0 ? context.common.threads : std::max<int64_t>(1, std::thread::hardware_concurrency());
  int64_t n_items = 0;
  call(rec_model_counts, model.get(), nullptr, &n_items);
  k = std::min(k, n_items);
  const ItemSet allow("allow", sets.allow, model, context), deny("deny", sets.deny, model, context);
  const Recommender recommender = make_recommender(model, k, exclude_seen, n_threads);
  Writer writer(model, path, k);
  for (int64_t begin = 0; begin < writer.n_users(); begin += n_threads * kUsersAtOnce) {
    if (context.stop.requested()) throw Failure{REC_CANCELLED, "cancelled; nothing was saved", {}, {}, -1};
    context.output.progress("recommending", begin, writer.n_users(), "");
    std::vector<Answers> parts;
    std::vector<std::thread> threads;
    std::vector<std::exception_ptr> failures(n_threads);
    for (int64_t t = 0; t < n_threads; ++t)
      parts.emplace_back(std::clamp<int64_t>(writer.n_users() - begin - t * kUsersAtOnce, 0, kUsersAtOnce), k);
    for (int64_t t = 0; t < n_threads; ++t)
      threads.emplace_back([&, t] {
        try {
          const auto n = std::ssize(parts[t].status);
          if (n > 0) parts[t] = answer(recommender, k, allow, deny, begin + t * kUsersAtOnce, n);
        } catch (...) {
          failures[t] = std::current_exception();
        }
      });
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& failure : failures)
      if (failure) std::rethrow_exception(failure);
    for (int64_t t = 0; t < n_threads; ++t) writer.write(parts[t], begin + t * kUsersAtOnce);
  }
  writer.close();
  context.output.clear_progress();
  if (writer.n_without() > 0)
    context.output.note(grouped(writer.n_without()) +
                        " users have no item: all are left out, or the model cannot answer them");
  context.output.event({{"event", "done"}, {"command", "recommend"}, {"n", writer.n_users()}, {"out", path}});
  context.output.note("wrote " + grouped(writer.n_users()) + " users to " + path);
  return 0;
}

}  // namespace rec::cli
