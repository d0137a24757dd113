#include "step_text.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace refrain {

std::vector<int> parse_steps(std::string_view text) {
  constexpr std::string_view kSeparators = ", \t\r\n";
  std::vector<int> steps;
  for (std::size_t at = text.find_first_not_of(kSeparators); at != text.npos;
       at = text.find_first_not_of(kSeparators, at)) {
    const std::size_t end = std::min(text.find_first_of(kSeparators, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    int step = 0;
    const auto [stop, problem] = std::from_chars(word.data(), word.data() + word.size(), step);
    if (problem != std::errc{} || stop != word.data() + word.size() || step < 0) {
      throw NodeError("steps.syntax", fmt::format("\"{}\" is no step; list step numbers from 0, as in \"0, 5, 9\"",
                                                  word.substr(0, 40)));
    }
    steps.push_back(step);
    at = end;
  }
  return steps;
}

}  // namespace refrain
