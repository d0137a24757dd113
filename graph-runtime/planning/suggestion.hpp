#pragma once
// Near names for "did you mean".

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace refrain {

/// The candidates that a typing slip could have turned into `given`, the nearest first; case does not count.
std::vector<std::string_view> near_names(std::string_view given, std::span<const std::string_view> candidates,
                                         std::size_t most = 3);

/// "did you mean 'a' or 'b'?", empty when nothing is near.
std::string did_you_mean(std::string_view given, std::span<const std::string_view> candidates);

}  // namespace refrain
