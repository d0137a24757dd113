#pragma once
// Where a model's tensors come from, and how modules ask for them.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::diffusion {

/// One tensor of a file, without its data.
struct TensorInfo {
  at::ScalarType dtype;
  std::vector<std::int64_t> shape;
};

/// A file of named tensors. Tensors are views of the mapped file where alignment allows; they keep the mapping alive.
class WeightSource {
 public:
  virtual ~WeightSource();
  /// For messages: the file.
  virtual const std::string& name() const = 0;
  virtual const std::map<std::string, TensorInfo, std::less<>>& tensors() const = 0;
  virtual const std::map<std::string, std::string, std::less<>>& metadata() const = 0;
  /// The tensor called `name`, on the CPU in the file's dtype. Throws ModelError when it isn't there.
  virtual at::Tensor tensor(std::string_view name) const = 0;
  /// The pages of a tensor's data are no longer needed (its weights were packed or copied elsewhere).
  virtual void give_back(std::string_view name) const;
  /// All tensors but averages (EMA) will be wanted soon: begins to read them from the file in the background.
  virtual void read_ahead() const;
};

/// Opens a safetensors file and checks it whole (header, offsets, sizes) as the reference reader does. Throws
/// ModelError.
std::shared_ptr<const WeightSource> open_safetensors(const std::filesystem::path& file);

/// Which weights of a file are meant.
struct WeightOptions {
  /// Averages over the training steps (EMA), or the weights as trained; by default what the original loaders take: the
  /// trained ones of CompVis' checkpoints ("model.*", not "model_ema.*"), the average of ermongroup's training states.
  std::optional<bool> use_ema;
};

/// Opens a file of weights, recognised by what is in it and not by its name: safetensors, or a torch checkpoint (.ckpt,
/// .pt, .pth, .bin) in the form since torch 1.6 (zip) or before it. A checkpoint's pickle is read without running
/// anything of it. A folder is opened as open_diffusers_folder does.
/// Throws ModelError: model_file_missing, _unreadable, _truncated, _damaged, _unsupported; model_ema_missing.
std::shared_ptr<const WeightSource> open_weights(const std::filesystem::path& path, const WeightOptions& options = {});

/// Opens a folder as diffusers saves them (model_index.json, unet/, vae/, text_encoder/, each with its config.json and
/// its weights in one file or in shards), with the names that the same weights have in a single file; see
/// weights/diffusers_names.hpp. A folder of a U-Net alone keeps its own names. Numbers and texts of the configurations
/// are metadata: "unet.config.attention_head_dim". Throws ModelError.
std::shared_ptr<const WeightSource> open_diffusers_folder(const std::filesystem::path& folder,
                                                          const WeightOptions& options = {});

/// `source` with its floating-point tensors rounded to float16 as they are read: how ComfyUI holds text encoders.
std::shared_ptr<const WeightSource> rounded_to_half(std::shared_ptr<const WeightSource> source);

/// A weight's new value, made of its old one in float32, which is the function's own to change.
using WeightChange = std::function<at::Tensor(at::Tensor weight)>;
/// `source` with some of its tensors changed as they are read; those are float32 then. The rest is the source's own.
std::shared_ptr<const WeightSource> changed_weights(std::shared_ptr<const WeightSource> source,
                                                    std::map<std::string, WeightChange, std::less<>> changes);

/// Where weights go.
struct Placement {
  at::Device device{at::kCPU};
  at::ScalarType dtype = at::kFloat;  ///< of computation
};

/// A view of a source below a path: `weights / "input_blocks" / 0`. Cheap to copy. It remembers the forms (packed, on
/// the device) that modules make of the weights, so that a second model that differs in a few tensors shares all
/// others.
class Weights {
 public:
  /// Throws ModelError "dtype_unsupported" for fp16 computation on the CPU.
  Weights(std::shared_ptr<const WeightSource> source, Placement placement, std::string prefix = {});

  Weights operator/(std::string_view child) const;
  Weights operator/(int child) const;

  bool has(std::string_view leaf) const;
  /// Shape of a leaf, empty when there is none.
  std::vector<std::int64_t> shape(std::string_view leaf) const;
  /// Throws ModelError naming file, tensor and both shapes when the leaf is missing or not of `shape`.
  void check(std::string_view leaf, at::IntArrayRef shape) const;
  /// The leaf as stored: CPU, file's dtype. Throws as check() does.
  at::Tensor raw(std::string_view leaf, at::IntArrayRef shape) const;
  /// The leaf on the device in the dtype of computation: in place from the file where nothing has to change.
  at::Tensor get(std::string_view leaf, at::IntArrayRef shape) const;
  /// get(), remembered.
  at::Tensor keep(std::string_view leaf, at::IntArrayRef shape) const;
  /// What `make` gives, remembered as the leaf's form of that name; where this view lies over another one and the leaf
  /// is the same in both, what was remembered there.
  at::Tensor form(std::string_view leaf, std::string_view form, const std::function<at::Tensor()>& make) const;
  /// The same for whatever a module wants to share with those of other models.
  std::shared_ptr<void> share(std::string_view leaf, std::string_view form,
                              const std::function<std::shared_ptr<void>()>& make) const;
  /// The leaf was packed into another form: its file pages can go.
  void give_back(std::string_view leaf) const;

  /// A view of `source` at the same place, lying over this one: `changed` are the full names of the tensors that
  /// differ.
  Weights over(std::shared_ptr<const WeightSource> source, std::set<std::string, std::less<>> changed) const;
  /// This view, no longer lying over another one: for those who keep it, and would keep the other's forms with it.
  Weights alone() const;
  /// The same view of another source.
  Weights of(std::shared_ptr<const WeightSource> source) const;
  /// One for all views that share forms, and no others: tells what is counted once.
  const void* owner() const;

  const Placement& placement() const { return placement_; }
  const WeightSource& source() const { return *source_; }
  const std::shared_ptr<const WeightSource>& shared_source() const { return source_; }
  const std::string& prefix() const { return prefix_; }
  std::string path(std::string_view leaf) const;  ///< full name of a leaf

 private:
  struct Forms;
  struct Below;

  std::shared_ptr<const WeightSource> source_;
  Placement placement_;
  std::string prefix_;
  std::shared_ptr<Forms> forms_;
  std::shared_ptr<const Below> below_;  ///< null: lies over nothing
};

}  // namespace refrain::diffusion
