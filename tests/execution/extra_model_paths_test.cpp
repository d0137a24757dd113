// ComfyUI's extra_model_paths.yaml: what is read, and where files are then looked for.

#include <refrain/errors.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "execution/extra_model_paths.hpp"
#include "execution/file_folders.hpp"
#include "support/temporary_folder.hpp"

namespace refrain::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> read(const TemporaryFolder& folder, const std::string& yaml) {
  std::vector<std::string> lines;
  for (const ExtraModelFolder& extra : read_extra_model_paths(folder.write("extra.yaml", yaml))) {
    const std::string path = extra.path.string();
    const std::string here = folder.path().string() + "/";
    lines.push_back(extra.folder + " " + (path.starts_with(here) ? path.substr(here.size()) : path) +
                    (extra.first ? " first" : ""));
  }
  return lines;
}

TEST(ExtraModelPaths, HoldSectionsWithABaseAndFolders) {
  const TemporaryFolder folder;
  EXPECT_THAT(read(folder, R"(
a111:
  base_path: /data/webui/
  checkpoints: models/Stable-diffusion
  loras: |
    models/Lora
    models/LyCORIS
comfyui:
  base_path: comfy
  is_default: true
  vae: models/vae/
)"),
              ElementsAre("checkpoints /data/webui/models/Stable-diffusion", "loras /data/webui/models/Lora",
                          "loras /data/webui/models/LyCORIS", "vae comfy/models/vae first"));
}

TEST(ExtraModelPaths, CountFromTheFileWithoutABase) {
  const TemporaryFolder folder;
  EXPECT_THAT(read(folder, "a:\n  loras: ../x/./loras\n  vae: /abs/vae\n"),
              ElementsAre("loras " + (folder.path().parent_path() / "x/loras").string(), "vae /abs/vae"));
}

TEST(ExtraModelPaths, ReplaceHomeAndVariablesInTheBase) {
  const TemporaryFolder folder;
  ::setenv("REFRAIN_TEST_DRIVE", "/drive", 1);
  const char* home = std::getenv("HOME");
  EXPECT_THAT(
      read(folder,
           "a:\n  base_path: $REFRAIN_TEST_DRIVE/${REFRAIN_TEST_DRIVE}/$NOT_SET_ANYWHERE\n  vae: v\n"
           "b:\n  base_path: ~/x\n  vae: v\n"),
      ElementsAre("vae /drive/drive/$NOT_SET_ANYWHERE/v", "vae " + std::string(home != nullptr ? home : "~") + "/x/v"));
}

TEST(ExtraModelPaths, MayBeEmptyOrCommentedOut) {
  const TemporaryFolder folder;
  EXPECT_THAT(read(folder, ""), IsEmpty());
  EXPECT_THAT(read(folder, "# all of it\n"), IsEmpty());
  EXPECT_THAT(read(folder, "comfyui:\n#  vae: x\n"), IsEmpty());
}

TEST(ExtraModelPaths, SayWhereAMistakeIs) {
  const TemporaryFolder folder;
  struct Mistake {
    const char* yaml;
    const char* message;
  };
  for (const Mistake& mistake :
       {Mistake{"- a\n", "sections"}, Mistake{"a: text\n", "names of folders"},
        Mistake{"a:\n  loras:\n    - x\n", "loras: |"}, Mistake{"a:\n  loras:\n", "loras holds one path"},
        Mistake{"a: [\n", "extra.yaml:"}, Mistake{"a:\n  is_default: perhaps\n  vae: v\n", "extra.yaml:2"}}) {
    try {
      read(folder, mistake.yaml);
      ADD_FAILURE() << mistake.yaml;
    } catch (const ValidationError& error) {
      EXPECT_EQ(error.code(), "bad_model_paths");
      EXPECT_THAT(error.what(), HasSubstr(mistake.message));
    }
  }
  EXPECT_THROW(read_extra_model_paths(folder / "none.yaml"), ValidationError);
}

/// Three places that each have a file of their own, and one of the same name.
class ExtraFolders : public ::testing::Test {
 protected:
  ExtraFolders() {
    for (const char* place : {"models/clip", "one", "two"}) {
      folder.write(std::string(place) + "/same.safetensors", "");
      folder.write(std::string(place) + "/" + std::filesystem::path(place).filename().string() + ".safetensors", "");
    }
  }
  FileFolders folders(std::vector<ExtraModelFolder> extra) const {
    FileFolders::Roots roots;
    roots.models = {folder / "models"};
    roots.extra = std::move(extra);
    return FileFolders(roots);
  }
  TemporaryFolder folder;
};

TEST_F(ExtraFolders, AreSearchedBehindTheRoots) {
  const FileFolders found = folders({{"clip", folder / "one"}, {"text_encoders", folder / "two"}});
  EXPECT_THAT(found.files_in("clip"),
              ElementsAre("clip.safetensors", "one.safetensors", "same.safetensors", "two.safetensors"));
  EXPECT_EQ(found.files_in("text_encoders"), found.files_in("clip")) << "two names of one folder";
  EXPECT_EQ(found.find_file("clip", "same.safetensors"), folder / "models/clip/same.safetensors");
  EXPECT_EQ(found.find_file("clip", "two.safetensors"), folder / "two/two.safetensors");
}

TEST_F(ExtraFolders, AreSearchedFirstWhenTheyAreTheDefault) {
  const FileFolders found = folders({{"clip", folder / "one"}, {"clip", folder / "two", true}});
  EXPECT_EQ(found.find_file("clip", "same.safetensors"), folder / "two/same.safetensors");
}

TEST_F(ExtraFolders, MoveForwardWhenOneThatIsThereBecomesTheDefault) {
  const FileFolders found = folders({{"clip", folder / "one"}, {"clip", folder / "one", true}});
  EXPECT_EQ(found.find_file("clip", "same.safetensors"), folder / "one/same.safetensors");
}

}  // namespace
}  // namespace refrain::testing
