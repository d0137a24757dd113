#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>
#include <refrain/value.hpp>

#include <ATen/ops/full.h>

#include <gtest/gtest.h>

#include <limits>

namespace refrain {
namespace {

std::string code_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return "nothing was thrown";
}

struct OldDepth {
  static constexpr const char* kTypeName = "ACME_DEPTH";
  double metres = 1;
};
struct NewDepth {
  static constexpr const char* kTypeName = "ACME_DEPTH";
  static constexpr unsigned kTypeLayout = 2;
  double metres = 1;
};

class Base {
 public:
  static constexpr const char* kTypeName = "BASE";
  virtual ~Base() = default;
  virtual int number() const = 0;
};
struct Tagged {
  virtual ~Tagged() = default;
  int tag = 7;
};
class Derived final : public Tagged, public Base {
 public:
  int number() const override { return 42; }
};

TEST(Value, GivesBackWhatWasPutIn) {
  EXPECT_EQ(Value::make(1.5).as<double>(), 1.5);
  EXPECT_EQ(Value::make<std::int64_t>(-3).as<std::int64_t>(), -3);
  EXPECT_EQ(Value::make<std::string>("text").as<std::string>(), "text");
  EXPECT_TRUE(Value::make(true).as<bool>());
  EXPECT_EQ(Value::make(Image{at::full({1, 2, 2, 3}, 0.5)}).as<Image>().pixels.dim(), 4);
}

TEST(Value, KeepsAll64BitsOfASeed) {
  const auto largest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(Value::make(largest).as<std::uint64_t>(), largest);
  EXPECT_EQ(Value::make(largest).as<std::int64_t>(), -1);
}

TEST(Value, SaysWhichTypeWasExpectedAndWhichCame) {
  const Value number = Value::make(2.0);
  EXPECT_EQ(code_of([&] { number.as<Image>(); }), "wrong_type");
  try {
    number.as<Image>();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "expected IMAGE, got FLOAT");
  }
}

TEST(Value, RefusesAnotherLayoutOfTheSameName) {
  EXPECT_EQ(code_of([] { Value::make(OldDepth{}).as<NewDepth>(); }), "wrong_layout");
}

TEST(Value, HoldsNothingByDefault) {
  EXPECT_FALSE(Value());
  EXPECT_EQ(code_of([] { Value().as<double>(); }), "no_value");
}

TEST(Value, PointsToTheBaseWhoseAddressIsNotTheObjects) {
  const Value value = Value::of<Base>(std::make_shared<const Derived>());
  EXPECT_EQ(value.as<Base>().number(), 42);
  EXPECT_EQ(value.share<Base>()->number(), 42);
}

TEST(Value, IsKeptAliveByItsShare) {
  std::shared_ptr<const std::string> kept;
  {
    const Value value = Value::make<std::string>("kept");
    kept = value.share<std::string>();
  }
  EXPECT_EQ(*kept, "kept");
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(Value, TellsTheMemoryOfItsTensorsOncePerStorage) {
  const at::Tensor pixels = at::full({1, 2, 2, 3}, 0.5);
  MemoryBlocks blocks;
  Value::make(Image{pixels}).memory(blocks);
  Value::make(Image{pixels.narrow(0, 0, 1)}).memory(blocks);
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].first, blocks[1].first);
  EXPECT_EQ(blocks[0].second, 48u);
}

TEST(Value, CountsThePartsOfAConditioning) {
  MemoryBlocks blocks;
  Value::make(Conditioning{{{at::full({1, 77, 8}, 1.0), {}, {}}}}).memory(blocks);
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].second, 77u * 8 * 4);
}

}  // namespace
}  // namespace refrain
