#include <refrain/errors.hpp>
#include <refrain/plugin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

#include <elf.h>

#include "plugins/library_file.hpp"
#include "plugins/plugin_folder.hpp"

namespace refrain {
namespace {

std::string code_of(const std::string& bytes) {
  try {
    read_library_facts(std::as_bytes(std::span(bytes)));
  } catch (const PluginError& error) {
    return error.code();
  }
  return "read";
}

TEST(LibraryFile, TellsWhatALibraryWasBuiltFor) {
  const LibraryFacts facts = read_library_facts(built_library("good"));
  EXPECT_EQ(facts.stamp.abi, std::uint32_t{REFRAIN_ABI_VERSION});
  EXPECT_STREQ(facts.stamp.torch, TORCH_VERSION);
  EXPECT_STREQ(facts.stamp.cxx, REFRAIN_STAMP_CXX_);
  EXPECT_EQ(facts.stamp.layout, abi::layout_hash());
}

TEST(LibraryFile, TellsWhatALibraryWasLinkedAgainst) {
  const LibraryFacts facts = read_library_facts(built_library("good"));
  EXPECT_THAT(facts.needed, ::testing::Contains(::testing::StartsWith("librefrain_sdk.so")));
}

/// Thousands of damaged copies: each is read or refused, none crashes or hangs. Bytes of the ELF header and of the
/// section table, where the offsets are, are hit more often than others.
TEST(LibraryFile, SurvivesMutatedLibraries) {
  const std::string good = read_bytes(built_library("good"));
  Elf64_Ehdr header;
  std::memcpy(&header, good.data(), sizeof(header));
  ASSERT_LT(header.e_shoff, good.size());
  std::mt19937 random(1);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  std::map<std::string, int> outcomes;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (int change = 0; change < 3; ++change) {
      const std::size_t at = below(3) == 0   ? below(sizeof(Elf64_Ehdr))
                             : below(2) == 0 ? header.e_shoff + below(good.size() - header.e_shoff)
                                             : below(good.size());
      bytes[at] = below(2) == 0 ? static_cast<char>(0xff) : static_cast<char>(random());
    }
    if (below(4) == 0) bytes.resize(below(bytes.size()));
    ++outcomes[code_of(bytes)];
  }
  // A test of the test: the mutations reach every stage of the reader.
  for (const char* code : {"read", "not_a_library", "other_machine", "damaged", "no_record"}) {
    EXPECT_GT(outcomes[code], 0) << code;
  }
}

TEST(LibraryFile, RefusesEveryPrefixOfALibrary) {
  const std::string good = read_bytes(built_library("no_record"));
  for (std::size_t size = 0; size < good.size(); size += 64) {
    EXPECT_NE(code_of(good.substr(0, size)), "read") << size;
  }
}

}  // namespace
}  // namespace refrain
