"""ComfyUI's classes at the sizes of a small checkpoint with SD 1.x names: what shapes tell is read from them."""

import torch
from safetensors import safe_open

UNET = "model.diffusion_model."
TEXT = "cond_stage_model.transformer.text_model."
FIRST_STAGE = "first_stage_model."


class SmallModels:
    """U-Net, text encoder and autoencoder of one file, as ComfyUI's loader would make them if it knew the sizes."""

    def __init__(self, checkpoint):
        with safe_open(checkpoint, "pt") as file:
            self.state = {name: file.get_tensor(name) for name in file.keys()}
            self.metadata = dict(file.metadata() or {})
        # Shapes do not tell the heads; refrain-make-checkpoint notes them.
        self.unet_heads = int(self.metadata["refrain.unet.heads"])
        self.text_heads = int(self.metadata["refrain.clip.heads"])

    def _part(self, prefix):
        return {name[len(prefix) :]: tensor.float() for name, tensor in self.state.items() if name.startswith(prefix)}

    def model_patcher(self):
        """The value that ComfyUI's loader puts on a MODEL edge: computes in float32."""
        import comfy.model_base
        import comfy.model_detection
        import comfy.model_patcher
        import comfy.supported_models

        sizes = comfy.model_detection.detect_unet_config(self.state, UNET)
        sizes.update(num_heads=self.unet_heads, num_head_channels=-1)
        config = comfy.supported_models.SD15(sizes)
        config.set_inference_dtype(torch.float32, None)
        model = comfy.model_base.BaseModel(config, device=torch.device("cpu"))
        if config.inpaint_model():
            model.set_inpaint()
        missing, unexpected = model.diffusion_model.load_state_dict(self._part(UNET), strict=True)
        assert not missing and not unexpected
        return comfy.model_patcher.ModelPatcher(model.eval(), torch.device("cpu"), torch.device("cpu"))

    def clip(self, dtype=torch.float32):
        """The value on a CLIP edge. ComfyUI's loader would hold it in float16; it computes in float32 either way."""
        import comfy.sd
        import comfy.sd1_clip
        import comfy.supported_models_base

        weights = self._part(TEXT)
        width = weights["final_layer_norm.weight"].shape[0]
        layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layers."))
        sizes = {
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": self.text_heads,
            "intermediate_size": weights["encoder.layers.0.mlp.fc1.weight"].shape[0],
            "projection_dim": width,
        }
        target = comfy.supported_models_base.ClipTarget(comfy.sd1_clip.SD1Tokenizer, comfy.sd1_clip.SD1ClipModel)
        clip = comfy.sd.CLIP(target, model_options={"dtype": dtype, "clip_l_model_config": sizes})
        renamed = {"clip_l.transformer.text_model." + name: tensor for name, tensor in weights.items()}
        missing, _ = clip.load_sd(renamed, full_model=True)
        assert all("logit_scale" in name or "text_projection" in name for name in missing), missing
        return clip

    def vae(self):
        """The value on a VAE edge."""
        import comfy.sd

        weights = self._part(FIRST_STAGE)
        channels = weights["encoder.conv_in.weight"].shape[0]
        levels = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.down."))
        mult = [weights[f"encoder.down.{i}.block.0.conv1.weight"].shape[0] // channels for i in range(levels)]
        sizes = {
            "double_z": True,
            "z_channels": weights["decoder.conv_in.weight"].shape[1],
            "resolution": 256,
            "in_channels": 3,
            "out_ch": 3,
            "ch": channels,
            "ch_mult": mult,
            "num_res_blocks": 2,
            "attn_resolutions": [],
            "dropout": 0.0,
        }
        embed = weights["post_quant_conv.weight"].shape[1]
        vae = comfy.sd.VAE(sd=dict(weights), config={"params": {"ddconfig": sizes, "embed_dim": embed}})
        assert vae.vae_dtype == torch.float32
        return vae


class Splice:
    """DeepCache by hand: an `output_block_patch` that keeps h_k, or puts a kept one in its place.

    The patch sees h before it is concatenated with skip k, at decoder unit S - 1 - k. What ComfyUI computes before it
    is thrown away where h_k is replaced, so the result is that of the U-Net cut and spliced there.
    """

    def __init__(self, skips):
        self.skips = skips
        self.kept = {}
        self.replace = {}  # depth -> tensor
        self.before = None  # called before the first decoder unit of each evaluation

    def __call__(self, h, skip, options):
        _, unit = options["block"]
        if unit == 0 and self.before is not None:
            self.before(options)
        depth = self.skips - 1 - unit
        if depth in self.replace:
            return self.replace[depth].clone(), skip  # patches behind this one change h in place
        self.kept[depth] = h.clone()
        return h, skip
