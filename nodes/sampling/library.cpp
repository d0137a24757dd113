#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("sampling", "1.0.0", KSampler, KSamplerAdvanced, SamplerCustom, SamplerCustomAdvanced, KSamplerSelect,
                BasicScheduler, KarrasScheduler, ExponentialScheduler, SplitSigmas, FlipSigmas, RandomNoise,
                DisableNoise, BasicGuider, CFGGuider)
