#pragma once
// A sampling run as JSON, for the run's report.

#include <refrain/diffusion/sampling.hpp>

#include <string>

namespace refrain {

/// {"policy", "milliseconds", "macs", "macs_uncached", "peak_kept_bytes",
///  "kinds": [{"action", "count", "milliseconds", "network_milliseconds" (median), "macs"}],
///  "speed_up": {"ideal_by_macs", "ideal_by_costs", "realised"},
///  "actions": [{"step", "stage", "sigma", "action", "forced", "milliseconds", "macs", "network_milliseconds", "asked",
///               "guard", "why", "estimate": {"of", "weights"}}]}
/// An action reads "full", "deep(0)", "encoder_reused" or "nothing"; "asked" is what the policy wanted, "guard" why it
/// didn't get it ("none": it did), "why" the policy's own words. Only deep and nothing have an estimate.
std::string sampling_report_json(const diffusion::SamplingReport& report);

}  // namespace refrain
