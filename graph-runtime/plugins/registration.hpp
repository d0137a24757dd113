#pragma once
// From a library's record to node types: staged and checked whole before the registry sees any of it.

#include <refrain/abi.hpp>
#include <refrain/value.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/registry.hpp"

namespace refrain {

/// Payload types in use, by name, with the library that brought each first.
struct KnownPayload {
  Type type;
  std::filesystem::path file;
};
using PayloadTable = std::map<std::string_view, KnownPayload>;

/// A library's node types, checked, and the payload types as they are with it.
struct StagedLibrary {
  std::vector<std::unique_ptr<NodeType>> types;
  PayloadTable payloads;
};

/// Asks every node of the record to describe itself and checks the answers against each other, the registry and the
/// payloads. Changes nothing. Throws PluginError (without the file's name): `bad_record`, `registration_failed`,
/// `duplicate_node`, `payload_clash`, and what check_schema() throws.
StagedLibrary stage_library(const abi::Record& record, const std::filesystem::path& file, const Registry& registry,
                            const PayloadTable& payloads);

}  // namespace refrain
