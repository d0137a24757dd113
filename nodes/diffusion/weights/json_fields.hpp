#pragma once
// Plain fields of the JSON files that lie beside weights: configurations, and indices of shards.

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace refrain::diffusion {

/// The members of the object in `json` whose values are texts, numbers, true, false or lists of these, as texts
/// ("[1,2]" for a list); of the object called `inside` in it where that isn't empty. All else is left out, null too.
/// Throws ModelError "model_config" naming `file`: no valid JSON in UTF-8, no object, nested too deep, too long, a key
/// twice.
std::map<std::string, std::string, std::less<>> read_json_fields(std::string_view json, const std::string& file,
                                                                 std::string_view inside = {});

}  // namespace refrain::diffusion
