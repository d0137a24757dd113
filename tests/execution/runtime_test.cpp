// The public API from outside.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <refrain/errors.hpp>
#include <refrain/host.hpp>

#include "execution/test_nodes.hpp"
#include "planning/execution_plan.hpp"
#include "support/temporary_folder.hpp"

namespace refrain::testing {
namespace {

using ::testing::HasSubstr;

std::string code_of(const std::function<void()>& call) {
  try {
    call();
    return "no error";
  } catch (const Error& error) {
    return error.code();
  }
}

constexpr const char* kWorkflow = R"({
  "1": {"class_type": "Number", "inputs": {"value": 1}, "_meta": {"title": "Seed"}},
  "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})";

TEST(Runtime, SetsAnInputByIdAndByTitle) {
  const auto runtime = make_runtime();
  Workflow workflow = runtime->parse(kWorkflow, "w.json");
  runtime->set(workflow, "1.value", "41");
  runtime->set(workflow, "Seed.value", "42");
  runtime->run(runtime->check(std::move(workflow)));
  EXPECT_EQ(journal().lines().back(), "Show 42");
}

TEST(Runtime, GivesAllDiagnosticsAndRefusesToRunAnInvalidWorkflow) {
  const auto runtime = make_runtime();
  const CheckedWorkflow checked = runtime->check(runtime->parse(R"({
    "1": {"class_type": "Number", "inputs": {"value": "x"}},
    "2": {"class_type": "Show", "inputs": {}},
    "3": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})",
                                                                "w.json"));
  EXPECT_FALSE(checked.runnable());
  EXPECT_GE(checked.diagnostics().size(), 2u);
  EXPECT_EQ(code_of([&] { runtime->run(checked); }), "not_runnable");
}

TEST(Runtime, RefusesADeviceOrDtypeThatItDoesNotKnow) {
  EXPECT_EQ(code_of([] { make_runtime({.device = "toaster"}); }), "unknown_device");
  EXPECT_EQ(code_of([] { make_runtime({.dtype = "fp8"}); }), "unknown_dtype");
  EXPECT_EQ(code_of([] { make_runtime({.dtype = "fp16"}); }), "unknown_dtype");
}

TEST(Runtime, ComputesInFp32OnTheCpuUnlessTold) {
  EXPECT_EQ(make_runtime()->host().dtype(), c10::ScalarType::Float);
  EXPECT_EQ(make_runtime({.dtype = "bf16"})->host().dtype(), c10::ScalarType::BFloat16);
}

TEST(Runtime, MakesTheFoldersThatNodesWriteTo) {
  const TemporaryFolder folder;
  const auto runtime = make_runtime({.output_directory = folder / "a/b"});
  EXPECT_EQ(runtime->host().directory(Folder::output), folder / "a/b");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b"));
}

TEST(Runtime, DescribesItsNodesAsComfyUiDoes) {
  const auto runtime = make_runtime();
  EXPECT_THAT(runtime->object_info(), HasSubstr("\"Switch\""));
  const std::string one[] = {"Number"};
  EXPECT_EQ(runtime->object_info(one).find("\"Switch\""), std::string::npos);
}

TEST(Runtime, LoadsNoLibrariesWhereThereAreNone) {
  const TemporaryFolder folder;
  const Runtime runtime({.plugin_paths = {folder.path()}, .standard_plugin_paths = false});
  EXPECT_TRUE(runtime.registry().types().empty());
}

TEST(Runtime, TellsOfALibraryThatIsRefused) {
  const TemporaryFolder folder;
  folder.write("broken.so", "this is no library");
  const Runtime runtime({.plugin_paths = {folder.path()}, .standard_plugin_paths = false});
  ASSERT_EQ(runtime.plugins().size(), 1u);
  EXPECT_FALSE(runtime.plugins()[0].loaded);
  EXPECT_FALSE(runtime.plugins()[0].code.empty());
  EXPECT_THAT(runtime.plugins()[0].problem, HasSubstr("broken.so"));
}

}  // namespace
}  // namespace refrain::testing
