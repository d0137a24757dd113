#include <fmt/format.h>

#include <algorithm>

#include "compare/contact_sheet.hpp"
#include "compare/decision_strip.hpp"
#include "compare/html_text.hpp"
#include "compare/page_sections.hpp"
#include "compare/page_words.hpp"
#include "compare/svg_plot.hpp"

namespace refrain::cli {
namespace {

double lost_similarity(const SeedRun& run) { return 1 - run.error.ssim; }

std::vector<PlotPoint> points_of(const Comparison& comparison, double (*error)(const SeedRun&)) {
  const double per_second = 1.0 / 1000;
  std::vector<PlotPoint> points;
  for (const std::size_t index : shown_order(comparison)) {
    const Entry& entry = comparison.entries[index];
    PlotPoint point;
    point.x = entry.milliseconds() * per_second;
    point.y = entry.over_seeds(error).median;
    point.mark = entry.mark;
    point.title = fmt::format("{}: {}, {}", entry.label, time_text(entry.milliseconds()), figure_text(point.y));
    point.color = color_of(comparison, entry);
    // The reference is the plain sampler too, at its full number of steps.
    point.plain = entry.equal_time_to.has_value() || index == 0;
    for (const SeedRun& run : entry.runs) point.seeds.emplace_back(run.cost.milliseconds * per_second, error(run));
    points.push_back(std::move(point));
  }
  return points;
}

std::string plot(const Comparison& comparison, const char* title, const char* axis, double (*error)(const SeedRun&)) {
  return fmt::format("<figure><figcaption>{}</figcaption>{}</figure>", title,
                     svg_plot(points_of(comparison, error), "seconds to sample one picture", axis));
}

std::string with_range(const Entry& entry, double (*figure)(const SeedRun&), std::string (*write)(double)) {
  const Spread spread = entry.over_seeds(figure);
  if (entry.runs.size() < 2) return write(spread.median);
  return fmt::format("{} <small>{} to {}</small>", write(spread.median), write(spread.least), write(spread.most));
}

std::string table_row(const Comparison& comparison, const Entry& entry) {
  const bool reference = &entry == comparison.entries.data();
  const double ideal = Comparison::ideal_by_macs(entry), real = comparison.speed_up(entry);
  std::string html = fmt::format(
      "<tr{}><td><div class=\"row-name\">{}<code>{}</code></div></td><td>{}</td><td>{}</td><td>{:.2f}&times;</td>",
      entry.equal_time_to ? R"( class="plain-row")" : "", badge(comparison, entry), breakable_text(entry.label),
      entry.steps > 0 ? std::to_string(entry.steps) : "-", with_range(entry, sampling_time, time_text), real);
  const double macs = entry.over_seeds(macs_of).median;
  html += fmt::format("<td>{}</td>", macs > 0 ? macs_text(macs) : "-");
  // A shorter plain run saves steps, not work within them: there is no ideal to compare with.
  const bool cached = !reference && !entry.equal_time_to && ideal > 0;
  const auto share = [&](double best) {
    return cached && best > 0
               ? fmt::format("<td>{:.2f}&times; <small>{:.0f} % of it</small></td>", best, 100 * real / best)
               : std::string("<td>-</td>");
  };
  html += share(ideal) + share(entry.over_seeds([](const SeedRun& run) { return run.cost.ideal_by_costs; }).median);
  if (reference) return html + "<td>-</td><td>-</td><td>-</td><td>-</td></tr>";
  html += fmt::format("<td>{}</td><td>{}</td>", with_range(entry, psnr_of, psnr_text),
                      with_range(entry, ssim_of, figure_text));
  if (!has_latents(comparison)) return html + "<td>-</td><td>-</td></tr>";
  return html + fmt::format("<td>{}</td><td>{}</td></tr>", with_range(entry, latent_error_of, figure_text),
                            figure_text(entry.over_seeds(latent_max_of).median));
}

}  // namespace

std::string plots_section(const Comparison& comparison) {
  std::string html =
      R"(<section><h2>What the time buys</h2><p class="note">Down and to the left is better. The dashed line is )"
      R"(the plain sampler )"
      R"(with ever fewer steps: what anybody can have without a cache. A cache earns its place below that line. )"
      R"(Large dots are )"
      R"(medians, small ones single seeds.</p><div class="plots">)";
  if (has_latents(comparison)) {
    html += plot(comparison, "Latent error against time", "relative L2 error of the latent", latent_error_of);
  }
  html += plot(comparison, "Loss of similarity against time", "1 \u2212 SSIM of the picture", lost_similarity);
  return html + "</div></section>";
}

std::string decisions_section(const Comparison& comparison) {
  const double most = longest_evaluation(comparison.entries.front().runs.front().cost.actions);
  std::size_t longest = 0;
  for (const Entry& entry : comparison.entries) longest = std::max(longest, entry.runs.front().cost.actions.size());
  std::string rows;
  for (const std::size_t index : shown_order(comparison)) {
    const Entry& entry = comparison.entries[index];
    const std::vector<ActionTaken>& actions = entry.runs.front().cost.actions;
    if (actions.empty()) continue;
    rows += fmt::format(R"(<div class="row-name">{}<code>{}</code></div><div>{}<span class="soft">{}</span></div>)",
                        badge(comparison, entry), breakable_text(entry.label), decision_strip(actions, most, longest),
                        html_text(count_actions(actions)));
  }
  if (rows.empty()) return {};
  return fmt::format(
      R"(<section><h2>What each step did</h2><p class="note">One bar for each evaluation of the network, from the )"
      R"(first )"
      R"(step to the last; its height is the time it took, on seed {}. Point at a bar for its figures.</p>)"
      R"(<p>{}</p><div class="timeline">{}</div></section>)",
      comparison.seeds.front(), decision_key(comparison), rows);
}

std::string table_section(const Comparison& comparison) {
  std::string html =
      R"(<section><h2>All figures</h2><div class="scroll"><table class="numbers"><thead><tr><th></th><th>steps</th>)"
      R"(<th>time to sample</th><th>speed-up</th><th>MACs</th><th>ideal speed-up<br>by MACs</th><th>ideal )"
      R"(speed-up<br>by measured costs</th><th>PSNR</th><th>SSIM</th>)"
      R"(<th>latent error<br>relative L2</th><th>latent error<br>largest</th></tr></thead><tbody>)";
  for (const std::size_t index : shown_order(comparison)) html += table_row(comparison, comparison.entries[index]);
  return html + "</tbody></table></div></section>";
}

std::string method_section(const Comparison& comparison) {
  std::string html = R"(<section><h2>How this was measured</h2><dl class="method">)";
  const auto item = [&](const char* name, const std::string& text) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>", name, text);
  };
  item("machine", fmt::format("{}, {} on {}, networks in {}", html_text(comparison.processor),
                              count_text(static_cast<std::size_t>(comparison.threads), "thread"),
                              html_text(comparison.device), html_text(comparison.dtype)));
  item("when", fmt::format("{} UTC, {:.0f} s in all", html_text(comparison.began), comparison.whole_seconds));
  std::string files;
  for (const Entry& entry : comparison.entries) {
    if (!entry.equal_time_to && files.find(html_text(entry.workflow)) == std::string::npos) {
      files += (files.empty() ? "" : ", ") + html_text(entry.workflow);
    }
  }
  item("workflows", files);
  item("order",
       "One process, models loaded once. First a few steps that don't count, so that weights are packed and memory is "
       "there. Then every entry once on each seed; the order turns by one with each seed. The plain sampler's shorter "
       "runs come last.");
  item("time",
       "Of the sampling nodes alone: neither loading the model, nor reading the prompt, nor decoding the picture. "
       "Medians "
       "over the seeds; the range stands beside them.");
  item("equal time",
       "The plain sampler's number of steps is the entry's time over the reference's time for one step, rounded. What "
       "it then took is in the table.");
  item("latent error",
       "|x - r| / |r| in the L2 norm, and the largest difference of a value, x being the latent that is decoded, r "
       "the reference's on the same seed.");
  item("SSIM",
       "Structural similarity (Wang et al. 2004): Gaussian window of 11 pixels, sigma 1.5, K 0.01 and 0.03, mean over "
       "the "
       "RGB channels of the 8-bit pictures. 1 is equal.");
  item("PSNR", "Peak signal-to-noise ratio of the 8-bit pictures. More is closer.");
  item("MACs",
       "Multiply-accumulates that the network executed; the ideal speed-up by MACs is what they alone would give. "
       "That by measured costs counts every kind of evaluation with the median time that it took.");
  return html + "</dl></section>";
}

}  // namespace refrain::cli
