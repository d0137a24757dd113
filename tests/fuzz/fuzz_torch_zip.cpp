// Torch checkpoints since 1.6: the archive and the pickle in it.

#include "fuzz/contents.hpp"
#include "fuzz/reading.hpp"

#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace refrain::diffusion;
  return refrain::fuzz::answered([&] {
    const auto bytes = refrain::fuzz::bytes_of(data, size);
    const ZipArchive archive(bytes, "file");
    const TorchContents contents = read_torch_zip(archive, bytes, "file", std::nullopt);
    refrain::fuzz::check(contents, size);
    for (const StoredRun& run : contents.runs) {
      if (!run.deflated) continue;
      std::vector<std::byte> unpacked(run.bytes);
      archive.unpack(*run.deflated, unpacked);
    }
  });
}
