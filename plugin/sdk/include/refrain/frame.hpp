#pragma once
// The plain data that passes between the runtime and a node in one call, and what a node leaves for people to see.

#include <refrain/host.hpp>
#include <refrain/schema.hpp>
#include <refrain/value.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace refrain {

/// The values of one input: none (not connected, or lazy and not asked for), one, or a list.
struct Slot {
  std::string_view name;
  std::span<const Value> values;
};

/// What a node shows to a person: ComfyUI's `ui` dictionary, one list for each key.
struct UiRecord {
  std::string key;                 ///< "images", "text", ...
  std::vector<std::string> items;  ///< JSON text of each
};

/// A structured record for the run's report.
struct ReportRecord {
  std::string key;
  std::string json;
};

/// The plain data behind a call, owned by the runtime. `outputs` has one list for each output of the schema.
struct Frame {
  Host* host = nullptr;
  std::span<const Slot> inputs;
  std::vector<std::vector<Value>>* outputs = nullptr;
  const Schema* schema = nullptr;
  std::vector<UiRecord>* ui = nullptr;          ///< may be null: nobody looks
  std::vector<ReportRecord>* report = nullptr;  ///< may be null
};

/// A file that a node has written, as ComfyUI's clients want to know it.
struct SavedImage {
  std::string file{};
  std::string subfolder{};
  Folder folder = Folder::output;
};

/// `text` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
REFRAIN_API std::string json_quote(std::string_view text);
/// The dictionary that ComfyUI calls `ui`: {"images": [...]}.
REFRAIN_API std::string json_of(std::span<const UiRecord> records);

}  // namespace refrain
