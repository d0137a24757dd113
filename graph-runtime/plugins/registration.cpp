#include "plugins/registration.hpp"

#include <refrain/errors.hpp>

#include <c10/util/Exception.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <set>
#include <system_error>
#include <utility>

#include "plugins/schema_check.hpp"

namespace refrain {

namespace {

constexpr std::size_t kMostNodes = 4096;
constexpr std::size_t kLongestText = 100;

/// A short text of the record, which may hold anything.
std::string record_text(const char* text, const char* what) {
  const std::size_t length = text ? ::strnlen(text, kLongestText + 1) : 0;
  if (!text || !is_node_name({text, length})) {
    throw PluginError("bad_record",
                      std::string("its ") + what + " is not well formed: printable ASCII, at most 100 characters");
  }
  return {text, length};
}

/// The only place where code of a library runs before its nodes do.
Schema describe(const abi::NodeEntry& entry, std::size_t index, std::size_t count) {
  std::string cause;
  try {
    Schema schema;
    entry.describe(schema);
    return schema;
  } catch (const Error& error) {
    cause = error.what();
  } catch (const c10::Error& error) {
    cause = error.what_without_backtrace();
  } catch (const std::exception& error) {
    cause = error.what();
  } catch (...) {
    cause = "an exception of an unknown type";
  }
  throw PluginError("registration_failed", "schema() of its node " + std::to_string(index + 1) + " of " +
                                               std::to_string(count) + " threw: " + cause);
}

std::string layout_text(const Type& type) {
  return "layout " + std::to_string(type.layout) + " (" + std::to_string(type.size) + " bytes)";
}

void add_payload(PayloadTable& payloads, const Type& type, const std::filesystem::path& file) {
  const auto [known, fresh] = payloads.try_emplace(type.name, KnownPayload{type, file});
  if (fresh || known->second.type == type) return;
  throw PluginError("payload_clash", std::string(type.name) + " has " + layout_text(type) + " here, " +
                                         layout_text(known->second.type) + " in " + known->second.file.string() +
                                         "; build both against the same header");
}

/// Changes whenever the library does, so that results of an older build are not taken for this one's.
std::uint64_t identity_of(const NodeType& type) {
  std::error_code ignored;  // a file that vanished meanwhile has size and time -1, which will do
  const auto size = std::filesystem::file_size(type.library_file, ignored);
  const auto time = std::filesystem::last_write_time(type.library_file, ignored).time_since_epoch().count();
  const std::string text = type.schema.name + '\n' + type.library + '\n' + type.library_version + '\n' +
                           std::to_string(size) + '\n' + std::to_string(time);
  return XXH3_64bits(text.data(), text.size());
}

void check_record(const abi::Record& record) {
  if (record.count == 0 || record.count > kMostNodes || !record.nodes) {
    throw PluginError("bad_record",
                      "it says that it has " + std::to_string(record.count) + " nodes; name them in REFRAIN_PLUGIN");
  }
  for (std::size_t i = 0; i < record.count; ++i) {
    const abi::NodeEntry* entry = record.nodes[i];
    if (!entry || !entry->describe || !entry->create || !entry->destroy) {
      throw PluginError("bad_record", "the entry of its node " + std::to_string(i + 1) + " is not filled in");
    }
  }
}

}  // namespace

StagedLibrary stage_library(const abi::Record& record, const std::filesystem::path& file, const Registry& registry,
                            const PayloadTable& payloads) {
  check_record(record);
  const std::string library = record_text(record.name, "name");
  const std::string version = record_text(record.version, "version");

  StagedLibrary staged{{}, payloads};
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < record.count; ++i) {
    auto type = std::make_unique<NodeType>();
    type->schema = describe(*record.nodes[i], i, record.count);
    check_schema(type->schema);
    const std::string& name = type->schema.name;
    if (const NodeType* other = registry.find(name)) {
      throw PluginError("duplicate_node", "node '" + name + "' exists already, from " + other->library_file.string() +
                                              "; rename it, or leave one of the two libraries out");
    }
    if (!names.insert(name).second) throw PluginError("duplicate_node", "two of its nodes are called '" + name + "'");
    for (const Input& input : type->schema.inputs) add_payload(staged.payloads, input.type, file);
    for (const Output& output : type->schema.outputs) add_payload(staged.payloads, output.type, file);

    type->entry = record.nodes[i];
    type->library = library;
    type->library_version = version;
    type->library_file = file;
    type->identity = identity_of(*type);
    staged.types.push_back(std::move(type));
  }
  return staged;
}

}  // namespace refrain
