#include "run_observer.hpp"

#include <refrain/host.hpp>

#include <fmt/format.h>

#include "console.hpp"
#include "json/json_document.hpp"

namespace refrain::cli {
namespace {

constexpr std::size_t kLongestTitle = 40;

/// "KSampler [3]"; a title of the author's stands before the id.
std::string label_of(const NodeRef& node) {
  return presentable(fmt::format("{} [{}]", node.title.substr(0, kLongestTitle), node.id.substr(0, kLongestTitle)));
}

std::string text_member(JsonView object, std::string_view key) {
  const auto member = object.find(key);
  return member && member->is(JsonKind::string) ? std::string(member->string()) : std::string();
}

const std::filesystem::path* folder_of(std::string_view type, const RuntimeOptions& folders) {
  if (type == "output") return &folders.output_directory;
  if (type == "temp") return &folders.temp_directory;
  return nullptr;
}

/// The files in one node's ui record: every object with a file name, whatever its list is called.
void collect(std::string_view ui, const RuntimeOptions& folders, std::vector<std::filesystem::path>& files) {
  const JsonDocument document = JsonDocument::parse(ui, "ui");
  for (const JsonView list : document.root()) {
    if (!list.is(JsonKind::array)) continue;
    for (const JsonView item : list) {
      if (!item.is(JsonKind::object)) continue;
      const std::string name = text_member(item, "filename");
      const std::filesystem::path* folder = folder_of(text_member(item, "type"), folders);
      if (name.empty() || folder == nullptr) continue;
      const std::filesystem::path file = *folder / text_member(item, "subfolder") / name;
      if (std::filesystem::exists(file)) {
        files.push_back(file);
      }
    }
  }
}

}  // namespace

void ConsoleObserver::executing(const NodeRef& node) {
  if (!quiet_) {
    display_.begin(label_of(node));
  }
}

void ConsoleObserver::progress(const NodeRef& node, std::int64_t value, std::int64_t max) {
  if (!quiet_) {
    display_.step(label_of(node), value, max);
  }
}

void ConsoleObserver::executed(const NodeRef& node, std::string_view) {
  if (!quiet_) {
    display_.end(label_of(node));
  }
}

void ConsoleObserver::log(const NodeRef& node, LogLevel level, std::string_view line) {
  if (level != LogLevel::debug && (!quiet_ || level >= LogLevel::warning)) {
    display_.line(presentable(fmt::format("{}: {}", label_of(node), line)));
  }
}

void ConsoleObserver::error(const NodeFailure& failure) {
  display_.hide();
  print_error(failure.describe());
}

std::vector<std::filesystem::path> saved_files(const RunReport& report, const RuntimeOptions& folders) {
  std::vector<std::filesystem::path> files;
  for (const auto& [node, ui] : report.ui) {
    if (!ui.empty()) {
      collect(ui, folders, files);
    }
  }
  return files;
}

}  // namespace refrain::cli
