#include "hostile_files.hpp"
#include "torch_files.hpp"

#include <cstdint>

namespace refrain::diffusion::testing {
namespace {

using Files = std::vector<std::string>;

std::string file(std::uint64_t length, const std::string& header, const std::string& data) {
  return little_endian(length) + header + data;
}
std::string file(const std::string& header, const std::string& data = "12345678") {
  return file(header.size(), header, data);
}

/// A header with one entry of these fields.
std::string entry(const std::string& fields) { return file(R"({"x":{)" + fields + "}}"); }
std::string typed(const std::string& dtype) {
  return entry(R"("dtype":)" + dtype + R"(,"shape":[8],"data_offsets":[0,8])");
}
std::string shaped(const std::string& shape, const char* dtype = "U8", const char* offsets = "[0,8]") {
  return entry("\"dtype\":\"" + std::string(dtype) + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets);
}
std::string placed(const std::string& offsets) { return shaped("[8]", "U8", offsets.c_str()); }

/// Two entries of bytes at these places.
std::string two(int begin, int end, int second_begin, int second_end) {
  const auto one = [](const char* name, int from, int to) {
    return "\"" + std::string(name) + R"(":{"dtype":"U8","shape":[)" + std::to_string(to - from) +
           R"(],"data_offsets":[)" + std::to_string(from) + "," + std::to_string(to) + "]}";
  };
  return file("{" + one("a", begin, end) + "," + one("b", second_begin, second_end) + "}");
}

const char* const kSound = R"({"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})";

Files header_lengths() {
  Files files;
  for (const std::uint64_t length :
       {0ULL, 1ULL, 7ULL, 52ULL, 54ULL, 60ULL, 61ULL, 62ULL, 1000ULL, 100'000'000ULL, 100'000'001ULL, 0x7FFFFFFFULL,
        0xFFFFFFFFULL, 0x7FFFFFFFFFFFFFFFULL, 0xFFFFFFFFFFFFFFF7ULL, 0xFFFFFFFFFFFFFFF8ULL, 0xFFFFFFFFFFFFFFFFULL}) {
    if (length != std::string(kSound).size()) files.push_back(file(length, kSound, "12345678"));
  }
  return files;
}

Files header_syntax() {
  const std::string sound = kSound;
  return {file("[]"),
          file("{"),
          file("}"),
          file("{]"),
          file("null"),
          file("\"x\""),
          file(" " + sound),
          file(sound + "}"),
          file(sound + "{}"),
          file(sound + std::string(3, '\0')),
          file(sound + "// comment"),
          file("{'x':{}}"),
          file(R"({"x":{"dtype":"U8","shape":[8,],"data_offsets":[0,8]}})"),
          file(R"({"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},})"),
          file(R"({"x":{"dtype":"U8","shape":[08],"data_offsets":[0,8]}})"),
          file(R"({"x":{"dtype":"U8","shape":[NaN],"data_offsets":[0,8]}})"),
          file(std::string(2000, '{')),
          file("{\"x\":" + std::string(2000, '['))};
}

Files header_structure() {
  return {file(R"({"x":8})"),
          file(R"({"x":[]})"),
          file(R"({"x":null})"),
          file(R"({"x":"U8"})"),
          file(R"({"x":true})"),
          file(R"({"x":{}})"),
          entry(R"("dtype":"U8","shape":[8])"),
          entry(R"("shape":[8],"data_offsets":[0,8])"),
          entry(R"("dtype":"U8","data_offsets":[0,8])"),
          entry(R"("dtype":"U8","shape":8,"data_offsets":[0,8])"),
          entry(R"("dtype":"U8","shape":[8],"data_offsets":{})"),
          entry(R"("dtype":"U8","shape":[[8]],"data_offsets":[0,8])"),
          file(R"({"__metadata__":[],"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})"),
          file(R"({"__metadata__":{"a":{}},"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})")};
}

Files text_encodings() {
  Files files;
  for (const char* name : {"\xFF", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                           "\xF8\x88\x80\x80\x80", "\x80", "a\nb", "a\tb", "\\ud800", "\\u12", "\\x41", "\xFE\xFF"}) {
    files.push_back(file(R"({")" + std::string(name) + R"(":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})"));
  }
  return files;
}

Files offsets() {
  Files files;
  for (const char* place :
       {"[1,9]", "[8,16]", "[8,0]", "[0,9]", "[0,7]", "[0]", "[]", "[0,8,16]", "[-8,0]", "[0,8.0]", "[0,1e1]",
        "[18446744073709551608,18446744073709551615]", "[9223372036854775807,9223372036854775815]", "[0,\"8\"]",
        "[4294967296,4294967304]", "[0,18446744073709551616]"}) {
    files.push_back(placed(place));
  }
  return files;
}

Files overlaps() {
  return {two(0, 8, 0, 8), two(0, 8, 7, 8), two(0, 5, 4, 8), two(0, 4, 3, 7), two(0, 8, 1, 2),  two(4, 8, 0, 5),
          two(1, 4, 4, 8), two(0, 3, 4, 8), two(0, 4, 4, 7), two(0, 4, 5, 8), two(0, 4, 8, 12), two(4, 8, 8, 12)};
}

