// The macros take as many nodes as a library may sensibly have.
#include <refrain/plugin.hpp>
#include <refrain/testing.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string_view>

namespace {

using namespace refrain;

template <int I>
class Numbered final : public Node {
 public:
  static constexpr Out<std::int64_t> number{"INT"};
  static Schema schema() { return {("Numbered" + std::to_string(I)).c_str(), "test", "", {}, {number}}; }
  void run(Context& ctx) override { ctx.set(number, I); }
};

/// Overrides everything.
class Full final : public Node {
 public:
  static constexpr In<Lazy<Any>> branch{"branch"};
  static constexpr Out<Any> result{"result"};
  static Schema schema() { return {"Full", "test", "", {branch}, {result}}; }
  Needs needs(const Context&) const override { return branch; }
  void validate(Literals& in) const override { in.reject(branch, "never good"); }
  Fingerprint fingerprint(const Literals&) const override { return kAlwaysRun; }
  void run(Context& ctx) override { ctx.set(result, ctx[branch]); }
};

// clang-format off
using N0 = Numbered<0>; using N1 = Numbered<1>; using N2 = Numbered<2>; using N3 = Numbered<3>;
using N4 = Numbered<4>; using N5 = Numbered<5>; using N6 = Numbered<6>; using N7 = Numbered<7>;
using N8 = Numbered<8>; using N9 = Numbered<9>; using N10 = Numbered<10>; using N11 = Numbered<11>;
using N12 = Numbered<12>; using N13 = Numbered<13>; using N14 = Numbered<14>; using N15 = Numbered<15>;
using N16 = Numbered<16>; using N17 = Numbered<17>; using N18 = Numbered<18>; using N19 = Numbered<19>;
using N20 = Numbered<20>; using N21 = Numbered<21>; using N22 = Numbered<22>; using N23 = Numbered<23>;
using N24 = Numbered<24>; using N25 = Numbered<25>; using N26 = Numbered<26>; using N27 = Numbered<27>;
using N28 = Numbered<28>; using N29 = Numbered<29>; using N30 = Numbered<30>; using N31 = Numbered<31>;
using N32 = Numbered<32>; using N33 = Numbered<33>; using N34 = Numbered<34>; using N35 = Numbered<35>;
using N36 = Numbered<36>; using N37 = Numbered<37>; using N38 = Numbered<38>; using N39 = Numbered<39>;
using N40 = Numbered<40>; using N41 = Numbered<41>; using N42 = Numbered<42>; using N43 = Numbered<43>;
using N44 = Numbered<44>; using N45 = Numbered<45>; using N46 = Numbered<46>; using N47 = Numbered<47>;
using N48 = Numbered<48>; using N49 = Numbered<49>; using N50 = Numbered<50>; using N51 = Numbered<51>;
using N52 = Numbered<52>; using N53 = Numbered<53>; using N54 = Numbered<54>; using N55 = Numbered<55>;
using N56 = Numbered<56>; using N57 = Numbered<57>; using N58 = Numbered<58>; using N59 = Numbered<59>;
using N60 = Numbered<60>; using N61 = Numbered<61>; using N62 = Numbered<62>; using N63 = Numbered<63>;
using N64 = Numbered<64>; using N65 = Numbered<65>; using N66 = Numbered<66>; using N67 = Numbered<67>;
using N68 = Numbered<68>; using N69 = Numbered<69>;
// clang-format on

}  // namespace

// clang-format off
REFRAIN_PLUGIN("many", "1.2.3", Full,
    N0, N1, N2, N3, N4, N5, N6, N7, N8, N9,
    N10, N11, N12, N13, N14, N15, N16, N17, N18, N19,
    N20, N21, N22, N23, N24, N25, N26, N27, N28, N29,
    N30, N31, N32, N33, N34, N35, N36, N37, N38, N39,
    N40, N41, N42, N43, N44, N45, N46, N47, N48, N49,
    N50, N51, N52, N53, N54, N55, N56, N57, N58, N59,
    N60, N61, N62, N63, N64, N65, N66, N67, N68, N69)
// clang-format on

namespace {

const refrain::abi::NodeEntry& entry(std::size_t index) { return *refrain_plugin_v1.nodes[index]; }

TEST(PluginMacro, TakesSeventyOneNodesInOrder) {
  ASSERT_EQ(refrain_plugin_v1.count, 71u);
  EXPECT_EQ(std::string_view(refrain_plugin_v1.name), "many");
  EXPECT_EQ(std::string_view(refrain_plugin_v1.version), "1.2.3");
  for (std::size_t i = 1; i < refrain_plugin_v1.count; ++i) {
    Schema schema;
    entry(i).describe(schema);
    EXPECT_EQ(schema.name, "Numbered" + std::to_string(i - 1));
  }
}

TEST(PluginMacro, MakesNodesThatRun) {
  testkit::Call call(refrain_plugin_v1, "Numbered69");
  EXPECT_EQ(call.run().output<std::int64_t>("INT"), 69);
}

TEST(PluginMacro, StampsWhatTheLibraryWasBuiltFor) {
  const refrain::abi::Stamp& stamp = refrain_plugin_v1.stamp;
  EXPECT_EQ(std::string_view(stamp.magic), "refrain-plugin");
  EXPECT_EQ(stamp.abi, std::uint32_t{REFRAIN_ABI_VERSION});
  EXPECT_EQ(stamp.size, sizeof(refrain::abi::Record));
  EXPECT_EQ(std::string_view(stamp.torch), TORCH_VERSION);
  EXPECT_EQ(std::string_view(stamp.device), "any");
}

TEST(NodeEntry, KnowsWhichFunctionsANodeOverrides) {
  constexpr std::uint32_t kFunctions = refrain::abi::kNeeds | refrain::abi::kValidate | refrain::abi::kFingerprint;
  EXPECT_EQ(entry(0).overrides & kFunctions, kFunctions);
  EXPECT_EQ(entry(1).overrides & kFunctions, 0u);
}

TEST(NodeEntry, KnowsWhetherOneObjectMayServeAllCalls) {
  struct Plain : Node {
    void run(Context&) override {}
  };
  struct Counter : Plain {
    int calls = 0;
  };
  EXPECT_NE(refrain::abi::overrides<Plain>() & refrain::abi::kStateless, 0u);
  EXPECT_EQ(refrain::abi::overrides<Counter>() & refrain::abi::kStateless, 0u);
}

TEST(Node, NamesItsLazyInputsRejectsAndAsksToRunAlways) {
  const Full node;
  testkit::Call call(Full::schema());
  const Context ctx(call.frame());
  ASSERT_EQ(node.needs(ctx).names.size(), 1u);
  EXPECT_EQ(node.needs(ctx).names[0], "branch");
  std::vector<std::string> problems;
  Literals in(call.frame(), &problems);
  node.validate(in);
  EXPECT_EQ(problems.size(), 1u);
  EXPECT_EQ(node.fingerprint(in), kAlwaysRun);
}

TEST(Node, DependsOnNothingElseUnlessItSaysSo) {
  const N0 node;
  testkit::Call call(N0::schema());
  const Context ctx(call.frame());
  Literals in(call.frame(), nullptr);
  EXPECT_TRUE(node.needs(ctx).names.empty());
  EXPECT_EQ(node.fingerprint(in), "");
}

}  // namespace
