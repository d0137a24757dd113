#include "execution/deferred_work.hpp"

#include <c10/core/InferenceMode.h>

#include <chrono>
#include <utility>

namespace refrain {

namespace {
// How soon a run that waits for the disk notices Ctrl-C: the token is a plain flag that wakes nobody.
constexpr std::chrono::milliseconds kCancelPoll{20};
}  // namespace

DeferredWork::~DeferredWork() { drop(); }

bool DeferredWork::submit(std::uint32_t node, std::function<void()> job, const std::function<bool()>& give_up) {
  if (node_of_this_thread()) {
    job();
    return true;
  }
  std::unique_lock lock(mutex_);
  while (waiting_.size() >= capacity_) {
    if (give_up()) return false;
    changed_.wait_for(lock, kCancelPoll);
  }
  waiting_.push_back({node, std::move(job)});
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
  lock.unlock();
  changed_.notify_all();
  return true;
}

std::optional<std::uint32_t> DeferredWork::node_of_this_thread() const {
  if (worker_.load(std::memory_order_relaxed) != std::this_thread::get_id()) return std::nullopt;
  return running_node_;
}

std::size_t DeferredWork::drain(const std::function<bool()>& give_up) {
  std::size_t dropped = 0;
  std::unique_lock lock(mutex_);
  while (running_ || !waiting_.empty()) {
    if (!waiting_.empty() && give_up()) {
      lock.unlock();
      dropped += drop();
      lock.lock();
      continue;
    }
    changed_.wait_for(lock, kCancelPoll);
  }
  return dropped;
}

std::size_t DeferredWork::drop() {
  std::deque<Job> dropped;  // declared first, so that it goes after the lock: a job may hold large values
  const std::lock_guard lock(mutex_);
  dropped.swap(waiting_);
  return dropped.size();
}

std::vector<DeferredWork::Failure> DeferredWork::take_failures() {
  const std::lock_guard lock(mutex_);
  failed_.store(false, std::memory_order_relaxed);
  return std::exchange(failures_, {});
}

void DeferredWork::loop(const std::stop_token& stop) {
  worker_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  const c10::InferenceMode no_autograd;
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return !waiting_.empty(); });
      if (waiting_.empty()) return;  // asked to stop
      job = std::move(waiting_.front());
      waiting_.pop_front();
      running_ = true;
      running_node_ = job.node;
    }
    std::exception_ptr error;
    try {
      job.work();
    } catch (...) {
      error = std::current_exception();
    }
    job.work = nullptr;  // its values go before the run is told that the work is done
    {
      const std::lock_guard lock(mutex_);
      running_ = false;
      if (error) {
        failures_.push_back({job.node, std::move(error)});
        failed_.store(true, std::memory_order_relaxed);
      }
    }
    changed_.notify_all();
  }
}

}  // namespace refrain
