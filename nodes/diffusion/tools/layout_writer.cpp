#include "layout_writer.hpp"

#include "models/resnet_block.hpp"
#include "models/unet_plan.hpp"

#include <utility>

namespace refrain::diffusion {
namespace {

constexpr bool kNoBias = false;

void unet_resnet(const LayoutWriter& w, const std::string& path, const ResnetStyle& style, int in, int out,
                 int time_channels) {
  const auto part = [&](const char* name) { return path + "." + name; };
  w.norm(part(style.norm1), in);
  w.conv(part(style.conv1), in, out, 3);
  w.linear(part(style.embedding), time_channels, out);
  w.norm(part(style.norm2), out);
  w.conv(part(style.conv2), out, out, 3);
  if (in != out) w.conv(part(style.shortcut), in, out, 1);
}

void place_attention(const LayoutWriter& w, const std::string& path, int width) {
  w.norm(path + ".norm", width);
  for (const char* name : {".q", ".k", ".v", ".proj_out"}) w.conv(path + name, width, width, 1);
}

void transformer(const LayoutWriter& w, const std::string& path, int width, int depth, int context) {
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

void vae_resnet(const LayoutWriter& w, const std::string& path, int in, int out) {
  w.norm(path + ".norm1", in);
  w.conv(path + ".conv1", in, out, 3);
  w.norm(path + ".norm2", out);
  w.conv(path + ".conv2", out, out, 3);
  if (in != out) w.conv(path + ".nin_shortcut", in, out, 1);
}

void vae_middle(const LayoutWriter& w, const std::string& path, int width) {
  vae_resnet(w, path + ".block_1", width, width);
  place_attention(w, path + ".attn_1", width);
  vae_resnet(w, path + ".block_2", width, width);
}

}  // namespace

void LayoutWriter::norm(const std::string& path, std::int64_t width) const {
  layout_[path + ".weight"] = {width};
  layout_[path + ".bias"] = {width};
}

void LayoutWriter::linear(const std::string& path, std::int64_t in, std::int64_t out, bool bias) const {
  layout_[path + ".weight"] = {out, in};
  if (bias) layout_[path + ".bias"] = {out};
}

void LayoutWriter::conv(const std::string& path, std::int64_t in, std::int64_t out, std::int64_t kernel) const {
  layout_[path + ".weight"] = {out, in, kernel, kernel};
  layout_[path + ".bias"] = {out};
}

void LayoutWriter::tensor(const std::string& path, std::vector<std::int64_t> shape) const {
  layout_[path] = std::move(shape);
}

void write_unet(const LayoutWriter& w, const std::string& prefix, const UNetConfig& config) {
  const UNetPlan plan = plan_unet(config);
  const bool ldm = config.style == UNetStyle::ldm;
  const auto path = [&](const std::string& part) { return prefix.empty() ? part : prefix + "." + part; };
  const auto resnet = [&](const std::string& part, int in, int out) {
    unet_resnet(w, path(part), ldm ? kUNetResnet : kDdpmResnet, in, out, plan.time_channels);
  };
  const auto attention = [&](const std::string& part, int width, int depth) {
    if (depth > 0 && ldm) transformer(w, path(part), width, depth, config.context_dim);
    if (depth > 0 && !ldm) place_attention(w, path(part), width);
  };
  w.linear(path(plan.time_first), config.model_channels, plan.time_channels);
  w.linear(path(plan.time_second), plan.time_channels, plan.time_channels);
  for (const EncoderUnitPlan& unit : plan.encoder) {
    if (unit.kind == EncoderUnitPlan::Kind::conv_in) w.conv(path(unit.paths.body), unit.in, unit.out, 3);
    if (unit.kind == EncoderUnitPlan::Kind::downsample) w.conv(path(unit.paths.resample), unit.in, unit.out, 3);
    if (unit.kind != EncoderUnitPlan::Kind::resnet) continue;
    resnet(unit.paths.body, unit.in, unit.out);
    attention(unit.paths.attention, unit.out, unit.transformer_depth);
  }
  resnet(plan.middle_first, plan.middle_channels, plan.middle_channels);
  attention(plan.middle_attention, plan.middle_channels, plan.middle_transformer_depth);
  resnet(plan.middle_second, plan.middle_channels, plan.middle_channels);
  for (const DecoderUnitPlan& unit : plan.decoder) {
    resnet(unit.paths.body, unit.in + unit.skip, unit.out);
    attention(unit.paths.attention, unit.out, unit.transformer_depth);
    if (unit.upsample) w.conv(path(unit.paths.resample), unit.out, unit.out, 3);
  }
  const int last = plan.decoder.back().out;
  w.norm(path(plan.output_norm), last);
  w.conv(path(plan.output_conv), last, config.out_channels, 3);
}

void write_clip_text(const LayoutWriter& w, const std::string& path, const ClipTextConfig& config) {
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

void write_autoencoder(const LayoutWriter& w, const std::string& path, const AutoencoderConfig& config) {
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
  const int moments = config.codebook > 0 ? 1 : 2;
  w.conv(path + ".encoder.conv_out", deepest, moments * config.latent_channels, 3);
  w.conv(path + ".quant_conv", moments * config.latent_channels, moments * config.embed_channels, 1);
  if (config.codebook > 0) w.tensor(path + ".quantize.embedding.weight", {config.codebook, config.embed_channels});
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

}  // namespace refrain::diffusion
