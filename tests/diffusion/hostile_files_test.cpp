// Damaged and hostile model files: each ends in an error, and takes little memory on the way.

#include "hostile_files.hpp"
#include "support/temporary_folder.hpp"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/weights.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <set>
#include <string>

namespace {

/// Bytes that operator new has given out and not got back, in the whole process, and their highest count.
std::atomic<std::size_t> bytes_held{0};
std::atomic<std::size_t> most_bytes_held{0};

void* counted(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  const std::size_t held = bytes_held += ::malloc_usable_size(block);
  if (held > most_bytes_held) most_bytes_held = held;
  return block;
}

void give_back(void* block) noexcept {
  if (block != nullptr) bytes_held -= ::malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return counted(std::malloc(size)); }
void* operator new[](std::size_t size) { return counted(std::malloc(size)); }
void operator delete(void* block) noexcept { give_back(block); }
void operator delete[](void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete[](void* block, std::size_t) noexcept { give_back(block); }

namespace refrain::diffusion {
namespace {

using testing::HostileClass;

std::vector<HostileClass> all_classes() {
  std::vector<HostileClass> classes;
  for (const auto& list : {testing::hostile_safetensors(), testing::hostile_archives(), testing::hostile_pickles(),
                           testing::hostile_storages()}) {
    classes.insert(classes.end(), list.begin(), list.end());
  }
  return classes;
}

std::vector<std::string> names_of(const std::vector<HostileClass>& classes) {
  std::vector<std::string> names;
  for (const HostileClass& one : classes) names.emplace_back(one.name);
  return names;
}

std::vector<std::string> files_of(const std::string& name) {
  for (const HostileClass& one : all_classes()) {
    if (one.name == name) return one.files();
  }
  return {};
}

/// Opens a file and reads all its tensors. The error's code, "" where there is none.
std::string outcome(const std::filesystem::path& file) {
  try {
    const auto source = open_weights(file);
    for (const auto& [name, info] : source->tensors()) source->tensor(name);
    return "";
  } catch (const ModelError& error) {
    return error.code();
  }
}

class HostileFiles : public ::testing::TestWithParam<std::string> {};

TEST_P(HostileFiles, EndInAModelErrorAndTakeAtMostTwiceTheirSize) {
  // What a file of a few bytes may take: messages, and the least that a pickle is granted.
  constexpr std::size_t kSmall = std::size_t{2} << 20U;
  const refrain::testing::TemporaryFolder folder;
  const std::vector<std::string> files = files_of(GetParam());
  ASSERT_GE(files.size(), 10);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto file = folder.write(std::to_string(i), files[i]);
    outcome(file);  // what is made once in a process is made now
    const std::size_t before = bytes_held;
    most_bytes_held = before;
    const std::string code = outcome(file);
    EXPECT_TRUE(code.starts_with("model_file_")) << "file " << i << " of " << files.size() << ": '" << code << "'";
    EXPECT_LE(most_bytes_held - before, 2 * files[i].size() + kSmall) << "file " << i << " of " << files[i].size();
  }
}

INSTANTIATE_TEST_SUITE_P(Weights, HostileFiles, ::testing::ValuesIn(names_of(all_classes())),
                         [](const auto& parameter) { return parameter.param; });

TEST(HostileCorpus, HasAtLeastTwentyClasses) {
  const std::vector<std::string> names = names_of(all_classes());
  EXPECT_GE(std::set<std::string>(names.begin(), names.end()).size(), 20);
}

}  // namespace
}  // namespace refrain::diffusion
