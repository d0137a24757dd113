#pragma once
// Workflow files as a JSON Schema, for editors: completion and errors while one writes.

#include <refrain/host.hpp>

#include <string>

#include "plugins/registry.hpp"

namespace refrain {

/// A JSON Schema (draft 7) of workflows made of the registry's nodes: class types, inputs, defaults, limits, choices.
/// It takes what the validator takes ("20" for an INT too) and refuses what can be seen without following a link.
/// The files of model folders are not listed: the schema is the same on every machine. Stricter than the validator in
/// one thing: nodes that no output needs are looked at as well.
std::string workflow_schema(const Registry& registry, const Host& host);

}  // namespace refrain
