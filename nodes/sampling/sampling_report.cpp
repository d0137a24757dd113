#include "sampling_report.hpp"

#include <refrain/context.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

namespace refrain {
namespace {

/// What stood in for what was not computed: ", "estimate": {...}"; nothing for a full evaluation.
std::string estimate_text(const diffusion::Decision& decision) {
  using Kind = diffusion::Evaluate::Kind;
  const Kind kind = decision.evaluate.kind;
  if (kind == Kind::full || kind == Kind::encoder_reused) return {};
  return fmt::format(R"(, "estimate": {{"of": "{}", "weights": [{}]}})", to_string(decision.estimate.target),
                     fmt::join(decision.estimate.weights, ", "));
}

std::string action_text(const diffusion::Action& action) {
  return fmt::format(
      R"({{"step": {}, "stage": {}, "sigma": {:.6g}, "action": "{}", "forced": {}, )"
      R"("milliseconds": {:.3f}, "macs": {:.0f}, "published_macs": {:.0f}, "network_milliseconds": {:.3f}, )"
      R"("asked": "{}", "guard": "{}", "why": {}{}}})",
      action.step, action.stage, action.sigma, to_string(action.decision.evaluate), action.forced, action.milliseconds,
      action.macs, action.published_macs, action.network_milliseconds, to_string(action.asked), to_string(action.guard),
      json_quote(action.decision.reason), estimate_text(action.decision));
}

std::string speed_text(const diffusion::SpeedUp& speed) {
  std::string kinds;
  for (const diffusion::KindOfAction& kind : speed.kinds) {
    fmt::format_to(std::back_inserter(kinds),
                   R"({}{{"action": "{}", "count": {}, "milliseconds": {:.3f}, "network_milliseconds": {:.3f}, )"
                   R"("macs": {:.0f}, "published_macs": {:.0f}}})",
                   kinds.empty() ? "" : ", ", to_string(kind.evaluate), kind.count, kind.milliseconds,
                   kind.network_milliseconds, kind.macs, kind.published_macs);
  }
  return fmt::format(R"("kinds": [{}], "speed_up": {{"ideal_by_macs": {:.4f}, "ideal_by_published_macs": {:.4f}, )"
                     R"("ideal_by_costs": {:.4f}, "realised": {:.4f}}})",
                     kinds, speed.ideal_by_macs, speed.ideal_by_published_macs, speed.ideal_by_costs, speed.realised);
}

}  // namespace

std::string sampling_report_json(const diffusion::SamplingReport& report) {
  std::string actions;
  for (const diffusion::Action& action : report.actions) {
    actions.append(actions.empty() ? "" : ", ").append(action_text(action));
  }
  const diffusion::PublishedCost published = published_cost(report);
  return fmt::format(R"({{"policy": {}, "milliseconds": {:.3f}, "macs": {:.0f}, "macs_uncached": {:.0f}, )"
                     R"("published_macs": {{"average": {:.0f}, "full": {:.0f}}}, "peak_kept_bytes": {}, )"
                     R"({}, "actions": [{}]}})",
                     json_quote(report.policy), report.milliseconds, report.macs, report.macs_uncached,
                     published.average, published.full, report.peak_kept_bytes, speed_text(speed_up(report)), actions);
}

}  // namespace refrain
