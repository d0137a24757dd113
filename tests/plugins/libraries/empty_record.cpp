// A record without nodes, which the macros would not make.
#include <refrain/plugin.hpp>

extern "C" __attribute__((visibility("default"))) constinit const refrain::abi::Record refrain_plugin_v1{
    refrain::abi::kStamp, "empty", "1.0.0", nullptr, 0};
