// Pickles, and the tensors in them, of a checkpoint whose storages are never missing.

#include "fuzz/reading.hpp"
#include "weights/pickle_reader.hpp"
#include "weights/torch_tensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace refrain::diffusion;
  return refrain::fuzz::answered([&] {
    pickle::Values values(pickle_memory(size), "file");
    std::size_t at = 0;
    const pickle::Ref root = pickle::read_pickle(refrain::fuzz::bytes_of(data, size), at, values);
    TorchContents contents;
    RunsByKey runs;
    for (std::size_t i = 0; i < values.storages(); ++i) {
      if (runs.emplace(values.storage(i).key, contents.runs.size()).second) {
        contents.runs.push_back({0, storage_bytes(values, values.storage(i)), {}});
      }
    }
    collect_tensors(values, root, runs, size, std::nullopt, contents);
  });
}
