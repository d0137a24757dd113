#pragma once
// The node types of a process: filled by the loader, then sealed; read-only and shared from there on.

#include <refrain/abi.hpp>
#include <refrain/schema.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace refrain {

/// One node type and the library it came from. Lives as long as the process: libraries are never unloaded.
struct NodeType {
  Schema schema;
  const abi::NodeEntry* entry = nullptr;
  std::string library;  ///< name in the library's record
  std::string library_version;
  std::filesystem::path library_file;
  /// Hash of name, library and version, file size and mtime: part of every result's signature.
  std::uint64_t identity = 0;
};

/// All node types, by name. Building it is the loader's; everybody else sees it const.
class Registry {
 public:
  /// The type called `name`, or null.
  const NodeType* find(std::string_view name) const;
  /// All types, sorted by name.
  const std::vector<const NodeType*>& types() const { return sorted_; }

  /// Adds a library's types all or none; the caller has checked names. Only before seal().
  void add(std::vector<std::unique_ptr<NodeType>> types);
  /// No more additions from here on.
  void seal();
  bool sealed() const { return sealed_; }

 private:
  std::unordered_map<std::string_view, std::unique_ptr<NodeType>> by_name_;
  std::vector<const NodeType*> sorted_;
  bool sealed_ = false;
};

}  // namespace refrain
