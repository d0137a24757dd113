#include <refrain/diffusion/sampling_report.hpp>

#include <algorithm>
#include <cstddef>

namespace refrain::diffusion {

namespace {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double ratio(double a, double b) { return b > 0 ? a / b : 1; }

}  // namespace

std::string to_string(Guard guard) {
  switch (guard) {
    case Guard::none: return "none";
    case Guard::first: return "first";
    case Guard::changed: return "changed";
    case Guard::failed: return "failed";
    case Guard::missing: return "missing";
    case Guard::reuses: return "reuses";
  }
  return "unknown";
}

SpeedUp speed_up(const SamplingReport& report) {
  SpeedUp result;
  std::vector<std::vector<double>> times;
  double milliseconds = 0;
  for (const Action& action : report.actions) {
    const Evaluate& evaluate = action.decision.evaluate;
    auto kind = std::ranges::find(result.kinds, evaluate, &KindOfAction::evaluate);
    if (kind == result.kinds.end()) {
      kind = result.kinds.insert(kind, {evaluate});
      times.emplace_back();
    }
    ++kind->count;
    kind->milliseconds += action.milliseconds;
    kind->macs += action.macs;
    kind->published_macs += action.published_macs;
    times[static_cast<std::size_t>(kind - result.kinds.begin())].push_back(action.network_milliseconds);
    milliseconds += action.milliseconds;
  }
  double full = 0, ideal = 0;
  for (std::size_t i = 0; i < result.kinds.size(); ++i) {
    KindOfAction& kind = result.kinds[i];
    kind.network_milliseconds = median(std::move(times[i]));
    ideal += kind.network_milliseconds * kind.count;
    if (kind.evaluate == Evaluate::full()) full = kind.network_milliseconds;
  }
  const double uncached = full * static_cast<double>(report.actions.size());
  result.ideal_by_macs = ratio(report.macs_uncached, report.macs);
  result.ideal_by_published_macs = ratio(report.published_macs_uncached, report.published_macs);
  result.ideal_by_costs = ratio(uncached, ideal);
  result.realised = ratio(uncached, milliseconds);
  return result;
}

PublishedCost published_cost(const SamplingReport& report) {
  if (report.samples == 0) return {};
  return {report.published_macs / report.samples, report.published_macs_uncached / report.samples};
}

}  // namespace refrain::diffusion
