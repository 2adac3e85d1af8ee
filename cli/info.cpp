#include "cli/evaluation.h"

namespace rec::cli {

namespace {

int run(const std::string& path, Context& context) {
  const Stop::Abandonable abandonable(context.stop);
  const auto model = make<Model>(rec_model_load, path.c_str(), nullptr, nullptr);
  const Json card = describe(model);
  Json event = {{"event", "model"}, {"file", path}};
  event.update(card);
  context.output.event(event);
  context.output.event({{"event", "done"}, {"command", "info"}});
  if (context.output.json()) return 0;

  Table facts({path, ""});
  for (const auto& [key, value] : card.items())
    if (key != "parameters" && key != "tensors" && key != "valid_metrics" && key != "sections")
      facts.add({"  " + plain(key),
                 plain(value.is_number_integer() && key.starts_with("n_") ? grouped(value) : value_text(value))});
  std::string sections;
  for (const Json& section : card["sections"]) sections += (sections.empty() ? "" : ", ") + value_text(section);
  facts.add({"  sections", sections.empty() ? "-" : sections});
  context.output.line(facts.text());

  Table metrics({"valid metrics", ""});
  for (const auto& [name, value] : card["valid_metrics"].items()) metrics.add({"  " + plain(name), value.is_number() ? fixed(value, 4) : "-"});
  if (!card["valid_metrics"].empty()) context.output.line(metrics.text());
  Table parameters({"parameters", ""});
  for (const auto& [name, value] : card["parameters"].items())
    parameters.add({"  " + plain(name), plain(value_text(value))});
  context.output.line(parameters.text());
  Table tensors({"tensors", "shape", "bytes"});
  tensors.right(2);
  for (const Json& tensor : card["tensors"])
    tensors.add({"  " + plain(value_text(tensor["name"])), dump(tensor["shape"]), grouped(tensor["bytes"])});
  context.output.line(tensors.text());
  return 0;
}

}  // namespace

void add_info(Commands& commands) {
  auto path = std::make_shared<std::string>();
  CLI::App& app = commands.add("info", "What a model file holds.", "info m.rec",
                               [path](Context& context) { return run(*path, context); });
  app.add_option("model", *path, "Model file")->type_name("FILE")->required();
}

}  // namespace rec::cli
