// Safetensors files, sound and hostile, as the reference reader takes and refuses them.

#include "support/temporary_folder.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>
#include <refrain/diffusion/weights.hpp>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace refrain::diffusion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Safetensors : public ::testing::Test {
 protected:
  /// A file of these parts, its header's length first.
  std::filesystem::path file(const std::string& header, const std::string& data) const {
    return file(header.size(), header, data);
  }
  std::filesystem::path file(std::uint64_t length, const std::string& header, const std::string& data) const {
    std::string bytes(sizeof(length), '\0');
    std::memcpy(bytes.data(), &length, sizeof(length));
    return folder_.write("model.safetensors", bytes + header + data);
  }
  /// The error that opening it throws: "code: message", empty when it throws none.
  static std::string problem(const std::filesystem::path& path) {
    try {
      open_safetensors(path);
    } catch (const ModelError& error) {
      return error.code() + ": " + error.what();
    }
    return {};
  }

  refrain::testing::TemporaryFolder folder_;
};

TEST_F(Safetensors, WhatWasWrittenIsReadAgainForEveryType) {
  std::map<std::string, at::Tensor, std::less<>> tensors;
  for (const at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16, at::kDouble, at::kLong, at::kInt, at::kByte,
                                     at::kBool, at::ScalarType::Float8_e4m3fn, at::ScalarType::Float8_e5m2}) {
    tensors[c10::toString(dtype)] = at::arange(6).view({2, 3}).to(dtype);
  }
  tensors["scalar"] = at::full({}, 7.0, at::kFloat);
  tensors["empty"] = at::zeros({0, 4});
  write_safetensors(folder_ / "a.safetensors", tensors, {{"format", "pt"}, {"text", "\"quotes\" and \xC3\xA9"}});

  const auto source = open_safetensors(folder_ / "a.safetensors");
  ASSERT_EQ(source->tensors().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor read = source->tensor(name);
    EXPECT_EQ(read.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(read.sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(at::equal(read.to(at::kFloat), tensor.to(at::kFloat))) << name;
  }
  EXPECT_EQ(source->metadata().at("text"), "\"quotes\" and \xC3\xA9");
}

TEST_F(Safetensors, TensorsKeepTheirFileMapped) {
  at::Tensor tensor;
  {
    write_safetensors(folder_ / "a.safetensors", {{"x", at::arange(1000)}});
    const auto source = open_safetensors(folder_ / "a.safetensors");
    tensor = source->tensor("x");
    EXPECT_EQ(tensor.const_data_ptr(), source->tensor("x").const_data_ptr());  // a view of the file, not a copy
  }
  std::filesystem::remove(folder_ / "a.safetensors");
  EXPECT_TRUE(at::equal(tensor, at::arange(1000)));
}

TEST_F(Safetensors, PagesGivenBackAreReadAgain) {
  write_safetensors(folder_ / "a.safetensors", {{"x", at::arange(100'000)}});
  const auto source = open_safetensors(folder_ / "a.safetensors");
  const at::Tensor tensor = source->tensor("x");
  source->give_back("x");
  EXPECT_TRUE(at::equal(tensor, at::arange(100'000)));
}

TEST_F(Safetensors, UnalignedTensorsAreCopied) {
  const float values[2] = {1.5F, -2};
  const std::string data(reinterpret_cast<const char*>(values), sizeof(values));
  const auto path = file(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} )", data);  // 8 + 55 bytes: odd
  const auto source = open_safetensors(path);
  EXPECT_EQ(source->tensor("x")[0].item<float>(), 1.5F);
  EXPECT_EQ(source->tensor("x")[1].item<float>(), -2);
}

TEST_F(Safetensors, AFileWithoutTensorsIsSound) { EXPECT_EQ(problem(file("{}", "")), ""); }
TEST_F(Safetensors, SpacesMayFollowTheHeader) { EXPECT_EQ(problem(file("{}      ", "")), ""); }

TEST_F(Safetensors, ATruncatedFileSaysHowMuchItNeedsAndHas) {
  const auto path = file(R"({"x":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", "12345678");
  EXPECT_THAT(problem(path), AllOf(HasSubstr("model_file_truncated: "), HasSubstr("model.safetensors"),
                                   HasSubstr("needs 70 bytes and has 69"), HasSubstr("download it again")));
  EXPECT_THAT(problem(file(1000, "{}", "")), HasSubstr("needs 1008 bytes and has 10"));
  EXPECT_THAT(problem(folder_.write("short", "1234567")), HasSubstr("needs 8 bytes and has 7"));
}

TEST_F(Safetensors, EveryBreachOfTheFormatIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})", "not valid JSON"},
      {R"(["x"])", "doesn't begin with '{'"},
      {R"({"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}}})", "not valid JSON"},
      {"{\"\xFF\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}", "not valid JSON"},
      {R"({"x":{"dtype":"U8","shape":[7],"data_offsets":[0,7]}})", "1 bytes follow its last tensor"},
      {R"({"x":{"dtype":"U8","shape":[7],"data_offsets":[1,8]}})", "has a gap before it"},
      {R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"y":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}})",
       "overlaps the one before it"},
      {R"({"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"y":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
       "overlaps the one before it"},
      {R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"x":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
       "stands there twice"},
      {R"({"x":{"dtype":"F32","shape":[8],"data_offsets":[0,8]}})", "needs 32 bytes"},
      {R"({"x":{"dtype":"U8","shape":[8],"data_offsets":[8,0]}})", "data_offsets are 8 and 0"},
      {R"({"x":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,8]}})", "too large to count"},
      {R"({"x":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", "too large to count"},
      {R"({"x":{"dtype":"U8","shape":[4294967296,4294967296,1],"data_offsets":[0,0]}})", "too large to count"},
      {R"({"x":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,8]}})", "isn't a whole one"},
      {R"({"x":{"dtype":"U8","shape":[-8],"data_offsets":[0,8]}})", "negative"},
      {R"({"x":{"dtype":"U8","shape":[8.0],"data_offsets":[0,8]}})", "isn't a whole one"},
      {R"({"x":{"dtype":"U8","shape":8,"data_offsets":[0,8]}})", "a number where none belongs"},
      {R"({"x":{"dtype":"U8","shape":[[8]],"data_offsets":[0,8]}})", "an array where none belongs"},
      {R"({"x":{"dtype":"U8","shape":[8],"data_offsets":[0]}})", "aren't two numbers"},
      {R"({"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8,8]}})", "aren't two numbers"},
      {R"({"x":{"dtype":"U8","shape":[8]}})", "lacks dtype, shape or data_offsets"},
      {R"({"x":{"shape":[8],"data_offsets":[0,8]}})", "lacks dtype, shape or data_offsets"},
      {R"({"x":{"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]}})", "two dtypes"},
      {R"({"x":{"dtype":"U8","shape":[8],"shape":[8],"data_offsets":[0,8]}})", "two of 'shape'"},
      {R"({"x":{"dtype":8,"shape":[8],"data_offsets":[0,8]}})", "a number where none belongs"},
      {R"({"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8],"extra":{}}})", "an object where a value"},
      {R"({"x":[0,8]})", "an array where none belongs"},
      {R"({"x":null})", "null"},
      {R"({"x":"U8"})", "a string where none belongs"},
      {R"({"__metadata__":{"a":1},"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
       "a number where none belongs"},
      {R"({"__metadata__":{"a":"1","a":"2"},"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", "twice"},
      {R"({"__metadata__":{},"__metadata__":{},"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", "twice"},
      {R"({"x":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,8],"data_offsets":[0,8]}})", "dimensions"},
  };
  for (const auto& [header, message] : cases) {
    EXPECT_THAT(problem(file(header, "12345678")), AllOf(HasSubstr("model_file_damaged: "), HasSubstr(message)))
        << header;
  }
}

