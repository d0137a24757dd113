#include "file_watch.hpp"

#include <refrain/runtime.hpp>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>

namespace refrain::cli {
namespace {

constexpr std::chrono::milliseconds kPause{150};

}  // namespace

FileWatch::FileWatch(std::vector<std::string> files) : files_(std::move(files)), seen_(look()) {}

std::vector<FileWatch::Stamp> FileWatch::look() const {
  std::vector<Stamp> stamps;
  for (const std::string& file : files_) {
    std::error_code error;
    Stamp stamp;
    stamp.size = std::filesystem::file_size(file, error);
    stamp.there = !error;
    if (stamp.there) stamp.time = std::filesystem::last_write_time(file, error);
    stamps.push_back(stamp);
  }
  return stamps;
}

bool FileWatch::wait(const CancelToken& cancel) {
  std::vector<Stamp> before = seen_;
  for (;;) {
    if (cancel.cancelled()) return false;
    std::this_thread::sleep_for(kPause);
    std::vector<Stamp> now = look();
    const bool whole = std::all_of(now.begin(), now.end(), [](const Stamp& stamp) { return stamp.there; });
    if (now != seen_ && now == before && whole) {
      seen_ = std::move(now);
      return true;
    }
    before = std::move(now);
  }
}

}  // namespace refrain::cli
