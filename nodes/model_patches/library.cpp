#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("model_patches", "1.0.0", FreeU, FreeU_V2, ModelSamplingDiscrete, PatchModelAddDownscale, RescaleCFG)
