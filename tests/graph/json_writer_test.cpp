#include "json/json_writer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "graph/shorten.hpp"
#include "json/python_text.hpp"

namespace refrain {
namespace {

std::string write(JsonWriter::Style style) {
  JsonWriter json(style);
  json.begin_object()
      .member("a", 1)
      .key("b")
      .begin_array()
      .value(2.5)
      .value("x\xC3\xA9")
      .value(true)
      .null()
      .end_array();
  json.key("c").begin_object().end_object().key("d").begin_array().end_array().key("e").raw("[0]");
  return json.end_object().take();
}

TEST(JsonWriter, WritesWithoutWhiteSpace) {
  EXPECT_EQ(write(JsonWriter::Style::compact),
            "{\"a\":1,\"b\":[2.5,\"x\xC3\xA9\",true,null],\"c\":{},\"d\":[],\"e\":[0]}");
}

TEST(JsonWriter, WritesAsPythonDoes) {
  EXPECT_EQ(write(JsonWriter::Style::python),
            R"({"a": 1, "b": [2.5, "x\u00e9", true, null], "c": {}, "d": [], "e": [0]})");
}

TEST(JsonWriter, IndentsByTwoSpaces) {
  EXPECT_EQ(write(JsonWriter::Style::indented),
            "{\n  \"a\": 1,\n  \"b\": [\n    2.5,\n    \"x\xC3\xA9\",\n    true,\n    null\n  ],\n"
            "  \"c\": {},\n  \"d\": [],\n  \"e\": [0]\n}");
}

TEST(JsonWriter, KeepsNotANumberOnlyForPython) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(JsonWriter(JsonWriter::Style::python).value(nan).take(), "NaN");
  EXPECT_EQ(JsonWriter(JsonWriter::Style::python).value(-HUGE_VAL).take(), "-Infinity");
  EXPECT_EQ(JsonWriter().value(nan).take(), "null");
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(JsonWriter().value("a\xFF\"").take(), "\"a\xEF\xBF\xBD\\\"\"");
}

// Expected texts: repr() of CPython 3.11.
TEST(PythonText, WritesFloatsAsReprDoes) {
  const std::pair<double, const char*> cases[] = {{0.0, "0.0"},
                                                  {-0.0, "-0.0"},
                                                  {1.0, "1.0"},
                                                  {0.1, "0.1"},
                                                  {7.5, "7.5"},
                                                  {100.0, "100.0"},
                                                  {1e-4, "0.0001"},
                                                  {1e-5, "1e-05"},
                                                  {1.5e-7, "1.5e-07"},
                                                  {1e15, "1000000000000000.0"},
                                                  {9999999999999998.0, "9999999999999998.0"},
                                                  {1e16, "1e+16"},
                                                  {1.2345678901234568e17, "1.2345678901234568e+17"},
                                                  {1e22, "1e+22"},
                                                  {1e100, "1e+100"},
                                                  {5e-324, "5e-324"},
                                                  {1.7976931348623157e308, "1.7976931348623157e+308"},
                                                  {0.30000000000000004, "0.30000000000000004"},
                                                  {2.0 / 3, "0.6666666666666666"},
                                                  {123456.789, "123456.789"}};
  for (auto [value, text] : cases) EXPECT_EQ(python_repr(value), text);
}

// Expected texts: repr() of CPython 3.11.
TEST(PythonText, QuotesTextAsReprDoes) {
  EXPECT_EQ(python_repr(std::string_view("plain")), "'plain'");
  EXPECT_EQ(python_repr(std::string_view("it's")), "\"it's\"");
  EXPECT_EQ(python_repr(std::string_view("it's \"x\"")), "'it\\'s \"x\"'");
  EXPECT_EQ(python_repr(std::string_view("a\n\t\\\x01\x7f")), "'a\\n\\t\\\\\\x01\\x7f'");
  EXPECT_EQ(python_repr(std::string_view("é\u00a0\u200b😀")), "'é\\xa0\\u200b😀'");
}

TEST(PythonText, CutsNoCharacterInHalf) {
  EXPECT_EQ(shorten("aéé", 4), "aé...");
  EXPECT_EQ(shorten("aéé", 5), "aéé");
}

}  // namespace
}  // namespace refrain
