// Every check of the loader, with a library that fails it beside one that does not. The bad one sorts first.
#include <refrain/plugin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/loader.hpp"
#include "plugins/plugin_folder.hpp"

namespace refrain {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A folder with `good.so` in it and something bad to be put before it.
class Refusal : public ::testing::Test {
 protected:
  void SetUp() override { folder_.copy("good", "good.so"); }

  /// Loads the folder: the bad library is refused with this code and words, the good one is there.
  void expect_refused(const std::string& code, const ::testing::Matcher<std::string>& message) {
    loader_.load_place({folder_.path(), "test", true, false});
    const PluginReport& report = loader_.report();
    ASSERT_EQ(report.refused.size(), 1u);
    EXPECT_EQ(report.refused[0].code, code);
    EXPECT_THAT(report.refused[0].message, message);
    EXPECT_THAT(report.refused[0].message, HasSubstr(report.refused[0].file.string()));
    ASSERT_EQ(report.loaded.size(), 1u);
    EXPECT_EQ(report.loaded[0].name, "good");
    EXPECT_EQ(registry_.types().size(), 1u);
    EXPECT_NE(registry_.find("GoodNode"), nullptr);
  }
  void copy_bad(const std::string& library) { folder_.copy(library, "bad.so"); }
  /// The good library with some bytes changed.
  void write_changed(const std::function<void(std::string&)>& change) {
    std::string bytes = read_bytes(built_library("good"));
    change(bytes);
    folder_.write("bad.so", bytes);
  }
  /// The good library with a field of its stamp changed.
  void write_stamp(const std::function<void(abi::Stamp&)>& change) {
    write_changed([&](std::string& bytes) {
      const std::size_t at = bytes.find(std::string("refrain-plugin\0", 15));
      ASSERT_NE(at, std::string::npos);
      abi::Stamp stamp;
      std::memcpy(&stamp, bytes.data() + at, sizeof(stamp));
      change(stamp);
      std::memcpy(bytes.data() + at, &stamp, sizeof(stamp));
    });
  }

  static RuntimeTraits cpu_runtime() {
    RuntimeTraits traits = this_runtime();
    traits.cuda = false;
    return traits;
  }

