// A record of an ABI before the first.
extern "C" __attribute__((visibility("default"))) const int refrain_plugin_v0[16] = {1};
