// ELF as in "System V Application Binary Interface", chapters 4 and 5, and its 64-bit supplement.
#include "plugins/library_file.hpp"

#include <refrain/errors.hpp>

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

namespace refrain {

namespace {

#if defined(__x86_64__)
constexpr auto kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr auto kMachine = EM_AARCH64;
#else
#error "node libraries are known for x86-64 and AArch64 only"
#endif

constexpr std::string_view kSymbolPrefix = "refrain_plugin_v";
constexpr std::string_view kSymbol = "refrain_plugin_v1";
constexpr std::size_t kLongestName = 256;  // of symbols and libraries that matter; bounds the work on rubbish
constexpr std::size_t kMostNeeded = 1024;

[[noreturn]] void damaged(const char* what) {
  throw PluginError("damaged", std::string("damaged or cut off: ") + what + "; build or copy it again");
}

/// A view of bytes in which every access is checked.
class ElfBytes {
 public:
  explicit ElfBytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
  std::optional<T> read(std::uint64_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) return std::nullopt;
    T object;
    std::memcpy(&object, bytes_.data() + at, sizeof(T));
    return object;
  }
  /// Entry `index` of a table, where the multiplication may overflow in a damaged file.
  template <class T>
  std::optional<T> read_entry(std::uint64_t table, std::uint64_t index) const {
    if (table > bytes_.size() || index > bytes_.size() / sizeof(T)) return std::nullopt;
    return read<T>(table + index * sizeof(T));
  }
  /// The text that starts there, up to its zero; empty outside the file, cut at kLongestName.
  std::string_view text(std::uint64_t at) const {
    if (at >= bytes_.size()) return {};
    const auto* start = reinterpret_cast<const char*>(bytes_.data() + at);
    return {start, ::strnlen(start, std::min<std::size_t>(bytes_.size() - at, kLongestName))};
  }
  std::uint64_t size() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

Elf64_Ehdr read_header(const ElfBytes& file) {
  const auto header = file.read<Elf64_Ehdr>(0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
    throw PluginError("not_a_library",
                      "not a shared library (no ELF file); only .so files belong into a plugin folder");
  }
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_machine != kMachine) {
    throw PluginError("other_machine", "built for another processor; build it for this one");
  }
  if (header->e_type != ET_DYN) {
    throw PluginError("not_a_library", "an ELF file, but not a shared library; link it with -shared");
  }
  return *header;
}

/// Offset in the file of what is at `address` in memory.
std::optional<std::uint64_t> file_offset(const ElfBytes& file, const Elf64_Ehdr& header, std::uint64_t address) {
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment = file.read_entry<Elf64_Phdr>(header.e_phoff, i);
    if (!segment) return std::nullopt;
    if (segment->p_type == PT_LOAD && address >= segment->p_vaddr && address - segment->p_vaddr < segment->p_filesz) {
      const std::uint64_t within = address - segment->p_vaddr;
      if (segment->p_offset > file.size() || within > file.size()) return std::nullopt;
      return segment->p_offset + within;
    }
  }
  return std::nullopt;
}

std::optional<Elf64_Shdr> find_section(const ElfBytes& file, const Elf64_Ehdr& header, Elf64_Word type) {
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const auto section = file.read_entry<Elf64_Shdr>(header.e_shoff, i);
    if (!section) damaged("its section table is not there");
    if (section->sh_type == type) return section;
  }
  return std::nullopt;
}

/// Address of the record in memory.
std::uint64_t find_record(const ElfBytes& file, const Elf64_Ehdr& header) {
  if (header.e_shnum == 0) damaged("its section table is not there");
  const auto symbols = find_section(file, header, SHT_DYNSYM);
  if (!symbols) throw PluginError("no_record", "a shared library that exports nothing, so no Refrain node library");
  const auto strings = file.read_entry<Elf64_Shdr>(header.e_shoff, symbols->sh_link);
  if (!strings) damaged("the names of its symbols are not there");

  std::string other;
  for (std::uint64_t i = 0; i < symbols->sh_size / sizeof(Elf64_Sym); ++i) {
    const auto symbol = file.read_entry<Elf64_Sym>(symbols->sh_offset, i);
    if (!symbol) damaged("its symbols are not there");
    if (symbol->st_shndx == SHN_UNDEF || strings->sh_offset > file.size()) continue;
    const std::string_view name = file.text(strings->sh_offset + symbol->st_name);
    if (name == kSymbol) return symbol->st_value;
    if (name.starts_with(kSymbolPrefix)) other = name.substr(kSymbolPrefix.size());
  }
  if (!other.empty()) {
    throw PluginError("other_abi", "built for plugin ABI " + other + ", this runtime speaks " +
                                       std::to_string(REFRAIN_ABI_VERSION) +
                                       "; build it again with this Refrain's SDK");
  }
  throw PluginError("no_record", "a shared library, but no Refrain node library: it does not export " +
                                     std::string(kSymbol) +
                                     "; end one of its files with REFRAIN_PLUGIN or REFRAIN_LIBRARY");
}

