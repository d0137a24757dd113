#include "compare/page_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "compare/html_text.hpp"

namespace refrain::cli {
namespace {

constexpr std::string_view kReferenceColor = "#6b7280";
// Okabe and Ito's colours, which people with any kind of colour vision tell apart; the darker ones first.
constexpr std::array<std::string_view, 6> kColors{"#0072b2", "#c4540a", "#00805f", "#a64d83", "#9a6b00", "#3a7ca5"};

}  // namespace

std::string time_text(double milliseconds) {
  return milliseconds < 1000 ? fmt::format("{:.0f} ms", milliseconds) : fmt::format("{:.2f} s", milliseconds / 1000);
}

std::string psnr_text(double psnr) { return std::isinf(psnr) ? "equal" : fmt::format("{:.1f} dB", psnr); }

std::string macs_text(double macs) {
  constexpr std::array<const char*, 6> kPrefixes{"", "k", "M", "G", "T", "P"};
  std::size_t prefix = 0;
  while (macs >= 1000 && prefix + 1 < kPrefixes.size()) {
    macs /= 1000;
    ++prefix;
  }
  return fmt::format("{:.3g} {}", macs, kPrefixes[prefix]);
}

std::string figure_text(double value) {
  if (value == 0) return "0";
  if (std::isnan(value)) return "-";
  const int digits = std::clamp(2 - static_cast<int>(std::floor(std::log10(std::abs(value)))), 0, 6);
  return fmt::format("{:.{}f}", value, digits);
}

std::string count_text(std::size_t count, const std::string& thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string color_of(const Comparison& comparison, const Entry& entry) {
  const auto own = static_cast<std::size_t>(&entry - comparison.entries.data());
  const std::size_t index = entry.equal_time_to.value_or(own);
  return std::string(index == 0 ? kReferenceColor : kColors[(index - 1) % kColors.size()]);
}

std::string badge(const Comparison& comparison, const Entry& entry) {
  return fmt::format(R"(<span class="badge{}" style="--c: {}">{}</span>)", entry.equal_time_to ? " plain" : "",
                     color_of(comparison, entry), html_text(entry.mark));
}

bool has_latents(const Comparison& comparison) {
  return std::all_of(comparison.entries.begin(), comparison.entries.end(), [](const Entry& entry) {
    return std::all_of(entry.runs.begin(), entry.runs.end(), [](const SeedRun& run) { return run.latent.defined(); });
  });
}

}  // namespace refrain::cli
