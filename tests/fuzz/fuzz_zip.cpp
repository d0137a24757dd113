// Zip archives: directories and compressed data.

#include "fuzz/reading.hpp"
#include "weights/zip_archive.hpp"

#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace refrain::diffusion;
  return refrain::fuzz::answered([&] {
    const ZipArchive archive(refrain::fuzz::bytes_of(data, size), "file");
    for (const ZipEntry& entry : archive.entries()) {
      if (archive.find(entry.name) != &entry) __builtin_trap();
      std::vector<std::byte> unpacked(entry.size);
      archive.unpack(entry, unpacked);
    }
  });
}
