#pragma once
// `refrain run --watch`: waits until a file changes.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace refrain {
class CancelToken;
}

namespace refrain::cli {

/// Looks at files a few times a second: editors replace files rather than change them, which a watch on an inode would
/// lose.
class FileWatch {
 public:
  explicit FileWatch(std::vector<std::string> files);

  /// Waits for a change since the last call, and until the file stands still and is there. False when cancelled.
  bool wait(const CancelToken& cancel);

 private:
  struct Stamp {
    std::uintmax_t size = 0;
    std::filesystem::file_time_type time{};
    bool there = false;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  std::vector<Stamp> look() const;

  std::vector<std::string> files_;
  std::vector<Stamp> seen_;
};

}  // namespace refrain::cli
