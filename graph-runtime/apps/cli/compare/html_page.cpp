#include "compare/html_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compare/html_text.hpp"
#include "compare/page_assets.hpp"
#include "compare/page_sections.hpp"
#include "compare/page_words.hpp"
#include "version.hpp"

namespace refrain::cli {
namespace {

std::string headline(const Comparison& comparison) {
  std::size_t compared = 0;
  bool policies = true;
  double best = 0;
  for (std::size_t i = 1; i < comparison.entries.size(); ++i) {
    const Entry& entry = comparison.entries[i];
    if (entry.equal_time_to) continue;
    ++compared;
    policies = policies && !entry.policy.empty();
    best = std::max(best, comparison.speed_up(entry));
  }
  const std::string seeds =
      comparison.seeds.size() == 1 ? "the same seed" : fmt::format("the same {} seeds", comparison.seeds.size());
  const std::string what = policies ? (compared == 1 ? "A cache policy" : fmt::format("{} cache policies", compared))
                                    : (compared == 1 ? "Another workflow" : fmt::format("{} other ways", compared));
  return fmt::format("{} on {}: {}{:.2f}&times; as fast", what, seeds, compared == 1 ? "" : "up to ", best);
}

std::string header(const Comparison& comparison) {
  const std::int64_t steps = comparison.entries.front().steps;
  return fmt::format(
      R"(<header><div class="kicker">refrain compare</div><h1>{}</h1><p class="lede">A diffusion model draws a )"
      R"(picture in {}steps, and each step runs a large network. A <em>cache policy</em> reuses part of the )"
      R"(network's last result instead of computing it again. This page shows what that saves, what it changes, )"
      R"(and whether simply taking fewer steps would have done as well.</p></header>)",
      headline(comparison), steps > 0 ? fmt::format("{} ", steps) : "");
}

}  // namespace

std::string html_page(const Comparison& comparison) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      // Whatever a workflow's names hold, the page can neither load nor send anything.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'; "
      "script-src 'unsafe-inline'\">\n<title>refrain compare: {}</title>\n<style>\n{}</style>\n</head>\n<body>\n"
      "<button id=\"theme\" type=\"button\">Dark</button>\n<main>\n",
      html_text(comparison.entries.front().label), kPageStyle);
  html += header(comparison);
  if (const std::string unsteady = unsteady_times(comparison); !unsteady.empty()) {
    html += fmt::format("<p class=\"verdict bad\">{}</p>\n", html_text(unsteady));
  }
  html += cards_section(comparison) + "\n";
  html += pictures_section(comparison) + "\n";
  html += plots_section(comparison) + "\n";
  html += decisions_section(comparison) + "\n";
  html += table_section(comparison) + "\n";
  html += method_section(comparison) + "\n";
  html += fmt::format(
      "<p class=\"note\">Made by refrain {} compare. All of it is in this file.</p>\n</main>\n<script>\n{}</script>\n"
      "</body>\n</html>\n",
      kVersion, kPageScript);
  return html;
}

}  // namespace refrain::cli
