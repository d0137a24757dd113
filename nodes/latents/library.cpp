#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("latents", "1.0.0", EmptyLatentImage, SaveLatent, LoadLatent, LatentUpscale, LatentUpscaleBy,
                LatentComposite, LatentBlend, LatentFromBatch, RebatchLatents, RepeatLatentBatch, SetLatentNoiseMask,
                VAEEncode, VAEEncodeForInpaint, VAEEncodeTiled, VAEDecodeTiled, InpaintModelConditioning)
