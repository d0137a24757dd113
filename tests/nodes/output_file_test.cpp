// Names and places of saved files: ComfyUI's get_save_image_path, and what it lets through that we don't.

#include "files/output_file.hpp"

#include <refrain/errors.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <optional>

#include "support/temporary_folder.hpp"

namespace refrain::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<PendingFile> reserve(const fs::path& folder, std::string_view prefix, int count = 1) {
  OutputName name{prefix, ".png"};
  name.width = 640;
  name.height = 480;
  name.count = count;
  return reserve_output_files(folder, name);
}

/// Saves one empty file, and gives its name below the folder.
std::string save(const fs::path& folder, std::string_view prefix) {
  PendingFile file = std::move(reserve(folder, prefix).front());
  file.commit();
  return file.file().lexically_relative(fs::canonical(folder)).string();
}

std::optional<std::string> code_of_refusal(const fs::path& folder, std::string_view prefix) {
  try {
    reserve(folder, prefix);
  } catch (const NodeError& error) {
    return error.code();
  }
  return std::nullopt;
}

TEST(OutputFile, CountsFromOneWithFiveDigits) {
  const TemporaryFolder folder;
  EXPECT_EQ(save(folder.path(), "ComfyUI"), "ComfyUI_00001_.png");
  EXPECT_EQ(save(folder.path(), "ComfyUI"), "ComfyUI_00002_.png");
}

TEST(OutputFile, CountsOnFromTheHighestNumberWhateverTheExtension) {
  const TemporaryFolder folder;
  folder.write("ComfyUI_00007_.png", "");
  folder.write("ComfyUI_00041_.webp", "");
  folder.write("ComfyUI_99x_.png", "");     // no number
  folder.write("ComfyUIx_00100_.png", "");  // another prefix
  EXPECT_EQ(save(folder.path(), "ComfyUI"), "ComfyUI_00042_.png");
}

TEST(OutputFile, GoesBeyondFiveDigitsWhereThereAreSoMany) {
  const TemporaryFolder folder;
  folder.write("a_99999_.png", "");
  EXPECT_EQ(save(folder.path(), "a"), "a_100000_.png");
}

TEST(OutputFile, MakesTheFoldersOfThePrefix) {
  const TemporaryFolder folder;
  std::vector<PendingFile> files = reserve(folder.path(), "cats/white/kitten");
  EXPECT_EQ(files.front().subfolder(), "cats/white");
  files.front().commit();
  EXPECT_THAT(files_below(folder.path()), ElementsAre("cats/white/kitten_00001_.png"));
}

TEST(OutputFile, TakesPrefixesThatComeBackIntoTheFolder) {
  const TemporaryFolder folder;
  EXPECT_EQ(save(folder.path(), "a/../b/./c"), "b/c_00001_.png");
  EXPECT_EQ(save(folder.path(), (folder / "inside").string()), "inside_00001_.png");
}

TEST(OutputFile, RefusesPrefixesThatLeaveTheFolder) {
  const TemporaryFolder root;
  const fs::path folder = root.make("output");
  for (const char* prefix :
       {"../escape", "a/../../escape", "/etc/escape", "../output2/escape", "x/../../../../../etc/x"}) {
    EXPECT_EQ(code_of_refusal(folder, prefix), "output.outside") << prefix;
  }
  EXPECT_THAT(files_below(root.path()), IsEmpty());
}

TEST(OutputFile, RefusesASymbolicLinkThatLeadsOut) {
  const TemporaryFolder root;
  const fs::path folder = root.make("output");
  fs::create_directory_symlink(root.make("elsewhere"), folder / "link");
  EXPECT_EQ(code_of_refusal(folder, "link/picture"), "output.outside");
  EXPECT_THAT(files_below(root / "elsewhere"), IsEmpty());
}

TEST(OutputFile, TakesAnOutputFolderThatIsItselfALink) {
  const TemporaryFolder root;
  fs::create_directory_symlink(root.make("disk"), root / "output");
  save(root / "output", "a");
  EXPECT_THAT(files_below(root / "disk"), ElementsAre("a_00001_.png"));
}

TEST(OutputFile, RefusesAZeroByte) {
  const TemporaryFolder folder;
  EXPECT_EQ(code_of_refusal(folder.path(), std::string_view("a\0b", 3)), "output.name");
}

TEST(OutputFile, SaysWhatTheSystemSaidOfANameThatIsTooLong) {
  const TemporaryFolder folder;
  try {
    reserve(folder.path(), std::string(300, 'x'));
    FAIL() << "a name of 300 letters";
  } catch (const NodeError& error) {
    EXPECT_EQ(error.code(), "file.create");
    EXPECT_THAT(error.what(), HasSubstr("too long"));
  }
}

TEST(OutputFile, ReplacesTheServersTokens) {
  const TemporaryFolder folder;
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  const std::string year = std::to_string(local.tm_year + 1900);
  EXPECT_EQ(save(folder.path(), "%width%x%height%_%year%"), "640x480_" + year + "_00001_.png");
  EXPECT_EQ(save(folder.path(), "%date:yyyy%"), "%date:yyyy%_00001_.png");  // the front end's business
}

TEST(OutputFile, NumbersABatchInTheNameAndInTheCounter) {
  const TemporaryFolder folder;
  std::vector<PendingFile> files = reserve(folder.path(), "b%batch_num%", 2);
  EXPECT_EQ(files[0].name(), "b0_00001_.png");
  EXPECT_EQ(files[1].name(), "b1_00002_.png");
  for (PendingFile& file : files) file.commit();
  // ComfyUI would begin at 1 again here and overwrite both.
  EXPECT_EQ(reserve(folder.path(), "b%batch_num%", 2)[0].name(), "b0_00003_.png");
}

TEST(OutputFile, ReservesItsNumberBeforeItIsWritten) {
  const TemporaryFolder folder;
  const std::vector<PendingFile> first = reserve(folder.path(), "a");
  EXPECT_EQ(reserve(folder.path(), "a").front().name(), "a_00002_.png");
}

TEST(OutputFile, LeavesNothingWhenItIsNotCommitted) {
  const TemporaryFolder folder;
  {
    const std::vector<PendingFile> files = reserve(folder.path(), "a", 3);
    write_part(files[0], "half a picture");
    EXPECT_EQ(files_below(folder.path()).size(), 3U);
  }
  EXPECT_THAT(files_below(folder.path()), IsEmpty());
}

TEST(OutputFile, HasItsNameOnlyWhenItIsWhole) {
  const TemporaryFolder folder;
  PendingFile file = std::move(reserve(folder.path(), "a").front());
  write_part(file, "picture");
  EXPECT_FALSE(fs::exists(file.file()));
  file.commit();
  EXPECT_EQ(read_text(file.file()), "picture");
  EXPECT_THAT(files_below(folder.path()), ElementsAre("a_00001_.png"));
}

}  // namespace
}  // namespace refrain::testing
