// A shared library that knows nothing of Refrain.
extern "C" __attribute__((visibility("default"))) int answer() { return 42; }
