#include "sd1_layout.hpp"

#include "models/unet_plan.hpp"

#include <cstdint>
#include <vector>

namespace refrain::diffusion {
namespace {

constexpr bool kNoBias = false;

class Writer {
 public:
  explicit Writer(Layout& layout) : layout_(layout) {}

  void norm(const std::string& path, std::int64_t width) const {
    layout_[path + ".weight"] = {width};
    layout_[path + ".bias"] = {width};
  }
  void linear(const std::string& path, std::int64_t in, std::int64_t out, bool bias = true) const {
    layout_[path + ".weight"] = {out, in};
    if (bias) layout_[path + ".bias"] = {out};
  }
  void conv(const std::string& path, std::int64_t in, std::int64_t out, std::int64_t kernel) const {
    layout_[path + ".weight"] = {out, in, kernel, kernel};
    layout_[path + ".bias"] = {out};
  }
  void tensor(const std::string& path, std::vector<std::int64_t> shape) const { layout_[path] = std::move(shape); }

 private:
  Layout& layout_;
};

void unet_resnet(const Writer& w, const std::string& path, int in, int out, int time_channels) {
  w.norm(path + ".in_layers.0", in);
  w.conv(path + ".in_layers.2", in, out, 3);
  w.linear(path + ".emb_layers.1", time_channels, out);
  w.norm(path + ".out_layers.0", out);
  w.conv(path + ".out_layers.3", out, out, 3);
  if (in != out) w.conv(path + ".skip_connection", in, out, 1);
}

void transformer(const Writer& w, const std::string& path, int width, int depth, int context) {
  w.norm(path + ".norm", width);
  w.conv(path + ".proj_in", width, width, 1);
  w.conv(path + ".proj_out", width, width, 1);
  for (int i = 0; i < depth; ++i) {
    const std::string block = path + ".transformer_blocks." + std::to_string(i);
    for (const char* name : {"attn1", "attn2"}) {
      const std::string attention = block + "." + name;
      const int from = attention.ends_with('2') ? context : width;
      w.linear(attention + ".to_q", width, width, kNoBias);
      w.linear(attention + ".to_k", from, width, kNoBias);
      w.linear(attention + ".to_v", from, width, kNoBias);
      w.linear(attention + ".to_out.0", width, width);
    }
    w.linear(block + ".ff.net.0.proj", width, 8 * width);
    w.linear(block + ".ff.net.2", 4 * width, width);
    for (const char* name : {".norm1", ".norm2", ".norm3"}) w.norm(block + name, width);
  }
}

void unet(const Writer& w, const std::string& path, const UNetConfig& config) {
  const UNetPlan plan = plan_unet(config);
  w.linear(path + ".time_embed.0", config.model_channels, plan.time_channels);
  w.linear(path + ".time_embed.2", plan.time_channels, plan.time_channels);
  for (int n = 0; n < plan.skips(); ++n) {
    const EncoderUnitPlan& unit = plan.encoder[n];
    const std::string block = path + ".input_blocks." + std::to_string(n);
    if (unit.kind == EncoderUnitPlan::Kind::conv_in) w.conv(block + ".0", unit.in, unit.out, 3);
    if (unit.kind == EncoderUnitPlan::Kind::downsample) w.conv(block + ".0.op", unit.in, unit.out, 3);
    if (unit.kind == EncoderUnitPlan::Kind::resnet) {
      unet_resnet(w, block + ".0", unit.in, unit.out, plan.time_channels);
      if (unit.transformer_depth > 0) {
        transformer(w, block + ".1", unit.out, unit.transformer_depth, config.context_dim);
      }
    }
  }
  const int middle = plan.middle_channels;
  unet_resnet(w, path + ".middle_block.0", middle, middle, plan.time_channels);
  transformer(w, path + ".middle_block.1", middle, plan.middle_transformer_depth, config.context_dim);
  unet_resnet(w, path + ".middle_block.2", middle, middle, plan.time_channels);
  for (int n = 0; n < plan.skips(); ++n) {
    const DecoderUnitPlan& unit = plan.decoder[n];
    const std::string block = path + ".output_blocks." + std::to_string(n);
    unet_resnet(w, block + ".0", unit.in + unit.skip, unit.out, plan.time_channels);
    if (unit.transformer_depth > 0) transformer(w, block + ".1", unit.out, unit.transformer_depth, config.context_dim);
    if (unit.upsample) w.conv(block + (unit.transformer_depth > 0 ? ".2.conv" : ".1.conv"), unit.out, unit.out, 3);
  }
  w.norm(path + ".out.0", config.model_channels);
  w.conv(path + ".out.2", config.model_channels, config.out_channels, 3);
}

void clip_text(const Writer& w, const std::string& path, const ClipTextConfig& config) {
  w.tensor(path + ".embeddings.token_embedding.weight", {config.vocabulary, config.width});
  w.tensor(path + ".embeddings.position_embedding.weight", {config.positions, config.width});
  for (int i = 0; i < config.layers; ++i) {
    const std::string layer = path + ".encoder.layers." + std::to_string(i);
    for (const char* name : {".self_attn.q_proj", ".self_attn.k_proj", ".self_attn.v_proj", ".self_attn.out_proj"}) {
      w.linear(layer + name, config.width, config.width);
    }
    w.norm(layer + ".layer_norm1", config.width);
    w.linear(layer + ".mlp.fc1", config.width, 4 * config.width);
    w.linear(layer + ".mlp.fc2", 4 * config.width, config.width);
    w.norm(layer + ".layer_norm2", config.width);
  }
  w.norm(path + ".final_layer_norm", config.width);
}

void vae_resnet(const Writer& w, const std::string& path, int in, int out) {
  w.norm(path + ".norm1", in);
  w.conv(path + ".conv1", in, out, 3);
  w.norm(path + ".norm2", out);
  w.conv(path + ".conv2", out, out, 3);
  if (in != out) w.conv(path + ".nin_shortcut", in, out, 1);
}

void vae_middle(const Writer& w, const std::string& path, int width) {
  vae_resnet(w, path + ".block_1", width, width);
  w.norm(path + ".attn_1.norm", width);
  for (const char* name : {".attn_1.q", ".attn_1.k", ".attn_1.v", ".attn_1.proj_out"}) {
    w.conv(path + name, width, width, 1);
  }
  vae_resnet(w, path + ".block_2", width, width);
}

void autoencoder(const Writer& w, const std::string& path, const AutoencoderConfig& config) {
  const int levels = static_cast<int>(config.channel_mult.size());
  const int deepest = config.channels * config.channel_mult.back();
  int width = config.channels;
  w.conv(path + ".encoder.conv_in", 3, width, 3);
  for (int level = 0; level < levels; ++level) {
    const std::string down = path + ".encoder.down." + std::to_string(level);
    for (int block = 0; block < config.res_blocks; ++block) {
      const int out = config.channels * config.channel_mult[level];
      vae_resnet(w, down + ".block." + std::to_string(block), width, out);
      width = out;
    }
    if (level + 1 < levels) w.conv(down + ".downsample.conv", width, width, 3);
  }
  vae_middle(w, path + ".encoder.mid", deepest);
  w.norm(path + ".encoder.norm_out", deepest);
  w.conv(path + ".encoder.conv_out", deepest, 2 * config.latent_channels, 3);
  w.conv(path + ".quant_conv", 2 * config.latent_channels, 2 * config.embed_channels, 1);
  w.conv(path + ".post_quant_conv", config.embed_channels, config.latent_channels, 1);
  w.conv(path + ".decoder.conv_in", config.latent_channels, deepest, 3);
  vae_middle(w, path + ".decoder.mid", deepest);
  for (int level = levels - 1; level >= 0; --level) {
    const std::string up = path + ".decoder.up." + std::to_string(level);
    for (int block = 0; block <= config.res_blocks; ++block) {
      const int out = config.channels * config.channel_mult[level];
      vae_resnet(w, up + ".block." + std::to_string(block), width, out);
      width = out;
    }
    if (level > 0) w.conv(up + ".upsample.conv", width, width, 3);
  }
  w.norm(path + ".decoder.norm_out", width);
  w.conv(path + ".decoder.conv_out", width, 3, 3);
}

}  // namespace

Layout sd1_layout(const UNetConfig& unet_config, const ClipTextConfig& clip_config,
                  const AutoencoderConfig& autoencoder_config) {
  Layout layout;
  const Writer writer(layout);
  unet(writer, "model.diffusion_model", unet_config);
  clip_text(writer, "cond_stage_model.transformer.text_model", clip_config);
  autoencoder(writer, "first_stage_model", autoencoder_config);
  return layout;
}

}  // namespace refrain::diffusion
