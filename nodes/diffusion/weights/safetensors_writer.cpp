#include <refrain/diffusion/safetensors_writer.hpp>

#include "weights/safetensors_dtype.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what, int error) {
  throw ModelError("file_write_failed",
                   file.string() + ": " + what + " (" + std::generic_category().message(error) + ")");
}

std::size_t count_bytes(const TensorInfo& info) {
  std::size_t bytes = at::elementSize(info.dtype);
  for (const std::int64_t size : info.shape) bytes *= static_cast<std::size_t>(size);
  return bytes;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(std::filesystem::path file, const Tensors& tensors, const Metadata& metadata)
    : file_(std::move(file)) {
  std::vector<std::pair<std::string_view, const TensorInfo*>> order;
  for (const auto& [name, info] : tensors) order.emplace_back(name, &info);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return at::elementSize(a.second->dtype) > at::elementSize(b.second->dtype);
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t data = 0;
  for (const auto& [name, info] : order) {
    const auto dtype = safetensors_name(info->dtype);
    if (!dtype) {
      throw ModelError("model_file_unsupported", file_.string() + ": tensor '" + std::string(name) +
                                                     "' has a type that "
                                                     "safetensors files can't hold here; use one of " +
                                                     std::string(supported_safetensors_dtypes()));
    }
    const std::size_t bytes = count_bytes(*info);
    header[std::string(name)] = {{"dtype", *dtype}, {"shape", info->shape}, {"data_offsets", {data, data + bytes}}};
    entries_.emplace(name, Entry{*info, data});
    data += bytes;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // keeps the tensors aligned to eight bytes
  const std::uint64_t length = text.size();
  for (auto& [name, entry] : entries_) entry.offset += sizeof(length) + text.size();

  open_temporary();
  try {
    put(&length, sizeof(length), 0);
    put(text.data(), text.size(), sizeof(length));
    if (::ftruncate(descriptor_, static_cast<off_t>(sizeof(length) + text.size() + data)) != 0) {
      fail(file_, "can't be written", errno);
    }
  } catch (...) {
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
    throw;
  }
}

void SafetensorsWriter::open_temporary() {
  std::string stem = ".";
  ((stem += file_.filename().string()) += '.') += std::to_string(::getpid()) + '.';
  for (int attempt = 0; descriptor_ < 0; ++attempt) {
    temporary_ = file_.parent_path() / (stem + std::to_string(attempt));
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) fail(file_, "can't be written", errno);
  }
}

SafetensorsWriter::~SafetensorsWriter() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
  }
}

void SafetensorsWriter::put(const void* data, std::size_t bytes, std::size_t offset) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t done = ::pwrite(descriptor_, next, bytes, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail(file_, "can't be written", errno);
    next += done;
    offset += static_cast<std::size_t>(done);
    bytes -= static_cast<std::size_t>(done);
  }
}

void SafetensorsWriter::write(std::string_view name, const at::Tensor& tensor) {
  const auto place = entries_.find(name);
  if (place == entries_.end() || tensor.scalar_type() != place->second.info.dtype ||
      tensor.sizes() != at::IntArrayRef(place->second.info.shape)) {
    throw ShapeError("safetensors_entry",
                     file_.string() + ": tensor '" + std::string(name) + "' was not declared with this type and shape");
  }
  const at::Tensor data = tensor.detach().cpu().contiguous();
  put(data.const_data_ptr(), data.nbytes(), place->second.offset);
  place->second.written = true;
}

void SafetensorsWriter::commit() {
  for (const auto& [name, entry] : entries_) {
    if (!entry.written)
      throw ModelError("safetensors_entry", file_.string() + ": tensor '" + name + "' was not written");
  }
  if (::fsync(descriptor_) != 0) fail(file_, "can't be written", errno);
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) fail(file_, "can't be given its name", errno);
  ::close(std::exchange(descriptor_, -1));
}

void write_safetensors(const std::filesystem::path& file, const std::map<std::string, at::Tensor, std::less<>>& tensors,
                       const SafetensorsWriter::Metadata& metadata) {
  SafetensorsWriter::Tensors infos;
  for (const auto& [name, tensor] : tensors) infos[name] = {tensor.scalar_type(), tensor.sizes().vec()};
  SafetensorsWriter writer(file, infos, metadata);
  for (const auto& [name, tensor] : tensors) writer.write(name, tensor);
  writer.commit();
}

}  // namespace refrain::diffusion
