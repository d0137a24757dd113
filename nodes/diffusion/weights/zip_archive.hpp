#pragma once
// Zip archives in memory, read-only: what torch.save has written since torch 1.6. Format: PKWARE APPNOTE.TXT 6.3.10.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::diffusion {

/// One file of an archive.
struct ZipEntry {
  std::string_view name;   ///< a view of the archive's bytes
  std::size_t offset = 0;  ///< of its data, from the start of the archive
  std::size_t packed = 0;  ///< bytes there
  std::size_t size = 0;    ///< bytes once unpacked; the same where it is only stored
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// The directory of an archive. The archive's bytes must outlive it. Immutable.
class ZipArchive {
 public:
  /// Reads and checks the directory and every entry's own header: names are unique, entries overlap neither each other
  /// nor the directory, and all that is deflated unpacks to at most twice the archive's size.
  /// Throws ModelError (model_file_truncated, model_file_damaged, model_file_unsupported) naming `file`.
  ZipArchive(std::span<const std::byte> bytes, std::string file);

  /// By name. Folders are left out.
  const std::vector<ZipEntry>& entries() const { return entries_; }
  /// Null where there is none of that name.
  const ZipEntry* find(std::string_view name) const;
  /// The bytes of an entry that is only stored, in place.
  std::span<const std::byte> stored(const ZipEntry& entry) const { return bytes_.subspan(entry.offset, entry.packed); }
  /// Unpacks an entry into `target` of its size. Throws ModelError where its data are damaged.
  void unpack(const ZipEntry& entry, std::span<std::byte> target) const;

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
  std::vector<ZipEntry> entries_;
};

}  // namespace refrain::diffusion
