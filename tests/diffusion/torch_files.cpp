#include "torch_files.hpp"

#include <zlib.h>

#include <fstream>
#include <stdexcept>

namespace refrain::diffusion::testing {
namespace {

std::string storage_type(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat: return "Float";
    case at::kHalf: return "Half";
    case at::kBFloat16: return "BFloat16";
    case at::kLong: return "Long";
    default: throw std::invalid_argument("no storage of this type is written here");
  }
}

std::uint32_t crc(std::string_view data) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<z_size_t>(data.size())));
}

/// Method, time, date, crc and both sizes: the same in both headers of an entry.
std::string common_header(const ZipPart& part) {
  const std::uint64_t size = part.size == 0 ? part.data.size() : part.size;
  return little_endian(part.method) + std::string(4, '\0') + little_endian(part.crc.value_or(crc(part.data))) +
         little_endian(static_cast<std::uint32_t>(part.data.size())) + little_endian(static_cast<std::uint32_t>(size));
}

}  // namespace

std::string zip_archive(const std::vector<ZipPart>& parts, bool zip64) {
  std::string bytes;
  std::string directory;
  for (const ZipPart& part : parts) {
    const std::uint64_t begin = bytes.size();
    bytes += "PK\x03\x04" + little_endian(std::uint16_t{20}) + little_endian(part.flags) + common_header(part) +
             little_endian(static_cast<std::uint16_t>(part.name.size())) + little_endian(part.padding) + part.name +
             std::string(part.padding, '\0') + part.data;
    const std::uint16_t extra = zip64 ? 12 : 0;
    directory += std::string("PK\x01\x02") + std::string(2, '\0') + little_endian(std::uint16_t{20}) +
                 little_endian(part.flags) + common_header(part) +
                 little_endian(static_cast<std::uint16_t>(part.name.size())) + little_endian(extra) +
                 std::string(10, '\0') + little_endian(zip64 ? 0xFFFFFFFFU : static_cast<std::uint32_t>(begin)) +
                 part.name;
    if (zip64) directory += little_endian(std::uint16_t{1}) + little_endian(std::uint16_t{8}) + little_endian(begin);
  }
  const std::uint64_t begin = bytes.size();
  bytes += directory;
  const std::uint64_t count = parts.size();
  if (zip64) {
    const std::uint64_t record = bytes.size();
    bytes += "PK\x06\x06" + little_endian(std::uint64_t{44}) + std::string(4, '\0') + std::string(8, '\0') +
             little_endian(count) + little_endian(count) + little_endian(std::uint64_t{directory.size()}) +
             little_endian(begin);
    bytes += "PK\x06\x07" + std::string(4, '\0') + little_endian(record) + little_endian(std::uint32_t{1});
  }
  bytes += std::string("PK\x05\x06") + std::string(4, '\0') + little_endian(static_cast<std::uint16_t>(count)) +
           little_endian(static_cast<std::uint16_t>(count)) +
           little_endian(static_cast<std::uint32_t>(directory.size())) +
           little_endian(static_cast<std::uint32_t>(begin)) + std::string(2, '\0');
  return bytes;
}

ZipPart deflated(std::string name, std::string_view data) {
  z_stream stream{};
  ::deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(::deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return {std::move(name), std::move(packed), 8, data.size(), 0, 0, crc(data)};
}

std::string torch_zip(const std::string& pickle, const std::vector<std::string>& storages) {
  std::vector<ZipPart> parts{{"archive/data.pkl", pickle}};
  for (std::size_t i = 0; i < storages.size(); ++i) {
    parts.push_back({"archive/data/" + std::to_string(i), storages[i]});
  }
  parts.push_back({"archive/version", "3\n"});
  return zip_archive(parts);
}

std::string torch_legacy(const std::string& pickle, const std::vector<std::string>& storages,
                         const std::vector<std::int64_t>& counts) {
  std::string bytes = Pickle().raw("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").end();
  bytes += Pickle().integer(1001).end();
  bytes += Pickle().raw("}(").text("little_endian").raw("\x88").raw("u").end();
  bytes += pickle;
  Pickle keys;
  keys.raw("](");
  for (std::size_t i = 0; i < storages.size(); ++i) keys.text(std::to_string(i));
  bytes += keys.raw("e").end();
  for (std::size_t i = 0; i < storages.size(); ++i) bytes += little_endian(counts[i]) + storages[i];
  return bytes;
}

void write_torch_checkpoint(const std::filesystem::path& file, const Tensors& tensors, const Texts& notes,
                            bool legacy) {
  Pickle pickle;
  std::vector<std::string> storages;
  std::vector<std::int64_t> counts;
  pickle.raw("}(");
  for (const auto& [key, value] : notes) pickle.text(key).text(value);
  pickle.text("state_dict").global("collections", "OrderedDict").raw(")R(");
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor data = tensor.contiguous();
    pickle.text(name).tensor(storage_type(data.scalar_type()), std::to_string(storages.size()), data.numel(),
                             data.sizes().vec(), data.strides().vec());
    storages.emplace_back(static_cast<const char*>(data.const_data_ptr()), data.nbytes());
    counts.push_back(data.numel());
  }
  pickle.raw("uu");
  const std::string bytes = legacy ? torch_legacy(pickle.end(), storages, counts) : torch_zip(pickle.end(), storages);
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace refrain::diffusion::testing
