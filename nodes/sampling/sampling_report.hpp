#pragma once
// A sampling run as JSON, for the run's report.

#include <refrain/diffusion/sampling.hpp>

#include <string>

namespace refrain {

/// {"policy": ..., "milliseconds": ..., "macs": ..., "macs_uncached": ..., "actions": [{"step", "stage", "sigma",
/// "action", "forced", "milliseconds", "macs"}]}; an action reads "full", "deep(0)", "encoder_reused" or "nothing".
std::string sampling_report_json(const diffusion::SamplingReport& report);

}  // namespace refrain
