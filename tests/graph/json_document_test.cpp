#include "json/json_document.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace refrain {
namespace {

JsonDocument parse(std::string_view text) { return JsonDocument::parse(text, "x.json"); }

JsonView member(JsonView object, std::string_view name) { return object.find(name).value(); }

std::string place_of(JsonView value) {
  return std::to_string(value.position().line) + ":" + std::to_string(value.position().column);
}

std::string error_of(std::string_view text, const JsonLimits& limits = {}) {
  try {
    JsonDocument::parse(text, "x.json", limits);
  } catch (const WorkflowReadError& error) {
    return error.what();
  }
  return "no error";
}

TEST(JsonDocument, KnowsLineAndColumnOfEveryKindOfValue) {
  const JsonDocument document = parse(
      "{\n"
      "  \"a\": 1,\n"
      "  \"b\" :  -2.5e3 ,\n"
      "\t\"c\":\"text\",\n"
      "  \"d\": [ true,\n"
      "         null , false],\n"
      "  \"e\":\n"
      "    {},\"f\":0}");
  const JsonView root = document.root();
  EXPECT_EQ(place_of(root), "1:1");
  EXPECT_EQ(place_of(member(root, "a")), "2:8");
  EXPECT_EQ(place_of(member(root, "b")), "3:10");
  EXPECT_EQ(place_of(member(root, "c")), "4:6");
  EXPECT_EQ(place_of(member(root, "d")), "5:8");
  auto item = member(root, "d").begin();
  EXPECT_EQ(place_of(*item), "5:10");
  EXPECT_EQ(place_of(*++item), "6:10");
  EXPECT_EQ(place_of(*++item), "6:17");
  EXPECT_EQ(place_of(member(root, "e")), "8:5");
  EXPECT_EQ(place_of(member(root, "f")), "8:12");
}

TEST(JsonDocument, KnowsPlacesInMinifiedText) {
  const JsonDocument document = parse(R"({"a":12,"b":[3,{"c":"x\"y"},4]})");
  EXPECT_EQ(place_of(member(document.root(), "a")), "1:6");
  auto item = member(document.root(), "b").begin();
  EXPECT_EQ(place_of(*item), "1:14");
  EXPECT_EQ(place_of(member(*++item, "c")), "1:21");
  EXPECT_EQ(place_of(*++item), "1:29");
}

TEST(JsonDocument, CountsColumnsInBytesAndIgnoresCarriageReturns) {
  const JsonDocument document = parse("{\"\xC3\xA4\xF0\x9F\x98\x80\": 1,\r\n\"b\": 2,\r\n  \"c\": 3}");
  auto item = document.root().begin();
  EXPECT_EQ(place_of(*item), "1:12");
  EXPECT_EQ(place_of(*++item), "2:6");
  EXPECT_EQ(place_of(*++item), "3:8");
}

TEST(JsonDocument, LeavesTheByteOrderMarkOutOfTheColumns) {
  EXPECT_EQ(place_of(parse("\xEF\xBB\xBF[1]").root()), "1:1");
  EXPECT_EQ(place_of(*parse("\xEF\xBB\xBF[1]").root().begin()), "1:2");
  EXPECT_EQ(place_of(*parse("\xEF\xBB\xBF\n[1]").root().begin()), "2:2");
}

TEST(JsonDocument, KeepsPlacesBehindStringsWithEscapesCommasAndColons) {
  const JsonDocument document = parse(R"(["a, : \" \\", "\u00e9\ud83d\ude00", 7])");
  auto item = document.root().begin();
  EXPECT_EQ((*item).string(), "a, : \" \\");
  ++item;
  EXPECT_EQ((*item).string(), "\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(place_of(*++item), "1:38");
}

