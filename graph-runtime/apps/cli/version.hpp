#pragma once

namespace refrain::cli {

inline constexpr const char* kVersion = REFRAIN_VERSION;  // from CMake: the project's

}  // namespace refrain::cli
