#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

#include <ATen/ops/tensor.h>

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <vector>

namespace {

using namespace refrain;

/// "25, 187" as numbers in 0..last. Throws NodeError.
std::vector<std::int64_t> labels_of(std::string_view text, std::int64_t last) {
  std::vector<std::int64_t> labels;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto skip = [&](char c) {
    while (at != end && *at == c) ++at;
  };
  while (true) {
    skip(' ');
    std::int64_t label = 0;
    const auto [after, error] = std::from_chars(at, end, label);
    if (error != std::errc() || label < 0 || label > last) {
      throw NodeError("conditioning.label",
                      fmt::format("input labels: \"{}\" is not a list of classes such as \"25, 187\"; "
                                  "this model's classes are 0 to {}",
                                  text, last));
    }
    labels.push_back(label);
    at = after;
    skip(' ');
    if (at == end) return labels;
    if (*at != ',') {
      throw NodeError("conditioning.label", fmt::format("input labels: there must be a comma before \"{}\"",
                                                        std::string_view(at, static_cast<std::size_t>(end - at))));
    }
    ++at;
  }
}

/// Classes as a class-conditional U-Net's cross-attention takes them.
class ClassConditioning final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "a class-conditional model"};
  static constexpr Param<std::string> labels{
      "labels", "0", "a class, or several with commas between: picture i gets the i-th, and so on from the start"};
  static constexpr Out<Conditioning> conditioning{"CONDITIONING", "[labels, 1, width]"};

  static Schema schema() {
    return Schema{"ClassConditioning",
                  "refrain/reference",
                  "Tells a class-conditional model what to draw, by the numbers of its classes.",
                  {model, labels},
                  {conditioning}}
        .titled("Class Conditioning");
  }

  void run(Context& ctx) override {
    const at::Tensor& table = ctx[model].class_embedding;
    if (!table.defined()) {
      throw NodeError("conditioning.no_classes",
                      fmt::format("input model: a model of the family {} has no classes; "
                                  "use CLIPTextEncode for prompts, UnconditionalConditioning without any",
                                  ctx[model].family));
    }
    const std::vector<std::int64_t> chosen = labels_of(ctx[labels], table.size(0) - 1);
    const at::Tensor rows = table.index_select(0, at::tensor(chosen, at::kLong));
    ctx.set(conditioning, Conditioning{{{rows.unsqueeze(1), {}, {}}}});
  }
};

}  // namespace

REFRAIN_NODE(ClassConditioning)
