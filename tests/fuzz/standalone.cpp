// Runs a target without a fuzzer: on kept inputs, or on random ones, which are read as choices and so reach far, many
// times as fast as a fuzzer that follows the branches.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

void run(const std::vector<uint8_t>& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

// TARGET FILE|FOLDER...
int replay(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_directory(argv[i]))
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry.path());
    else
      files.emplace_back(argv[i]);
  }
  for (const std::filesystem::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    std::printf("%s\n", path.c_str());
    std::fflush(stdout);
    run({std::istreambuf_iterator<char>(file), {}});
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}

// TARGET --random FIRST END: input i is random bytes of seed i, so a finding after "at 70000" is one of the next 10,000;
// a run from there to i + 1, by halves, finds it.
int run_random(uint64_t first, uint64_t end) {
  constexpr uint64_t kTold = 10000;
  const auto start = std::chrono::steady_clock::now();
  for (uint64_t i = first; i < end; ++i) {
    if ((i - first) % kTold == 0) {
      std::printf("at %llu\n", static_cast<unsigned long long>(i));
      std::fflush(stdout);
    }
    std::mt19937_64 random(i);
    std::vector<uint8_t> input(random() % 256);
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random());
    run(input);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%llu random inputs, %.0f a second\n", static_cast<unsigned long long>(end - first),
              static_cast<double>(end - first) / seconds.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  LLVMFuzzerInitialize(&argc, &argv);
  if (argc == 4 && std::string_view(argv[1]) == "--random")
    return run_random(std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
  return replay(argc, argv);
}
