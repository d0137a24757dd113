// Loading a checkpoint with a cold page cache, beside only reading its file. Convolutions are packed at their first
// use, for the size in use; so the first evaluation of the network counts too, less the time of a second one. Usage:
// load_bench checkpoint bpe_simple_vocab_16e6.txt.gz [fp32|bf16]

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/unet.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace refrain::diffusion;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Reads the whole file as cat does, after its pages were dropped; or only drops them. The bytes read.
std::size_t read_file(const std::filesystem::path& file, bool only_drop) {
  const int descriptor = ::open(file.c_str(), O_RDONLY);
  ::fsync(descriptor);
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  std::vector<char> buffer(128 << 10);
  std::size_t bytes = 0;
  for (ssize_t count = 1; !only_drop && count > 0; bytes += static_cast<std::size_t>(count)) {
    count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0) break;
  }
  ::close(descriptor);
  return bytes;
}

/// A virtual machine may have given its free memory back to its host, from where every page comes at many times the cost
/// of a page fault. That is neither reading nor loading: they get memory that was there a moment ago.
void fetch_memory(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory != MAP_FAILED) ::munmap(memory, bytes);
}

void evaluate(const UNet& unet) {
  const int side = 8;  // whatever it is, all weights are packed
  const at::Tensor latent = at::randn({1, unet.config().in_channels, side, side});
  const at::Tensor context = at::randn({1, 77, unet.config().context_dim});
  unet.evaluate({latent, at::full({1}, 500.0), context});
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::puts("load_bench measures a file that it is given: load_bench checkpoint vocabulary [fp32|bf16]");
    return 0;
  }
  const std::filesystem::path file = arguments[1];
  const bool bf16 = count > 3 && std::string(arguments[3]) == "bf16";
  LoadOptions options;
  options.placement.dtype = bf16 ? at::kBFloat16 : at::kFloat;
  options.vocabulary = arguments[2];
  try {
    const std::size_t needed = 4 * std::filesystem::file_size(file);
    fetch_memory(needed);
    auto start = Clock::now();
    const double bytes = static_cast<double>(read_file(file, false));
    const double reading = seconds_since(start);
    read_file(file, true);
    fetch_memory(needed);
    start = Clock::now();
    const Checkpoint checkpoint = load_checkpoint(file, options);
    const double loading = seconds_since(start);
    start = Clock::now();
    evaluate(*checkpoint.model->unet);
    const double first = seconds_since(start);
    start = Clock::now();
    evaluate(*checkpoint.model->unet);
    const double packing = first - seconds_since(start);
    std::printf("%d threads, %s, %.2f GB\n", at::get_num_threads(), bf16 ? "bf16" : "fp32", bytes / 1e9);
    std::printf("reading the file, cold   %6.2f s  %.2f GB/s\n", reading, bytes / 1e9 / reading);
    std::printf("loading it, cold         %6.2f s  %.2f times as long\n", loading, loading / reading);
    std::printf("packing at the first run %6.2f s  %.2f times as long, both together\n", packing,
                (loading + packing) / reading);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
