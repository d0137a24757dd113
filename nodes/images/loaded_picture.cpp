#include "loaded_picture.hpp"

#include <refrain/context.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>

#include "files/annotated_file.hpp"

namespace refrain {
namespace {

constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 30U;

}  // namespace

Choices picture_files(const Host& host) { return input_files(host, {".png", ".jpg", ".jpeg", ".webp"}); }

Picture load_picture(const Context& ctx, std::string_view name) {
  Picture picture = read_picture(find_annotated(ctx.host(), name), kMostPixels);
  // Its bytes, and float32 numbers of all of its channels.
  ctx.require_memory(picture.pixels.bytes.size() * 2 * sizeof(float), "loading " + std::string(name));
  return picture;
}

at::Tensor channel_of(const Pixels& pixels, int index) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): from_blob has no const form; nothing is written
  auto* bytes = const_cast<std::uint8_t*>(pixels.bytes.data());
  const at::Tensor all = at::from_blob(bytes, {1, pixels.height, pixels.width, pixels.channels}, at::kByte);
  return all.select(3, index).to(at::kFloat) / 255.0;
}

}  // namespace refrain
