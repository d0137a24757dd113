#include "sampling_report.hpp"

#include <refrain/context.hpp>

#include <fmt/format.h>

#include <iterator>

namespace refrain {
namespace {

std::string action_text(const diffusion::Evaluate& evaluate) {
  switch (evaluate.kind) {
    case diffusion::Evaluate::Kind::full: return "full";
    case diffusion::Evaluate::Kind::deep: return fmt::format("deep({})", evaluate.depth);
    case diffusion::Evaluate::Kind::encoder_reused: return "encoder_reused";
    case diffusion::Evaluate::Kind::nothing: return "nothing";
  }
  return "unknown";
}

}  // namespace

std::string sampling_report_json(const diffusion::SamplingReport& report) {
  std::string json =
      fmt::format(R"({{"policy": {}, "milliseconds": {:.3f}, "macs": {:.0f}, "macs_uncached": {:.0f}, "actions": [)",
                  json_quote(report.policy), report.milliseconds, report.macs, report.macs_uncached);
  auto out = std::back_inserter(json);
  std::string_view separator;
  for (const diffusion::Action& action : report.actions) {
    fmt::format_to(out,
                   R"({}{{"step": {}, "stage": {}, "sigma": {:.6g}, "action": "{}", "forced": {}, )"
                   R"("milliseconds": {:.3f}, "macs": {:.0f}}})",
                   separator, action.step, action.stage, action.sigma, action_text(action.decision.evaluate),
                   action.forced, action.milliseconds, action.macs);
    separator = ", ";
  }
  return json += "]}";
}

}  // namespace refrain
