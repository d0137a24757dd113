// The references that are made out of the nodes' own schemas are those of the nodes that there are.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/workspace.hpp"

namespace refrain::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRemedy = " is out of date: run 'make docs' and commit what it changes";

TEST(Reference, OfNodesIsCurrent) {
  const Workspace space;
  const Outcome outcome = space.run({"nodes", "--markdown"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_TRUE(outcome.output == read_text(REFRAIN_TEST_DOCS "/nodes.md")) << "docs/nodes.md" << kRemedy;
  EXPECT_THAT(outcome.output, HasSubstr("\n### KSampler\n"));
  EXPECT_THAT(outcome.output, HasSubstr("| `steps` | INT | `20` | 1 to 10000 |"));
}

TEST(Reference, OfWorkflowFilesIsCurrent) {
  const Workspace space;
  const Outcome outcome = space.run({"nodes", "--schema"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_TRUE(outcome.output == read_text(REFRAIN_TEST_WORKFLOWS "/workflow.schema.json"))
      << "workflows/workflow.schema.json" << kRemedy;
  EXPECT_EQ(Json::parse(outcome.output).at("$schema"), "http://json-schema.org/draft-07/schema#");
}

}  // namespace
}  // namespace refrain::testing
