// `recore export vectors`: what a model compares, as arrays that other tools read.
#include <filesystem>

#include "cli/command.h"
#include "cli/new_folder.h"
#include "cli/vectors.h"

namespace rec::cli {

namespace {

struct ExportOptions {
  std::string model, out;
};

int64_t write_side(const Tensor& tensor, const ModelIds& ids, const std::string& name) {
  if (tensor == nullptr) return 0;
  write_ids("out", name + "_ids.csv", ids);
  return write_vectors("out", name + "_vectors.npy", tensor);
}

int run(const ExportOptions& options, Context& context) {
  check_new_folder("out", options.out);
  const rec_run_options_t stoppable = context.stop.run();
  const auto model = make<Model>(rec_model_load, options.model.c_str(), nullptr, &stoppable);
  const Tensor items = vectors_of(rec_model_item_vectors, model), users = vectors_of(rec_model_user_vectors, model);
  if (items == nullptr && users == nullptr)
    throw Failure{REC_UNSUPPORTED, "the model has no vectors: it is not served by tables", "model", options.model, -1};
  int64_t n_items = 0, n_users = 0;
  fill_folder(options.out, [&](const std::filesystem::path& folder) {
    n_items = write_side(items, {rec_model_item_ids, model}, folder / "item");
    n_users = write_side(users, {rec_model_user_ids, model}, folder / "user");
  });
  context.output.event({{"event", "done"},
                        {"command", "export vectors"},
                        {"out", options.out},
                        {"n_items", n_items},
                        {"n_users", n_users}});
  context.output.note("wrote " + grouped(n_items) + " item and " + grouped(n_users) + " user vectors to " +
                      options.out);
  return 0;
}

}  // namespace

void add_export(Commands& commands) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App& group = commands.add_group("export", "What a model file holds, for other tools.");
  CLI::App& app = commands.add(
      "vectors", "Item and user vectors as .npy files, with their ids.", "export vectors m.rec --out vectors",
      [options](Context& context) { return run(*options, context); }, &group);
  app.add_option("model", options->model, "Model file")->type_name("FILE")->required();
  app.add_option("--out", options->out, "New or empty folder to write")->type_name("FOLDER")->required();
}

}  // namespace rec::cli
