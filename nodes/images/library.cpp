#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("images", "1.0.0", VAEDecode, SaveImage, PreviewImage, ContactSheet, LoadImage, LoadImageMask,
                ImageScale, ImageScaleBy, ImageInvert, ImageBatch, ImageCrop, ImagePadForOutpaint, ImageBlend,
                ImageBlur, ImageSharpen, ImageToMask, MaskToImage, InvertMask)
