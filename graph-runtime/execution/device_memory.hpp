#pragma once
// What torch's allocator for a device says of its memory. The CPU has none of this.

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>

namespace refrain {

/// Bytes that the device has free; empty for the CPU and where torch does not tell.
std::optional<std::uint64_t> free_device_memory(c10::Device device);
/// The most that torch had allocated on the device since the last reset, in bytes; 0 for the CPU.
std::uint64_t peak_device_memory(c10::Device device);
void reset_peak_device_memory(c10::Device device);

}  // namespace refrain
