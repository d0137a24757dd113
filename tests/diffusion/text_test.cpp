#include <gtest/gtest.h>
#include <zlib.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/text.hpp>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "golden_vectors.hpp"

namespace refrain::diffusion {
namespace {

using Segments = std::vector<std::pair<std::string, float>>;

/// The vocabulary that the set-up takes from open_clip_torch; without it these tests fail and say how to get it.
const ClipTokenizer& tokenizer() {
  static const auto opened = ClipTokenizer::open(REFRAIN_TEST_VOCABULARY);
  return *opened;
}

const nlohmann::json& golden_prompts() {
  static const nlohmann::json prompts = [] {
    std::ifstream file(testing::golden_path("tokens.json"));
    return nlohmann::json::parse(file).at("cases");
  }();
  return prompts;
}

bool names_textual_inversion(const std::string& prompt) {
  return prompt.starts_with("embedding:") || prompt.find(" embedding:") != prompt.npos ||
         prompt.find("\nembedding:") != prompt.npos || prompt.find("(embedding:") != prompt.npos;
}

TEST(ClipTokenizer, GivesThePublishedIds) {
  EXPECT_EQ(tokenizer().encode("hello world!"), (std::vector<int>{3306, 1002, 256}));
  EXPECT_EQ(tokenizer().encode("magnificently"), (std::vector<int>{9725, 2922}));
  EXPECT_EQ(tokenizer().encode("Hi there"), (std::vector<int>{1883, 997}));
  EXPECT_EQ(tokenizer().encode("a photo of a cat"), (std::vector<int>{320, 1125, 539, 320, 2368}));
  EXPECT_EQ(tokenizer().encode("it's 2024, don't!"),
            (std::vector<int>{585, 568, 273, 271, 273, 275, 267, 847, 713, 256}));
  EXPECT_EQ(tokenizer().encode("naïve café"), (std::vector<int>{1097, 35689, 563, 15304}));
  EXPECT_EQ(tokenizer().encode("😀"), (std::vector<int>{7334}));
  EXPECT_EQ(tokenizer().encode("x<|endoftext|>y"), (std::vector<int>{343, 49407, 344}));
  EXPECT_TRUE(tokenizer().encode("").empty());
}

TEST(ClipTokenizer, ReadsASpecialTokenBeforeThePunctuationAroundIt) {
  EXPECT_EQ(tokenizer().encode("'<|endoftext|>"), (std::vector<int>{262, 49407}));
}

TEST(ClipTokenizer, DropsTheIotaSubscriptWhereItStaysAlone) {
  EXPECT_EQ(tokenizer().encode("x\u0345"), tokenizer().encode("x"));  // as the reference's pattern does
}

TEST(ClipTokenizer, LeavesOutMalformedUtf8) {
  EXPECT_EQ(tokenizer().encode("a\xFF\xC3 cat"), tokenizer().encode("a cat"));
  EXPECT_TRUE(tokenizer().encode("\xF0\x9F").empty());
}

TEST(ClipTokenizer, EncodesALongWordInOneGo) {
  // A word of half a million letters: repeated passes over it would take hours.
  EXPECT_EQ(tokenizer().encode(std::string(500'000, 'a')).size(), 62'501U);  // eight letters a token, the last apart
}

TEST(ClipTokenizer, SaysHowToGetAMissingVocabulary) {
  try {
    ClipTokenizer::open("no/such/bpe_simple_vocab_16e6.txt.gz");
    FAIL() << "opened a file that isn't there";
  } catch (const ModelError& error) {
    EXPECT_EQ(error.code(), "vocabulary_missing");
    const std::string message = error.what();
    EXPECT_NE(message.find("no/such/bpe_simple_vocab_16e6.txt.gz"), message.npos) << message;
    EXPECT_NE(message.find("make setup"), message.npos) << message;
    EXPECT_NE(message.find("open_clip_torch"), message.npos) << message;
  }
}

// Two merges: the ids after the 512 bytes are theirs, then come start and end.
TEST(ClipTokenizer, ReadsAVocabularyOfAnotherModel) {
  const auto own = ClipTokenizer::read("#version\na b</w>\nc ab</w>\n", "a test");
  EXPECT_EQ(own->encode("cab, ab b"), (std::vector<int>{513, 267, 512, 321}));
  EXPECT_EQ(own->start(), 514);
  EXPECT_EQ(own->end(), 515);
  EXPECT_EQ(own->size(), 516);
  EXPECT_EQ(own->encode("x<|endoftext|>"), (std::vector<int>{343, 515}));
  const auto chunk = tokenize_prompt(*own, "cab").at(0);
  EXPECT_EQ(chunk.at(0).id, 514);
  EXPECT_EQ(chunk.at(1).id, 513);
  EXPECT_EQ(chunk.at(2).id, 515);
  EXPECT_EQ(chunk.at(76).id, 515);
}

TEST(ClipTokenizer, RefusesADamagedVocabularyOfAnotherModel) {
  const auto problem = [](const std::string& text) -> std::string {
    try {
      ClipTokenizer::read(text, "model.safetensors");
    } catch (const ModelError& error) {
      return error.code() + ": " + error.what();
    }
    return "read";
  };
  for (const char* text : {"", "#version", "#version\na b</w>", "#version\nab\n", "#version\nab cd\n"}) {
    EXPECT_TRUE(problem(text).starts_with("vocabulary_damaged: ")) << text;
    EXPECT_NE(problem(text).find("model.safetensors"), std::string::npos) << text;
  }
  EXPECT_EQ(problem("#version\n"), "read");  // bytes alone
}

class DamagedVocabulary : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("refrain_vocabulary_" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string code_of(const std::filesystem::path& file) {
    try {
      ClipTokenizer::open(file);
    } catch (const ModelError& error) {
      return error.code();
    }
    return "opened";
  }

  std::filesystem::path gzip(const std::string& text) {
    const auto file = folder_ / "vocabulary.gz";
    gzFile stream = gzopen(file.c_str(), "wb");
    gzwrite(stream, text.data(), static_cast<unsigned>(text.size()));
    gzclose(stream);
    return file;
  }

  std::filesystem::path folder_;
};

TEST_F(DamagedVocabulary, IsAnErrorWhenItIsCutShort) {
  const auto file = folder_ / "vocabulary.gz";
  std::filesystem::copy_file(REFRAIN_TEST_VOCABULARY, file);
  std::filesystem::resize_file(file, 200'000);
  EXPECT_EQ(code_of(file), "vocabulary_damaged");
}

TEST_F(DamagedVocabulary, IsAnErrorWhenItHoldsSomethingElse) {
  EXPECT_EQ(code_of(gzip("not\na\nvocabulary\n")), "vocabulary_damaged");
  std::string lines = "header\n";
  for (int i = 0; i < 50'000; ++i) lines += "ab cd\n";  // neither is a symbol yet
  EXPECT_EQ(code_of(gzip(lines)), "vocabulary_damaged");
}

TEST_F(DamagedVocabulary, IsAnErrorWhenItIsEmptyOrAFolder) {
  std::ofstream(folder_ / "empty.gz");
  EXPECT_EQ(code_of(folder_ / "empty.gz"), "vocabulary_damaged");
  EXPECT_EQ(code_of(folder_), "vocabulary_missing");
}

TEST(Emphasis, MatchesTheReferenceOnEveryPrompt) {
  for (const auto& prompt : golden_prompts()) {
    const auto text = prompt.at("prompt").get<std::string>();
    Segments expected;
    for (const auto& segment : prompt.at("segments")) expected.emplace_back(segment[0], segment[1].get<float>());
    EXPECT_EQ(parse_emphasis(text), expected) << text;
  }
}

TEST(Emphasis, ReadsNumbersAsPythonDoes) {
  const auto weight = [](const std::string& number) { return parse_emphasis("(x:" + number + ")").front(); };
  EXPECT_EQ(weight(" +1_0.5e-1 "), std::pair(std::string("x"), 1.05F));
  EXPECT_EQ(weight("infinity").second, INFINITY);
  EXPECT_EQ(weight("+-1").first, "x:+-1");
  EXPECT_EQ(weight("1__0").first, "x:1__0");
  EXPECT_EQ(weight("0x10").first, "x:0x10");
  EXPECT_EQ(weight("nan(1)").first.substr(0, 4), "x:na");
  EXPECT_EQ(weight("+").first, "x:+");
}

TEST(Emphasis, RefusesAThousandParenthesesInsideEachOther) {
  EXPECT_EQ(parse_emphasis(std::string(400, '(') + "x" + std::string(400, ')')).size(), 1U);
  EXPECT_THROW(parse_emphasis(std::string(1000, '(') + "x" + std::string(1000, ')')), Error);
}

TEST(Chunks, MatchTheReferenceOnEveryPrompt) {
  int compared = 0;
  for (const auto& prompt : golden_prompts()) {
    const auto text = prompt.at("prompt").get<std::string>();
    if (names_textual_inversion(text)) continue;
    const auto chunks = tokenize_prompt(tokenizer(), text);
    ASSERT_EQ(chunks.size(), prompt.at("chunks").size()) << text;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      std::vector<int> ids;
      std::vector<float> weights;
      for (const WeightedToken& token : chunks[i]) {
        ids.push_back(token.id);
        weights.push_back(token.weight);
      }
      EXPECT_EQ(ids, prompt["chunks"][i].at("ids").get<std::vector<int>>()) << text;
      EXPECT_EQ(weights, prompt["chunks"][i].at("weights").get<std::vector<float>>()) << text;
    }
    ++compared;
  }
  EXPECT_GT(compared, 100);
}

TEST(Chunks, AreAlwaysOfSeventySevenTokens) {
  const std::string many(400, ',');
  for (const std::string& prompt : {std::string(), std::string("(a:2)"), many, "(" + many + ":1.2) b"}) {
    for (const auto& chunk : tokenize_prompt(tokenizer(), prompt)) {
      ASSERT_EQ(chunk.size(), 77U);
      EXPECT_EQ(chunk.front().id, 49406);
      EXPECT_EQ(chunk.back().id, 49407);
    }
  }
}

TEST(Chunks, RefuseTextualInversionInsteadOfReadingItsNameAsWords) {
  for (const auto& prompt : golden_prompts()) {
    const auto text = prompt.at("prompt").get<std::string>();
    if (!names_textual_inversion(text)) continue;
    try {
      tokenize_prompt(tokenizer(), text);
      ADD_FAILURE() << "read as words: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "no_inversion");
      EXPECT_NE(std::string(error.what()).find("embedding:missing"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace refrain::diffusion
