#pragma once
// Whether this machine and this libtorch can compute where the command line says.

#include <string>

namespace refrain::cli {

/// Throws ValidationError (device_unavailable) with the reason: a libtorch without CUDA, no such device.
/// `device` as --device takes it: "cpu", "cuda", "cuda:1".
void require_device(const std::string& device);

}  // namespace refrain::cli
