#pragma once
// A cache policy as it is written on the command line: "UniformCache:interval=5,depth=0".

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace refrain::cli {

/// A node type and the inputs that are set; all others have their defaults.
struct PolicySpec {
  std::string type;
  std::vector<std::pair<std::string, std::string>> settings;  ///< input and value, in the order given
  std::string text;                                           ///< as it was written
};

/// Reads `Type` or `Type:input=value,input=value`. A comma that no `input=` follows belongs to the value, so that
/// `ListedCache:steps=0,5,9,depth=0` needs no quotes; one inside parentheses does so too.
/// Throws ValidationError (bad_policy).
PolicySpec parse_policy(std::string_view text);

/// Whether `value` stands for a policy of its own: "(UniformCache:interval=5)". Gives what is inside the parentheses.
bool is_nested_policy(std::string_view value, std::string_view& inside);

}  // namespace refrain::cli
