#pragma once
// What this machine can do at most, so that a time means something.

namespace refrain::bench {

/// Fused multiply-adds of float32 on registers alone, all threads of libtorch: GFLOP/s. 0 where it isn't known how to
/// ask.
double fma_peak();
/// The best of a few large matrix products of libtorch's in bfloat16: GFLOP/s. No peak, but what a library reaches.
double bfloat16_product_rate();

}  // namespace refrain::bench