  PluginFolder folder_;
  Registry registry_;
  PluginLoader loader_{registry_, cpu_runtime()};
};

TEST_F(Refusal, OfAFolderWithALibrarysName) {
  std::filesystem::create_directory(folder_.path() / "bad.so");
  expect_refused("not_a_file", HasSubstr("a folder"));
}

TEST_F(Refusal, OfALinkToNothing) {
  std::filesystem::create_symlink("nowhere", folder_.path() / "bad.so");
  expect_refused("not_found", HasSubstr("a link to something that is not there"));
}

TEST_F(Refusal, OfANamedPipeWithoutWaitingForIt) {
  ASSERT_EQ(::mkfifo((folder_.path() / "bad.so").c_str(), 0600), 0);
  expect_refused("not_a_file", HasSubstr("neither a regular file"));
}

TEST_F(Refusal, OfAnUnreadableFile) {
  if (::geteuid() != 0) {
    copy_bad("several");
    ASSERT_EQ(::chmod((folder_.path() / "bad.so").c_str(), 0), 0);
  } else {
    // Root reads every file but those that the kernel lets nobody read.
    const std::filesystem::path write_only = "/proc/sys/vm/compact_memory";
    if (!std::filesystem::exists(write_only) || ::access(write_only.c_str(), R_OK) == 0) {
      GTEST_SKIP() << "root, and no file that root can't read";
    }
    std::filesystem::create_symlink(write_only, folder_.path() / "bad.so");
  }
  expect_refused("unreadable", HasSubstr("check its permissions"));
}

TEST_F(Refusal, OfAFileThatEverybodyMayWrite) {
  copy_bad("several");
  ASSERT_EQ(::chmod((folder_.path() / "bad.so").c_str(), 0666), 0);
  expect_refused("world_writable", HasSubstr("chmod o-w"));
}

TEST_F(Refusal, OfTheSameFileUnderAnotherName) {
  std::filesystem::create_symlink("good.so", folder_.path() / "same.so");
  expect_refused("loaded_already", AllOf(HasSubstr("the same file as"), HasSubstr("good.so")));
}

TEST_F(Refusal, OfAText) {
  folder_.write("bad.so", "INPUT(libgood.so)\n");
  expect_refused("not_a_library", HasSubstr("no ELF file"));
}

TEST_F(Refusal, OfAnEmptyFile) {
  folder_.write("bad.so", "");
  expect_refused("not_a_library", HasSubstr("no ELF file"));
}

TEST_F(Refusal, OfAnObjectFile) {
  write_changed([](std::string& bytes) { bytes[offsetof(Elf64_Ehdr, e_type)] = ET_REL; });
  expect_refused("not_a_library", HasSubstr("not a shared library"));
}

TEST_F(Refusal, OfALibraryForAnotherProcessor) {
  write_changed([](std::string& bytes) { bytes[offsetof(Elf64_Ehdr, e_machine)] = EM_ARM; });
  expect_refused("other_machine", HasSubstr("another processor"));
}

TEST_F(Refusal, OfATruncatedLibrary) {
  write_changed([](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  expect_refused("damaged", HasSubstr("cut off"));
}

TEST_F(Refusal, OfALibraryWithoutARecord) {
  copy_bad("no_record");
  expect_refused("no_record", HasSubstr("REFRAIN_PLUGIN"));
}

TEST_F(Refusal, OfARecordOfAnOlderKind) {
  copy_bad("old_record");
  expect_refused("other_abi", HasSubstr("built for plugin ABI 0, this runtime speaks 1"));
}

TEST_F(Refusal, OfAnOlderAbi) {
  copy_bad("older_abi");
  expect_refused("other_abi", HasSubstr("built for plugin ABI 0, this runtime speaks 1"));
}

TEST_F(Refusal, OfSomethingElseUnderTheRecordsName) {
  copy_bad("false_record");
  expect_refused("bad_record", HasSubstr("no plugin record"));
}

TEST_F(Refusal, OfAnotherCxxLibrary) {
  write_stamp([](abi::Stamp& stamp) { std::strcpy(stamp.cxx, "libc++"); });
  expect_refused("other_cxx", AllOf(HasSubstr("libc++"), HasSubstr(REFRAIN_STAMP_CXX_)));
}

TEST_F(Refusal, OfAnotherSanitizer) {
  const bool with = std::string(REFRAIN_STAMP_SANITIZER_) == "address";
  write_stamp([&](abi::Stamp& stamp) { std::strcpy(stamp.sanitizer, with ? "none" : "address"); });
  expect_refused("other_sanitizer", AllOf(HasSubstr("address sanitizer"), HasSubstr("build it again")));
}

TEST_F(Refusal, OfAnotherLibtorch) {
  copy_bad("other_torch");
  expect_refused("other_torch", AllOf(HasSubstr("2.11.0"), HasSubstr(TORCH_VERSION), HasSubstr("build it again")));
}

TEST_F(Refusal, OfACudaLibraryOnACpuOnlyLibtorch) {
  copy_bad("for_cuda");
  expect_refused("other_device", AllOf(HasSubstr("CUDA libtorch"), HasSubstr("CPU-only")));
}

TEST_F(Refusal, OfOtherSizesOfClasses) {
  write_stamp([](abi::Stamp& stamp) { stamp.layout ^= 1; });
  expect_refused("other_layout", HasSubstr("other sizes"));
}

TEST_F(Refusal, OfALibraryWithAMissingSymbol) {
  copy_bad("missing_symbol");
  expect_refused("cannot_load", HasSubstr("refrain_test_defined_nowhere"));
}

TEST_F(Refusal, OfARecordWithoutNodes) {
  copy_bad("empty_record");
  expect_refused("bad_record", HasSubstr("0 nodes"));
}

TEST_F(Refusal, OfALibraryWhoseNodesThrowOurErrors) {
  copy_bad("throwing_ours");
  expect_refused("registration_failed", HasSubstr("node 2 of 2 threw: thrown on purpose"));
}

TEST_F(Refusal, OfALibraryWhoseNodesThrowTorchsErrors) {
  copy_bad("throwing_torch");
  expect_refused("registration_failed", HasSubstr("thrown on purpose"));
}

TEST_F(Refusal, OfALibraryWhoseNodesThrowStandardErrors) {
  copy_bad("throwing_standard");
  expect_refused("registration_failed", HasSubstr("thrown on purpose"));
}

TEST_F(Refusal, OfALibraryWhoseNodesThrowAnythingElse) {
  copy_bad("throwing_number");
  expect_refused("registration_failed", HasSubstr("unknown type"));
}

TEST_F(Refusal, OfTwoNodesOfOneNameInALibrary) {
  copy_bad("duplicate_inside");
  expect_refused("duplicate_node", HasSubstr("'FineBesideBad'"));
}

TEST_F(Refusal, OfANodeThatExistsAlready) {
  folder_.copy("duplicate_node", "later.so");
  expect_refused("duplicate_node", AllOf(HasSubstr("'GoodNode'"), HasSubstr("good.so")));
}

TEST_F(Refusal, OfTwoPortsOfOneName) {
  copy_bad("duplicate_port");
  expect_refused("duplicate_port", HasSubstr("node 'Bad', input 'gain'"));
}

TEST_F(Refusal, OfADefaultOutOfItsRange) {
  copy_bad("bad_default");
  expect_refused("bad_default", AllOf(HasSubstr("node 'Bad', input 'gain'"), HasSubstr("11")));
}

TEST(Refusals, NothingOfAnIncompatibleLibraryRuns) {
  ::unsetenv("REFRAIN_TEST_INITIALISER_RAN");
  Registry registry;
  RuntimeTraits traits = this_runtime();
  traits.cuda = false;
  PluginLoader loader(registry, traits);
  for (const char* library : {"older_abi", "other_torch", "for_cuda"}) loader.load_file(built_library(library));
  EXPECT_EQ(loader.report().refused.size(), 3u);
  EXPECT_EQ(std::getenv("REFRAIN_TEST_INITIALISER_RAN"), nullptr);
  // The trap itself works: on a runtime that the library fits, it springs.
  traits.cuda = true;
  PluginLoader fitting(registry, traits);
  fitting.load_file(built_library("for_cuda"));
  EXPECT_EQ(fitting.report().loaded.size(), 1u);
  EXPECT_NE(std::getenv("REFRAIN_TEST_INITIALISER_RAN"), nullptr);
}

TEST(Refusals, TheSecondLayoutOfAPayloadIsRefusedWithBothSides) {
  Registry registry;
  PluginLoader loader(registry);
  loader.load_file(built_library("depth_1"));
  loader.load_file(built_library("depth_2"));
  loader.load_file(built_library("good"));
  ASSERT_EQ(loader.report().refused.size(), 1u);
  EXPECT_EQ(loader.report().refused[0].code, "payload_clash");
  EXPECT_THAT(loader.report().refused[0].message, AllOf(HasSubstr("layout 2 (16 bytes) here"),
                                                        HasSubstr("layout 1 (8 bytes) in"), HasSubstr("depth_1.so")));
  EXPECT_EQ(loader.report().loaded.size(), 2u);
}

TEST(Refusals, AFolderThatEverybodyMayWriteToIsRefusedUnlessTrusted) {
  const PluginFolder folder;
  folder.copy("good", "good.so");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  Registry registry;
  PluginLoader loader(registry);
  loader.load_place({folder.path(), "test", true, false});
  ASSERT_EQ(loader.report().refused.size(), 1u);
  EXPECT_EQ(loader.report().refused[0].code, "world_writable");
  EXPECT_THAT(loader.report().refused[0].message, HasSubstr("its folder"));
  loader.load_place({folder.path(), "system", false, true});
  EXPECT_EQ(loader.report().loaded.size(), 1u);
}

TEST(Refusals, APlaceThatIsNotThereIsReportedOnlyIfSomebodyNamedIt) {
  Registry registry;
  PluginLoader loader(registry);
  loader.load_place({"/nonexistent/nodes", "user", false, false});
  EXPECT_TRUE(loader.report().refused.empty());
  loader.load_place({"/nonexistent/nodes", "REFRAIN_PLUGIN_PATH", true, false});
  ASSERT_EQ(loader.report().refused.size(), 1u);
  EXPECT_EQ(loader.report().refused[0].code, "not_found");
  EXPECT_THAT(loader.report().refused[0].message, HasSubstr("REFRAIN_PLUGIN_PATH"));
}

}  // namespace
}  // namespace refrain
