#include "execution/memory_guard.hpp"

#include <c10/core/CPUAllocator.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "execution/text.hpp"
#include "refrain/errors.hpp"

namespace refrain {

namespace {

constexpr std::uint64_t kGuardedFrom = std::uint64_t{64} << 20;  // asking costs some 50 us; this much costs ms to touch

/// The text of one of the kernel's small files; empty where it can't be read. Without streams and without the heap:
/// reading it is part of every run, and a stream costs more there than what the kernel does.
class KernelFile {
 public:
  explicit KernelFile(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    for (ssize_t got = 1; got > 0 && size_ < sizeof text_; size_ += static_cast<std::size_t>(std::max<ssize_t>(got, 0)))
      got = read(file, text_ + size_, sizeof text_ - size_);
    close(file);
  }

  /// Takes the next line from `rest`, which starts as text(). False at the end.
  static bool next_line(std::string_view& rest, std::string_view& line) {
    if (rest.empty()) return false;
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return true;
  }

  std::string_view text() const { return {text_, size_}; }

 private:
  char text_[16384];  // the longest read, a control group's memory.stat, has about 2000
  std::size_t size_ = 0;
};

/// The number that `text` starts with, behind blanks, in bytes where its unit is kB.
std::optional<std::uint64_t> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)) == " kB" ? number * 1024
                                                                                                   : number;
}

/// The number behind `key` in a file of "key number" or "key: number kB" lines.
std::optional<std::uint64_t> field(const std::string& path, std::string_view key) {
  const KernelFile file(path);
  std::string_view rest = file.text(), line;
  while (KernelFile::next_line(rest, line))
    if (line.starts_with(key)) return leading_number(line.substr(key.size()));
  return std::nullopt;
}

/// The first number of a file; nothing where it is not there or says "max".
std::optional<std::uint64_t> number_in(const std::string& path) { return leading_number(KernelFile(path).text()); }

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
  const KernelFile groups("/proc/self/cgroup");
  std::string_view rest = groups.text(), line;
  while (KernelFile::next_line(rest, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string path(line.substr(second + 1));
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

std::uint64_t peak_resident() { return field("/proc/self/status", "VmHWM:").value_or(0); }

void reset_peak_resident() {
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = write(file, "5", 1);  // refused where the kernel can't
  close(file);
}

}  // namespace refrain
