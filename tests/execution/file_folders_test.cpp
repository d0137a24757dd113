// Names out of a workflow and the files that they may mean.

#include "execution/file_folders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <refrain/errors.hpp>

#include <filesystem>
#include <string>

#include "support/temporary_folder.hpp"

namespace refrain::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FileFoldersTest : public ::testing::Test {
 protected:
  FileFolders folders() const {
    return FileFolders({.models = {folder / "models", folder / "more"},
                        .input = folder / "input",
                        .output = folder / "output",
                        .temp = folder / "temp",
                        .vocabulary = {}});
  }
  std::string code_of(std::string_view where, std::string_view name) const {
    try {
      folders().find_file(where, name);
      return "found";
    } catch (const NodeError& error) {
      return error.code();
    }
  }
  std::string message_of(std::string_view where, std::string_view name) const {
    try {
      folders().find_file(where, name);
      return "found";
    } catch (const NodeError& error) {
      return error.what();
    }
  }
  TemporaryFolder folder;
};

TEST_F(FileFoldersTest, ListModelFilesOfAllRootsSortedWithSubFolders) {
  folder.write("models/checkpoints/b.safetensors", "");
  folder.write("models/checkpoints/sub/x.CKPT", "");
  folder.write("models/checkpoints/readme.txt", "");
  folder.write("more/checkpoints/a.ckpt", "");
  folder.write("more/checkpoints/b.safetensors", "");
  EXPECT_THAT(folders().files_in("checkpoints"), ElementsAre("a.ckpt", "b.safetensors", "sub/x.CKPT"));
}

TEST_F(FileFoldersTest, ListTheInputFolderWithoutSubFoldersAndOfAllKinds) {
  folder.write("input/b.png", "");
  folder.write("input/a.latent", "");
  folder.write("input/sub/c.png", "");
  EXPECT_THAT(folders().files_in("input"), ElementsAre("a.latent", "b.png"));
}

TEST_F(FileFoldersTest, ListNothingForAFolderThatIsNotThere) { EXPECT_TRUE(folders().files_in("checkpoints").empty()); }

TEST_F(FileFoldersTest, KnowBothNamesOfAFolder) {
  folder.write("models/clip/a.safetensors", "");
  EXPECT_THAT(folders().files_in("text_encoders"), ElementsAre("a.safetensors"));
  EXPECT_EQ(folders().find_file("text_encoders", "a.safetensors"), folder / "models/clip/a.safetensors");
}

TEST_F(FileFoldersTest, FindTheFirstRootsFile) {
  folder.write("models/checkpoints/a.ckpt", "1");
  folder.write("more/checkpoints/a.ckpt", "2");
  EXPECT_EQ(folders().find_file("checkpoints", "a.ckpt"), folder / "models/checkpoints/a.ckpt");
}

TEST_F(FileFoldersTest, SayWhatIsThereInsteadOfAMissingFileNearestNamesFirst) {
  for (int i = 0; i < 20; ++i) folder.write("models/checkpoints/other-" + std::to_string(i) + ".safetensors", "");
  folder.write("models/checkpoints/sd15-pruned.safetensors", "");
  const std::string message = message_of("checkpoints", "sd15_pruned.safetensors");
  EXPECT_THAT(message, AllOf(HasSubstr("'sd15_pruned.safetensors' was not found"), HasSubstr("models/checkpoints"),
                             HasSubstr("there is 'sd15-pruned.safetensors'"), HasSubstr("and 11 more")));
  EXPECT_LT(message.size(), 4000u);
}

TEST_F(FileFoldersTest, SayThatAFolderIsMissing) {
  EXPECT_THAT(message_of("checkpoints", "a.ckpt"),
              AllOf(HasSubstr("no such folder"), HasSubstr("no such file at all")));
}

TEST_F(FileFoldersTest, RefuseNamesThatLeaveTheFolder) {
  folder.write("secret.ckpt", "");
  folder.write("models/checkpoints/sub/a.ckpt", "");
  for (const char* name : {"../../secret.ckpt", "sub/../../../secret.ckpt", "/etc/passwd", "..", "sub/..", ""})
    EXPECT_EQ(code_of("checkpoints", name), "bad_file_name") << name;
  EXPECT_EQ(code_of("checkpoints", std::string_view("a\0.ckpt", 7)), "bad_file_name");
  for (const char* name : {"%2e%2e/secret.ckpt", "..\\..\\secret.ckpt", "secret.ckpt [output]", "sub", "."})
    EXPECT_EQ(code_of("checkpoints", name), "file_not_found") << name;
}

TEST_F(FileFoldersTest, FollowALinkInAModelFolderButNoneOutOfTheInputFolder) {
  folder.write("elsewhere/big.safetensors", "");
  folder.make("models/checkpoints");
  folder.make("input");
  std::filesystem::create_symlink(folder / "elsewhere/big.safetensors",
                                  folder / "models/checkpoints/linked.safetensors");
  std::filesystem::create_symlink(folder / "elsewhere", folder / "input/out");
  folder.write("input/real.png", "");
  std::filesystem::create_symlink(folder / "input/real.png", folder / "input/alias.png");
  EXPECT_EQ(code_of("checkpoints", "linked.safetensors"), "found");
  EXPECT_EQ(code_of("input", "out/big.safetensors"), "bad_file_name");
  EXPECT_EQ(code_of("input", "alias.png"), "found");
}

TEST_F(FileFoldersTest, SurviveALinkThatClosesALoop) {
  folder.write("models/checkpoints/a.ckpt", "");
  std::filesystem::create_directory_symlink(folder / "models/checkpoints", folder / "models/checkpoints/loop");
  EXPECT_THAT(folders().files_in("checkpoints"), ::testing::Contains("a.ckpt"));
}

TEST_F(FileFoldersTest, TakeTheVocabularyFromWhereTheySayIt) {
  const auto file = folder.write("words/vocabulary.gz", "x");
  FileFolders::Roots roots;
  roots.vocabulary = file;
  EXPECT_EQ(FileFolders(roots).data_file("bpe_simple_vocab_16e6.txt.gz"), file);
}

TEST_F(FileFoldersTest, SayWhereAMissingDataFileWasSought) {
  try {
    folders().data_file("nothing-of-this-name.bin");
    FAIL() << "found";
  } catch (const NodeError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("share/refrain/nothing-of-this-name.bin"), HasSubstr("make setup")));
  }
}

TEST_F(FileFoldersTest, StampAFileByItsSizeAndTime) {
  const auto file = folder.write("a", "12345");
  const FileStamp before = stamp_of(file);
  EXPECT_EQ(before.size, 5u);
  folder.write("a", "123456");
  EXPECT_NE(stamp_of(file), before);
  EXPECT_EQ(stamp_of(folder / "missing"), FileStamp{});
}

}  // namespace
}  // namespace refrain::testing
