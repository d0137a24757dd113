#include "cli/command.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "support/temporary_folder.hpp"

namespace refrain::testing {
namespace {

void open_as(int descriptor, const std::filesystem::path& file, int flags) {
  const int opened = ::open(file.c_str(), flags, 0600);
  if (opened < 0 || ::dup2(opened, descriptor) < 0) {
    ::_exit(126);
  }
}

/// In the child: streams, folder, environment; then the program.
[[noreturn]] void become(const std::vector<std::string>& arguments, const CommandOptions& options,
                         const std::filesystem::path& streams) {
  open_as(0, streams / "in", O_RDONLY);
  open_as(1, streams / "out", O_WRONLY | O_CREAT | O_TRUNC);
  open_as(2, streams / "err", O_WRONLY | O_CREAT | O_TRUNC);
  if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) {
    ::_exit(126);
  }
  for (const char* name : {"REFRAIN_MODELS", "REFRAIN_PLUGIN_PATH", "REFRAIN_VOCABULARY", "NO_COLOR"}) {
    ::unsetenv(name);
  }
  // Threads that wait by spinning would make a busy machine slow; what is computed here is small.
  ::setenv("OMP_NUM_THREADS", "1", 1);
  for (const auto& [name, value] : options.environment) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<char*> raw{const_cast<char*>("refrain")};
  for (const std::string& argument : arguments) {
    raw.push_back(const_cast<char*>(argument.c_str()));
  }
  raw.push_back(nullptr);
  ::execv(REFRAIN_TEST_COMMAND, raw.data());
  ::_exit(127);
}

int wait_for(int child, const std::function<bool(int)>& meanwhile) {
  int status = 0;
  for (bool done = !meanwhile; ::waitpid(child, &status, done ? 0 : WNOHANG) == 0;) {
    done = meanwhile(child);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Outcome refrain(const std::vector<std::string>& arguments, const CommandOptions& options) {
  const TemporaryFolder streams;
  streams.write("in", options.input);
  const int child = ::fork();
  if (child < 0) {
    throw std::runtime_error("cannot fork");
  }
  if (child == 0) {
    become(arguments, options, streams.path());
  }
  Outcome outcome;
  outcome.code = wait_for(child, options.meanwhile);
  outcome.output = read_text(streams / "out");
  outcome.errors = read_text(streams / "err");
  return outcome;
}

}  // namespace refrain::testing