Files types() {
  Files files;
  for (const char* dtype :
       {"\"\"", "\"u8\"", "\"F8\"", "\"F8_E8M0\"", "\"F8_E4M3FNUZ\"", "\"F4\"", "\"F6_E2M3\"", "\"C64\"", "\"I8\"",
        "\"I16\"", "\"U16\"", "\"U32\"", "\"U64\"", "8", "null", "[\"U8\"]", "\"U8\\u0000\""}) {
    files.push_back(typed(dtype));
  }
  return files;
}

Files shapes() {
  Files files;
  for (const char* shape : {"[9223372036854775807]", "[9223372036854775808]", "[18446744073709551615]",
                            "[18446744073709551616]", "[4294967296,4294967296]", "[2147483648,2147483648,4]",
                            "[3037000500,3037000500]", "[9223372036854775807,2]", "[-1]", "[-8]", "[8,-1]",
                            "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,8]", "[7]", "[9]", "[2,3]", "[0]", "[8.0]", "[1e400]"}) {
    files.push_back(shaped(shape));
  }
  files.push_back(shaped("[2305843009213693953]", "F64"));  // eight bytes each: 8 modulo 2^64
  files.push_back(shaped("[4611686018427387904]", "F32", "[0,0]"));
  return files;
}

Files duplicates() {
  const std::string x = R"("x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  const std::string again = R"("x":{"dtype":"U8","shape":[4],"data_offsets":[4,8]})";
  const std::string rest = R"(,"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})";
  return {file("{" + x + "," + again + "}"),
          file("{" + again + "," + x + "}"),
          file("{" + x + "," + x + "}"),
          file("{" + x + R"(,"\u0078":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})"),
          file(R"({"__metadata__":{},"__metadata__":{})" + rest),
          file(R"({"__metadata__":{"a":"1"},"__metadata__":{"a":"1"})" + rest),
          file(R"({"__metadata__":{"a":"1","a":"2"})" + rest),
          file(R"({"__metadata__":{"a":"1","\u0061":"1"})" + rest),
          entry(R"("dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8])"),
          entry(R"("dtype":"F32","dtype":"U8","shape":[8],"data_offsets":[0,8])"),
          entry(R"("dtype":"U8","shape":[8],"shape":[8],"data_offsets":[0,8])"),
          entry(R"("dtype":"U8","shape":[8],"data_offsets":[0,8],"data_offsets":[0,8])")};
}

Files truncations() {
  Files files;
  const std::string whole = file(kSound);
  for (std::size_t size = 1; size < whole.size(); size += 3) files.push_back(whole.substr(0, size));
  return files;
}

Files extra_bytes() {
  Files files;
  for (const std::size_t more : {1, 2, 3, 7, 8, 64, 511, 4096, 100'000}) {
    files.push_back(file(kSound) + std::string(more, '\0'));
  }
  files.push_back(file("{}", "1"));
  files.push_back(file("{}", file(kSound)));
  return files;
}

/// Headers that describe as much as they can in as little space.
Files large_headers() {
  constexpr std::size_t kSize = 1'000'000;
  Files files;
  const auto add = [&](std::string text, const auto& next) {
    while (text.size() < kSize) text += next(std::to_string(text.size()));
    files.push_back(file(text, ""));
  };
  const auto fields = R"(":{"dtype":"U8","shape":[],"data_offsets":[0,1]},)";
  add("{", [&](const std::string& n) { return "\"" + n + fields; });
  add("{", [&](const std::string& n) { return "\"" + n + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"; });
  add("{", [](const std::string& n) { return "\"" + n + "\":{},"; });
  add("{", [](const std::string&) { return "\"\":{},"; });
  add(R"({"__metadata__":{)", [](const std::string& n) { return "\"" + n + "\":\"\","; });
  add(R"({"x":{"shape":)", [](const std::string&) { return "["; });
  add(R"({"x":{"shape":[1)", [](const std::string&) { return ",1"; });
  add(R"({"x":{"data_offsets":[1)", [](const std::string&) { return ",1"; });
  add("{\"", [](const std::string&) { return "aaaaaaaa"; });
  add(R"({"x":{"dtype":")", [](const std::string&) { return "\\u0041"; });
  add("{\"x\":", [](const std::string&) { return "{\"x\":"; });
  add("{\"x\":", [](const std::string&) { return "111111"; });
  return files;
}

}  // namespace

std::vector<HostileClass> hostile_safetensors() {
  return {{"HeaderLengths", header_lengths},
          {"HeaderSyntax", header_syntax},
          {"HeaderStructure", header_structure},
          {"TextEncodings", text_encodings},
          {"Offsets", offsets},
          {"Overlaps", overlaps},
          {"Types", types},
          {"Shapes", shapes},
          {"Duplicates", duplicates},
          {"Truncations", truncations},
          {"ExtraBytes", extra_bytes},
          {"LargeHeaders", large_headers}};
}

}  // namespace refrain::diffusion::testing
