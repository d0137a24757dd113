#include "weights/json_fields.hpp"

#include <refrain/diffusion/error.hpp>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace refrain::diffusion {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

/// Takes nlohmann's SAX events and keeps the plain fields. A false return stops the parser.
class FieldHandler final : public nlohmann::json_sax<nlohmann::json> {
 public:
  FieldHandler(std::string_view inside, std::size_t most) : inside_(inside), most_(most) {}

  Fields fields;
  std::string problem;

  bool start_object(std::size_t) override {
    if (depth_ == 1 && !inside_.empty() && key_ == inside_) inside_target_ = true;
    return deeper();
  }
  bool end_object() override {
    --depth_;
    if (depth_ == 1) inside_target_ = false;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0) return refuse("it holds a list where an object belongs");
    if (is_target()) {
      list_ = '[';
      in_list_ = true;
    }
    return deeper();
  }
  bool end_array() override {
    --depth_;
    if (!is_target() || !std::exchange(in_list_, false)) return true;
    return keep(list_ + "]");
  }
  bool key(std::string& name) override {
    key_ = std::move(name);
    return true;
  }
  bool string(std::string& value) override { return scalar(value); }
  bool number_unsigned(std::uint64_t value) override { return scalar(std::to_string(value)); }
  bool number_integer(std::int64_t value) override { return scalar(std::to_string(value)); }
  bool number_float(double, const std::string& text) override { return scalar(text); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool null() override { return depth_ > 0 || refuse("it holds no object"); }
  bool binary(binary_t&) override { return refuse("it holds binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse("no valid JSON in UTF-8 at byte " + std::to_string(position));
  }

 private:
  bool refuse(std::string text) {
    problem = std::move(text);
    return false;
  }
  /// Whether the members that come now are those that are asked for.
  bool is_target() const { return inside_.empty() ? depth_ == 1 : depth_ == 2 && inside_target_; }
  bool deeper() {
    constexpr int kDeepest = 64;
    return ++depth_ <= kDeepest || refuse("it is nested too deep");
  }
  bool scalar(const std::string& text) {
    constexpr std::size_t kLongestList = 1000;
    if (depth_ == 0) return refuse("it holds a value where an object belongs");
    if (is_target()) return keep(text);
    if (in_list_ && list_.size() < kLongestList) list_ += (list_.size() > 1 ? "," : "") + text;
    return true;
  }
  bool keep(std::string text) {
    if (fields.size() >= most_) return refuse("it has too many members");
    if (fields.emplace(key_, std::move(text)).second) return true;
    return refuse("a key stands there twice");
  }

  std::string_view inside_;
  std::size_t most_;
  std::string key_;
  std::string list_;
  int depth_ = 0;
  bool inside_target_ = false;
  bool in_list_ = false;
};

}  // namespace

Fields read_json_fields(std::string_view json, const std::string& file, std::string_view inside) {
  constexpr std::size_t kLongest = std::size_t{16} << 20U;
  constexpr std::size_t kShortestMember = 64;  // on average: it bounds what a hostile file can make us allocate
  constexpr std::size_t kFew = 1000;
  FieldHandler handler(inside, kFew + json.size() / kShortestMember);
  if (json.size() > kLongest) {
    handler.problem = "it is longer than 16 MiB";
  } else if (json.find('\0') != json.npos) {  // the parser would take it for the end
    handler.problem = "no valid JSON: it holds a zero byte";
  } else if (!nlohmann::json::sax_parse(json, &handler) && handler.problem.empty()) {
    handler.problem = "no valid JSON";
  }
  if (!handler.problem.empty()) {
    throw ModelError("model_config", file + " can't be read: " + handler.problem + "; download it again");
  }
  return std::move(handler.fields);
}

}  // namespace refrain::diffusion