/// The start of a stamp, alike in every version of it.
struct StampHead {
  char magic[16];
  std::uint32_t size;
  std::uint32_t abi;
};
static_assert(sizeof(StampHead) == 24 && offsetof(abi::Stamp, abi) == offsetof(StampHead, abi));

abi::Stamp read_stamp(const ElfBytes& file, std::uint64_t offset) {
  const auto head = file.read<StampHead>(offset);
  if (!head) damaged("its record is not there");
  constexpr char kMagic[sizeof(StampHead::magic)] = "refrain-plugin";
  if (std::memcmp(head->magic, kMagic, sizeof(kMagic)) != 0) {
    throw PluginError("bad_record", std::string(kSymbol) + " is no plugin record; let REFRAIN_PLUGIN define it");
  }
  if (head->abi != REFRAIN_ABI_VERSION) {
    throw PluginError("other_abi", "built for plugin ABI " + std::to_string(head->abi) + ", this runtime speaks " +
                                       std::to_string(REFRAIN_ABI_VERSION) +
                                       "; build it again with this Refrain's SDK");
  }
  auto stamp = file.read<abi::Stamp>(offset);
  if (!stamp) damaged("its record is not there");
  stamp->cxx[sizeof(stamp->cxx) - 1] = 0;
  stamp->sanitizer[sizeof(stamp->sanitizer) - 1] = 0;
  stamp->torch[sizeof(stamp->torch) - 1] = 0;
  stamp->device[sizeof(stamp->device) - 1] = 0;
  return *stamp;
}

/// Names of DT_NEEDED. A damaged table gives fewer: the dynamic linker will say so.
std::vector<std::string> read_needed(const ElfBytes& file, const Elf64_Ehdr& header) {
  std::vector<std::string> names;
  const auto dynamic = find_section(file, header, SHT_DYNAMIC);
  if (!dynamic) return names;
  const auto strings = file.read_entry<Elf64_Shdr>(header.e_shoff, dynamic->sh_link);
  if (!strings || strings->sh_offset > file.size()) return names;
  for (std::uint64_t i = 0; i < dynamic->sh_size / sizeof(Elf64_Dyn) && names.size() < kMostNeeded; ++i) {
    const auto entry = file.read_entry<Elf64_Dyn>(dynamic->sh_offset, i);
    if (!entry || entry->d_tag == DT_NULL) break;
    if (entry->d_tag != DT_NEEDED || entry->d_un.d_val > file.size()) continue;
    names.emplace_back(file.text(strings->sh_offset + entry->d_un.d_val));
  }
  return names;
}

/// A file mapped for reading.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) fail("can't be opened");
    struct stat status {};
    const bool known = ::fstat(file, &status) == 0;
    if (known && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    const int error = errno;
    ::close(file);
    errno = error;
    if (!known || data_ == MAP_FAILED) fail("can't be read");
  }
  ~MappedFile() {
    if (data_) ::munmap(data_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  [[noreturn]] static void fail(const char* what) {
    throw PluginError("unreadable", std::string(what) + ": " + std::strerror(errno) + "; check its permissions");
  }

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

LibraryFacts read_library_facts(std::span<const std::byte> bytes) {
  const ElfBytes file(bytes);
  const Elf64_Ehdr header = read_header(file);
  const auto offset = file_offset(file, header, find_record(file, header));
  if (!offset) damaged("its record lies outside the file");
  return {read_stamp(file, *offset), read_needed(file, header)};
}

LibraryFacts read_library_facts(const std::filesystem::path& path) {
  const MappedFile file(path);
  return read_library_facts(file.bytes());
}

}  // namespace refrain
