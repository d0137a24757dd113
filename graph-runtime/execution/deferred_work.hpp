#pragma once
// Work that a node hands over so that the next node need not wait for it: writing pictures, above all.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace refrain {

/// One background thread with a short queue. The thread starts with the first job and lives as long as the object.
class DeferredWork {
 public:
  /// A job that threw, and the node that had queued it.
  struct Failure {
    std::uint32_t node = 0;
    std::exception_ptr error;
  };

  /// `capacity`: jobs that may wait; submit() blocks beyond, so that a slow disk bounds the memory of waiting pictures.
  explicit DeferredWork(std::size_t capacity = 4) : capacity_(capacity) {}
  DeferredWork(const DeferredWork&) = delete;
  DeferredWork& operator=(const DeferredWork&) = delete;
  /// Drops what waits and finishes what has started.
  ~DeferredWork();

  /// Queues a job for `node`. Returns false without queueing when `give_up()` turns true while the queue is full.
  /// A job that a job hands over runs at once: the one thread can't wait for itself.
  bool submit(std::uint32_t node, std::function<void()> job, const std::function<bool()>& give_up);
  /// The node whose job runs on the calling thread, if it is the background thread.
  std::optional<std::uint32_t> node_of_this_thread() const;
  /// Waits until nothing waits or runs. Once `give_up()` is true, what waits is dropped; returns how many jobs that
  /// were.
  std::size_t drain(const std::function<bool()>& give_up);
  /// Drops what has not started; returns how many jobs that were.
  std::size_t drop();
  /// Whether a job has failed since the last take_failures(); cheap, for between two nodes.
  bool has_failures() const { return failed_.load(std::memory_order_relaxed); }
  std::vector<Failure> take_failures();

 private:
  struct Job {
    std::uint32_t node;
    std::function<void()> work;
  };
  void loop(const std::stop_token& stop);

  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> waiting_;
  bool running_ = false;
  std::uint32_t running_node_ = 0;  // written and read by the background thread alone
  std::atomic<std::thread::id> worker_{};
  std::vector<Failure> failures_;
  std::atomic<bool> failed_{false};
  std::jthread thread_;  // last: it stops before the rest goes
};

}  // namespace refrain
