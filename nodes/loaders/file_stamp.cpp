#include "file_stamp.hpp"

namespace refrain {

std::string stamp_text(const std::filesystem::path& file) {
  return file.string() + " " + std::to_string(std::filesystem::file_size(file)) + " " +
         std::to_string(std::filesystem::last_write_time(file).time_since_epoch().count());
}

}  // namespace refrain
