#include "progress_display.hpp"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace refrain::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};  // ten times a second is as much as anybody can read
constexpr int kRoomForNumbers = 41;                // "[] 10000/10000 12.34 it/s, 1:02:03 left": the bar keeps its width
constexpr std::chrono::seconds kPlainLine{5};      // log files should not fill up

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string bar(std::int64_t done, std::int64_t of, int width) {
  const auto full = static_cast<std::size_t>(of > 0 ? done * width / of : 0);
  return std::string(full, '#') + std::string(static_cast<std::size_t>(width) - full, '.');
}

}  // namespace

std::string pace(double seconds, std::int64_t done, std::int64_t of) {
  if (seconds <= 0 || done <= 0) {
    return {};
  }
  const double rate = static_cast<double>(done) / seconds;
  const std::string speed = rate >= 1 ? fmt::format("{:.2f} it/s", rate) : fmt::format("{:.2f} s/it", 1 / rate);
  return done >= of ? speed : fmt::format("{}, {} left", speed, clock_text(static_cast<double>(of - done) / rate));
}

ProgressDisplay::Style ProgressDisplay::style_of(std::FILE* stream) {
  Style style;
  const int descriptor = ::fileno(stream);
  const char* kind = std::getenv("TERM");
  style.terminal = ::isatty(descriptor) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
  winsize size{};
  if (style.terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.columns = size.ws_col;
  }
  return style;
}

void ProgressDisplay::begin(std::string_view label) {
  const std::lock_guard lock(mutex_);
  label_ = label;
  began_ = Clock::now();
  first_done_ = -1;
  drawn_ = style_.terminal ? Clock::time_point{} : began_;
  if (style_.terminal) {
    draw(label_);
  }
}

void ProgressDisplay::step(std::string_view label, std::int64_t done, std::int64_t of) {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (label != label_ || first_done_ < 0 || done < first_done_) {
    label_ = label;
    // The pace is that of the steps seen, so that a slow start (loading, warming up) does not count for ever.
    first_done_ = done == 1 ? 0 : done;
    first_step_ = done == 1 ? began_ : now;
  }
  if (done < of && now - drawn_ < (style_.terminal ? Clock::duration(kRedraw) : Clock::duration(kPlainLine))) {
    return;
  }
  drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - first_step_).count();
  const std::string rest = pace(seconds, done - first_done_, of - first_done_);
  if (style_.terminal) {
    const std::string numbers = fmt::format(" {}/{} {}", done, of, rest);
    const int room = style_.columns - 1 - static_cast<int>(label_.size()) - kRoomForNumbers;
    draw(room < 5 ? label_ + numbers : fmt::format("{} [{}]{}", label_, bar(done, of, std::min(room, 40)), numbers));
  } else {
    fmt::print(stream_, "{}: {}/{} {}\n", label_, done, of, rest);
    std::fflush(stream_);
  }
}

void ProgressDisplay::end(std::string_view label) {
  const std::lock_guard lock(mutex_);
  if (label == label_) {
    label_.clear();
    clear();
  }
}

void ProgressDisplay::hide() {
  const std::lock_guard lock(mutex_);
  clear();
}

void ProgressDisplay::line(std::string_view text) {
  const std::lock_guard lock(mutex_);
  clear();
  fmt::print(stream_, "{}\n", text);
  std::fflush(stream_);
}

void ProgressDisplay::clear() {
  if (on_screen_) {
    fmt::print(stream_, "\r\x1b[K");
    std::fflush(stream_);
    on_screen_ = false;
  }
}

void ProgressDisplay::draw(const std::string& text) {
  fmt::print(stream_, "\r\x1b[K{}", std::string_view(text).substr(0, static_cast<std::size_t>(style_.columns - 1)));
  std::fflush(stream_);
  on_screen_ = true;
}

}  // namespace refrain::cli
