#include "saved_file.hpp"

#include "json/json_document.hpp"

namespace refrain::cli {
namespace {

std::string text_member(JsonView object, std::string_view key) {
  const auto member = object.find(key);
  return member && member->is(JsonKind::string) ? std::string(member->string()) : std::string();
}

const std::filesystem::path* folder_of(std::string_view type, const RuntimeOptions& folders) {
  if (type == "output") return &folders.output_directory;
  if (type == "temp") return &folders.temp_directory;
  return nullptr;
}

}  // namespace

std::vector<SavedFile> saved_in(std::string_view ui, const RuntimeOptions& folders) {
  std::vector<SavedFile> files;
  if (ui.empty()) return files;
  const JsonDocument document = JsonDocument::parse(ui, "ui");
  for (const JsonView list : document.root()) {
    if (!list.is(JsonKind::array)) continue;
    for (const JsonView item : list) {
      if (!item.is(JsonKind::object)) continue;
      SavedFile file{std::string(list.key()),
                     text_member(item, "filename"),
                     text_member(item, "subfolder"),
                     text_member(item, "type"),
                     {}};
      const std::filesystem::path* folder = folder_of(file.type, folders);
      if (file.filename.empty() || folder == nullptr) continue;
      file.path = *folder / file.subfolder / file.filename;
      files.push_back(std::move(file));
    }
  }
  return files;
}

std::vector<std::filesystem::path> saved_files(const RunReport& report, const RuntimeOptions& folders) {
  std::vector<std::filesystem::path> files;
  for (const auto& [node, ui] : report.ui) {
    for (const SavedFile& file : saved_in(ui, folders)) {
      if (std::filesystem::exists(file.path)) files.push_back(file.path);
    }
  }
  return files;
}

}  // namespace refrain::cli
