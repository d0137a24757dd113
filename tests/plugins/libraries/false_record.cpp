// The right name on something else.
extern "C" __attribute__((visibility("default"))) const int refrain_plugin_v1[64] = {1};
