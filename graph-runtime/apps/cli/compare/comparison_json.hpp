#pragma once

#include <string>

#include "compare/comparison.hpp"

namespace refrain::cli {

/// All figures of a comparison, of each run and over the seeds, as one JSON object. A PSNR of null: equal pictures.
std::string comparison_json(const Comparison& comparison);

}  // namespace refrain::cli
