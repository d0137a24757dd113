#pragma once
// Long values in messages.

#include <cstddef>
#include <string>
#include <string_view>

namespace refrain {

/// `text`, or its beginning and "..." when it has more than `most` bytes. Cuts no UTF-8 sequence.
std::string shorten(std::string_view text, std::size_t most);

}  // namespace refrain
