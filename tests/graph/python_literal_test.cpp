// Expected values and texts: CPython 3.11.
#include "planning/python_literal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace refrain {
namespace {

std::string int_of(const InputValue& literal) {
  PythonInt value;
  const auto error = to_python_int(literal, value);
  return error ? *error : python_str(value);
}

std::string float_of(const InputValue& literal) {
  double value = 0;
  const auto error = to_python_float(literal, value);
  return error ? *error : python_str(InputValue(value));
}

InputValue text(const char* value) { return std::string(value); }

TEST(PythonLiteral, ReadsIntegersAsIntDoes) {
  EXPECT_EQ(int_of(std::int64_t{-5}), "-5");
  EXPECT_EQ(int_of(std::uint64_t{UINT64_MAX}), "18446744073709551615");
  EXPECT_EQ(int_of(true), "1");
  EXPECT_EQ(int_of(7.9), "7");
  EXPECT_EQ(int_of(-7.9), "-7");
  EXPECT_EQ(int_of(1e30), "1000000000000000019884624838656");
  EXPECT_EQ(int_of(text(" 5 ")), "5");
  EXPECT_EQ(int_of(text("1_000")), "1000");
  EXPECT_EQ(int_of(text("+007")), "7");
  EXPECT_EQ(int_of(text("-0")), "0");
  EXPECT_EQ(int_of(text("\u00a0\u0663\u0664\n")), "34") << "Arabic digits, no-break space";
  EXPECT_EQ(int_of(RawJson{"-18446744073709551616"}), "-18446744073709551616");
  EXPECT_EQ(int_of(text("999999999999999999999999999999999999999999999999")),
            "999999999999999999999999999999999999999999999999");
}

TEST(PythonLiteral, RefusesWhatIntRefuses) {
  EXPECT_EQ(int_of(text("5.5")), "invalid literal for int() with base 10: '5.5'");
  EXPECT_EQ(int_of(text(" it's ")), "invalid literal for int() with base 10: \" it's \"");
  for (const char* bad : {"", " ", "_1", "1_", "1__0", "0x10", "- 5", "+-5", "1e3", "5 5"}) {
    EXPECT_EQ(int_of(text(bad)), "invalid literal for int() with base 10: '" + std::string(bad) + "'");
  }
  EXPECT_EQ(int_of(std::numeric_limits<double>::quiet_NaN()), "cannot convert float NaN to integer");
  EXPECT_EQ(int_of(HUGE_VAL), "cannot convert float infinity to integer");
  EXPECT_EQ(int_of(std::monostate{}),
            "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'");
  EXPECT_EQ(int_of(RawJson{"{}"}), "int() argument must be a string, a bytes-like object or a real number, not 'dict'");
  EXPECT_EQ(int_of(RawJson{"[]"}), "int() argument must be a string, a bytes-like object or a real number, not 'list'");
}

TEST(PythonLiteral, ReadsFloatsAsFloatDoes) {
  EXPECT_EQ(float_of(std::int64_t{8}), "8.0");
  EXPECT_EQ(float_of(std::uint64_t{UINT64_MAX}), "1.8446744073709552e+19");
  EXPECT_EQ(float_of(false), "0.0");
  EXPECT_EQ(float_of(text(" 7.5\n")), "7.5");
  EXPECT_EQ(float_of(text("1_0.5_0e1")), "105.0");
  EXPECT_EQ(float_of(text("+.5")), "0.5");
  EXPECT_EQ(float_of(text("5.")), "5.0");
  EXPECT_EQ(float_of(text("-INF")), "-inf");
  EXPECT_EQ(float_of(text("+infinity")), "inf");
  EXPECT_EQ(float_of(text("nan")), "nan");
  EXPECT_EQ(float_of(text("1e999")), "inf");
  EXPECT_EQ(float_of(text("-1e-999")), "-0.0");
  EXPECT_EQ(float_of(RawJson{"100000000000000000000"}), "1e+20");
}

TEST(PythonLiteral, RefusesWhatFloatRefuses) {
  for (const char* bad : {"", "high", "0x1p3", "nan(1)", "1e", "--5", "+-5", "1_.5", "_1", "5 5", "1,5"}) {
    EXPECT_EQ(float_of(text(bad)), "could not convert string to float: '" + std::string(bad) + "'");
  }
  EXPECT_EQ(float_of(std::monostate{}), "float() argument must be a string or a real number, not 'NoneType'");
  EXPECT_EQ(float_of(RawJson{"1" + std::string(400, '0')}), "int too large to convert to float");
}

TEST(PythonLiteral, TakesForTrueWhatBoolTakesForTrue) {
  EXPECT_TRUE(to_python_bool(text("false")));
  EXPECT_FALSE(to_python_bool(text("")));
  EXPECT_FALSE(to_python_bool(std::int64_t{0}));
  EXPECT_TRUE(to_python_bool(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(to_python_bool(-0.0));
  EXPECT_FALSE(to_python_bool(std::monostate{}));
  EXPECT_FALSE(to_python_bool(RawJson{"{}"}));
  EXPECT_TRUE(to_python_bool(RawJson{"[0]"}));
  EXPECT_TRUE(to_python_bool(std::uint64_t{UINT64_MAX}));
}

TEST(PythonLiteral, WritesTextAsStrDoes) {
  EXPECT_EQ(python_str(InputValue(true)), "True");
  EXPECT_EQ(python_str(InputValue(std::monostate{})), "None");
  EXPECT_EQ(python_str(InputValue(1e-5)), "1e-05");
  EXPECT_EQ(python_str(InputValue(RawJson{R"({"a": [1, 2.0, null, {"b": "it's"}, []], "c": true, "d": {}})"})),
            R"({'a': [1, 2.0, None, {'b': "it's"}, []], 'c': True, 'd': {}})");
}

}  // namespace
}  // namespace refrain
