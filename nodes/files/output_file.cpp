#include "output_file.hpp"

#include <refrain/errors.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <utility>

namespace refrain {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPartSuffix = ".part";

[[noreturn]] void fail(const char* code, const fs::path& file, std::string_view what) {
  throw NodeError(code, fmt::format("cannot write \"{}\": {}", file.string(), what));
}

std::string replace_all(std::string text, std::string_view token, std::string_view value) {
  for (std::size_t at = text.find(token); at != std::string::npos; at = text.find(token, at + value.size())) {
    text.replace(at, token.size(), value);
  }
  return text;
}

/// The tokens that ComfyUI's server replaces; %date:...% and %Node.widget% belong to its front end.
std::string expand_tokens(std::string text, const OutputName& name) {
  if (text.find('%') == std::string::npos) {
    return text;
  }
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  text = replace_all(std::move(text), "%width%", std::to_string(name.width));
  text = replace_all(std::move(text), "%height%", std::to_string(name.height));
  text = replace_all(std::move(text), "%year%", std::to_string(local.tm_year + 1900));
  text = replace_all(std::move(text), "%month%", fmt::format("{:02}", local.tm_mon + 1));
  text = replace_all(std::move(text), "%day%", fmt::format("{:02}", local.tm_mday));
  text = replace_all(std::move(text), "%hour%", fmt::format("{:02}", local.tm_hour));
  text = replace_all(std::move(text), "%minute%", fmt::format("{:02}", local.tm_min));
  return replace_all(std::move(text), "%second%", fmt::format("{:02}", local.tm_sec));
}

std::string with_batch_number(const std::string& stem, int number) {
  return replace_all(stem, "%batch_num%", std::to_string(number));
}

/// Whether `inner` is `outer` or below it; both canonical.
bool contains(const fs::path& outer, const fs::path& inner) {
  const auto [end, rest] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  (void)rest;
  return end == outer.end();
}

/// The highest counter among the files `<stem>_<counter>_...` of a folder; 0 when there is none.
std::int64_t highest_counter(const fs::path& folder, const std::string& stem) {
  std::int64_t highest = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string file = entry->path().filename().string();
    if (!file.starts_with(stem) || file.size() <= stem.size() || file[stem.size()] != '_') {
      continue;
    }
    std::int64_t counter = 0;
    const char* first = file.data() + stem.size() + 1;
    const char* last = file.data() + file.size();
    const auto [stop, problem] = std::from_chars(first, last, counter);
    if (problem == std::errc{} && (stop == last || *stop == '_')) {
      highest = std::max(highest, counter);
    }
  }
  return highest;
}

struct Place {
  fs::path folder;        ///< canonical
  std::string subfolder;  ///< relative to the output folder
  std::string stem;
};

/// Where a prefix leads, after tokens; makes the folder.
Place resolve(const fs::path& output, const OutputName& name) {
  const std::string prefix = expand_tokens(std::string(name.prefix), name);
  if (prefix.find('\0') != std::string::npos) {
    throw NodeError("output.name", "filename_prefix contains a zero byte; give a plain file name");
  }
  fs::path normal = fs::path(prefix).lexically_normal();
  if (!normal.has_filename() && normal.has_relative_path()) {
    normal = normal.parent_path();  // "a/" names the file a, as Python's normpath has it
  }
  std::error_code error;
  fs::create_directories(output, error);
  const fs::path root = fs::canonical(output, error);
  if (error) {
    fail("file.create", output, error.message() + "; choose another folder with --output-directory");
  }
  // Links are followed as far as the path exists, so that none leads out of the folder.
  const fs::path folder = fs::weakly_canonical(root / normal.parent_path(), error);
  if (error || !contains(root, folder)) {
    throw NodeError("output.outside", fmt::format("filename_prefix \"{}\" leads out of the output folder \"{}\"; "
                                                  "give a path inside it",
                                                  prefix, root.string()));
  }
  fs::create_directories(folder, error);
  if (error) {
    fail("file.create", folder, error.message());
  }
  const std::string subfolder = folder == root ? "" : folder.lexically_relative(root).string();
  return {folder, subfolder, normal.has_filename() ? normal.filename().string() : "."};
}

/// Creates the first free `<stem>_<counter>_<extension>.part` from `counter` on, which moves behind it.
PendingFile reserve(const Place& place, const std::string& stem, std::string_view extension, std::int64_t& counter) {
  for (;; ++counter) {
    const fs::path file = place.folder / fmt::format("{}_{:05}_{}", stem, counter, extension);
    const fs::path part = file.string() + std::string(kPartSuffix);
    const int descriptor = ::open(part.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (descriptor < 0) {
      if (errno == EEXIST) {
        continue;  // another process has this number
      }
      fail("file.create", file, std::strerror(errno));
    }
    ::close(descriptor);
    PendingFile pending(part, file, place.subfolder);
    // Whoever held the number before may have finished between the look into the folder and now.
    if (!fs::exists(fs::symlink_status(file))) {
      ++counter;
      return pending;
    }
  }
}

}  // namespace

PendingFile::PendingFile(fs::path part, fs::path file, std::string subfolder)
    : part_(std::move(part)), file_(std::move(file)), subfolder_(std::move(subfolder)) {}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : part_(std::exchange(other.part_, {})), file_(std::move(other.file_)), subfolder_(std::move(other.subfolder_)) {}

PendingFile::~PendingFile() {
  if (!part_.empty()) {
    std::error_code ignored;
    fs::remove(part_, ignored);
  }
}

void PendingFile::commit() {
  const int descriptor = ::open(part_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0 || ::fsync(descriptor) != 0) {
    const int problem = errno;
    if (descriptor >= 0) {
      ::close(descriptor);
    }
    fail("file.write", file_, std::strerror(problem));
  }
  ::close(descriptor);
  std::error_code error;
  fs::rename(part_, file_, error);
  if (error) {
    fail("file.write", file_, error.message());
  }
  part_.clear();
}

std::vector<PendingFile> reserve_output_files(const fs::path& folder, const OutputName& name) {
  const Place place = resolve(folder, name);
  std::int64_t counter = 1;
  // With %batch_num% in the name, ComfyUI looks for the token itself and so starts over at 1 and overwrites.
  const int stems = place.stem.find("%batch_num%") == std::string::npos ? std::min(name.count, 1) : name.count;
  for (int number = 0; number < stems; ++number) {
    counter = std::max(counter, highest_counter(place.folder, with_batch_number(place.stem, number)) + 1);
  }
  std::vector<PendingFile> files;
  files.reserve(static_cast<std::size_t>(name.count));
  for (int number = 0; number < name.count; ++number) {
    files.push_back(reserve(place, with_batch_number(place.stem, number), name.extension, counter));
  }
  return files;
}

void write_part(const PendingFile& file, std::string_view bytes) {
  const int descriptor = ::open(file.part().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (descriptor < 0) {
    fail("file.write", file.file(), std::strerror(errno));
  }
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      const int problem = errno;
      ::close(descriptor);
      fail("file.write", file.file(), std::strerror(problem));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(descriptor) != 0) {
    fail("file.write", file.file(), std::strerror(errno));
  }
}

}  // namespace refrain
