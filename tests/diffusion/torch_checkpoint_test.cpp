// Torch checkpoints, as torch itself writes them (tests/reference/torch_files.py) and made by hand.

#include "support/temporary_folder.hpp"
#include "torch_files.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>
#include <refrain/diffusion/weights.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace refrain::diffusion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Pickle;
using testing::Tensors;
using testing::ZipPart;

std::filesystem::path data_file(const std::string& name) {
  return std::filesystem::path(REFRAIN_TEST_DATA) / "checkpoints" / name;
}

std::string problem(const std::filesystem::path& path, const WeightOptions& options = {}) {
  try {
    open_weights(path, options);
  } catch (const ModelError& error) {
    return error.code() + ": " + error.what();
  }
  return {};
}

/// What torch_files.py calls `tensors`.
Tensors written_by_torch() {
  const at::Tensor base = at::arange(24, at::kFloat).div(4);
  const at::Tensor six = base.narrow(0, 0, 6);
  return {{"float32", six.view({2, 3})},
          {"float16", six.to(at::kHalf).view({2, 3})},
          {"bfloat16", six.to(at::kBFloat16)},
          {"float64", six.to(at::kDouble)},
          {"int64", at::arange(5, at::kLong)},
          {"int32", at::arange(5, at::kInt)},
          {"uint8", at::arange(5, at::kByte)},
          {"bool", at::tensor({1, 0, 1}).to(at::kBool)},
          {"scalar", at::full({}, 7.5, at::kFloat)},
          {"empty", at::zeros({0, 4})},
          {"transposed", base.view({4, 6}).t()},
          {"part_of_a_storage", base.narrow(0, 6, 6)},
          {"every_second", base.slice(0, 1, 20, 2)},
          {"parameter", base.narrow(0, 0, 4)},
          {"nested.name", base.narrow(0, 0, 2)}};
}

