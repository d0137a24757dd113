#include "weights/zip_archive.hpp"

#include "weights/quoted.hpp"

#include <zlib.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace refrain::diffusion {
namespace {

static_assert(std::endian::native == std::endian::little, "zip archives are little-endian");

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryEntry = 0x02014b50;
constexpr std::uint32_t kDirectoryEnd = 0x06054b50;
constexpr std::uint32_t kDirectoryEnd64 = 0x06064b50;
constexpr std::uint32_t kLocator64 = 0x07064b50;
constexpr std::size_t kLocalHeaderBytes = 30;
constexpr std::size_t kDirectoryEntryBytes = 46;
constexpr std::size_t kDirectoryEndBytes = 22;
constexpr std::size_t kDirectoryEnd64Bytes = 56;
constexpr std::size_t kLocator64Bytes = 20;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kEncrypted = 1U | 1U << 6U | 1U << 13U;  // in three ways
constexpr std::uint16_t kSizesFollow = 1U << 3U;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint32_t kSeeZip64 = 0xFFFFFFFF;

/// Where an entry's own header begins and its data end.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

class DirectoryReader {
 public:
  DirectoryReader(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  std::vector<ZipEntry> read() {
    find_directory();
    std::vector<ZipEntry> entries;
    std::vector<Extent> extents;
    entries.reserve(count_);
    extents.reserve(count_);
    std::uint64_t at = begin_;
    for (std::uint64_t i = 0; i < count_; ++i) at = read_entry(at, entries, extents);
    if (at != end_) damaged("its directory is longer than its entries");
    check_extents(extents);
    check_names(entries);
    check_sizes(entries);
    return entries;
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw ModelError("model_file_damaged", file_ + " is not a sound zip archive: " + what + "; download it again");
  }
  [[noreturn]] void unsupported(const std::string& what) const {
    throw ModelError("model_file_unsupported", file_ + ": " + what + "; save it again with torch.save");
  }

  template <class T>
  T number(std::uint64_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) damaged("a header leaves the file");
    T value{};
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }
  std::string_view text(std::uint64_t at, std::size_t length) const {
    if (at > bytes_.size() || bytes_.size() - at < length) damaged("a name leaves the file");
    return {reinterpret_cast<const char*>(bytes_.data()) + at, length};
  }

  /// Where the end record stands: its comment, nearly always empty, reaches to the end of the file.
  std::uint64_t find_end_record() const {
    constexpr std::size_t kLongestComment = 0xFFFF;
    for (std::size_t comment = 0; comment <= kLongestComment; ++comment) {
      if (bytes_.size() < kDirectoryEndBytes + comment) break;
      const std::uint64_t at = bytes_.size() - kDirectoryEndBytes - comment;
      if (number<std::uint32_t>(at) == kDirectoryEnd && number<std::uint16_t>(at + 20) == comment) return at;
    }
    throw ModelError("model_file_truncated",
                     file_ + " is cut short: the directory at its end is missing; download it again");
  }

  void find_directory() {
    const std::uint64_t record = find_end_record();
    std::uint64_t limit = record;
    std::uint64_t length = number<std::uint32_t>(record + 12);
    count_ = number<std::uint16_t>(record + 10);
    begin_ = number<std::uint32_t>(record + 16);
    std::uint64_t disks = std::uint64_t{number<std::uint16_t>(record + 4)} + number<std::uint16_t>(record + 6);
    if (record >= kLocator64Bytes && number<std::uint32_t>(record - kLocator64Bytes) == kLocator64) {
      const auto record64 = number<std::uint64_t>(record - kLocator64Bytes + 8);
      if (record64 > record - kLocator64Bytes || record - kLocator64Bytes - record64 < kDirectoryEnd64Bytes ||
          number<std::uint32_t>(record64) != kDirectoryEnd64) {
        damaged("the record of its directory is not where it should be");
      }
      disks = std::uint64_t{number<std::uint32_t>(record64 + 16)} + number<std::uint32_t>(record64 + 20);
      count_ = number<std::uint64_t>(record64 + 32);
      length = number<std::uint64_t>(record64 + 40);
      begin_ = number<std::uint64_t>(record64 + 48);
      limit = record64;
    }
    if (disks != 0) unsupported("the archive is split over several files");
    if (begin_ > limit || limit - begin_ != length) damaged("its directory is not where it should be");
    if (count_ > length / kDirectoryEntryBytes) damaged("its directory is too short for its entries");
    end_ = limit;
  }

