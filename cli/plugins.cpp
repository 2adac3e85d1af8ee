#include "cli/command.h"

namespace rec::cli {

namespace {

std::string range_of(const Json& param) {
  if (param.contains("choices")) {
    std::string all;
    for (const Json& choice : param["choices"]) all += (all.empty() ? "" : "|") + value_text(choice);
    return all;
  }
  if (!param.contains("min")) return "-";
  const auto number = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.10g", value);
    return std::string(text);
  };
  return number(param["min"]) + " .. " + number(param["max"]);
}

int list(Context& context) {
  Json models;
  {
    const Stop::Abandonable abandonable(context.stop);
    models = json_of(rec_plugin_list);
  }
  Table table({"model", "version", "what it is"});
  for (const Json& model : models) {
    Json event = {{"event", "plugin"}};
    event.update(model);
    context.output.event(event);
    const std::string error = value_text(model["error"]);
    table.add({plain(value_text(model["name"])), error.empty() ? plain(value_text(model["version"])) : "-",
               plain(error.empty() ? value_text(model["doc"]) : "refused: " + error)});
  }
  context.output.event({{"event", "done"}, {"command", "plugins"}, {"n", models.size()}});
  context.output.line(models.empty() ? "no plugin was found; recore doctor tells where it looked" : table.text());
  return 0;
}

int show(const std::string& name, Context& context) {
  Json model;
  {
    const Stop::Abandonable abandonable(context.stop);
    model = json_of(rec_plugin_describe, name.c_str());
  }
  Json event = {{"event", "plugin"}};
  event.update(model);
  context.output.event(event);
  context.output.event({{"event", "done"}, {"command", "plugins"}, {"n", 1}});
  std::string capabilities;
  for (const Json& capability : model["capabilities"])
    capabilities += (capabilities.empty() ? "" : ", ") + value_text(capability);
  context.output.line(plain(name + " " + value_text(model["version"]) + ": " + value_text(model["doc"])));
  context.output.line(plain("paper: " + value_text(model["paper"])));
  context.output.line("capabilities: " + capabilities);
  Table table({"parameter", "type", "default", "range", "what it is"});
  for (const Json& param : model["parameters"])
    table.add({plain(value_text(param["name"])), value_text(param["type"]), plain(value_text(param["default"])),
               plain(range_of(param)),
               plain(value_text(param["doc"])) + (param["owner"] == "core" ? " (every model)" : "")});
  context.output.line("\n" + table.text());
  return 0;
}

}  // namespace

void add_plugins(Commands& commands) {
  auto name = std::make_shared<std::string>();
  CLI::App& app =
      commands.add("plugins", "The available models, or the parameters of one.", "plugins lightgcn",
                   [name](Context& context) { return name->empty() ? list(context) : show(*name, context); });
  app.add_option("model", *name, "Name of a model")->type_name("NAME");
}

}  // namespace rec::cli
