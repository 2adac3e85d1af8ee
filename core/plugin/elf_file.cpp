#include "core/plugin/elf_file.h"

#include <elf.h>

#include <cstring>
#include <filesystem>

#include "core/base/files.h"
#include "core/base/text.h"

namespace rec {

namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
#error "name this machine's ELF number here"
#endif

constexpr int64_t kMaxPluginBytes = int64_t{4} << 30;
// More than any linker writes, and little enough to be looked through.
constexpr size_t kMostSegments = 256, kMostNames = 1024, kLongestText = 4096;
constexpr uint64_t kLargestSection = uint64_t{1} << 20;  // of notes or dynamic entries

class Reader {
 public:
  Reader(const Buffer<char>& bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  template <class T>
  T at(uint64_t offset) const {
    if (offset > static_cast<uint64_t>(bytes_.size()) || static_cast<uint64_t>(bytes_.size()) - offset < sizeof(T))
      throw damaged();
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }

  std::string text(uint64_t offset) const {
    std::string out;
    for (char c; (c = at<char>(offset)) != '\0'; ++offset) {
      if (out.size() == kLongestText) throw damaged();
      out += c;
    }
    return out;
  }

  Error damaged() const {
    return Error(REC_PLUGIN_FAILED, cat(path_, ": a damaged shared object")).at_offset(path_, bytes_.size());
  }

 private:
  const Buffer<char>& bytes_;
  const std::string& path_;
};

std::optional<rec_plugin_note_t> find_note(const Reader& reader, const Elf64_Phdr& segment) {
  if (segment.p_filesz > kLargestSection) throw reader.damaged();
  for (uint64_t offset = segment.p_offset; offset + sizeof(Elf64_Nhdr) <= segment.p_offset + segment.p_filesz;) {
    const auto header = reader.at<Elf64_Nhdr>(offset);
    if (header.n_namesz == 8 && header.n_type == 1 && header.n_descsz == sizeof(rec_plugin_note_t) - 20 &&
        reader.at<std::array<char, 7>>(offset + sizeof header) == std::array<char, 7>{'R', 'e', 'c', 'o', 'r', 'e', 0})
      return reader.at<rec_plugin_note_t>(offset);
    const uint64_t size =
        sizeof header + (uint64_t{header.n_namesz} + 3) / 4 * 4 + (uint64_t{header.n_descsz} + 3) / 4 * 4;
    offset += size;
  }
  return std::nullopt;
}

void read_dynamic(const Reader& reader, const std::vector<Elf64_Phdr>& segments, const Elf64_Phdr& dynamic,
                  const std::string& origin, ElfFile& file) {
  if (dynamic.p_filesz > kLargestSection) throw reader.damaged();
  uint64_t strings = 0;
  std::vector<uint64_t> needed, paths;
  for (uint64_t i = 0; i < dynamic.p_filesz / sizeof(Elf64_Dyn); ++i) {
    const auto entry = reader.at<Elf64_Dyn>(dynamic.p_offset + i * sizeof(Elf64_Dyn));
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_NEEDED) needed.push_back(entry.d_un.d_val);
    if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH) paths.push_back(entry.d_un.d_val);
    if (entry.d_tag == DT_STRTAB) {
      for (const Elf64_Phdr& segment : segments)  // translates a memory address to a file offset
        if (segment.p_type == PT_LOAD && entry.d_un.d_ptr >= segment.p_vaddr &&
            entry.d_un.d_ptr < segment.p_vaddr + segment.p_filesz)
          strings = entry.d_un.d_ptr - segment.p_vaddr + segment.p_offset;
    }
  }
  if (strings == 0) return;
  if (needed.size() + paths.size() > kMostNames) throw reader.damaged();
  for (uint64_t name : needed) file.needed.push_back(reader.text(strings + name));
  for (uint64_t path : paths) {
    const std::string list = reader.text(strings + path);
    for (std::string_view folder : split(list, ':')) {
      std::string resolved(folder);
      if (const size_t at = resolved.find("$ORIGIN"); at != std::string::npos) resolved.replace(at, 7, origin);
      file.search_path.push_back(std::move(resolved));
    }
  }
}

}  // namespace

ElfFile read_elf(const std::string& path) {
  const Buffer<char> bytes = read_file(path, {kMaxPluginBytes, "size of a plugin"});
  const Reader reader(bytes, path);
  if (bytes.size() < static_cast<int64_t>(sizeof(Elf64_Ehdr)) || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
    throw Error(REC_PLUGIN_FAILED, cat(path, ": not a plugin: a shared object (ELF) is expected, this begins with '",
                                       printable({bytes.data(), std::min<size_t>(bytes.size(), 16)}), "'"));
  const auto header = reader.at<Elf64_Ehdr>(0);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != kMachine)
    throw Error(REC_ABI_MISMATCH, cat(path, ": built for another machine (ELF machine ", header.e_machine, ", class ",
                                      int{header.e_ident[EI_CLASS]}, "); this process is ELF machine ", kMachine,
                                      ", class 2, little-endian"));
  if (header.e_type != ET_DYN)
    throw Error(REC_PLUGIN_FAILED,
                cat(path, ": not a plugin: a shared object is expected, this is ",
                    header.e_type == ET_REL ? "an object file that is not linked yet" : "a program"));

  ElfFile file;
  std::vector<Elf64_Phdr> segments;
  if (header.e_phnum > kMostSegments) throw reader.damaged();
  for (uint64_t i = 0; i < header.e_phnum; ++i)
    segments.push_back(reader.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr)));
  const std::string origin = std::filesystem::path(path).parent_path().string();
  const Elf64_Phdr* dynamic = nullptr;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_NOTE && !file.note) file.note = find_note(reader, segment);
    if (segment.p_type == PT_DYNAMIC) dynamic = &segment;  // the one that the loader would read
  }
  if (dynamic != nullptr) read_dynamic(reader, segments, *dynamic, origin, file);
  return file;
}

}  // namespace rec
