// Small trained models and their checkpoints, and changes of their files.
#pragma once

#include "core/data/load.h"
#include "core/training/trainer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/hostile/forge.h"
#include "tests/unit/temp_folder.h"

namespace rec::fuzz {

struct ModelKind {
  const char *name, *params;
};
// Every way to be served, optimizer state and sampler state.
inline constexpr ModelKind kModelKinds[] = {
    {"popularity", ""},
    {"bprmf", R"(,"emb_size": 3)"},
    {"bprmf", R"(,"emb_size": 2, "optimizer": "lazy_adam")"},
    {"bprmf", R"(,"emb_size": 2, "sampler": "in_batch", "batch_size": 8)"},
    {"lightgcn", R"(,"emb_size": 2, "n_layers": 2)"},
    {"itemknn", ""},
    {"ease", ""},
    {"neumf", R"(,"emb_size": 2, "layers": [3])"},
    {"fpmc", R"(,"emb_size": 2)"},
    {"slrc_plus", R"(,"emb_size": 2)"},
    {"gru4rec", R"(,"layers": [2], "n_sample": 4, "batch_size": 4)"},
    {"gru4rec", R"(,"layers": [2], "emb_size": 2, "variant": "recbole")"},
    {"gru4rec", R"(,"layers": [2], "emb_size": 2, "variant": "metaspore", "table_optimizer": "ftrl")"},
    {"hrm", R"(,"emb_size": 2)"},
};

inline std::string params_of(const ModelKind& kind, int epochs) {
  return cat(R"({"threads": 1, "epochs": )", epochs, kind.params, "}");
}

// Interactions with times, titles, relations, and ids of both types.
inline std::shared_ptr<const Dataset> small_data() {
  const TempFolder folder;
  std::string train = "user_id\titem_id\ttime\n", dev = train, test = train;
  for (int user = 0; user < 6; ++user)
    for (int i = 0; i < 5; ++i)
      (i == 3   ? dev
       : i == 4 ? test
                : train) += cat('u', user, '\t', (user + 2 * i) % 8 + 1, '\t', 100 * i + user, '\n');
  folder.file("train.csv", train);
  folder.file("dev.csv", dev);
  folder.file("test.csv", test);
  folder.file("item_meta.csv",
              "item_id\ti_category\tr_complement\tr_substitute\n1\t1\t[2, 3]\t[4]\n2\t1\t[1]\t[]\n3\t2\t[5]\t[6, 7]\n");
  auto data = std::make_shared<Dataset>(load_dataset(folder.path()));
  std::string titles;
  std::vector<int64_t> offsets{0};
  for (int64_t item = 0; item < data->n_items(); ++item) {
    titles += cat("Title ", item);
    offsets.push_back(std::ssize(titles));
  }
  data->title_offsets = Buffer<int64_t>(std::span<const int64_t>(offsets));
  data->title_bytes = Buffer<char>(std::span<const char>(titles));
  return data;
}

class TextWriter : public FileWriter {
 public:
  using FileWriter::write;
  void write(const void* data, int64_t n_bytes) override { text.append(static_cast<const char*>(data), n_bytes); }
  std::string text;
};

// A file of tensors that is easy to change.
struct Forgery {
  struct Tensor {
    std::string name, data;
    Json dtype, shape, kind;
  };
  Json manifest;
  std::vector<Tensor> tensors;

  explicit Forgery(const std::string& bytes) {
    test::FileParts parts = test::take_apart(bytes);
    manifest = std::move(parts.manifest);
    for (auto& [name, entry] : parts.header.items()) {
      if (name == "__metadata__") continue;
      const size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
      tensors.push_back({name, parts.data.substr(begin, end - begin), entry["dtype"], entry["shape"],
                         manifest["tensors"][name]["kind"]});
    }
  }

