#pragma once
// What a run shows while it runs: a bar on a terminal, plain lines anywhere else.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace refrain::cli {

/// Steps per second and seconds left, as text: "1.24 it/s, 0:07 left"; slow ones as "3.10 s/it".
std::string pace(double seconds, std::int64_t done, std::int64_t of);

/// Writes progress to a stream, seldom enough to cost nothing. Every function may be called from any thread.
class ProgressDisplay {
 public:
  struct Style {
    bool terminal = false;  ///< redraw one line instead of adding lines
    int columns = 80;
  };
  /// Columns and kind of a stream.
  static Style style_of(std::FILE* stream);

  ProgressDisplay(std::FILE* stream, Style style) : stream_(stream), style_(style) {}
  ~ProgressDisplay() { hide(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  /// `label` names the node: "KSampler (node 3)".
  void begin(std::string_view label);
  /// `done` of `of` steps of the node that began last.
  void step(std::string_view label, std::int64_t done, std::int64_t of);
  /// The node is through; the bar goes.
  void end(std::string_view label);
  /// Takes the bar away, so that something else can be printed.
  void hide();
  /// A line of text that stays, printed around the bar.
  void line(std::string_view text);

 private:
  using Clock = std::chrono::steady_clock;
  void clear();
  void draw(const std::string& text);

  std::FILE* stream_;
  Style style_;
  std::mutex mutex_;
  std::string label_;
  Clock::time_point began_{};
  Clock::time_point drawn_{};
  Clock::time_point first_step_{};
  std::int64_t first_done_ = 0;
  bool on_screen_ = false;
};

}  // namespace refrain::cli
