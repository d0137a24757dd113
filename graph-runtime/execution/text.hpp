#pragma once
// Small pieces of text for messages.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace refrain {

/// "3.4 GiB", "12 bytes".
std::string human_size(std::uint64_t bytes);

/// At most `most` bytes of `text`, cut between UTF-8 characters, with the number of bytes left out behind.
std::string cut(std::string_view text, std::size_t most);

}  // namespace refrain
