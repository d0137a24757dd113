#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("model_patches", "1.0.0", ModelSamplingDiscrete, RescaleCFG)
