#pragma once

#include <string>

namespace CLI {
class App;
}

namespace refrain::cli {

/// A completion script for `shell` ("bash", "zsh" or "fish"), made out of the command's own options, so that it knows
/// all of them. What an option takes follows from its type name: FILE, FOLDER, PATH, NODE, ...
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace refrain::cli