TEST_F(Safetensors, AnUnknownTypeIsNamedWithThoseThatAreKnown) {
  EXPECT_THAT(problem(file(R"({"x":{"dtype":"F8_E8M0","shape":[8],"data_offsets":[0,8]}})", "12345678")),
              AllOf(HasSubstr("model_file_unsupported: "), HasSubstr("'F8_E8M0'"), HasSubstr("BF16")));
}

TEST_F(Safetensors, AHugeHeaderIsRefusedBeforeItIsRead) {
  EXPECT_THAT(problem(file(100'000'001, "{}", "")), HasSubstr("a header of 100000001 bytes"));
  EXPECT_THAT(problem(file(~std::uint64_t{0}, "{}", "")), HasSubstr("a header of 18446744073709551615 bytes"));
}

/// While it lives, the process can allocate only so many bytes more.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::size_t bytes) {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages[6] = {};  // size, resident, shared, text, library, data
    for (std::size_t& count : pages) statm >> count;
    ::getrlimit(RLIMIT_DATA, &before_);
    const rlimit limit{pages[5] * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_DATA, &limit);
  }
  ~MemoryLimit() { ::setrlimit(RLIMIT_DATA, &before_); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(Safetensors, HostileHeadersNeverTakeMoreThanTwiceTheFile) {
  constexpr std::size_t kSize = 40'000'000;
  const auto repeat = [](std::string text, const auto& next) {
    while (text.size() < kSize) text += next(text.size());
    return text;
  };
  const std::string headers[] = {
      repeat("{",
             [](std::size_t n) {
               return "\"" + std::to_string(n) + R"(":{"dtype":"U8","shape":[],"data_offsets":[0,1]},)";
             }),
      repeat("{", [](std::size_t n) { return "\"" + std::to_string(n) + "\":{},"; }),
      repeat(R"({"__metadata__":{)", [](std::size_t n) { return "\"" + std::to_string(n) + "\":\"\","; }),
      repeat(R"({"x":{"shape":)", [](std::size_t) { return "["; }),
      repeat(R"({"x":{"shape":[1)", [](std::size_t) { return ",1"; }),
      repeat("{\"", [](std::size_t) { return "aaaaaaaa"; }),
      repeat(R"({"x":{"dtype":")", [](std::size_t) { return "\\u0041"; }),
  };
  for (const std::string& header : headers) {
    const auto path = file(header, "");
    const MemoryLimit limit(2 * kSize);
    EXPECT_NE(problem(path), "") << header.substr(0, 60);  // std::bad_alloc would leave it
  }
}

