#pragma once

#include <string>

namespace refrain {
class Host;
class Registry;
}  // namespace refrain

namespace refrain::cli {

/// All node types in Markdown, by category: what each does, takes and gives. The files of model folders are not listed,
/// so that the text is the same on every machine.
std::string node_reference(const Registry& registry, const Host& host);

}  // namespace refrain::cli
