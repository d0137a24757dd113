#pragma once
// What LoadImage and LoadImageMask have in common.

#include <ATen/core/Tensor.h>
#include <refrain/node.hpp>

#include "picture_reader.hpp"

namespace refrain {

/// The pictures that lie in the input folder, for the choices of a node.
Choices picture_files(const Host& host);

/// The picture of that name. Throws NodeError: it isn't there, or what read_picture() throws.
Picture load_picture(const Context& ctx, std::string_view name);

/// Of [H, W, C] bytes the channel `index`, as float32 [1, H, W] in 0..1.
at::Tensor channel_of(const Pixels& pixels, int index);

}  // namespace refrain
