#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("latents", "1.0.0", EmptyLatentImage, SaveLatent, LoadLatent, LatentUpscale, LatentUpscaleBy,
                LatentComposite, LatentBlend, LatentFromBatch, RepeatLatentBatch, SetLatentNoiseMask, VAEEncode,
                VAEEncodeForInpaint, VAEEncodeTiled, VAEDecodeTiled, InpaintModelConditioning)
