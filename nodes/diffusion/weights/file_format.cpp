#include "weights/file_format.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <string_view>

namespace refrain::diffusion {

FileFormat recognise_format(std::span<const std::byte> file, const std::string& name) {
  constexpr std::size_t kTarMagic = 257;
  const auto* data = reinterpret_cast<const char*>(file.data());
  const std::string_view text(data, std::min<std::size_t>(file.size(), 512));
  const auto fail = [&](const char* what) { throw ModelError("model_file_unsupported", name + what); };
  // A safetensors file may begin with any bytes, the length of its header: what follows it counts.
  if (text.size() > 8 && text[8] == '{' && text.substr(4, 4) == std::string_view("\0\0\0\0", 4)) {
    return FileFormat::safetensors;
  }
  if (text.starts_with("PK\x03\x04")) return FileFormat::torch_zip;
  if (text.starts_with("PK\x05\x06")) fail(" is an empty zip archive; download the model again");
  if (text.starts_with('\x80') && text.size() > 1 && text[1] >= 2 && text[1] <= 5) return FileFormat::torch_legacy;
  if (text.starts_with("GGUF")) fail(" is a GGUF file, a format that isn't read; choose safetensors or a checkpoint");
  if (text.starts_with("version https://git-lfs")) {
    fail(" is a git-lfs pointer, not the model itself; fetch it with 'git lfs pull' or download it again");
  }
  if (text.starts_with("<!") || text.starts_with("<html")) {
    fail(" is a web page, not a model; the download needs a log-in or another address");
  }
  if (text.size() > kTarMagic && text.substr(kTarMagic).starts_with("ustar")) {
    fail(" is a tar archive (as torch saved before 0.1.10); save it again with a newer torch");
  }
  return FileFormat::safetensors;
}

}  // namespace refrain::diffusion
