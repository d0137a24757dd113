#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("images", "1.0.0", VAEDecode, SaveImage, PreviewImage, ContactSheet)
