#include <fmt/format.h>

#include <algorithm>

#include "compare/decision_strip.hpp"
#include "compare/html_text.hpp"
#include "compare/page_sections.hpp"
#include "compare/page_words.hpp"

namespace refrain::cli {
namespace {

/// One line of a card: what, the entry's figure, the plain sampler's; the better one stands out.
std::string figure_line(const char* what, const std::string& own, const std::string& plain, int better) {
  const auto span = [](const std::string& text, bool wins) {
    return fmt::format("<span{}>{}</span>", wins ? R"( class="win")" : "", text);
  };
  return fmt::format("<span>{}</span>", what) + span(own, better < 0) + span(plain, better > 0);
}

/// Negative: a is the smaller.
int order(double a, double b) { return a < b ? -1 : a > b ? 1 : 0; }

std::string figures(const Comparison& comparison, const Entry& entry, const Entry* plain) {
  const auto text = [&](double (*figure)(const SeedRun&), std::string (*write)(double)) {
    return std::pair{write(entry.over_seeds(figure).median),
                     plain != nullptr ? write(plain->over_seeds(figure).median) : std::string("-")};
  };
  // Above 0 where less is better and the plain sampler has less.
  const auto better = [&](double (*figure)(const SeedRun&), bool more) {
    if (plain == nullptr) return 0;
    const int sign = order(entry.over_seeds(figure).median, plain->over_seeds(figure).median);
    return more ? -sign : sign;
  };
  std::string html = fmt::format(R"(<div class="figures"><span class="head">median of {}</span>)"
                                 R"(<span class="head">this</span><span class="head">{}</span>)",
                                 count_text(comparison.seeds.size(), "seed"),
                                 plain != nullptr ? fmt::format("{} plain steps", plain->steps) : "");
  const auto [own_time, plain_time] = text(sampling_time, time_text);
  html += figure_line("time to sample", own_time, plain_time, 0);
  if (has_latents(comparison)) {
    const auto [own, other] = text(latent_error_of, figure_text);
    html += figure_line("latent error", own, other, better(latent_error_of, false));
  }
  const auto [own_ssim, plain_ssim] = text(ssim_of, figure_text);
  html += figure_line("SSIM", own_ssim, plain_ssim, better(ssim_of, true));
  const auto [own_psnr, plain_psnr] = text(psnr_of, psnr_text);
  html += figure_line("PSNR", own_psnr, plain_psnr, better(psnr_of, true));
  return html + "</div>";
}

/// What the figures come to, in one sentence, for whichever side.
std::string verdict(const Comparison& comparison, const Entry& entry, const Entry* plain) {
  if (plain == nullptr) {
    return R"(<p class="verdict">It takes no less time than the reference, so there is no shorter run to set )"
           R"(beside it.</p>)";
  }
  const bool latents = has_latents(comparison);
  const auto error = [&](const Entry& of) {
    return latents ? of.over_seeds(latent_error_of).median : 1 - of.over_seeds(ssim_of).median;
  };
  const double own = error(entry), other = error(*plain);
  const char* what = latents ? "latent error" : "error (1 - SSIM)";
  if (own < other) {
    return fmt::format(
        R"(<p class="verdict good">In the same time the plain sampler gets through {} of its {} steps, and its {} )"
        R"(is {} times as large.</p>)",
        plain->steps, comparison.entries.front().steps, what, own > 0 ? figure_text(other / own) : "infinitely many");
  }
  return fmt::format(
      R"(<p class="verdict bad">Not worth it here: the plain sampler with {} of its {} steps takes the same time )"
      R"(and comes closer to the reference.</p>)",
      plain->steps, comparison.entries.front().steps);
}

std::string card(const Comparison& comparison, std::size_t index) {
  const Entry& entry = comparison.entries[index];
  const Entry* plain = comparison.equal_time(index);
  std::string html = fmt::format(R"(<article class="card" style="--c: {}"><div class="name">{}<code>{}</code></div>)",
                                 color_of(comparison, entry), badge(comparison, entry), breakable_text(entry.label));
  html += fmt::format(R"(<div class="big">{:.2f}&times; <small>as fast as the reference</small></div>)",
                      comparison.speed_up(entry));
  const SamplingCost& cost = entry.runs.front().cost;
  html += decision_strip(cost.actions, longest_evaluation(comparison.entries.front().runs.front().cost.actions));
  if (!cost.actions.empty())
    html += fmt::format(R"(<div class="soft">{}</div>)", html_text(count_actions(cost.actions)));
  return html + figures(comparison, entry, plain) + verdict(comparison, entry, plain) + "</article>";
}

}  // namespace

std::string cards_section(const Comparison& comparison) {
  std::string html = R"(<section class="cards">)";
  for (std::size_t i = 1; i < comparison.entries.size(); ++i) {
    if (!comparison.entries[i].equal_time_to) html += card(comparison, i);
  }
  return html + "</section>";
}

}  // namespace refrain::cli
