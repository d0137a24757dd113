#include <fmt/format.h>

#include <algorithm>

#include "compare/contact_sheet.hpp"
#include "compare/html_text.hpp"
#include "compare/page_sections.hpp"
#include "compare/page_words.hpp"

namespace refrain::cli {
namespace {

std::string row_heading(const Comparison& comparison, const Entry& entry) {
  std::string html = fmt::format(R"(<th scope="row"><div class="row-name">{}<code>{}</code></div>)",
                                 badge(comparison, entry), breakable_text(entry.label));
  if (&entry == comparison.entries.data()) {
    return html + fmt::format(R"(<div class="soft">{} each; what the others are measured against</div></th>)",
                              time_text(entry.milliseconds()));
  }
  html +=
      fmt::format(R"(<div class="soft">{}{} each, SSIM {}</div>)", entry.equal_time_to ? "no cache, fewer steps: " : "",
                  time_text(entry.milliseconds()), figure_text(entry.over_seeds(ssim_of).median));
  return html + "</th>";
}

std::string cell(const Entry& entry, const SeedRun& run, const Picture& picture, std::size_t row, std::size_t column) {
  return fmt::format(
      R"(<td><button class="cell" data-row="{}" data-column="{}"><img alt="{}, seed {}" width="{}" height="{}" )"
      R"(src="data:image/png;base64,{}"></button></td>)",
      row, column, html_text(entry.label), run.seed, picture.width, picture.height, base64(png_bytes(picture)));
}

/// Small pictures are shown larger, large ones smaller; all are kept as they are.
int shown_width(const Comparison& comparison) {
  const SeedRun& run = comparison.entries.front().runs.front();
  const int width = run.pictures.empty() ? 256 : run.pictures.front().width;
  const std::size_t columns = comparison.seeds.size() * std::max<std::size_t>(run.pictures.size(), 1);
  const int room = 900 / static_cast<int>(std::max<std::size_t>(columns, 1));
  return std::clamp(room, 128, std::max(width, 256));
}

}  // namespace

std::string pictures_section(const Comparison& comparison) {
  std::string html = fmt::format(
      R"(<section><h2>The pictures</h2><p class="note">Every picture in a column began from the same noise. The )"
      R"(top row )"
      R"(computed everything; each row marked with a prime is the honest rival of the row above it: the plain )"
      R"(sampler, no cache, )"
      R"(with as many steps as fit into the same time. A click lays a picture over the reference.</p>)"
      R"(<div class="bar"><button data-mode="pictures" aria-pressed="true">Pictures</button>)"
      R"(<button data-mode="difference" aria-pressed="false">Difference to the reference, four times as )"
      R"(strong</button></div>)"
      R"(<div class="grid-wrap"><table class="grid" style="--cell: {}px"><thead><tr><th></th>)",
      shown_width(comparison));
  for (const SeedRun& run : comparison.entries.front().runs) {
    html += fmt::format(R"(<th scope="col" colspan="{}">seed {}</th>)", std::max<std::size_t>(run.pictures.size(), 1),
                        run.seed);
  }
  html += "</tr></thead><tbody>";
  std::size_t row = 0;
  for (const std::size_t index : shown_order(comparison)) {
    const Entry& entry = comparison.entries[index];
    html += fmt::format("<tr{}>{}", entry.equal_time_to ? R"( class="plain-row")" : "", row_heading(comparison, entry));
    std::size_t column = 0;
    for (const SeedRun& run : entry.runs) {
      for (const Picture& picture : run.pictures) html += cell(entry, run, picture, row, column++);
    }
    html += "</tr>\n";
    ++row;
  }
  html +=
      "</tbody></table></div>"
      R"(<dialog aria-label="a picture over its reference"><div class="wipe"><img alt="the reference"><img )"
      R"(alt="the picture"></div>)"
      R"(<input type="range" min="0" max="100" value="50" aria-label="where the pictures meet">)"
      R"(<div class="ends"><span>the reference</span><form method="dialog"><button>Close</button></form>)"
      R"(<span class="right"></span></div></dialog>)";
  return html + "</section>";
}

}  // namespace refrain::cli