TEST_F(Safetensors, OtherFilesAreCalledWhatTheyAre) {
  EXPECT_THAT(problem(folder_.write("a.ckpt", "PK\x03\x04 and so on")), HasSubstr("PyTorch checkpoint"));
  EXPECT_THAT(problem(folder_.write("a", "<!DOCTYPE html><html>")), HasSubstr("web page"));
  EXPECT_THAT(problem(folder_.write("a", "version https://git-lfs.github.com/spec/v1")), HasSubstr("git lfs pull"));
  EXPECT_THAT(problem(folder_.write("a", "GGUF and so on")), HasSubstr("GGUF"));
  EXPECT_THAT(problem(folder_.write("a", "")), HasSubstr("is empty"));
  EXPECT_THAT(problem(folder_ / "nothing"), HasSubstr("model_file_missing: "));
  EXPECT_THAT(problem(folder_.path()), HasSubstr("not a regular file"));
}

TEST_F(Safetensors, AFileThatIsNotCommittedLeavesNothing) {
  {
    SafetensorsWriter writer(folder_ / "a.safetensors", {{"x", {at::kFloat, {2}}}});
    writer.write("x", at::ones({2}));
  }
  EXPECT_TRUE(refrain::testing::files_below(folder_.path()).empty());
}

TEST_F(Safetensors, TheWriterHoldsItsCallerToWhatWasDeclared) {
  SafetensorsWriter writer(folder_ / "a.safetensors", {{"x", {at::kFloat, {2}}}, {"y", {at::kHalf, {1}}}});
  EXPECT_THROW(writer.write("z", at::ones({2})), ShapeError);
  EXPECT_THROW(writer.write("x", at::ones({3})), ShapeError);
  EXPECT_THROW(writer.write("x", at::ones({2}, at::kHalf)), ShapeError);
  writer.write("x", at::ones({2}));
  EXPECT_THROW(writer.commit(), ModelError);
}

TEST_F(Safetensors, TheWriterReplacesAFileOnlyWhenItIsWhole) {
  write_safetensors(folder_ / "a.safetensors", {{"x", at::ones({2})}});
  SafetensorsWriter writer(folder_ / "a.safetensors", {{"x", {at::kFloat, {2}}}});
  EXPECT_TRUE(at::equal(open_safetensors(folder_ / "a.safetensors")->tensor("x"), at::ones({2})));
  writer.write("x", at::zeros({2}));
  writer.commit();
  EXPECT_TRUE(at::equal(open_safetensors(folder_ / "a.safetensors")->tensor("x"), at::zeros({2})));
  EXPECT_EQ(refrain::testing::files_below(folder_.path()).size(), 1);
}

TEST_F(Safetensors, TheHeaderIsLaidOutAsTheReferenceWriterDoes) {
  write_safetensors(
      folder_ / "a.safetensors",
      {{"b", at::ones({1}, at::kHalf)}, {"a", at::ones({3}, at::kHalf)}, {"c", at::ones({2}, at::kDouble)}});
  const std::string bytes = refrain::testing::read_text(folder_ / "a.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  EXPECT_EQ(length % 8, 0);
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  EXPECT_EQ(header["c"]["data_offsets"], nlohmann::json::array({0, 16}));  // by falling element size, then by name
  EXPECT_EQ(header["a"]["data_offsets"], nlohmann::json::array({16, 22}));
  EXPECT_EQ(header["b"]["data_offsets"], nlohmann::json::array({22, 24}));
}

TEST_F(Safetensors, AFolderThatIsNotThereIsOneClearError) {
  try {
    write_safetensors(folder_ / "no" / "a.safetensors", {{"x", at::ones({2})}});
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_EQ(error.code(), "file_write_failed");
    EXPECT_THAT(error.what(), HasSubstr("No such file or directory"));
  }
}

}  // namespace
}  // namespace refrain::diffusion
