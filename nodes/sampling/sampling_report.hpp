#pragma once
// A sampling run as JSON, for the run's report.

#include <refrain/diffusion/sampling.hpp>

#include <string>

namespace refrain {

/// {"policy", "milliseconds", "macs", "macs_uncached", "published_macs": {"average", "full"}, "peak_kept_bytes",
///  "kinds": [{"action", "count", "milliseconds", "network_milliseconds" (median), "macs", "published_macs"}],
///  "speed_up": {"ideal_by_macs", "ideal_by_published_macs", "ideal_by_costs", "realised"},
///  "actions": [{"step", "stage", "sigma", "action", "forced", "milliseconds", "macs", "published_macs",
///               "network_milliseconds", "asked", "guard", "why", "estimate": {"of", "weights"}}]}
/// "macs" are executed, of whole batches, attention's products included. "published_macs" are counted as the papers do
/// (convolutions, linears, norms and biases); at the top for one sample and evaluation: the figures of DeepCache's
/// tables. An action reads "full", "deep(0)", "encoder_reused" or "nothing"; "asked" is what the policy wanted, "guard"
/// why it didn't get it ("none": it did), "why" the policy's own words. Only deep and nothing have an estimate.
std::string sampling_report_json(const diffusion::SamplingReport& report);

}  // namespace refrain
