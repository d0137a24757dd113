#include "device_check.hpp"

#include <refrain/errors.hpp>

#include <c10/core/Device.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <fmt/format.h>

namespace refrain::cli {

void require_device(const std::string& device) {
  const c10::Device wanted(device);
  if (wanted.is_cpu()) {
    return;
  }
  if (!c10::impl::hasDeviceGuardImpl(wanted.type())) {
    throw ValidationError("device_unavailable",
                          fmt::format("--device {}: this libtorch was built without CUDA; use --device cpu, or build "
                                      "with the preset cuda (make cuda)",
                                      device));
  }
  const int count = c10::impl::getDeviceGuardImpl(wanted.type())->deviceCount();
  if (wanted.index() >= count || count == 0) {
    throw ValidationError("device_unavailable",
                          fmt::format("--device {}: there are {} CUDA devices here (is the driver "
                                      "loaded?)",
                                      device, count));
  }
}

}  // namespace refrain::cli
