#pragma once
// Figures and names as the page writes them.

#include <string>

#include "compare/comparison.hpp"

namespace refrain::cli {

/// "340 ms", "1.23 s".
std::string time_text(double milliseconds);
/// "31.2 dB", or "equal".
std::string psnr_text(double psnr);
/// "1.23 T": multiply-accumulates with a prefix of a thousand.
std::string macs_text(double macs);
/// "2.31", "0.0042", three digits that count.
std::string figure_text(double value);
/// "1 seed", "4 seeds".
std::string count_text(std::size_t count, const std::string& thing);

/// The colour of an entry's dots and badges; a plain sampler has that of the entry beside it.
std::string color_of(const Comparison& comparison, const Entry& entry);
/// The round badge with an entry's mark.
std::string badge(const Comparison& comparison, const Entry& entry);
/// Whether errors are told by latents: every run has one.
bool has_latents(const Comparison& comparison);

}  // namespace refrain::cli
