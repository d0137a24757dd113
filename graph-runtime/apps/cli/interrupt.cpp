#include "interrupt.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace refrain::cli {
namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

/// Ends the process by the signal, as the shell expects of a program that was interrupted.
[[noreturn]] void die(int signal) {
  std::signal(signal, SIG_DFL);
  const sigset_t set = watched();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::raise(signal);
  _exit(128 + signal);
}

}  // namespace

InterruptWatch::InterruptWatch(std::function<void()> on_first) {
  const sigset_t set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || stop_ < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot watch for Ctrl-C");
  }
  thread_ = std::thread([this, first = std::move(on_first)] { watch(first); });
}

InterruptWatch::~InterruptWatch() {
  const std::uint64_t one = 1;
  while (::write(stop_, &one, sizeof one) < 0 && errno == EINTR) {}
  thread_.join();
  ::close(signals_);
  ::close(stop_);
  const sigset_t set = watched();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void InterruptWatch::watch(const std::function<void()>& on_first) const {
  bool asked = false;
  std::array<pollfd, 2> ready{{{signals_, POLLIN, 0}, {stop_, POLLIN, 0}}};
  for (;;) {
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) {
      return;
    }
    if ((ready[1].revents & POLLIN) != 0) {
      return;
    }
    signalfd_siginfo info{};
    if ((ready[0].revents & POLLIN) == 0 || ::read(signals_, &info, sizeof info) != sizeof info) {
      continue;
    }
    if (asked) {
      die(static_cast<int>(info.ssi_signo));
    }
    asked = true;
    on_first();
  }
}

}  // namespace refrain::cli
