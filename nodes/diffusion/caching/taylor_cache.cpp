// From Reusing to Forecasting: Accelerating Diffusion Models with TaylorSeers. arXiv:2503.06923, eq. 5, on h_k.
// A forecast is linear in the kept values, so it comes down to their weights.

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/policies.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "step_list.hpp"

namespace refrain::diffusion {

namespace {

using Weights = std::vector<double>;

/// D_0 = F; D_{j+1} at a point = (D_j there - D_j at the point before) / gap; F(at) = sum (at - t)^j D_j / j!, with the
/// D_j of the newest point t.
Weights taylor_weights(const std::vector<double>& points, double at, int order) {
  const std::size_t count = points.size();
  std::vector<Weights> derivative(count, Weights(count, 0.0));  // D_j by point, as weights of the values
  for (std::size_t i = 0; i < count; ++i) derivative[i][i] = 1;
  Weights sum = derivative[0];
  double factor = 1;
  for (int j = 1; j <= order; ++j) {
    for (std::size_t i = 0; i + static_cast<std::size_t>(j) < count; ++i) {
      const double gap = points[i] - points[i + 1];
      for (std::size_t n = 0; n < count; ++n) derivative[i][n] = (derivative[i][n] - derivative[i + 1][n]) / gap;
    }
    factor *= (at - points[0]) / j;
    for (std::size_t n = 0; n < count; ++n) sum[n] += factor * derivative[0][n];
  }
  return sum;
}

/// The polynomial through all points, as Lagrange writes it.
Weights polynomial_weights(const std::vector<double>& points, double at) {
  Weights weights(points.size(), 1.0);
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = 0; j < points.size(); ++j) {
      if (j != i) weights[i] *= (at - points[j]) / (points[i] - points[j]);
    }
  }
  return weights;
}

class TaylorSession final : public CacheSession {
 public:
  TaylorSession(std::vector<bool> full, int depth, int warm_up, Forecast forecast)
      : full_(std::move(full)), depth_(depth), warm_up_(warm_up), forecast_(forecast) {}

  Needs needs() const override {
    Needs needs;
    needs.declared_schedule = true;
    if (std::ranges::find(full_, false) == full_.end()) return needs;
    needs.depths = {depth_};
    needs.history = forecast_.order + 1;
    return needs;
  }

  Decision decide(const Moment& moment) override {
    const auto step = static_cast<std::size_t>(moment.step);
    if (step >= full_.size() || full_[step]) return Decision::full("a step of the schedule");
    std::vector<double> points;
    for (const Point& point : moment.features.front()) points.push_back(position(point.step, point.sigma));
    // The reference takes no second differences of the steps of the warm-up, which lie too close together.
    const bool warm = !moment.features.front().empty() && moment.features.front().front().step < warm_up_;
    const int order = warm ? std::min(forecast_.order, 1) : forecast_.order;
    Weights weights = forecast_weights(points, position(moment.step, moment.sigma), order, forecast_.form);
    const std::string reason =
        "forecast from " + std::to_string(std::min<std::size_t>(points.size(), static_cast<std::size_t>(order) + 1)) +
        " evaluations";
    return Decision::deep(depth_, std::move(weights)).because(reason);
  }

 private:
  double position(int step, double sigma) const {
    return forecast_.variable == Forecast::Variable::step ? step : -2 * std::log(sigma);
  }

  std::vector<bool> full_;
  int depth_;
  int warm_up_;
  Forecast forecast_;
};

}  // namespace

std::vector<double> forecast_weights(const std::vector<double>& points, double at, int order, Forecast::Form form) {
  if (points.empty()) return {};
  std::vector<double> distinct;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < points.size() && distinct.size() <= static_cast<std::size_t>(order); ++i) {
    if (std::ranges::find(distinct, points[i]) != distinct.end()) continue;
    distinct.push_back(points[i]);
    places.push_back(i);
  }
  const int reached = static_cast<int>(distinct.size()) - 1;
  const Weights some = form == Forecast::Form::taylor ? taylor_weights(distinct, at, std::min(order, reached))
                                                      : polynomial_weights(distinct, at);
  Weights weights(places.back() + 1, 0.0);
  for (std::size_t i = 0; i < places.size(); ++i) weights[places[i]] = some[i];
  return weights;
}

TaylorCache::TaylorCache(int interval, int depth, int warm_up, Forecast forecast)
    : interval_(interval), depth_(depth), warm_up_(warm_up), forecast_(forecast) {
  constexpr int kHighestOrder = 2;
  check_interval(interval, "a Taylor cache");
  check_depth(depth);
  if (warm_up < 1) throw Error("cache_warm_up", "a Taylor cache warms up for at least 1 step");
  if (forecast.order < 0 || forecast.order > kHighestOrder) {
    throw Error("cache_order", "the order of a forecast is 0, 1 or 2, not " + std::to_string(forecast.order));
  }
}

std::string TaylorCache::describe() const {
  return "taylor, interval " + std::to_string(interval_) + ", order " + std::to_string(forecast_.order) + " in " +
         (forecast_.variable == Forecast::Variable::step ? "the step" : "log-SNR") +
         (forecast_.form == Forecast::Form::newton ? " (newton)" : "") + ", warm-up " + std::to_string(warm_up_) +
         ", depth " + std::to_string(depth_);
}

std::unique_ptr<CacheSession> TaylorCache::begin(const Run& run) const {
  check_depth(*this, depth_, run);
  std::vector<bool> full(static_cast<std::size_t>(run.steps()));
  for (int i = 0; i < run.steps(); ++i) {
    full[static_cast<std::size_t>(i)] = i < warm_up_ || (i - (warm_up_ - 1)) % interval_ == 0;
  }
  return std::make_unique<TaylorSession>(std::move(full), depth_, warm_up_, forecast_);
}

}  // namespace refrain::diffusion