void expect_equal(const WeightSource& source, const Tensors& expected) {
  EXPECT_EQ(source.tensors().size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(source.tensors().contains(name)) << name;
    const at::Tensor read = source.tensor(name);
    EXPECT_EQ(read.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(source.tensors().at(name).dtype, tensor.scalar_type()) << name;
    EXPECT_TRUE(read.is_contiguous()) << name;
    EXPECT_TRUE(at::equal(read, tensor)) << name;
  }
}

class TorchFile : public ::testing::TestWithParam<const char*> {};

TEST_P(TorchFile, HasTheTensorsThatTorchSaved) {
  expect_equal(*open_weights(data_file(GetParam())), written_by_torch());
}

TEST_P(TorchFile, EndsInAnErrorWhereverItIsCut) {
  const refrain::testing::TemporaryFolder folder;
  const std::string whole = refrain::testing::read_text(data_file(GetParam()));
  for (std::size_t size = 1; size < whole.size(); size += 7) {
    EXPECT_NE(problem(folder.write("cut.ckpt", std::string_view(whole).substr(0, size))), "") << size;
  }
  EXPECT_THAT(problem(folder.write("cut.ckpt", std::string_view(whole).substr(0, whole.size() - 1))),
              AllOf(HasSubstr("truncated: "), HasSubstr("cut.ckpt"), HasSubstr("download it again")));
  EXPECT_NE(problem(folder.write("long.ckpt", whole + "x")), "");
}

INSTANTIATE_TEST_SUITE_P(Checkpoint, TorchFile,
                         ::testing::Values("zip.ckpt", "legacy.ckpt", "protocol_5.pt", "legacy_protocol_4.pt",
                                           "deflated.ckpt", "unaligned.ckpt"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(TorchCheckpoint, Float8StoragesAreRead) {
  const auto source = open_weights(data_file("float8.pt"));
  for (const auto& [name, dtype] : {std::pair("float8_e4m3fn", at::ScalarType::Float8_e4m3fn),
                                    std::pair("float8_e5m2", at::ScalarType::Float8_e5m2)}) {
    EXPECT_EQ(source->tensor(name).scalar_type(), dtype);
    EXPECT_TRUE(at::equal(source->tensor(name).to(at::kFloat), at::arange(6, at::kFloat)));
  }
}

// torch aligns storages in the zip form; the view must be of the file and not of a copy.
TEST(TorchCheckpoint, AlignedTensorsAreViewsOfTheFile) {
  const auto source = open_weights(data_file("zip.ckpt"));
  EXPECT_EQ(source->tensor("float32").const_data_ptr(), source->tensor("float32").const_data_ptr());
  EXPECT_NE(source->tensor("transposed").const_data_ptr(), source->tensor("transposed").const_data_ptr());
}

TEST(TorchCheckpoint, TensorsKeepTheFileMappedAndMayBeGivenBack) {
  at::Tensor tensor;
  {
    const auto source = open_weights(data_file("zip.ckpt"));
    tensor = source->tensor("float32");
    for (const auto& [name, info] : source->tensors()) source->give_back(name);
  }
  EXPECT_EQ(tensor[1][2].item<float>(), 1.25F);
}

class LightningFile : public ::testing::TestWithParam<const char*> {};

TEST_P(LightningFile, GivesTheTrainedWeightsAndPlainFacts) {
  const auto source = open_weights(data_file(GetParam()));
  EXPECT_EQ(source->tensors().size(), 5);
  EXPECT_TRUE(at::equal(source->tensor("model.diffusion_model.out.weight"), at::arange(4, at::kFloat)));
  EXPECT_EQ(source->metadata().at("global_step"), "840000");
  EXPECT_EQ(source->metadata().at("pytorch-lightning_version"), "1.4.2");
}

TEST_P(LightningFile, GivesTheAveragesWhenAskedForThem) {
  const auto source = open_weights(data_file(GetParam()), {true});
  EXPECT_TRUE(at::equal(source->tensor("model.diffusion_model.out.weight"), at::arange(10, 14, at::kFloat)));
  EXPECT_TRUE(source->tensors().contains("betas"));
  EXPECT_FALSE(source->tensors().contains("model_ema.decay"));
}

INSTANTIATE_TEST_SUITE_P(Checkpoint, LightningFile, ::testing::Values("lightning.ckpt", "lightning_legacy.ckpt"),
                         [](const auto& parameter) {
                           return std::string(
                               std::string(parameter.param).find("legacy") == std::string::npos ? "Zip" : "Legacy");
                         });

TEST(TorchCheckpoint, OfATrainingStateTheAverageIsTaken) {
  for (const char* name : {"ddpm.ckpt", "ddpm_legacy.ckpt"}) {
    const Tensors average{{"conv.weight", at::full({2}, 5.0, at::kFloat)},
                          {"conv.bias", at::full({1}, 6.0, at::kFloat)}};
    expect_equal(*open_weights(data_file(name)), average);
    expect_equal(*open_weights(data_file(name), {true}), average);
    expect_equal(*open_weights(data_file(name), {false}),
                 {{"conv.weight", at::ones({2})}, {"conv.bias", at::zeros({1})}});
  }
}

TEST(TorchCheckpoint, AveragesThatAreNotThereAreAnError) {
  EXPECT_THAT(problem(data_file("zip.ckpt"), {true}), HasSubstr("model_ema_missing: "));
}

TEST(TorchCheckpoint, ContainersMayHoldThemselves) {
  expect_equal(*open_weights(data_file("loop.pt")), {{"weight", at::arange(3, at::kFloat)}});
}

TEST(TorchCheckpoint, AnObjectOfSomeClassIsNamedAndNotMade) {
  EXPECT_THAT(problem(data_file("object.pt")),
              AllOf(HasSubstr("model_file_unsupported: "), HasSubstr("torch.nn.modules.linear.Linear"),
                    HasSubstr("state_dict()")));
}

class HandMade : public ::testing::Test {
 protected:
  std::string problem_of(const std::string& bytes) const { return problem(folder_.write("model.ckpt", bytes)); }
  std::shared_ptr<const WeightSource> open(const std::string& bytes) const {
    return open_weights(folder_.write("model.ckpt", bytes));
  }
  static std::string floats(std::initializer_list<float> values) {
    return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(float)};
  }

  refrain::testing::TemporaryFolder folder_;
};

TEST_F(HandMade, NothingOfThePickleIsCalled) {
  const auto proof = folder_ / "proof";
  const std::string command = "touch " + proof.string();
  const std::string pickle = Pickle()
                                 .raw("}(")
                                 .text("a")
                                 .global("os", "system")
                                 .mark()
                                 .text(command)
                                 .raw("tR")
                                 .text("b")
                                 .global("posix", "system")
                                 .raw("(")
                                 .text(command)
                                 .raw("t\x81")
                                 .text("w")
                                 .floats("0", 1)
                                 .raw("u")
                                 .end();
  const auto source = open(testing::torch_zip(pickle, {floats({2})}));
  EXPECT_EQ(source->tensors().size(), 1);
  EXPECT_FALSE(std::filesystem::exists(proof));
}

TEST_F(HandMade, BigEndianStoragesAreTurnedRound) {
  const std::string pickle = Pickle().raw("}").text("w").floats("0", 2).raw("s").end();
  const std::string swapped = {'\x3f', '\x80', '\0', '\0', '\xc0', '\0', '\0', '\0'};
  const std::vector<ZipPart> parts{{"m/data.pkl", pickle}, {"m/data/0", swapped}, {"m/byteorder", "big"}};
  expect_equal(*open(testing::zip_archive(parts)), {{"w", at::tensor({1.0F, -2.0F})}});
}

TEST_F(HandMade, ArchivesOfBothSizesAtAnyAlignmentAreRead) {
  const std::string pickle = Pickle().raw("}").text("w").floats("0", 2).raw("s").end();
  for (const bool zip64 : {true, false}) {
    for (std::uint16_t padding = 0; padding < 9; ++padding) {
      std::vector<ZipPart> parts{{"m/data.pkl", pickle}, {"m/data/0", floats({1, -2})}};
      parts[1].padding = padding;
      expect_equal(*open(testing::zip_archive(parts, zip64)), {{"w", at::tensor({1.0F, -2.0F})}});
    }
  }
}

TEST_F(HandMade, TensorsMayShareAStorage) {
  const std::string pickle = Pickle()
                                 .raw("}(")
                                 .text("all")
                                 .tensor("Float", "0", 4, {2, 2}, {2, 1})
                                 .text("column")
                                 .tensor("Float", "0", 4, {2}, {2}, 1)
                                 .text("broadcast")
                                 .tensor("Float", "0", 4, {3}, {0}, 2)
                                 .raw("u")
                                 .end();
  const Tensors expected{{"all", at::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({2, 2})},
                         {"column", at::tensor({2.0F, 4.0F})},
                         {"broadcast", at::tensor({3.0F, 3.0F, 3.0F})}};
  expect_equal(*open(testing::torch_zip(pickle, {floats({1, 2, 3, 4})})), expected);
  expect_equal(*open(testing::torch_legacy(pickle, {floats({1, 2, 3, 4})}, {4})), expected);
}

TEST_F(HandMade, ViewsOfStoragesInOldFilesAreRead) {
  const std::string pickle = Pickle()
                                 .raw("}")
                                 .text("w")
                                 .global("torch._utils", "_rebuild_tensor")
                                 .raw("((")
                                 .text("storage")
                                 .global("torch", "FloatStorage")
                                 .text("0")
                                 .text("cpu")
                                 .integer(4)
                                 .raw("(")
                                 .text("view")
                                 .integer(1)
                                 .integer(2)
                                 .raw("ttQ")
                                 .integer(0)
                                 .integers({2})
                                 .integers({1})
                                 .raw("tRs")
                                 .end();
  expect_equal(*open(testing::torch_legacy(pickle, {floats({1, 2, 3, 4})}, {4})), {{"w", at::tensor({2.0F, 3.0F})}});
}

TEST_F(HandMade, WeightsAreFoundUnderTheNamesThatTrainersUse) {
  for (const char* name : {"model", "params", "net"}) {
    const std::string pickle = Pickle()
                                   .raw("}(")
                                   .text(name)
                                   .raw("}")
                                   .text("module.w")
                                   .floats("0", 1)
                                   .raw("s")
                                   .text("optimizer")
                                   .raw("}")
                                   .text("state")
                                   .raw("Nsu")
                                   .end();
    expect_equal(*open(testing::torch_zip(pickle, {floats({3})})), {{"w", at::tensor({3.0F})}});
  }
}

TEST_F(HandMade, ASourceIsRecognisedByItsContentAndNotItsName) {
  write_safetensors(folder_ / "weights.ckpt", {{"w", at::ones({2})}});
  expect_equal(*open_weights(folder_ / "weights.ckpt"), {{"w", at::ones({2})}});
  EXPECT_THAT(problem_of("<!DOCTYPE html><html>"), HasSubstr("web page"));
  EXPECT_THAT(problem_of(Pickle().raw("N").end()), HasSubstr("a pickle that torch.save didn't write"));
  EXPECT_THAT(problem_of(std::string(257, 'x') + "ustar  " + std::string(300, 'x')), HasSubstr("tar archive"));
  EXPECT_THAT(problem_of(testing::zip_archive({{"a.txt", "text"}})), HasSubstr("without the data.pkl"));
  EXPECT_THAT(problem_of(testing::zip_archive({{"m/data.pkl", "N."}, {"m/constants.pkl", "N."}})),
              HasSubstr("TorchScript"));
}

// A header of 640 bytes makes the first bytes of a safetensors file those of a pickle of protocol 2.
TEST_F(HandMade, ASafetensorsFileMayBeginLikeAPickle) {
  std::string header = R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  header.resize(640, ' ');
  expect_equal(*open(testing::little_endian(std::uint64_t{640}) + header + "\x07"),
               {{"w", at::full({1}, 7, at::kByte)}});
}

TEST_F(HandMade, ScaledFloat8IsRefused) {
  write_safetensors(folder_ / "a.safetensors", {{"scaled_fp8", at::ones({0})}, {"w", at::ones({2})}});
  EXPECT_THAT(problem(folder_ / "a.safetensors"), HasSubstr("scaled float8"));
}

}  // namespace
}  // namespace refrain::diffusion
