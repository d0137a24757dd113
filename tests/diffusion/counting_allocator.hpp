#pragma once
// Counts the bytes that libtorch's CPU allocator has handed out.

#include <c10/core/CPUAllocator.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace refrain::diffusion::testing {

/// While it lives, every new tensor on the CPU is counted until it goes; at most one at a time. Tensors made before it
/// are not. Tensors that outlive it are still freed in the right way.
class CountingAllocator final : public c10::Allocator {
 public:
  CountingAllocator() : inner_(c10::GetCPUAllocator()) {
    book().bytes = book().most = 0;
    c10::SetCPUAllocator(this, kPriority);
  }
  ~CountingAllocator() override { c10::SetCPUAllocator(inner_, kPriority); }
  CountingAllocator(const CountingAllocator&) = delete;
  CountingAllocator& operator=(const CountingAllocator&) = delete;

  std::int64_t bytes() const { return book().bytes; }
  /// The most that was out at any time since the last call of it, from now on again.
  std::int64_t most_since() { return book().most.exchange(book().bytes); }

  c10::DataPtr allocate(std::size_t size) override {
    c10::DataPtr inner = inner_->allocate(size);
    void* data = inner.get();
    if (data == nullptr) return inner;
    const std::int64_t now = book().bytes += static_cast<std::int64_t>(size);
    const std::lock_guard lock(book().mutex);
    if (now > book().most) book().most = now;
    book().blocks[data] = {std::move(inner), static_cast<std::int64_t>(size)};
    return {data, data, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t size) const override { std::memcpy(to, from, size); }

 private:
  struct Block {
    c10::DataPtr inner;
    std::int64_t size = 0;
  };

  static constexpr std::uint8_t kPriority = 100;  // above libtorch's own

  struct Book {
    std::atomic<std::int64_t> bytes{0}, most{0};
    std::mutex mutex;
    std::unordered_map<void*, Block> blocks;
  };

  static Book& book() {
    static auto* const kept = new Book;  // outlives tensors that go at the program's end
    return *kept;
  }
  static void release(void* data) {
    Block gone;
    {
      const std::lock_guard lock(book().mutex);
      auto block = book().blocks.extract(data);
      if (block.empty()) return c10::GetDefaultCPUAllocator()->raw_deallocate(data);  // older than the count
      gone = std::move(block.mapped());
    }
    book().bytes -= gone.size;
  }

  c10::Allocator* inner_;
};

}  // namespace refrain::diffusion::testing
