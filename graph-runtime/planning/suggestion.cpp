#include "planning/suggestion.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "json/python_text.hpp"

namespace refrain {
namespace {

constexpr std::size_t kLongestName = 128;  // the distance of longer texts costs more than it tells

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Insertions, deletions and replacements that lead from one text to the other (Wagner and Fischer, 1974).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string_view> near_names(std::string_view given, std::span<const std::string_view> candidates,
                                         std::size_t most) {
  std::vector<std::pair<std::size_t, std::string_view>> near;
  const std::string wanted = lower(given);
  if (given.empty() || given.size() > kLongestName) return {};
  const std::size_t tolerance = 1 + given.size() / 4;
  for (std::string_view candidate : candidates) {
    if (candidate.size() > given.size() + tolerance || candidate.size() + tolerance < given.size()) continue;
    const std::size_t distance = edit_distance(wanted, lower(candidate));
    if (distance <= tolerance) near.emplace_back(distance, candidate);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < std::min(most, near.size()); ++i) names.push_back(near[i].second);
  return names;
}

std::string did_you_mean(std::string_view given, std::span<const std::string_view> candidates) {
  const std::vector<std::string_view> names = near_names(given, candidates);
  if (names.empty()) return {};
  std::string text = "did you mean ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0) text += i + 1 == names.size() ? " or " : ", ";
    text += python_repr(names[i]);
  }
  return text + "?";
}

}  // namespace refrain
