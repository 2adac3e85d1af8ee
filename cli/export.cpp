// `recore export vectors`: what a model compares, as arrays that other tools read.
#include <filesystem>

#include "cli/command.h"
#include "cli/evaluation_rows.h"
#include "cli/model_ids.h"
#include "cli/output_file.h"

extern "C" {
#include "bindings/common/flat.h"
}

namespace rec::cli {

namespace {

struct ExportOptions {
  std::string model, out;
};

// NumPy's format 1.0: float32 [n, d] in C order.
void write_npy(const std::string& path, const rec_flat_matrix_t& matrix) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(matrix.n) + ", " +
                       std::to_string(matrix.d) + "), }";
  constexpr size_t kMagic = 10, kAlignment = 64;
  header.append(kAlignment - (kMagic + header.size() + 1) % kAlignment, ' ');
  header += '\n';
  OutputFile file("out", path);
  const char magic[kMagic] = {'\x93',
                              'N',
                              'U',
                              'M',
                              'P',
                              'Y',
                              1,
                              0,
                              static_cast<char>(header.size() & 0xff),
                              static_cast<char>(header.size() >> 8)};
  file.stream().write(magic, kMagic);
  file.stream() << header;
  file.stream().write(reinterpret_cast<const char*>(matrix.data),
                      matrix.n * matrix.d * static_cast<int64_t>(sizeof(float)));
  file.close();
}

void write_ids(const std::string& path, const ModelIds& ids) {
  OutputFile file("out", path);
  file.stream() << "id\n";
  for (int64_t row = 0; row < ids.n(); ++row) file.stream() << cell(ids.text(row), ',') << '\n';
  file.close();
}

using Tensor = std::unique_ptr<struct DLManagedTensorVersioned, void (*)(struct DLManagedTensorVersioned*)>;

// nullptr when the model has no such vectors.
Tensor vectors_of(decltype(&rec_model_item_vectors) get, const Model& model) {
  struct DLManagedTensorVersioned* tensor = nullptr;
  try {
    call(get, model.get(), &tensor);
  } catch (const Failure& failure) {
    if (failure.status != REC_UNSUPPORTED) throw;
  }
  return {tensor, rec_flat_matrix_end};
}

int64_t write_side(const Tensor& tensor, const ModelIds& ids, const std::string& name) {
  if (tensor == nullptr) return 0;
  const rec_flat_matrix_t matrix = rec_flat_matrix(tensor.get());
  write_npy(name + "_vectors.npy", matrix);
  write_ids(name + "_ids.csv", ids);
  return matrix.n;
}

int run(const ExportOptions& options, Context& context) {
  const rec_run_options_t stoppable = context.stop.run();
  const auto model = make<Model>(rec_model_load, options.model.c_str(), nullptr, &stoppable);
  const Tensor items = vectors_of(rec_model_item_vectors, model), users = vectors_of(rec_model_user_vectors, model);
  if (items == nullptr && users == nullptr)
    throw Failure{REC_UNSUPPORTED, "the model has no vectors: it is not served by tables", "model", options.model, -1};
  std::error_code code;
  std::filesystem::create_directories(options.out, code);
  if (!std::filesystem::is_directory(options.out, code))
    throw Failure{REC_IO, "out: the folder " + options.out + " cannot be made", "out", options.out, -1};
  const int64_t n_items = write_side(items, {rec_model_item_ids, model}, options.out + "/item"),
                n_users = write_side(users, {rec_model_user_ids, model}, options.out + "/user");
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
  app.add_option("--out", options->out, "Folder to write to")->type_name("FOLDER")->required();
}

}  // namespace rec::cli
