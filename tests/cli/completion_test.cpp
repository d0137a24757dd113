// refrain completion: scripts that the shells themselves can run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "cli/workspace.hpp"

namespace refrain::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// What a shell prints, with stderr; "missing" when there is no such shell.
std::string shell(const std::string& program, const std::string& arguments) {
  if (std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) != 0) return "missing";
  std::FILE* pipe = ::popen((program + " " + arguments + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 4096> chunk;
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), pipe)) text.append(chunk.data(), size);
  ::pclose(pipe);
  return text;
}

class Completion : public ::testing::Test {
 protected:
  std::string script(const std::string& name) {
    const Outcome outcome = space.run({"completion", name});
    EXPECT_EQ(outcome.code, 0) << outcome.errors;
    return space.folder.write("script", outcome.output).string();
  }
  /// What bash offers for the last of `words`.
  std::string offered(const std::string& words, int index) {
    const std::string code = "source " + script("bash") +
                             "; refrain() { " REFRAIN_TEST_COMMAND " \"$@\"; }; COMP_WORDS=(" + words +
                             "); COMP_CWORD=" + std::to_string(index) + "; _refrain; echo ${COMPREPLY[@]}";
    return shell("bash", "--norc -c '" + code + "'");
  }

  Workspace space;
};

TEST_F(Completion, OffersSubcommandsInBash) {
  EXPECT_EQ(offered("refrain va", 1), "validate\n");
  EXPECT_THAT(offered("refrain \"\"", 1), AllOf(HasSubstr("run"), HasSubstr("compare"), HasSubstr("models")));
}

TEST_F(Completion, OffersASubcommandsOwnOptions) {
  EXPECT_EQ(offered("refrain run --wa", 2), "--watch\n");
  EXPECT_EQ(offered("refrain run --device c", 3), "cpu cuda\n");
  EXPECT_EQ(offered("refrain run --dtype b", 3), "bf16\n");
}

TEST_F(Completion, OffersNodesAndPoliciesByName) {
  EXPECT_EQ(offered("refrain nodes KSampler", 2).substr(0, 8), "KSampler");
  EXPECT_EQ(offered("refrain compare w.json --policy Unif", 4), "UniformCache\n");
}

TEST_F(Completion, OffersFilesForAWorkflow) {
  space.write("some_workflow.json", latent_workflow());
  const std::string here = space.folder.path().string() + "/some_w";
  EXPECT_EQ(offered("refrain run " + here, 2), here + "orkflow.json\n");
}

TEST_F(Completion, IsReadByEachShell) {
  for (const char* name : {"bash", "zsh", "fish"}) {
    const std::string said = shell(name, "-n " + script(name));
    if (said == "missing") continue;
    EXPECT_EQ(said, "") << name;
  }
}

TEST_F(Completion, NamesTheShellsThatItKnows) {
  const Outcome outcome = space.run({"completion", "csh"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.errors, AllOf(HasSubstr("bash"), HasSubstr("fish")));
}

}  // namespace
}  // namespace refrain::testing
