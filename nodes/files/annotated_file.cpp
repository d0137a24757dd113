#include "annotated_file.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace refrain {

std::filesystem::path find_annotated(const Host& host, std::string_view name) {
  for (const std::string_view folder : {"input", "output", "temp"}) {
    const std::string mark = fmt::format(" [{}]", folder);
    if (name.ends_with(mark)) return host.find_file(folder, std::string(name.substr(0, name.size() - mark.size())));
  }
  return host.find_file("input", std::string(name));
}

std::string file_mark(const std::filesystem::path& file) {
  return fmt::format("{} {} {}", file.string(), std::filesystem::file_size(file),
                     std::filesystem::last_write_time(file).time_since_epoch().count());
}

void check_annotated(Literals& in, const Choice& file) {
  const std::string* name = in[file];
  if (name == nullptr) return;
  try {
    find_annotated(in.host(), *name);
  } catch (const Error& error) {
    in.reject(file, error.what());
  }
}

Fingerprint mark_of_annotated(const Literals& in, const Choice& file) {
  const std::string* name = in[file];
  if (name == nullptr) return kAlwaysRun;  // a name that comes over a link is not known yet
  return file_mark(find_annotated(in.host(), *name));
}

Choices input_files(const Host& host, std::initializer_list<std::string_view> endings) {
  Choices files = host.files_in("input");
  std::erase_if(files, [&](const std::string& name) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return c < 128 ? std::tolower(c) : c; });
    return name.find('/') != name.npos ||
           std::ranges::none_of(endings, [&](std::string_view ending) { return lower.ends_with(ending); });
  });
  return files;
}

}  // namespace refrain
