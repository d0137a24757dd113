#include <refrain/context.hpp>

#include <gtest/gtest.h>

namespace refrain {
namespace {

TEST(JsonQuote, EscapesWhatJsonRequires) {
  EXPECT_EQ(json_quote(""), R"("")");
  EXPECT_EQ(json_quote("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_quote("\n\r\t"), R"("\n\r\t")");
  EXPECT_EQ(json_quote(std::string_view("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
}

TEST(JsonQuote, LeavesUtf8AsItIs) {
  EXPECT_EQ(json_quote("h\u00e9 \u732b \U0001f600"), "\"h\u00e9 \u732b \U0001f600\"");
}

TEST(JsonQuote, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(json_quote("a\xff"
                       "b"),
            "\"a\ufffd"
            "b\"");
  EXPECT_EQ(json_quote("\xe4\xb8"), "\"\ufffd\ufffd\"");                      // cut off
  EXPECT_EQ(json_quote("\xc0\xaf"), "\"\ufffd\ufffd\"");                      // overlong
  EXPECT_EQ(json_quote("\xed\xa0\x80"), "\"\ufffd\ufffd\ufffd\"");            // a surrogate
  EXPECT_EQ(json_quote("\xf4\x90\x80\x80"), "\"\ufffd\ufffd\ufffd\ufffd\"");  // above U+10FFFF
}

TEST(JsonOf, WritesAnEmptyDictionaryForNoRecords) { EXPECT_EQ(json_of({}), "{}"); }

}  // namespace
}  // namespace refrain
