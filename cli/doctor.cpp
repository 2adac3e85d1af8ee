#include <dlfcn.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/command.h"
#include "cli/exit_codes.h"

namespace rec::cli {

namespace fs = std::filesystem;

namespace {

enum class State { kOk, kNote, kBroken };

struct Finding {
  std::string what;
  State state;
  std::string text, remedy;
};

constexpr const char* state_name(State state) {
  return state == State::kOk ? "ok" : state == State::kNote ? "note" : "broken";
}

fs::path library_path() {
  Dl_info info;
  std::error_code code;
  if (dladdr(reinterpret_cast<void*>(&rec_api_version), &info) == 0 || info.dli_fname == nullptr) return {};
  return fs::canonical(info.dli_fname, code);
}

Finding check_library(const fs::path& library) {
  const int32_t loaded = rec_api_version(), built = REC_API_VERSION_MAJOR * 1000 + REC_API_VERSION_MINOR;
  const auto text = [](int32_t version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000);
  };
  const std::string what = std::string(rec_version_string()) + ", API " + text(loaded) + ", " + library.string();
  const bool fits = loaded / 1000 == REC_API_VERSION_MAJOR && loaded >= built;
  return {"library", fits ? State::kOk : State::kBroken, what,
          fits ? "" : "this command was built for API " + text(built) + "; install the library that came with it"};
}

void check_plugins(std::vector<Finding>& out, const fs::path& own_folder) {
  std::vector<fs::path> folders;
  if (const char* path = std::getenv("REC_PLUGIN_PATH"))
    for (const std::string& folder : split(path, ':'))
      if (!folder.empty()) folders.emplace_back(folder);
  for (const fs::path& folder : folders) {
    const std::string found = folder.string() + " (REC_PLUGIN_PATH)";
    if (folder.is_relative())
      out.push_back({"plugin folder", State::kBroken, found, "the path is not absolute; correct REC_PLUGIN_PATH"});
    else if (!fs::is_directory(folder))
      out.push_back({"plugin folder", State::kNote, found, "there is no such folder; correct REC_PLUGIN_PATH"});
    else
      out.push_back({"plugin folder", State::kOk, found, ""});
  }
  if (fs::is_directory(own_folder))
    out.push_back({"plugin folder", State::kOk, own_folder.string(), ""});
  else
    out.push_back({"plugin folder", folders.empty() ? State::kBroken : State::kNote,
                   own_folder.string() + " is not there",
                   "reinstall, or set REC_PLUGIN_PATH to the folder of the plugins"});
  Json plugins;
  try {
    plugins = json_of(rec_plugin_list);
  } catch (const Failure& failure) {
    out.push_back({"plugins", State::kBroken, failure.message, ""});
    return;
  }
  for (const Json& plugin : plugins) {
    const std::string error = value_text(plugin["error"]), path = value_text(plugin["path"]);
    const std::string name = "plugin " + value_text(plugin["name"]);
    if (error.empty()) {
      out.push_back({name, State::kOk, value_text(plugin["version"]) + ", " + path, ""});
      continue;
    }
    const bool torch = error.find("libtorch") != std::string::npos || error.find("libc10") != std::string::npos;
    const bool shipped = fs::path(path).parent_path() == own_folder;
    out.push_back({name, shipped && !torch ? State::kBroken : State::kNote, error,
                   torch     ? "it needs a LibTorch: apt-get install libtorch-dev; the other models do without"
                   : shipped ? "reinstall"
                             : "rebuild the plugin, or take it out of its folder"});
  }
  if (plugins.empty())
    out.push_back({"plugins", State::kBroken, "none was found", "reinstall, or set REC_PLUGIN_PATH"});
}

Finding check_processor() {
  std::string sets;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const std::pair<const char*, bool> known[] = {{"avx2", __builtin_cpu_supports("avx2") != 0},
                                                {"fma", __builtin_cpu_supports("fma") != 0},
                                                {"avx512f", __builtin_cpu_supports("avx512f") != 0}};
  for (const auto& [name, there] : known)
    if (there) sets += (sets.empty() ? "" : ", ") + std::string(name);
#endif
  if (sets.empty())
    return {"instruction sets", State::kNote, "none of avx2, avx512", "results are the same, only slower"};
  return {"instruction sets", State::kOk, sets, ""};
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string gib(double bytes) { return fixed(bytes / (1 << 30), 1) + " GiB"; }

Finding check_memory() {
  double total = 0, available = 0;
  std::ifstream file("/proc/meminfo");
  for (std::string name, unit; file >> name;) {
    double kib = 0;
    file >> kib;
    std::getline(file, unit);
    if (name == "MemTotal:") total = kib * 1024;
    if (name == "MemAvailable:") available = kib * 1024;
  }
  std::string text = gib(available) + " available of " + gib(total);
  if (const auto limit = to_int64(first_line("/sys/fs/cgroup/memory.max"))) {
    text += ", this container's limit is " + gib(static_cast<double>(*limit));
    available = std::min(available, static_cast<double>(*limit));
  }
  if (available < 512.0 * (1 << 20))
    return {"memory", State::kNote, text, "large data sets will not fit; see --memory-limit"};
  return {"memory", State::kOk, text, ""};
}

Finding check_temp() {
  std::error_code code;
  const fs::path folder = fs::temp_directory_path(code);
  std::string name = (folder / "recore-doctor-XXXXXX").string();
  const int descriptor = code ? -1 : mkstemp(name.data());
  if (descriptor < 0)
    return {"temporary folder", State::kNote, folder.string() + " cannot be written to",
            "set TMPDIR to a folder that can"};
  ::close(descriptor);
  ::unlink(name.c_str());
  struct statvfs space{};
  ::statvfs(folder.c_str(), &space);
  return {
      "temporary folder", State::kOk,
      folder.string() + ", " + gib(static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize)) + " free",
      ""};
}

Finding check_torch() {
  std::error_code code;
  for (const fs::path root : {"/usr/lib", "/usr/local/lib", "/opt/libtorch"}) {
    fs::recursive_directory_iterator it(root, fs::directory_options::skip_permission_denied, code), end;
    for (; !code && it != end; it.increment(code)) {
      if (it.depth() >= 1) it.disable_recursion_pending();
      if (it->path().filename() == "libtorch_cpu.so")
        return {"LibTorch", State::kOk, fs::canonical(it->path(), code).string(), ""};
    }
  }
  return {"LibTorch", State::kNote, "not installed",
          "only models that differentiate need it: apt-get install libtorch-dev"};
}

int run(Context& context) {
  const Stop::Abandonable abandonable(context.stop);
  std::vector<Finding> findings;
  const fs::path library = library_path();
  findings.push_back(check_library(library));
  check_plugins(findings, library.parent_path() / "recore" / "plugins");
  findings.push_back(check_processor());
  findings.push_back({"cores", State::kOk, std::to_string(std::thread::hardware_concurrency()), ""});
  findings.push_back(check_memory());
  findings.push_back(check_temp());
  findings.push_back(check_torch());

  int64_t n_broken = 0;
  Table table({"check", "state", "found"});
  for (const Finding& finding : findings) {
    n_broken += finding.state == State::kBroken;
    context.output.event({{"event", "check"},
                          {"check", finding.what},
                          {"state", state_name(finding.state)},
                          {"found", finding.text},
                          {"remedy", finding.remedy.empty() ? Json() : Json(finding.remedy)}});
    table.add({plain(finding.what), state_name(finding.state),
               plain(finding.text + (finding.remedy.empty() ? "" : "; " + finding.remedy))});
  }
  context.output.event({{"event", "done"}, {"command", "doctor"}, {"n_broken", n_broken}});
  context.output.line(table.text());
  return n_broken == 0 ? 0 : kExitUnsupported;
}

}  // namespace

void add_doctor(Commands& commands) {
  commands.add("doctor", "What works in this installation, and how to fix the rest.", "doctor", run);
}

}  // namespace rec::cli
