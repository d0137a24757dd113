#include "compare/svg_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "compare/html_text.hpp"

namespace refrain::cli {
namespace {

constexpr double kWidth = 560, kHeight = 360;
constexpr double kLeft = 76, kRight = 18, kTop = 16, kBottom = 50;

/// From figures to places.
struct Scale {
  double x_most = 1, y_most = 1;
  double x(double value) const { return kLeft + value / x_most * (kWidth - kLeft - kRight); }
  double y(double value) const { return kHeight - kBottom - value / y_most * (kHeight - kTop - kBottom); }
};

std::string axes(const Scale& scale, double x_tick, double y_tick, const std::string& x_label,
                 const std::string& y_label) {
  std::string svg;
  auto out = std::back_inserter(svg);
  for (double x = 0; x <= scale.x_most * 1.0001; x += x_tick) {
    fmt::format_to(out, R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)", scale.x(x), kTop,
                   kHeight - kBottom);
    fmt::format_to(out, R"(<text x="{:.1f}" y="{}" text-anchor="middle">{:.4g}</text>)", scale.x(x),
                   kHeight - kBottom + 18, x);
  }
  for (double y = 0; y <= scale.y_most * 1.0001; y += y_tick) {
    fmt::format_to(out, R"(<line class="axis" x1="{1}" x2="{2}" y1="{0:.1f}" y2="{0:.1f}"/>)", scale.y(y), kLeft,
                   kWidth - kRight);
    fmt::format_to(out, R"(<text x="{}" y="{:.1f}" text-anchor="end">{:.4g}</text>)", kLeft - 8, scale.y(y) + 4, y);
  }
  fmt::format_to(out, R"(<text x="{}" y="{}" text-anchor="middle">{}</text>)", (kLeft + kWidth - kRight) / 2,
                 kHeight - 10, html_text(x_label));
  fmt::format_to(out, R"svg(<text transform="translate(13 {}) rotate(-90)" text-anchor="middle">{}</text>)svg",
                 (kTop + kHeight - kBottom) / 2, html_text(y_label));
  return svg;
}

std::string frontier(const std::vector<PlotPoint>& points, const Scale& scale) {
  std::vector<const PlotPoint*> line;
  for (const PlotPoint& point : points) {
    if (point.plain) line.push_back(&point);
  }
  std::sort(line.begin(), line.end(), [](const PlotPoint* a, const PlotPoint* b) { return a->x < b->x; });
  std::string path;
  for (const PlotPoint* point : line) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", scale.x(point->x), scale.y(point->y));
  }
  return line.size() < 2 ? std::string() : fmt::format(R"(<path class="frontier" d="{}"/>)", path);
}

std::string dot(const PlotPoint& point, const Scale& scale) {
  std::string svg = fmt::format(R"(<g style="--c: {}"><title>{}</title>)", point.color, html_text(point.title));
  for (const auto& [x, y] : point.seeds) {
    svg += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}" opacity=".35"/>)", scale.x(x), scale.y(y),
                       point.color);
  }
  svg += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="11" {} stroke="{}" stroke-width="2"/>)", scale.x(point.x),
                     scale.y(point.y), point.plain ? R"(class="hollow")" : fmt::format(R"(fill="{}")", point.color),
                     point.color);
  svg += fmt::format(R"(<text class="mark{}" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text></g>)",
                     point.plain ? " plain" : "", scale.x(point.x), scale.y(point.y) + 4, html_text(point.mark));
  return svg;
}

}  // namespace

double tick_distance(double most, int ticks) {
  if (!(most > 0)) return 1;
  const double rough = most / ticks;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power >= rough * 0.9999) return factor * power;
  }
  return 10 * power;
}

std::string svg_plot(const std::vector<PlotPoint>& points, const std::string& x_label, const std::string& y_label) {
  double x_most = 0, y_most = 0;
  for (const PlotPoint& point : points) {
    x_most = std::max(x_most, point.x);
    y_most = std::max(y_most, point.y);
    for (const auto& [x, y] : point.seeds) {
      x_most = std::max(x_most, x);
      y_most = std::max(y_most, y);
    }
  }
  const double x_tick = tick_distance(x_most * 1.05, 5), y_tick = tick_distance(y_most * 1.08, 5);
  const Scale scale{std::ceil(std::max(x_most, 1e-9) * 1.05 / x_tick) * x_tick,
                    std::ceil(std::max(y_most, 1e-9) * 1.08 / y_tick) * y_tick};
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{} against {}">)", kWidth, kHeight,
                                html_text(y_label), html_text(x_label));
  svg += axes(scale, x_tick, y_tick, x_label, y_label);
  svg += frontier(points, scale);
  for (const PlotPoint& point : points) svg += dot(point, scale);
  // A faint word in the corner to aim for.
  svg += fmt::format(R"(<text x="{}" y="{}">\u2199 better</text>)", kLeft + 8, kHeight - kBottom - 8);
  return svg + "</svg>";
}

}  // namespace refrain::cli