  std::string bytes(Input& in) const {
    test::FileParts parts{Json::object(), manifest, ""};
    parts.header["__metadata__"] = Json::object();
    Json sums = Json::object();
    for (const Tensor& tensor : tensors) {
      parts.header[tensor.name] = {{"dtype", tensor.dtype},
                                   {"shape", tensor.shape},
                                   {"data_offsets", {parts.data.size(), parts.data.size() + tensor.data.size()}}};
      sums[tensor.name] = {{"xxh3", ""}, {"kind", tensor.kind}};
      parts.data += tensor.data;
    }
    if (parts.manifest.is_object()) parts.manifest["tensors"] = std::move(sums);
    if (Json& node = any_node(in, parts.header); &node != &parts.header && in.one_in(16)) node = odd_json(in, node);
    return test::put_together(std::move(parts));
  }
};

inline size_t bytes_of_dtype(const Json& dtype) { return dtype == "F64" || dtype == "I64" ? 8 : dtype == "U8" ? 1 : 4; }

template <class T>
void put(std::string& data, size_t element, T value) {
  std::memcpy(data.data() + element * sizeof value, &value, sizeof value);
}

inline void change_value(Input& in, Forgery::Tensor& tensor) {
  const size_t n = tensor.data.size() / bytes_of_dtype(tensor.dtype);
  if (n == 0) return;
  const size_t at = in.below(n);
  if (tensor.dtype == "F32") {
    put(tensor.data, at, static_cast<float>(std::clamp(odd_number(in), -1e39, 1e39)));
  } else if (tensor.dtype == "F64") {
    put(tensor.data, at, odd_number(in));
  } else if (tensor.dtype == "I64") {
    int64_t old;
    std::memcpy(&old, tensor.data.data() + at * sizeof old, sizeof old);
    put(tensor.data, at, odd_integer(in, old));
  } else if (tensor.dtype == "I32") {
    int32_t old;
    std::memcpy(&old, tensor.data.data() + at * sizeof old, sizeof old);
    put(tensor.data, at, static_cast<int32_t>(odd_integer(in, old)));
  } else {
    tensor.data[at] = static_cast<char>(in.byte());
  }
}

// More or fewer rows, with the bytes to match.
inline void resize(Input& in, Forgery::Tensor& tensor) {
  if (tensor.shape.empty() || !tensor.shape[0].is_number_integer()) return;
  const auto rows = tensor.shape[0].get<int64_t>();
  if (rows <= 0) return;
  const size_t row = tensor.data.size() / rows;
  const int64_t wanted = in.one_of<int64_t>({0, 1, rows - 1, rows + 1, rows + 2, 2 * rows});
  tensor.data.resize(wanted * row);
  tensor.shape[0] = wanted;
}

inline void reshape(Input& in, Forgery::Tensor& tensor) {
  if (tensor.shape.size() == 2 && in.one_in(2)) return std::swap(tensor.shape[0], tensor.shape[1]);
  const size_t n = tensor.data.size() / bytes_of_dtype(tensor.dtype);
  tensor.shape = in.one_of<Json>({Json::array({n}), Json::array({n, 1}), Json::array({1, n}), Json::array({1, 1, n}),
                                  Json::array({0, odd_integer(in)}), Json::array({odd_integer(in), 0}),
                                  Json::array({odd_integer(in), odd_integer(in)})});
  if (tensor.shape.size() == 2 && (tensor.shape[0] == 0 || tensor.shape[1] == 0)) tensor.data.clear();
}

inline std::string other_name(Input& in, const Forgery& file) {
  if (in.one_in(2)) return file.tensors[in.below(file.tensors.size())].name;
  return in.one_of<const char*>({"users.ids",
                                 "users.bytes",
                                 "users.offsets",
                                 "users.sorted",
                                 "items.ids",
                                 "items.bytes",
                                 "items.offsets",
                                 "items.sorted",
                                 "seen.offsets",
                                 "seen.items",
                                 "history.offsets",
                                 "history.items",
                                 "history.times",
                                 "item_title.offsets",
                                 "item_title.bytes",
                                 "serving.item_table",
                                 "serving.user_table",
                                 "serving.weights.offsets",
                                 "serving.weights.columns",
                                 "serving.weights.values",
                                 "relations.names",
                                 "relations.0.offsets",
                                 "relations.0.items",
                                 "relations.2.offsets",
                                 "x",
                                 ""});
}

// One change; `donors` are files whose parts may be grafted in.
inline void change(Input& in, Forgery& file, const std::vector<Forgery>& donors) {
  if (file.tensors.empty() || !file.manifest.is_object()) return;
  const size_t at = in.below(file.tensors.size());
  Forgery::Tensor& tensor = file.tensors[at];
  switch (in.below(20)) {
    case 0:
    case 1:
    case 2:
    case 3: return change_value(in, tensor);
    case 4: return resize(in, tensor);
    case 5: return reshape(in, tensor);
    case 6: tensor.dtype = in.one_of({"F32", "F64", "I32", "I64", "U8", "F16"}); return;
    case 7: tensor.name = other_name(in, file); return;
    case 8: file.tensors.erase(file.tensors.begin() + static_cast<std::ptrdiff_t>(at)); return;
    case 9: {
      Forgery::Tensor copy = tensor;
      copy.name = other_name(in, file);
      file.tensors.push_back(std::move(copy));
      return;
    }
    case 10: {
      Forgery::Tensor& other = file.tensors[in.below(file.tensors.size())];
      std::swap(tensor.data, other.data);
      std::swap(tensor.shape, other.shape);
      return std::swap(tensor.dtype, other.dtype);
    }
    case 11: tensor.kind = in.one_in(4) ? odd_json(in, tensor.kind) : Json(in.below(5)); return;
    case 12: {
      Json& node = any_node(in, file.manifest);
      node = odd_json(in, node);
      return;
    }
    case 13: {
      Json& serving = file.manifest["serving"];
      if (!serving.is_object()) return;
      const char* key = in.one_of({"user_table", "item_table", "item_weights", "plugin"});
      if (in.one_in(3))
        serving.erase(key);
      else
        serving[key] = in.one_in(2) ? Json(other_name(in, file)) : Json(in.one_in(2));
      return;
    }
    case 14:
    case 15: {
      Json& info = file.manifest["info"];
      if (!info.is_object() || !info.contains("parameters") || !info["parameters"].is_object()) return;
      Json& value = any_node(in, info["parameters"]);
      value = in.one_in(2) ? odd_json(in, value) : Json(in.one_of({1, 2, 3, 4, 8, 64, 100, 4096}));
      return;
    }
    case 16: {
      file.manifest["model"] = in.one_in(8) ? Json(in.one_of({"nobody", "../x", "", "ans"}))
                                            : Json(kModelKinds[in.below(std::size(kModelKinds))].name);
      return;
    }
    case 17:
    case 18: {
      const Forgery& donor = donors[in.below(donors.size())];
      if (in.one_in(3)) {
        const char* key = in.one_of({"info", "serving", "model", "run", "best", "last"});
        if (donor.manifest.contains(key)) file.manifest[key] = donor.manifest[key];
      } else {
        Forgery::Tensor graft = donor.tensors[in.below(donor.tensors.size())];
        if (in.one_in(2)) graft.kind = 1;
        file.tensors.push_back(std::move(graft));
      }
      return;
    }
    default:
      // Wider elements first, as a file that is aligned has them.
      std::stable_sort(file.tensors.begin(), file.tensors.end(),
                       [](const auto& a, const auto& b) { return bytes_of_dtype(a.dtype) > bytes_of_dtype(b.dtype); });
  }
}

}  // namespace rec::fuzz
