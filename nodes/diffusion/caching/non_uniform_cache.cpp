// DeepCache's non-uniform schedule. arXiv:2312.00858, section 3.3, eq. 7, and the authors' code, which differs: there a
// negative number to a fractional power is complex, the line between the two ends runs through the complex plane, and
// real parts are cut off toward zero. Every published picture has those steps.

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/policies.hpp>

#include <algorithm>
#include <cmath>
#include <complex>

#include "step_list.hpp"

namespace refrain::diffusion {

namespace {

using Complex = std::complex<double>;

constexpr double kPowerStep = 0.02;  // by which the reference lowers the power

/// The principal value of base^exponent as Python computes it for a real base.
Complex root(double base, double exponent) {
  if (base >= 0) return std::pow(base, exponent);
  const double length = std::pow(-base, exponent), phase = std::atan2(0.0, base) * exponent;
  return {length * std::cos(phase), length * std::sin(phase)};
}

/// base^exponent as NumPy computes it: whole exponents by multiplication, which may end on the other side of a whole
/// number than the logarithm's way does.
Complex power_of(Complex base, double exponent) {
  constexpr double kMostMultiplied = 100;
  if (base == 0.0) return 0.0;
  if (exponent != std::floor(exponent) || exponent >= kMostMultiplied) return std::pow(base, Complex(exponent));
  Complex result = 1.0;
  for (int left = static_cast<int>(exponent); left > 0; left /= 2) {
    if (left % 2 == 1) result *= base;
    base *= base;
  }
  return result;
}

std::vector<int> unique_sorted(std::vector<int> values) {
  std::ranges::sort(values);
  const auto repeated = std::ranges::unique(values);
  values.erase(repeated.begin(), repeated.end());
  return values;
}

/// int(line^power) over the line from (-c)^(1/p) to (T-c)^(1/p) in n parts, as NumPy computes it for complex ends: it
/// multiplies by 1 / n, where real ends would be divided.
std::vector<int> complex_line(int steps, int count, int center, double power) {
  const Complex start = root(-center, 1 / power), stop = root(steps - center, 1 / power);
  const Complex part = (stop - start) * (1.0 / count);
  std::vector<int> values;
  for (int i = 0; i <= count; ++i) {
    const Complex at = i == count ? stop : static_cast<double>(i) * part + start;
    values.push_back(static_cast<int>(power_of(at, power).real()));
  }
  return values;
}

/// The same for a center of 0, where all is real.
std::vector<int> real_line(int steps, int count, double power) {
  const double stop = std::pow(static_cast<double>(steps), 1 / power), part = stop / count;
  std::vector<int> values;
  for (int i = 0; i <= count; ++i) {
    const double at = i == count ? stop : i * part;
    values.push_back(static_cast<int>(power == 2 ? at * at : std::pow(at, power)));
  }
  return values;
}

/// 0, then the interior of the line, with the center added.
std::vector<int> reference_steps(int steps, int count, int center, double power) {
  const std::vector<int> values =
      unique_sorted(center == 0 ? real_line(steps, count, power) : complex_line(steps, count, center, power));
  std::vector<int> chosen{0};
  for (std::size_t i = 1; i + 1 < values.size(); ++i) chosen.push_back(values[i] + center);
  return chosen;
}

double signed_power(double base, double exponent) { return std::copysign(std::pow(std::abs(base), exponent), base); }

std::vector<int> paper_steps(int steps, int count, int center, double power) {
  const double start = signed_power(-center, 1 / power), stop = signed_power(steps - center, 1 / power);
  std::vector<int> values;
  for (int i = 0; i < count; ++i) {
    const double at = start + (stop - start) * i / count;
    values.push_back(i == 0 ? 0 : static_cast<int>(signed_power(at, power) + center));
  }
  return unique_sorted(std::move(values));
}

}  // namespace

std::vector<int> centered_schedule(int steps, int interval, int center, double power, CenteredForm form) {
  const int count = (steps + interval - 1) / interval;
  if (count == 0) return {};
  if (interval == 1) {
    std::vector<int> all(static_cast<std::size_t>(steps));
    for (int i = 0; i < steps; ++i) all[static_cast<std::size_t>(i)] = i;
    return all;
  }
  if (form == CenteredForm::paper) return paper_steps(steps, count, center, power);
  for (double lowered = power; lowered > 1; lowered -= kPowerStep) {
    std::vector<int> chosen = reference_steps(steps, count, center, lowered);
    if (static_cast<int>(chosen.size()) == count) return chosen;
  }
  throw Error("cache_centered", "no power from " + shown_number(power) + " down to 1 gives " + std::to_string(count) +
                                    " different full steps of " + std::to_string(steps) + " around " +
                                    std::to_string(center) +
                                    "; choose a smaller center, a larger power above 1, or "
                                    "another interval");
}

NonUniformCache::NonUniformCache(int interval, int depth, int center, double power, CenteredForm form)
    : interval_(interval), depth_(depth), center_(center), power_(power), form_(form) {
  check_interval(interval, "a non-uniform cache");
  check_depth(depth);
  if (!(power > 0)) throw Error("cache_power", "the power of a schedule is above 0, not " + shown_number(power));
}

std::string NonUniformCache::describe() const {
  return "non-uniform, interval " + std::to_string(interval_) + ", center " + std::to_string(center_) + ", power " +
         shown_number(power_) + (form_ == CenteredForm::paper ? " (paper)" : "") + ", depth " + std::to_string(depth_);
}

std::unique_ptr<CacheSession> NonUniformCache::begin(const Run& run) const {
  check_depth(*this, depth_, run);
  const std::vector<int> steps = centered_schedule(run.steps(), interval_, center_, power_, form_);
  return make_step_list_session(marked_steps(steps, run.steps()), depth_);
}

}  // namespace refrain::diffusion
