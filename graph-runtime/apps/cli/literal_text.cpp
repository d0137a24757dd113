#include "literal_text.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <type_traits>
#include <variant>

namespace refrain::cli {

std::string text_of(const Literal& literal) {
  return std::visit(
      [](const auto& value) -> std::string {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return {};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return fmt::format("\"{}\"", value);
        } else {
          return fmt::format("{}", value);
        }
      },
      literal);
}

bool is_open(const Literal& limit) {
  if (const auto* whole = std::get_if<std::int64_t>(&limit)) {
    return *whole == std::numeric_limits<std::int64_t>::min() || *whole == std::numeric_limits<std::int64_t>::max();
  }
  return std::holds_alternative<std::monostate>(limit);
}

}  // namespace refrain::cli
