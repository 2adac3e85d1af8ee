// Parameters of a model declared once: what the library learns about them, and what the options receive.
#include <gtest/gtest.h>

#include "core/plugin/host.h"
#include "core/plugin/loop_params.h"
#include "core/plugin/params.h"
#include "rec_plugin_cpp.h"

namespace rec {
namespace {

enum class Shape { kRound, kSquare };

struct Options {
  int64_t size;
  double rate;
  bool deep;
  Shape shape;
  std::vector<double> layers;
  plugin::OptimizerOptions optimizer;
  int64_t epochs;

  void declare(plugin::Fields& field) {
    field("size", size, "64", {1, 4096}, "how large");
    field("rate", rate, "0.5", {0, 1}, "how fast");
    field("deep", deep, "true", "whether deep");
    field("shape", shape, "square", {{"round", Shape::kRound}, {"square", Shape::kSquare}}, "which shape");
    field("layers", layers, "[3, 2]", "sizes");
    optimizer.declare_kind_by_rows(field);
    field.loop("epochs", epochs);
  }
};

Options read(const std::string& given) {
  plugin::Fields declared;
  Options options{};
  options.declare(declared);
  const std::span<const rec_param_t> tables[] = {declared.declared(), loop_params()};
  const Params params = parse_params(parse_json(given, "params"), tables);
  rec_call_t call;
  plugin::Fields fields({host_table(), &call}, params);
  options.declare(fields);
  return options;
}

TEST(PluginFields, TellTheLibraryEachParameterOnce) {
  plugin::Fields fields;
  Options options{};
  options.declare(fields);
  const std::vector<rec_param_t>& params = fields.declared();
  ASSERT_EQ(params.size(), 6u) << "a parameter of the loop is the library's";
  EXPECT_STREQ(params[0].name, "size");
  EXPECT_EQ(params[0].type, REC_PARAM_INT);
  EXPECT_EQ(params[0].max_value, 4096);
  EXPECT_EQ(params[1].type, REC_PARAM_FLOAT);
  EXPECT_EQ(params[2].type, REC_PARAM_BOOL);
  EXPECT_STREQ(params[3].choices, "round|square");
  EXPECT_EQ(params[4].type, REC_PARAM_LIST);
  EXPECT_STREQ(params[5].choices, "adam|lazy_adam|sgd|adagrad");
}

TEST(PluginFields, FillTheOptionsFromDefaultsAndFromWhatIsGiven) {
  const Options defaults = read("{}");
  EXPECT_EQ(defaults.size, 64);
  EXPECT_EQ(defaults.rate, 0.5);
  EXPECT_TRUE(defaults.deep);
  EXPECT_EQ(defaults.shape, Shape::kSquare);
  EXPECT_EQ(defaults.layers, (std::vector<double>{3, 2}));
  EXPECT_EQ(defaults.optimizer.kind, plugin::Optimizer::kAdam);
  EXPECT_EQ(defaults.epochs, 300);
  const Options given = read(R"({"size": 7, "deep": false, "shape": "round", "layers": [], "optimizer": "sgd"})");
  EXPECT_EQ(given.size, 7);
  EXPECT_FALSE(given.deep);
  EXPECT_EQ(given.shape, Shape::kRound);
  EXPECT_TRUE(given.layers.empty());
  EXPECT_EQ(given.optimizer.kind, plugin::Optimizer::kSgd);
}

TEST(PluginFields, RefuseAnUnknownWordInsteadOfTakingTheFirst) {
  try {
    plugin::value_of<plugin::Optimizer>("optimizer", "adamw", plugin::kOptimizers);
    ADD_FAILURE() << "took it";
  } catch (const plugin::Failure& failure) {
    EXPECT_EQ(failure.status, REC_INVALID_ARGUMENT);
    EXPECT_NE(failure.message.find("optimizer: must be one of adam, lazy_adam"), std::string::npos) << failure.message;
    EXPECT_NE(failure.message.find("got 'adamw'"), std::string::npos) << failure.message;
  }
}

TEST(PluginFields, SizesOfLayersAreWholeAndFew) {
  EXPECT_EQ(plugin::whole_sizes("layers", {3, 2}, 2, 8), (std::vector<int64_t>{3, 2}));
  for (const std::vector<double>& bad : {std::vector<double>{}, {1, 2, 3}, {2.5}, {0}, {9}})
    EXPECT_THROW(plugin::whole_sizes("layers", bad, 2, 8), plugin::Failure);
}

}  // namespace
}  // namespace rec
