// A plugin file is read as data before any of it runs, so nothing in it is believed.
#include "core/plugin/elf_file.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/unit/data_checks.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

template <class T>
std::string bytes_of(const T* values, size_t n) {
  return {reinterpret_cast<const char*>(values), n * sizeof(T)};
}

// A shared object with one segment so many times, and these bytes behind them.
std::string shared_object(const Elf64_Phdr& segment, int n_segments, const std::string& rest = "") {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
#if defined(__x86_64__)
  header.e_machine = EM_X86_64;
#else
  header.e_machine = EM_AARCH64;
#endif
  header.e_phoff = sizeof header;
  header.e_phnum = static_cast<uint16_t>(n_segments);
  const std::vector<Elf64_Phdr> segments(n_segments, segment);
  return bytes_of(&header, 1) + bytes_of(segments.data(), segments.size()) + rest;
}

TEST(ElfFile, ThatWouldTakeHoursOrGigabytesIsRefused) {
  // A dynamic section, then the text that each of its entries names as a library.
  constexpr uint64_t kMany = 20'000, kDynamic = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  std::vector<Elf64_Dyn> entries(kMany, {DT_NEEDED, {kDynamic + kMany * sizeof(Elf64_Dyn) - 64}});
  entries[0] = {DT_STRTAB, {64}};
  const Elf64_Phdr all{PT_LOAD, 0, 0, 0, 0, 1 << 30, 0, 0};
  std::string libraries =
      shared_object({PT_DYNAMIC, 0, kDynamic, 0, 0, kMany * sizeof(Elf64_Dyn), 0, 0}, 1,
                    bytes_of(&all, 1) + bytes_of(entries.data(), kMany) + std::string(1 << 16, 'x') + '\0');
  libraries[offsetof(Elf64_Ehdr, e_phnum)] = 2;
  const struct {
    const char* name;
    std::string bytes;
  } cases[] = {
      {"notes that are looked through again and again",
       shared_object({PT_NOTE, 0, 0, 0, 0, UINT64_MAX / 2, 0, 0}, 0xffff)},
      {"dynamic sections by the thousand", shared_object({PT_DYNAMIC, 0, 1 << 10, 0, 0, 1 << 20, 0, 0}, 0xffff)},
      {"names of libraries that are all the rest of the file", libraries},
  };
  for (const auto& row : cases) {
    const TempFolder folder;
    const std::string path = folder.file("librecore_x.so", row.bytes);
    EXPECT_EQ(error_of([&] { read_elf(path); }).status, REC_PLUGIN_FAILED) << row.name;
  }
}

}  // namespace
}  // namespace rec