  /// Sizes and offset of an entry that don't fit into 32 bits stand in an extra field, in this order.
  void read_zip64(std::uint64_t at, std::size_t length, std::uint64_t* const (&fields)[3]) const {
    const std::uint64_t end = at + length;
    while (end - at >= 4) {
      const auto id = number<std::uint16_t>(at);
      const std::size_t size = number<std::uint16_t>(at + 2);
      if (size > end - at - 4) damaged("an extra field is too long");
      if (id == kZip64Extra) {
        std::uint64_t next = at + 4;
        for (std::uint64_t* field : fields) {
          if (*field != kSeeZip64) continue;
          if (at + 4 + size - next < sizeof(*field)) damaged("a large entry lacks its size or place");
          *field = number<std::uint64_t>(next);
          next += sizeof(*field);
        }
        return;
      }
      at += 4 + size;
    }
  }

  std::uint64_t read_entry(std::uint64_t at, std::vector<ZipEntry>& entries, std::vector<Extent>& extents) const {
    if (end_ - at < kDirectoryEntryBytes || number<std::uint32_t>(at) != kDirectoryEntry) {
      damaged("its directory has fewer entries than it says");
    }
    const auto flags = number<std::uint16_t>(at + 8);
    const auto method = number<std::uint16_t>(at + 10);
    std::uint64_t packed = number<std::uint32_t>(at + 20);
    std::uint64_t size = number<std::uint32_t>(at + 24);
    std::uint64_t header = number<std::uint32_t>(at + 42);
    const std::size_t name_length = number<std::uint16_t>(at + 28);
    const std::size_t extra_length = number<std::uint16_t>(at + 30);
    const std::uint64_t next = at + kDirectoryEntryBytes + name_length + extra_length + number<std::uint16_t>(at + 32);
    if (next > end_) damaged("an entry leaves the directory");
    const std::string_view name = text(at + kDirectoryEntryBytes, name_length);
    read_zip64(at + kDirectoryEntryBytes + name_length, extra_length, {&size, &packed, &header});
    if ((flags & kEncrypted) != 0) unsupported("the archive is encrypted");
    if (method != kStored && method != kDeflated) {
      unsupported("its entries are compressed by method " + std::to_string(method) + ", which is not supported");
    }
    if (method == kStored && packed != size) damaged("a stored entry has two sizes");

    const std::uint64_t data = check_local_header(header, name, method, flags, packed, size);
    extents.push_back({header, data + packed});
    if (!name.ends_with('/')) {
      entries.push_back({name, data, packed, size, number<std::uint32_t>(at + 16), method == kDeflated});
    }
    return next;
  }

  /// Where the data begin. The padding that aligns them is in this header only.
  std::uint64_t check_local_header(std::uint64_t at, std::string_view name, std::uint16_t method, std::uint16_t flags,
                                   std::uint64_t packed, std::uint64_t size) const {
    if (at >= begin_ || begin_ - at < kLocalHeaderBytes || number<std::uint32_t>(at) != kLocalHeader) {
      damaged("an entry's header is not where the directory says");
    }
    const std::size_t name_length = number<std::uint16_t>(at + 26);
    if (name_length != name.size() || text(at + kLocalHeaderBytes, name_length) != name ||
        number<std::uint16_t>(at + 8) != method) {
      damaged("an entry's header contradicts the directory");
    }
    const auto local_packed = number<std::uint32_t>(at + 18);
    const auto local_size = number<std::uint32_t>(at + 22);
    if ((flags & kSizesFollow) == 0 &&
        ((local_packed != kSeeZip64 && local_packed != packed) || (local_size != kSeeZip64 && local_size != size))) {
      damaged("an entry's header contradicts the directory");
    }
    const std::uint64_t data = at + kLocalHeaderBytes + name_length + number<std::uint16_t>(at + 28);
    if (data > begin_ || begin_ - data < packed) damaged("an entry reaches into the directory");
    return data;
  }

