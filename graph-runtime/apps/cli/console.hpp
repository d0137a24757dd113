#pragma once
// What the command says to people, on stderr; results go to stdout and are printed where they arise.

#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace refrain {
struct Diagnostic;
struct PluginStatus;
}  // namespace refrain

namespace refrain::cli {

/// No message is longer, whatever a workflow holds.
inline constexpr std::size_t kLongestMessage = 4000;

/// Whether `stream` takes colours: a terminal, and neither NO_COLOR nor TERM=dumb.
bool takes_color(std::FILE* stream);

/// The text cut to kLongestMessage bytes between two characters, control characters but line feeds and tabs made
/// visible.
std::string presentable(std::string_view text);

/// "refrain: error: ..." on stderr.
void print_error(std::string_view text);
/// "refrain: warning: ..." on stderr.
void print_warning(std::string_view text);
/// A line on stderr.
void print_note(std::string_view text);

/// Everything that is wrong with a workflow, under its name.
void print_diagnostics(std::string_view source, std::span<const Diagnostic> diagnostics);
/// One warning for each library that was refused.
void warn_of_refused(std::span<const PluginStatus> plugins);

/// Prints the exception being handled and gives the exit code for it.
int report_exception();

}  // namespace refrain::cli
