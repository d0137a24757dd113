#pragma once
// Files that a workflow names as ComfyUI does: "x.png", "sub/x.png", "x.png [output]".

#include <refrain/host.hpp>
#include <refrain/literals.hpp>
#include <refrain/node.hpp>
#include <refrain/ports.hpp>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

namespace refrain {

/// The file of that name, in the input folder unless the name says another. Throws NodeError when it isn't there.
std::filesystem::path find_annotated(const Host& host, std::string_view name);

/// What tells whether the file has changed: its path, size and time.
std::string file_mark(const std::filesystem::path& file);

/// For validate(): rejects the file that a choice names when it isn't there. A name that comes over a link passes.
void check_annotated(Literals& in, const Choice& file);

/// For fingerprint(): the mark of the file that a choice names; kAlwaysRun for a name that comes over a link.
Fingerprint mark_of_annotated(const Literals& in, const Choice& file);

/// The files that lie in the input folder itself and have one of these endings (".png"; in any case), sorted.
Choices input_files(const Host& host, std::initializer_list<std::string_view> endings);

}  // namespace refrain