  void check_extents(std::vector<Extent>& extents) const {
    std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < extents.size(); ++i) {
      if (extents[i].begin < extents[i - 1].end) damaged("entries overlap");
    }
  }

  void check_names(std::vector<ZipEntry>& entries) const {
    std::sort(entries.begin(), entries.end(), [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (entries[i].name == entries[i - 1].name) damaged("two entries have the same name");
    }
  }

  void check_sizes(const std::vector<ZipEntry>& entries) const {
    std::uint64_t left = 2 * std::uint64_t{bytes_.size()};
    for (const ZipEntry& entry : entries) {
      if (!entry.deflated) continue;
      if (entry.size > left) {
        unsupported("its compressed entries unpack to more than twice the file's size, as those of a zip bomb do");
      }
      left -= entry.size;
    }
  }

  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::uint64_t begin_ = 0;  // of the directory
  std::uint64_t end_ = 0;
  std::uint64_t count_ = 0;
};

class Inflater {
 public:
  Inflater() { ready_ = ::inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }  // no header: zip has its own
  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Whether `packed` unpacks to exactly `target`.
  bool unpack(std::span<const std::byte> packed, std::span<std::byte> target) {
    if (!ready_) return false;
    int state = Z_OK;
    std::byte past_the_end{};
    while (state == Z_OK) {
      if (stream_.avail_in == 0) give(packed, stream_.next_in, stream_.avail_in);
      if (stream_.avail_out == 0) give(target, stream_.next_out, stream_.avail_out);
      const bool full = stream_.avail_out == 0;
      if (full) {
        stream_.next_out = reinterpret_cast<Bytef*>(&past_the_end);
        stream_.avail_out = 1;
      }
      state = ::inflate(&stream_, Z_NO_FLUSH);
      if (full) {
        if (stream_.avail_out == 0) return false;
        stream_.avail_out = 0;
      }
    }
    return state == Z_STREAM_END && stream_.avail_out == 0 && target.empty() && stream_.avail_in == 0 && packed.empty();
  }

 private:
  /// The next piece of `bytes`: zlib counts in 32 bits.
  template <class Byte, class Pointer>
  static void give(std::span<Byte>& bytes, Pointer& pointer, uInt& count) {
    count = static_cast<uInt>(std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max() / 2));
    pointer = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    bytes = bytes.subspan(count);
  }

  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string file)
    : bytes_(bytes), file_(std::move(file)), entries_(DirectoryReader(bytes_, file_).read()) {}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto place =
      std::lower_bound(entries_.begin(), entries_.end(), name,
                       [](const ZipEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  return place == entries_.end() || place->name != name ? nullptr : &*place;
}

void ZipArchive::unpack(const ZipEntry& entry, std::span<std::byte> target) const {
  const std::span<const std::byte> packed = stored(entry);
  bool sound = target.size() == entry.size;
  if (sound && entry.deflated) {
    const auto* data = reinterpret_cast<const Bytef*>(target.data());
    sound = Inflater().unpack(packed, target) && ::crc32_z(0, data, target.size()) == entry.crc;
  } else if (sound && !packed.empty()) {
    std::memcpy(target.data(), packed.data(), packed.size());
  }
  if (!sound) {
    throw ModelError("model_file_damaged", file_ + " is not a sound zip archive: the compressed data of " +
                                               in_quotes(entry.name) + " are damaged; download it again");
  }
}

}  // namespace refrain::diffusion
