#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "picture_formats.hpp"

namespace refrain {
namespace {

/// The orientation in a file's Exif chunk.
int orientation_of(const WebPData& data) {
  const std::unique_ptr<WebPDemuxer, void (*)(WebPDemuxer*)> demuxer(WebPDemux(&data), WebPDemuxDelete);
  WebPChunkIterator chunk{};
  int orientation = 1;
  if (demuxer != nullptr && WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk) != 0) {
    orientation = exif_orientation({chunk.chunk.bytes, chunk.chunk.size});
  }
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

}  // namespace

Picture decode_webp(Bytes file, const std::string& name, std::uint64_t most_pixels) {
  WebPBitstreamFeatures features{};
  if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK) {
    refuse_picture("picture.damaged", name, "its header is damaged");
  }
  if (features.has_animation != 0) {
    refuse_picture("picture.animated", name, "animated pictures can't be loaded; save one frame");
  }
  check_picture_size(static_cast<std::uint64_t>(features.width), static_cast<std::uint64_t>(features.height),
                     most_pixels, name);
  Picture picture;
  picture.has_alpha = features.has_alpha != 0;
  picture.pixels = {features.width, features.height, picture.has_alpha ? 4 : 3, {}};
  const int row_bytes = features.width * picture.pixels.channels;
  picture.pixels.bytes.resize(static_cast<std::size_t>(row_bytes) * features.height);
  const auto decode = picture.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  std::vector<std::uint8_t>& bytes = picture.pixels.bytes;
  if (decode(file.data(), file.size(), bytes.data(), bytes.size(), row_bytes) == nullptr) {
    refuse_picture("picture.damaged", name, "its data is damaged");
  }
  picture.orientation = orientation_of({file.data(), file.size()});
  return picture;
}

}  // namespace refrain
