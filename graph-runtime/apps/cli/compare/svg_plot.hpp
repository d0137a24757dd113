#pragma once
// Error against time, as a drawing inside an HTML page.

#include <string>
#include <vector>

namespace refrain::cli {

/// One entry in the plane.
struct PlotPoint {
  double x = 0, y = 0;
  std::string mark;                              ///< inside the dot
  std::string title;                             ///< shown under the pointer
  std::string color;                             ///< CSS
  bool plain = false;                            ///< hollow, and on the dashed line
  std::vector<std::pair<double, double>> seeds;  ///< one small dot each
};

/// Both axes begin at 0. A dashed line joins the plain points. Colours of text and axes come from the page's style.
std::string svg_plot(const std::vector<PlotPoint>& points, const std::string& x_label, const std::string& y_label);

/// Round steps for an axis from 0 to at least `most`: the distance between two ticks.
double tick_distance(double most, int ticks);

}  // namespace refrain::cli