TEST(JsonDocument, KeepsIntegersExact) {
  const JsonDocument document =
      parse("[-9223372036854775808, 9223372036854775807, 18446744073709551615, 18446744073709551616, -0, 1e2]");
  auto item = document.root().begin();
  EXPECT_EQ((*item).integer(), INT64_MIN);
  EXPECT_EQ((*++item).integer(), INT64_MAX);
  EXPECT_EQ((*++item).kind(), JsonKind::unsigned_integer);
  EXPECT_EQ((*item).unsigned_integer(), UINT64_MAX);
  EXPECT_EQ((*++item).kind(), JsonKind::big_integer);
  EXPECT_EQ((*item).string(), "18446744073709551616");
  EXPECT_EQ((*++item).integer(), 0);
  EXPECT_EQ((*++item).kind(), JsonKind::real);
}

TEST(JsonDocument, ReadsTheNumbersThatOnlyPythonKnows) {
  const JsonDocument document =
      parse("{\"a\": NaN, \"b\": Infinity,\n\"c\": [-Infinity, 1e999, -1e999, 1e-999], \"NaN\": \"Infinity\"}");
  EXPECT_TRUE(std::isnan(member(document.root(), "a").real()));
  EXPECT_EQ(member(document.root(), "b").real(), HUGE_VAL);
  auto item = member(document.root(), "c").begin();
  EXPECT_EQ((*item).real(), -HUGE_VAL);
  EXPECT_EQ((*++item).real(), HUGE_VAL);
  EXPECT_EQ(place_of(*item), "2:18");
  EXPECT_EQ((*++item).real(), -HUGE_VAL);
  EXPECT_EQ((*++item).real(), 0.0);
  EXPECT_EQ(member(document.root(), "NaN").string(), "Infinity");
}

TEST(JsonDocument, FindsTheLastOfSeveralMembersWithOneName) {
  EXPECT_EQ(parse(R"({"a": 1, "b": 2, "a": 3})").root().find("a")->integer(), 3);
}

TEST(JsonDocument, NamesThePointerOfABrokenValue) {
  EXPECT_EQ(error_of("{\"a\": {\"b/c\": [1, {\"d~\": tru}]}}"),
            "x.json:1:26: not valid JSON: invalid literal: 'tru}' (at /a/b~1c/1/d~0)");
}

TEST(JsonDocument, PointsToTheUnexpectedToken) {
  EXPECT_EQ(error_of("{\n \"a\": ]\n}"),
            "x.json:2:7: not valid JSON: unexpected ']'; expected '[', '{', or a literal (at /a)");
}

TEST(JsonDocument, PointsToTheBeginningOfAnUnfinishedString) {
  EXPECT_EQ(error_of("{\"a\":\n  \"never closed"),
            "x.json:2:3: not valid JSON: invalid string: missing closing quote: '\"never closed' (at /a)");
}

TEST(JsonDocument, RefusesNestingBeyondTheLimit) {
  JsonLimits limits;
  limits.depth = 3;
  EXPECT_EQ(error_of("[[[1]]]", limits), "no error");
  EXPECT_EQ(error_of("[[[[1]]]]", limits), "x.json:1:4: nested deeper than 3 levels (at /0/0/0)");
}

TEST(JsonDocument, RefusesTextBeyondTheLimit) {
  JsonLimits limits;
  limits.bytes = 10;
  EXPECT_EQ(error_of("[1, 2, 3, 4]", limits), "x.json: 12 bytes of JSON are more than the limit of 10");
}

TEST(JsonDocument, IsWrittenAsPythonWouldWriteIt) {
  const JsonDocument document = parse(R"({"a":[],"b":{},"c":[1,2.50,{"d":[null,true]},"é\n\u007f"],)"
                                      R"("big":123456789012345678901234567890,"n":NaN,"x":-1e-7})");
  EXPECT_EQ(python_json(document.root()), R"({"a": [], "b": {}, "c": [1, 2.5, {"d": [null, true]}, "\u00e9\n\u007f"], )"
                                          R"("big": 123456789012345678901234567890, "n": NaN, "x": -1e-07})");
}

}  // namespace
}  // namespace refrain
