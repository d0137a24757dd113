#include "graph/stub_nodes.hpp"

#include <refrain/abi.hpp>
#include <refrain/errors.hpp>
#include <refrain/node.hpp>

#include "json/workflow_reader.hpp"

namespace refrain::test {
namespace {

#define REFRAIN_STUB_PAYLOAD(Name, kName)           \
  struct Name {                                     \
    static constexpr const char* kTypeName = kName; \
  }
REFRAIN_STUB_PAYLOAD(StubModel, "MODEL");
REFRAIN_STUB_PAYLOAD(StubClip, "CLIP");
REFRAIN_STUB_PAYLOAD(StubVae, "VAE");
REFRAIN_STUB_PAYLOAD(StubLatent, "LATENT");
REFRAIN_STUB_PAYLOAD(StubConditioning, "CONDITIONING");
REFRAIN_STUB_PAYLOAD(StubImage, "IMAGE");
REFRAIN_STUB_PAYLOAD(StubMask, "MASK");
REFRAIN_STUB_PAYLOAD(StubPrompt, "PROMPT");
REFRAIN_STUB_PAYLOAD(StubPngInfo, "EXTRA_PNGINFO");
#undef REFRAIN_STUB_PAYLOAD

template <class T>
using P = Param<T>;
using S = std::string;

Choices throwing_choices(const Host&) { throw NodeError("folder_missing", "the folder is gone"); }

constexpr In<StubModel> kModel{"model", "The model."};
constexpr In<StubClip> kClip{"clip"};
constexpr In<StubVae> kVae{"vae"};
constexpr In<StubConditioning> kPositive{"positive"}, kNegative{"negative"};
constexpr In<StubLatent> kLatentImage{"latent_image"}, kSamples{"samples"};
constexpr In<StubImage> kImages{"images"};
constexpr Choice kCheckpoint{"ckpt_name", FilesIn{"checkpoints"}};
constexpr P<S> kText{"text", "", Text::multiline, "The text to be encoded."};
constexpr P<int> kWidth{"width", 512, {16, 16384, 8}}, kHeight{"height", 512, {16, 16384, 8}},
    kBatch{"batch_size", 1, {1, 4096}};
constexpr P<std::uint64_t> kSeed{"seed", 0, {0, 0xFFFFFFFFFFFFFFFFull}};
constexpr P<int> kSteps{"steps", 20, {1, 10000}};
constexpr P<double> kCfg{"cfg", 8.0, {0.0, 100.0, 0.1, 0.01}}, kDenoise{"denoise", 1.0, {0.0, 1.0, 0.01}};
constexpr Choice kSampler{"sampler_name", {"euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim"}};
constexpr Choice kScheduler{"scheduler", {"normal", "karras", "simple"}};
constexpr P<S> kPrefix{"filename_prefix", "ComfyUI"};
constexpr Hidden<StubPrompt> kPrompt{};
constexpr Hidden<StubPngInfo> kPngInfo{};

constexpr Choice kLora{"lora_name", FilesIn{"loras"}}, kVaeFile{"vae_name", FilesIn{"vae"}};
constexpr Choice kBroken{"broken", throwing_choices}, kUnchecked{"image", FilesIn{"checkpoints"}};
constexpr P<bool> kSwitch{"switch", false};
constexpr P<std::int64_t> kAny64{"whole", 0};
constexpr P<double> kAnyDouble{"real", 0.0};
constexpr In<Any> kValue{"value"}, kEither{"either"};
constexpr In<Lazy<Any>> kOnTrue{"on_true"}, kOnFalse{"on_false"};
constexpr In<Optional<StubMask>> kMask{"mask"};
constexpr In<std::int64_t> kLinkedInt{"count"};

constexpr Out<StubModel> kOutModel{"MODEL"};
constexpr Out<StubClip> kOutClip{"CLIP"};
constexpr Out<StubVae> kOutVae{"VAE"};
constexpr Out<StubLatent> kOutLatent{"LATENT", "The denoised latent."};
constexpr Out<StubConditioning> kOutConditioning{"CONDITIONING"};
constexpr Out<StubImage> kOutImage{"IMAGE"};
constexpr Out<StubMask> kOutMask{"MASK"};
constexpr Out<std::int64_t> kOutInt{"INT"};
constexpr Out<Any> kOutAny{"value"};
constexpr Out<List<StubImage>> kOutImages{"IMAGE"};

// A node whose validate() has opinions about its text.
class Opinionated final : public Node {
 public:
  void run(Context&) override {}
  void validate(Literals& in) const override {
    const std::string* text = in[kPrefix];
    if (text && *text == "throw") throw NodeError("opinion", "no opinion on this");
    if (text && text->find("..") != text->npos) in.reject(kPrefix, "leaves the output folder");
  }
};

constexpr abi::NodeEntry kOpinionated{nullptr, []() -> Node* { return new Opinionated; },
                                      [](Node* node) { delete node; }, abi::kValidate};

std::vector<Schema> core_schemas() {
  return {
      {"CheckpointLoaderSimple", "loaders", "Loads a checkpoint.", {kCheckpoint}, {kOutModel, kOutClip, kOutVae}},
      {"CLIPTextEncode", "conditioning", "Encodes a text.", {kText, kClip}, {kOutConditioning}},
      {"EmptyLatentImage", "latent", "", {kWidth, kHeight, kBatch}, {kOutLatent}},
      {"KSampler",
       "sampling",
       "Denoises a latent.",
       {kModel, Input(kSeed).control_after_generate(), kSteps, kCfg, kSampler, kScheduler, kPositive, kNegative,
        kLatentImage, kDenoise},
       {kOutLatent}},
      {"VAEDecode", "latent", "", {kSamples, kVae}, {kOutImage}},
      {"SaveImage", "image", "", {kImages, kPrefix, kPrompt, kPngInfo}, {}, Role::output},
      {"PreviewImage", "image", "", {kImages, kPrompt, kPngInfo}, {}, Role::output},
  };
}

std::vector<Schema> odd_schemas() {
  return {
      {"Conversions", "test", "", {kAny64, kAnyDouble, kText, kSwitch}, {kOutInt}},
      {"LoraNames", "test", "", {kLora}, {kOutInt}},
      {"VaeNames", "test", "", {kVaeFile}, {kOutInt}},
      {"BrokenChoices", "test", "", {kBroken}, {kOutInt}},
      {"UncheckedChoice", "test", "", {Input(kUnchecked).check_in_node()}, {kOutImage, kOutMask}},
      {"Switch", "test", "", {kSwitch, kOnTrue, kOnFalse}, {kOutAny}},
      {"Blend",
       "test",
       "",
       {kImages, kMask, Input(kDenoise).make_optional(), Input(kScheduler).make_optional()},
       {kOutImage}},
      {"Union", "test", "", {Input(kEither).accept("IMAGE,MASK")}, {kOutImages}},
      {"TakesCount", "test", "", {kLinkedInt}, {kOutInt}},
      {"Pass", "test", "", {kValue}, {kOutAny}},
      {"Show", "test", "", {kValue}, {}, Role::output},
      {"Opinionated", "test", "", {kPrefix, kImages}, {}, Role::output},
  };
}

}  // namespace

const Registry& stub_registry() {
  static const Registry* const kRegistry = [] {
    auto* registry = new Registry;
    std::vector<std::unique_ptr<NodeType>> types;
    for (std::vector<Schema> schemas : {core_schemas(), odd_schemas()}) {
      for (Schema& schema : schemas) {
        auto& type = types.emplace_back(std::make_unique<NodeType>());
        type->library = "stubs";
        if (schema.name == "Opinionated") type->entry = &kOpinionated;
        type->schema = std::move(schema);
      }
    }
    registry->add(std::move(types));
    registry->seal();
    return registry;
  }();
  return *kRegistry;
}

Choices StubHost::files_in(std::string_view folder) const {
  if (folder == "checkpoints") return {"sd15.safetensors", "v1-5-pruned-emaonly.ckpt"};
  Choices loras;
  for (int i = 1; folder == "loras" && i <= 25; ++i) loras.push_back("lora_" + std::to_string(i) + ".safetensors");
  return loras;
}
std::filesystem::path StubHost::find_file(std::string_view, std::string_view name) const { return name; }
std::filesystem::path StubHost::data_file(std::string_view name) const { return name; }
std::filesystem::path StubHost::directory(Folder) const { return "."; }

ValidationResult validate_text(std::string_view text) {
  static StubHost host;
  auto graph = std::make_shared<const WorkflowGraph>(parse_workflow(text, "test.json"));
  return Validator(stub_registry(), host).validate(std::move(graph));
}

std::vector<std::string> types_of(const ValidationResult& result) {
  std::vector<std::string> types;
  for (const Diagnostic& diagnostic : result.diagnostics) types.push_back(diagnostic.type);
  return types;
}

}  // namespace refrain::test
