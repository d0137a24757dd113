#include "execution/file_folders.hpp"

#include <sys/stat.h>
#include <refrain/errors.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <system_error>

#include "execution/text.hpp"

namespace refrain {

namespace fs = std::filesystem;

namespace {

// folder_paths.py of ComfyUI 0.3.64: its list of extensions, and the folders that have two names.
constexpr std::array<std::string_view, 8> kModelExtensions{".ckpt", ".pt",  ".pt2",         ".bin",
                                                           ".pth",  ".pkl", ".safetensors", ".sft"};
struct TwoNames {
  std::string_view name, other;
};
constexpr std::array<TwoNames, 6> kTwoNames{{{"text_encoders", "clip"},
                                             {"clip", "text_encoders"},
                                             {"diffusion_models", "unet"},
                                             {"unet", "diffusion_models"},
                                             {"controlnet", "t2i_adapter"},
                                             {"t2i_adapter", "controlnet"}}};

/// Of two names the one that ComfyUI keeps (folder_paths.py, map_legacy).
std::string_view canonical(std::string_view folder) {
  if (folder == "clip") return "text_encoders";
  return folder == "unet" ? "diffusion_models" : folder;
}

constexpr std::string_view kVocabulary = "bpe_simple_vocab_16e6.txt.gz";
constexpr std::size_t kNamesShown = 10;

std::string lower_ascii(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool is_model_file(const fs::path& file) {
  const std::string extension = lower_ascii(file.extension().string());
  return std::find(kModelExtensions.begin(), kModelExtensions.end(), extension) != kModelExtensions.end();
}

/// Files below `root`. Unreadable folders and loops of links are passed over, as os.walk does.
void list_below(const fs::path& root, bool recursive, bool models_only, std::vector<std::string>& names) {
  std::error_code error;
  fs::recursive_directory_iterator at(
      root, fs::directory_options::follow_directory_symlink | fs::directory_options::skip_permission_denied, error);
  constexpr int kDeepest = 32;  // a link to a folder above would go on for ever
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (at->is_directory(gone)) {
      if (!recursive || at.depth() >= kDeepest || at->path().filename() == ".git") at.disable_recursion_pending();
    } else if (at->is_regular_file(gone) && (!models_only || is_model_file(at->path()))) {
      names.push_back(at->path().lexically_relative(root).generic_string());
    }
  }
}

/// Number of single-character changes between two names; two rows, as they are short.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
    }
  }
  return row.back();
}

/// "'a.safetensors', 'b.ckpt' and 7 more", the most similar first.
std::string nearest_names(std::string_view wanted, std::vector<std::string> names) {
  const std::string key = lower_ascii(std::string(wanted.substr(0, 200)));
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (std::string& name : names) {
    const std::size_t distance = edit_distance(key, lower_ascii(name.substr(0, 200)));
    ranked.emplace_back(distance, std::move(name));
  }
  const std::size_t shown = std::min(kNamesShown, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(shown), ranked.end());
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) text.append(i ? ", '" : "'").append(cut(ranked[i].second, 100)).append("'");
  if (ranked.size() > shown) text += " and " + std::to_string(ranked.size() - shown) + " more";
  return text;
}

[[noreturn]] void refuse_name(std::string_view folder, std::string_view name, const char* why) {
  throw NodeError("bad_file_name", "'" + cut(name, 200) + "' can't be a file of folder '" + std::string(folder) +
                                       "': " + why + ". Give a name relative to that folder.");
}

void check_name(std::string_view folder, std::string_view name) {
  if (name.empty()) refuse_name(folder, name, "the name is empty");
  if (name.find('\0') != std::string_view::npos) refuse_name(folder, name, "it has a zero byte");
  const fs::path path(name);
  if (path.is_absolute()) refuse_name(folder, name, "it is an absolute path");
  for (const fs::path& part : path)
    if (part == "..") refuse_name(folder, name, "it climbs out with '..'");
}

bool lies_in(const fs::path& file, const fs::path& root) {
  std::error_code error;
  const fs::path real_root = fs::canonical(root, error);
  if (error) return false;
  const fs::path real_file = fs::canonical(file, error);
  if (error) return false;
  return std::mismatch(real_root.begin(), real_root.end(), real_file.begin(), real_file.end()).first == real_root.end();
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

}  // namespace

bool FileFolders::is_model_folder(std::string_view folder) const {
  return folder != "input" && folder != "output" && folder != "temp";
}

std::vector<fs::path> FileFolders::directories(std::string_view folder) const {
  if (folder == "input") return {roots_.input};
  if (folder == "output") return {roots_.output};
  if (folder == "temp") return {roots_.temp};
  std::vector<fs::path> found;
  for (const fs::path& root : roots_.models) {
    found.push_back(root / folder);
    for (const TwoNames& names : kTwoNames)
      if (names.name == folder) found.push_back(root / names.other);
  }
  for (const ExtraModelFolder& extra : roots_.extra) {
    if (canonical(extra.folder) != canonical(folder)) continue;
    const auto there = std::find(found.begin(), found.end(), extra.path);
    if (there != found.end() && !extra.first) continue;
    if (there != found.end()) found.erase(there);
    found.insert(extra.first ? found.begin() : found.end(), extra.path);
  }
  return found;
}

std::vector<std::string> FileFolders::files_in(std::string_view folder) const {
  const bool models = is_model_folder(folder);
  std::vector<std::string> names;
  for (const fs::path& directory : directories(folder)) list_below(directory, models, models, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

fs::path FileFolders::find_file(std::string_view folder, std::string_view name) const {
  check_name(folder, name);
  const std::vector<fs::path> searched = directories(folder);
  for (const fs::path& directory : searched) {
    const fs::path file = directory / name;
    if (!is_file(file)) continue;
    if (!is_model_folder(folder) && !lies_in(file, directory)) refuse_name(folder, name, "a link in it leads out");
    return file;
  }
  std::string message = "File '" + cut(name, 200) + "' was not found. Searched:";
  for (const fs::path& directory : searched) {
    std::error_code error;
    message.append(" ").append(directory.string());
    message.append(fs::is_directory(directory, error) ? ";" : " (no such folder);");
  }
  const std::vector<std::string> there = files_in(folder);
  message += there.empty() ? " there is no such file at all. Put it there, or name the right folder."
                           : " there is " + nearest_names(name, there) + ".";
  throw NodeError("file_not_found", message);
}

fs::path FileFolders::data_file(std::string_view name) const {
  check_name("share/refrain", name);
  std::vector<fs::path> searched;
  if (name == kVocabulary) {
    if (!roots_.vocabulary.empty())
      searched.push_back(roots_.vocabulary);
    else if (const char* given = std::getenv("REFRAIN_VOCABULARY"); given && *given)
      searched.emplace_back(given);
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) searched.push_back(program.parent_path().parent_path() / "share" / "refrain" / name);
  std::string message = "File '" + std::string(name) + "' of the installation was not found. Searched:";
  for (const fs::path& file : searched) {
    if (is_file(file)) return file;
    message.append(" ").append(file.string()).append(";");
  }
  message += " run the set-up again ('make setup')";
  if (name == kVocabulary) message += ", or name the file in REFRAIN_VOCABULARY";
  throw NodeError("file_not_found", message + ".");
}

FileStamp stamp_of(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {static_cast<std::uint64_t>(status.st_size),
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
          static_cast<std::uint64_t>(status.st_ino)};
}

}  // namespace refrain
