#pragma once
// Ctrl-C: the first one asks, the second one kills.

#include <functional>
#include <thread>

namespace refrain::cli {

/// Catches SIGINT and SIGTERM as long as it lives. To be made before any other thread, so that none of them is
/// interrupted by these signals: a thread of its own waits for them, and no code runs inside a signal handler.
class InterruptWatch {
 public:
  /// `on_first` is called once, on the watch's thread; the second signal ends the process as if there were no watch.
  explicit InterruptWatch(std::function<void()> on_first);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  void watch(const std::function<void()>& on_first) const;

  int signals_ = -1;  ///< signalfd
  int stop_ = -1;     ///< eventfd, written by the destructor
  std::thread thread_;
};

}  // namespace refrain::cli
