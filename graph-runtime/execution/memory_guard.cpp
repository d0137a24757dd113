#include "execution/memory_guard.hpp"

#include <c10/core/CPUAllocator.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "execution/text.hpp"
#include "refrain/errors.hpp"

namespace refrain {

namespace {

constexpr std::uint64_t kGuardedFrom = std::uint64_t{64} << 20;  // asking costs some 50 us; this much costs ms to touch

/// The number behind `key` in a file of "key number" or "key: number kB" lines.
std::optional<std::uint64_t> field(const std::string& file, std::string_view key) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    if (!std::string_view(line).starts_with(key)) continue;
    std::istringstream rest(line.substr(key.size()));
    std::uint64_t number = 0;
    std::string unit;
    if (!(rest >> number)) return std::nullopt;
    rest >> unit;
    return unit == "kB" ? number * 1024 : number;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_in(const std::string& file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  if (in >> number) return number;
  return std::nullopt;  // not there, or "max"
}

/// Room below one group's limit. Clean file pages are given back by the kernel when memory gets short.
std::optional<std::uint64_t> room_in_group(const std::string& folder, const char* limit_file, const char* usage_file,
                                           const char* prefix) {
  const auto limit = number_in(folder + limit_file);
  const auto usage = number_in(folder + usage_file);
  if (!limit || !usage) return std::nullopt;
  const std::string stat = folder + "/memory.stat";
  const std::uint64_t cache = field(stat, std::string(prefix) + "inactive_file ").value_or(0) +
                              field(stat, std::string(prefix) + "active_file ").value_or(0);
  const std::uint64_t used = *usage - std::min(*usage, cache);
  return *limit - std::min(*limit, used);
}

void take_least(std::optional<std::uint64_t>& least, std::optional<std::uint64_t> other) {
  if (other) least = least ? std::min(*least, *other) : *other;
}

/// A group is limited by its own limit and by those of all groups above it.
void limit_by_groups(std::optional<std::uint64_t>& least, const std::string& mount, std::string path,
                     const char* limit_file, const char* usage_file, const char* prefix) {
  for (;;) {
    take_least(least, room_in_group(mount + path, limit_file, usage_file, prefix));
    const std::size_t slash = path.rfind('/');
    if (path.empty() || slash == std::string::npos) return;
    path.resize(slash);
  }
}

void limit_by_control_groups(std::optional<std::uint64_t>& least) {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (controllers.empty())
      limit_by_groups(least, "/sys/fs/cgroup", path, "/memory.max", "/memory.current", "");
    else if (controllers.find("memory") != std::string::npos)
      limit_by_groups(least, "/sys/fs/cgroup/memory", path, "/memory.limit_in_bytes", "/memory.usage_in_bytes",
                      "total_");
  }
}

void limit_by_address_space(std::optional<std::uint64_t>& least) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const auto pages = number_in("/proc/self/statm");
  if (!pages) return;
  const std::uint64_t used = *pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  take_least(least, limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, used));
}

/// Torch's own allocator behind a question.
class GuardedAllocator final : public c10::Allocator {
 public:
  explicit GuardedAllocator(c10::Allocator* behind) : behind_(behind) {}
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes >= kGuardedFrom) require_available_memory(bytes, "a tensor");
    return behind_->allocate(bytes);
  }
  bool is_simple_data_ptr(const c10::DataPtr& data) const override { return behind_->is_simple_data_ptr(data); }
  c10::DeleterFnPtr raw_deleter() const override { return behind_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { behind_->copy_data(to, from, bytes); }

 private:
  c10::Allocator* behind_;
};

}  // namespace

std::optional<std::uint64_t> available_memory() {
  std::optional<std::uint64_t> least = field("/proc/meminfo", "MemAvailable:");
  limit_by_control_groups(least);
  limit_by_address_space(least);
  return least;
}

void throw_out_of_memory(std::uint64_t bytes, std::uint64_t available, std::string_view purpose, const char* where) {
  throw NodeError("out_of_memory", std::string("Not enough ") + where + " for " + std::string(purpose) + ": " +
                                       human_size(bytes) + " asked for, " + human_size(available) +
                                       " free. Use a smaller picture or batch, or close other programs.");
}

void require_available_memory(std::uint64_t bytes, std::string_view purpose) {
  const auto available = available_memory();
  if (!available || bytes <= *available) return;
  throw_out_of_memory(bytes, *available, purpose, "memory");
}

void install_memory_guard() {
  // Torch keeps the pointer until the process ends, and so must the object.
  static GuardedAllocator* guard = [] {
    auto* made = new GuardedAllocator(c10::GetCPUAllocator());
    c10::SetCPUAllocator(made, /*priority=*/1);
    return made;
  }();
  (void)guard;
}

// Without streams, since both are part of every run: their buffers cost more than what the kernel does.
std::uint64_t peak_resident() {
  constexpr std::string_view kPeak = "VmHWM:";
  char text[4096];
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t size = read(file, text, sizeof text);
  close(file);
  const std::string_view status(text, size < 0 ? 0 : static_cast<std::size_t>(size));
  const std::size_t line = status.find(kPeak);
  if (line == status.npos) return 0;
  const std::size_t digits = status.find_first_of("0123456789", line);
  std::uint64_t kilobytes = 0;
  if (digits != status.npos) std::from_chars(text + digits, text + size, kilobytes);
  return kilobytes * 1024;
}

void reset_peak_resident() {
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = write(file, "5", 1);  // refused where the kernel can't
  close(file);
}

}  // namespace refrain
