// Shared objects with any headers, notes and dynamic sections, read as data and never loaded.
#include <elf.h>

#include "core/plugin/registry.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/temp_folder.h"

namespace rec::fuzz {
namespace {

REC_PLUGIN_NOTE(sample, "1.0.0", 0, "libtorch", "a sample");

// A shared object of three segments: what it loads, a foreign note and a plugin's, a dynamic section with its strings.
struct Sample {
  Elf64_Ehdr header{};
  Elf64_Phdr segments[3]{};
  Elf64_Nhdr foreign{4, 0, 7};
  char foreign_name[4]{'G', 'N', 'U', 0};
  rec_plugin_note_t note{};
  Elf64_Dyn dynamic[5]{};
  char strings[64] = "\0libc.so.6\0$ORIGIN/../lib:/usr/lib\0libtorch.so";

  Sample() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
#if defined(__x86_64__)
    header.e_machine = EM_X86_64;
#else
    header.e_machine = EM_AARCH64;
#endif
    header.e_phoff = offsetof(Sample, segments);
    header.e_phnum = 3;
    segments[0] = {PT_LOAD, PF_R, 0, 4096, 4096, sizeof(Sample), sizeof(Sample), 1};
    const size_t notes = offsetof(Sample, foreign);
    segments[1] = {PT_NOTE, PF_R, notes, 4096 + notes, 4096 + notes, offsetof(Sample, dynamic) - notes, 0, 4};
    segments[2] = {PT_DYNAMIC, PF_R, offsetof(Sample, dynamic), 0, 0, sizeof dynamic, 0, 8};
    note = rec_plugin_note;
    dynamic[0] = {DT_STRTAB, {4096 + offsetof(Sample, strings)}};
    dynamic[1] = {DT_NEEDED, {1}};
    dynamic[2] = {DT_RUNPATH, {11}};
    dynamic[3] = {DT_NEEDED, {35}};
  }
};

const TempFolder& folder() {
  static const TempFolder made;
  return made;
}

}  // namespace
}  // namespace rec::fuzz

int LLVMFuzzerInitialize(int*, char***) {
  rec::PluginRegistry::instance().add_folder(rec::fuzz::folder().path());
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rec::fuzz;
  Input in(data, size);
  const Sample sample;
  std::string bytes(reinterpret_cast<const char*>(&sample), sizeof sample);
  for (size_t n = in.below(12); n > 0; --n) {
    const size_t at = in.below(bytes.size());
    if (in.one_in(2)) {
      bytes[at] = static_cast<char>(in.byte());
    } else {  // a field, most of which are 8 bytes
      const int64_t value = odd_integer(in, static_cast<int64_t>(at));
      const size_t begin = at / 8 * 8;
      std::memcpy(bytes.data() + begin, &value, std::min(sizeof value, bytes.size() - begin));
    }
  }
  if (in.one_in(8)) bytes.resize(in.below(bytes.size()));
  if (in.one_in(256)) {  // as many segments as there can be, all of them the same
    Elf64_Ehdr header = sample.header;
    header.e_phoff = bytes.size();
    header.e_phnum = 0xffff;
    Elf64_Phdr segment = sample.segments[in.below(3)];
    segment.p_offset = in.one_of<size_t>({segment.p_offset, 0, bytes.size()});
    segment.p_filesz = in.one_of<size_t>({segment.p_filesz, 1 << 20, SIZE_MAX, SIZE_MAX / 2});
    std::memcpy(bytes.data(), &header, std::min(sizeof header, bytes.size()));
    for (int i = 0; i < header.e_phnum; ++i) bytes.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  }
  bytes += in.rest();
  folder().file("librecore_sample.so", bytes);
  attempt([&] { rec::PluginRegistry::instance().locate("sample"); });
  return 0;
}
