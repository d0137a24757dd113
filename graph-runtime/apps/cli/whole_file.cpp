#include "whole_file.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace refrain::cli {

void write_whole_file(const std::filesystem::path& file, std::string_view bytes) {
  const std::string part = file.string() + ".part";
  std::FILE* stream = std::fopen(part.c_str(), "wb");
  const bool written = stream != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), stream) == bytes.size();
  const bool closed = stream != nullptr && std::fclose(stream) == 0;
  if (!written || !closed || std::rename(part.c_str(), file.c_str()) != 0) {
    const int problem = errno;
    std::remove(part.c_str());
    throw Error("file_unwritable", fmt::format("cannot write {}: {}", file.string(), std::strerror(problem)));
  }
}

}  // namespace refrain::cli
