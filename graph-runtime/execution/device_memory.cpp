#include "execution/device_memory.hpp"

#include <c10/core/CachingDeviceAllocator.h>

namespace refrain {

namespace {

/// The allocator of an accelerator that has been used; null before its first allocation.
c10::DeviceAllocator* allocator_of(c10::Device device) {
  if (device.is_cpu()) return nullptr;
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  return allocator && allocator->initialized() ? allocator : nullptr;
}

c10::DeviceIndex index_of(c10::Device device) { return device.has_index() ? device.index() : c10::DeviceIndex{0}; }

}  // namespace

std::optional<std::uint64_t> free_device_memory(c10::Device device) {
  c10::DeviceAllocator* allocator = allocator_of(device);
  if (!allocator) return std::nullopt;
  try {
    return allocator->getMemoryInfo(index_of(device)).first;
  } catch (const c10::Error&) {
    return std::nullopt;  // not implemented by this backend
  }
}

std::uint64_t peak_device_memory(c10::Device device) {
  c10::DeviceAllocator* allocator = allocator_of(device);
  if (!allocator) return 0;
  const auto stats = allocator->getDeviceStats(index_of(device));
  const auto& all = stats.allocated_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
  return static_cast<std::uint64_t>(all.peak);
}

void reset_peak_device_memory(c10::Device device) {
  if (c10::DeviceAllocator* allocator = allocator_of(device)) allocator->resetPeakStats(index_of(device));
}

}  // namespace refrain
