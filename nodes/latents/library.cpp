#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("latents", "1.0.0", EmptyLatentImage, SaveLatent, LoadLatent)
