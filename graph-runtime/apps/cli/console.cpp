#include "console.hpp"

#include <refrain/errors.hpp>
#include <refrain/runtime.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <cstdlib>
#include <new>

#include "exit_code.hpp"

namespace refrain::cli {
namespace {

void print(std::string_view word, std::string_view color, std::string_view text) {
  const bool colored = takes_color(stderr);
  fmt::print(stderr, "refrain: {}{}:{} {}\n", colored ? color : "", word, colored ? "\x1b[0m" : "", presentable(text));
}

}  // namespace

bool takes_color(std::FILE* stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  return ::isatty(::fileno(stream)) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (kind == nullptr || std::string_view(kind) != "dumb");
}

std::string presentable(std::string_view text) {
  constexpr std::string_view kEllipsis = "...";
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    // A workflow must not move the cursor or colour the terminal: neither by C0 nor by C1 controls (U+0080..U+009F).
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
      shown += fmt::format("\\x{:02x}", next);
      ++i;
    } else if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += text[i];
    }
    if (shown.size() > kLongestMessage) {
      std::size_t end = kLongestMessage - kEllipsis.size();
      while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xC0U) == 0x80U) {
        --end;
      }
      shown.resize(end);
      return shown += kEllipsis;
    }
  }
  return shown;
}

void print_error(std::string_view text) { print("error", "\x1b[1;31m", text); }

void print_warning(std::string_view text) { print("warning", "\x1b[1;33m", text); }

void print_note(std::string_view text) { fmt::print(stderr, "{}\n", presentable(text)); }

void print_diagnostics(std::string_view source, std::span<const Diagnostic> diagnostics) {
  // The summary and the word "error" count towards the length as well.
  std::string list = render(diagnostics, kLongestMessage - 200);
  if (list.ends_with('\n')) {
    list.pop_back();
  }
  print_error(fmt::format("{} is no valid workflow ({} {}):\n{}", presentable(source.substr(0, 100)),
                          diagnostics.size(), diagnostics.size() == 1 ? "error" : "errors", list));
}

void warn_of_refused(std::span<const PluginStatus> plugins) {
  for (const PluginStatus& plugin : plugins) {
    if (!plugin.loaded) {
      print_warning(plugin.problem);
    }
  }
}

int report_exception() {
  try {
    throw;
  } catch (const WorkflowError& error) {
    print_error(error.what());
    return kInvalid;
  } catch (const ValidationError& error) {
    print_error(error.what());
    return kInvalid;
  } catch (const Cancelled&) {
    print_error("interrupted");
    return kInterrupted;
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
    return kFailed;
  } catch (const std::exception& error) {
    print_error(error.what());
    return kFailed;
  }
}

}  // namespace refrain::cli
