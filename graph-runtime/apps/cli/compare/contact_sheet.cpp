#include "compare/contact_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compare/bitmap_font.hpp"

namespace refrain::cli {
namespace {

constexpr int kGap = 12;
constexpr int kMargin = 28;
constexpr Color kInk{28, 30, 36};
constexpr Color kSoft{106, 112, 124};

/// Sizes that follow from the pictures'.
struct Layout {
  int scale = 2;
  int labels = 0;  // width of the column of labels
  int columns = 0;
  int cell_width = 0;
  int cell_height = 0;
  int top = 0;

  int left_of(int column) const { return kMargin + labels + column * (cell_width + kGap); }
  int top_of(int row) const { return top + row * (cell_height + kGap); }
};

Layout layout_of(const Comparison& comparison) {
  Layout layout;
  for (const SeedRun& run : comparison.entries.front().runs) {
    for (const Picture& picture : run.pictures) {
      layout.cell_width = std::max(layout.cell_width, picture.width);
      layout.cell_height = std::max(layout.cell_height, picture.height);
      ++layout.columns;
    }
  }
  layout.scale = layout.cell_height >= 768 ? 3 : layout.cell_height >= 256 ? 2 : 1;
  layout.labels = letter_width(layout.scale) * 34;
  // Six lines of figures stand beside a picture; a small one gets the room.
  layout.cell_height = std::max(layout.cell_height, line_height(layout.scale) * 7);
  layout.top = kMargin + line_height(layout.scale) * 2;
  return layout;
}

std::string psnr_text(double psnr) { return std::isinf(psnr) ? "PSNR equal" : fmt::format("PSNR {:.1f} dB", psnr); }

/// The lines beside a row: what it is, then its figures.
struct Line {
  std::string text;
  Color color = kSoft;
};
std::vector<Line> lines_of(const Comparison& comparison, const Entry& entry, std::size_t room) {
  std::vector<Line> lines;
  std::string name = entry.label;
  // A long name goes on in the next line, at most once: broken behind a colon or comma where there is one.
  if (name.size() > room) {
    std::size_t cut = name.find_last_of(":,", room - 1);
    cut = cut == std::string::npos ? room : cut + 1;
    lines.push_back({name.substr(0, cut), kInk});
    name = name.substr(cut);
  }
  lines.push_back({name, kInk});
  const double ms = entry.milliseconds();
  if (&entry == comparison.entries.data()) {
    lines.push_back({fmt::format("{:.2f} s, the reference", ms / 1000)});
    return lines;
  }
  lines.push_back({fmt::format("{:.2f} s, {:.2f} x as fast", ms / 1000, comparison.speed_up(entry))});
  lines.push_back(
      {fmt::format("{}, SSIM {:.3f}", psnr_text(entry.over_seeds(psnr_of).median), entry.over_seeds(ssim_of).median)});
  lines.push_back({fmt::format("latent error {:.3f}", entry.over_seeds(latent_error_of).median)});
  if (entry.equal_time_to) {
    lines.push_back({fmt::format("no cache, the time of {}", comparison.entries[*entry.equal_time_to].mark)});
  }
  return lines;
}

void draw_row(Picture& sheet, const Layout& layout, const Comparison& comparison, const Entry& entry, int row) {
  int y = layout.top_of(row);
  const int width = layout.labels - kGap;
  const auto room = static_cast<std::size_t>(width / letter_width(layout.scale));
  // The mark's prime is no ASCII.
  std::string mark = entry.mark;
  if (entry.equal_time_to) mark = comparison.entries[*entry.equal_time_to].mark + "'";
  draw_text(sheet, mark, kMargin, y, layout.scale, kSoft);
  const int indent = letter_width(layout.scale) * 3;
  for (const Line& line : lines_of(comparison, entry, room - 4)) {
    draw_text(sheet, fit_text(line.text, width - indent, layout.scale), kMargin + indent, y, layout.scale, line.color);
    y += line_height(layout.scale);
  }
  int column = 0;
  for (const SeedRun& run : entry.runs) {
    for (const Picture& picture : run.pictures) sheet.paste(picture, layout.left_of(column++), layout.top_of(row));
  }
}

}  // namespace

std::vector<std::size_t> shown_order(const Comparison& comparison) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < comparison.entries.size(); ++i) {
    if (comparison.entries[i].equal_time_to) continue;
    order.push_back(i);
    if (const Entry* plain = comparison.equal_time(i)) {
      order.push_back(static_cast<std::size_t>(plain - comparison.entries.data()));
    }
  }
  return order;
}

Picture contact_sheet(const Comparison& comparison) {
  const Layout layout = layout_of(comparison);
  const std::vector<std::size_t> order = shown_order(comparison);
  Picture sheet(layout.left_of(layout.columns) - kGap + kMargin,
                layout.top_of(static_cast<int>(order.size())) - kGap + kMargin, 255);
  int column = 0;
  for (const SeedRun& run : comparison.entries.front().runs) {
    const std::string title = fit_text(fmt::format("seed {}", run.seed), layout.cell_width, layout.scale);
    draw_text(sheet, title, layout.left_of(column), kMargin, layout.scale, kSoft);
    column += static_cast<int>(run.pictures.size());
  }
  for (std::size_t row = 0; row < order.size(); ++row) {
    draw_row(sheet, layout, comparison, comparison.entries[order[row]], static_cast<int>(row));
  }
  return sheet;
}

}  // namespace refrain::cli
