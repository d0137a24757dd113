"""Golden vectors of LoRA: every kind of change and every dialect of names that is read, on the small checkpoint."""

import logging
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from golden import Golden, random, threads
from small_models import TEXT, UNET, SmallModels
from vectors_models import sha256

SEED = 97531
STEPS = 3
PROMPT = "a photo of a cat, (masterpiece:1.3)"
NEGATIVE = "blurry"
RANK = 2
KOHYA_LAYER = "lora_te_text_model_encoder_layers_{}_{}"
DIFFUSERS_LAYER = "text_encoder.text_model.encoder.layers.{}.{}"
OWN_LAYER = "text_encoders.clip_l.transformer.text_model.encoder.layers.{}.{}"


class File:
    """The tensors of one LoRA, their values from their names."""

    def __init__(self, name, models):
        self.name, self.models, self.tensors = name, models, {}

    def weight(self, full):
        return self.models.state[full + ".weight"]

    def add(self, key, *shape, scale=1.0):
        self.tensors[key] = random(f"lora/{self.name}/{key}", *shape, scale=scale).half()

    def low_rank(self, module, full, up=".lora_up.weight", down=".lora_down.weight", alpha=None, mid=False):
        """The weight's own statistics times a strength that shows."""
        strength = 0.4
        shape = self.weight(full).shape
        kernel = list(shape[2:])
        fan_in = shape[1:].numel()
        self.add(module + up, shape[0], RANK, *([1] * len(kernel)), scale=strength / RANK**0.5)
        if mid:
            self.add(module + down, RANK, shape[1], 1, 1, scale=RANK**0.5 / fan_in**0.5)
            self.add(module + ".lora_mid.weight", RANK, RANK, *kernel)
        else:
            self.add(module + down, RANK, shape[1], *kernel, scale=1 / fan_in**0.5)
        if alpha is not None:
            self.tensors[module + ".alpha"] = torch.tensor(alpha)

    def dora(self, module, full):
        weight = self.weight(full).float()
        norm = weight.flatten(1).norm(dim=1).reshape(-1, *[1] * (weight.dim() - 1))
        self.tensors[module + ".dora_scale"] = (norm * (1 + 0.2 * random(f"lora/{module}/dora", *norm.shape))).half()

    def hadamard(self, module, full, core=False):
        rows, columns, *kernel = self.weight(full).shape
        for number in "12":
            scale = 0.8 / (columns * 9 if kernel else columns) ** 0.25
            if core:
                self.add(f"{module}.hada_t{number}", RANK, RANK, *kernel)
                self.add(f"{module}.hada_w{number}_a", RANK, rows, scale=scale / RANK**0.5)
                self.add(f"{module}.hada_w{number}_b", RANK, columns)
            else:
                width = self.weight(full).shape[1:].numel()
                self.add(f"{module}.hada_w{number}_a", rows, RANK, scale=scale / RANK**0.5)
                self.add(f"{module}.hada_w{number}_b", RANK, width)
        self.tensors[module + ".alpha"] = torch.tensor(1.5)

    def kronecker(self, module, full, left, form):
        rows, columns, *kernel = self.weight(full).shape
        scale = 0.5 / columns**0.5
        if form == "left":
            self.add(module + ".lokr_w1_a", left, RANK)
            self.add(module + ".lokr_w1_b", RANK, left, scale=scale)
        else:
            self.add(module + ".lokr_w1", left, left, scale=scale)
        if form == "right":
            self.add(module + ".lokr_w2_a", rows // left, RANK)
            self.add(module + ".lokr_w2_b", RANK, columns // left)
        else:
            self.add(module + ".lokr_w2", rows // left, columns // left, *kernel)
        self.tensors[module + ".alpha"] = torch.tensor(1.0)


def _kohya(models):
    file = File("kohya", models)
    for part, full in [
        ("down_blocks_0_attentions_1", "input_blocks.2.1"),
        ("mid_block_attentions_0", "middle_block.1"),
        ("up_blocks_3_attentions_2", "output_blocks.11.1"),
    ]:
        for leaf in ["attn1.to_q", "attn1.to_out.0", "attn2.to_k", "attn2.to_v", "ff.net.0.proj", "ff.net.2"]:
            module = f"lora_unet_{part}_transformer_blocks_0_{leaf.replace('.', '_')}"
            file.low_rank(module, f"{UNET}{full}.transformer_blocks.0.{leaf}", alpha=1.0 if "attn1" in leaf else None)
        file.low_rank(f"lora_unet_{part}_proj_in", f"{UNET}{full}.proj_in", alpha=4.0)
    for module, full, mid in [
        ("conv_in", "input_blocks.0.0", False),
        ("down_blocks_0_resnets_0_conv1", "input_blocks.1.0.in_layers.2", False),
        ("down_blocks_1_resnets_0_conv2", "input_blocks.4.0.out_layers.3", True),
        ("down_blocks_1_resnets_0_conv_shortcut", "input_blocks.4.0.skip_connection", False),
        ("down_blocks_0_downsamplers_0_conv", "input_blocks.3.0.op", False),
        ("mid_block_resnets_1_time_emb_proj", "middle_block.2.emb_layers.1", False),
        ("up_blocks_0_upsamplers_0_conv", "output_blocks.2.1.conv", False),
        ("up_blocks_2_upsamplers_0_conv", "output_blocks.8.2.conv", False),
        ("time_embedding_linear_2", "time_embed.2", False),
    ]:
        file.low_rank(f"lora_unet_{module}", UNET + full, alpha=1.0, mid=mid)
    for layer, leaf in [(0, "self_attn.q_proj"), (0, "mlp.fc1"), (1, "self_attn.out_proj"), (1, "mlp.fc2")]:
        module = KOHYA_LAYER.format(layer, leaf.replace(".", "_"))
        file.low_rank(module, f"{TEXT}encoder.layers.{layer}.{leaf}", alpha=2.0)
    file.add("lora_te_text_model_encoder_layers_0_layer_norm1.lora_up.weight", 4, 2)  # of no use
    file.add("lora_unet_no_such_module.lora_down.weight", 2, 4)
    return file


def _diffusers(models):
    file = File("diffusers", models)
    block = "down_blocks.1.attentions.0.transformer_blocks.0"
    full = UNET + "input_blocks.4.1.transformer_blocks.0."
    for leaf in ["attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "attn2.to_q"]:
        old = leaf.replace(".to_", ".processor.to_").removesuffix(".0")
        prefix = "" if leaf == "attn2.to_q" else "unet."
        file.low_rank(f"{prefix}{block}.{old}", full + leaf, "_lora.up.weight", "_lora.down.weight")
    file.low_rank(f"unet.{block}.ff.net.0.proj", full + "ff.net.0.proj", ".lora_B.weight", ".lora_A.weight")
    file.low_rank(f"unet.{block}.ff.net.2", full + "ff.net.2", ".lora.up.weight", ".lora.down.weight")
    file.low_rank(
        "unet.up_blocks.2.resnets.1.conv2", UNET + "output_blocks.7.0.out_layers.3", ".lora_B.weight", ".lora_A.weight"
    )
    for leaf in ["self_attn.k_proj", "self_attn.v_proj"]:
        full = f"{TEXT}encoder.layers.0.{leaf}"
        ends = (".lora_linear_layer.up.weight", ".lora_linear_layer.down.weight")
        file.low_rank(DIFFUSERS_LAYER.format(0, leaf), full, *ends)
    return file


def _own_names(models):
    file = File("own", models)
    file.low_rank(
        "lora_unet_input_blocks_2_1_transformer_blocks_0_attn1_to_q",
        UNET + "input_blocks.2.1.transformer_blocks.0.attn1.to_q",
        alpha=1.0,
    )
    file.low_rank("diffusion_model.middle_block.1.proj_out", UNET + "middle_block.1.proj_out", ".lora_B", ".lora_A")
    file.low_rank(OWN_LAYER.format(1, "mlp.fc1"), TEXT + "encoder.layers.1.mlp.fc1")
    for module, full in [("conv_in", "input_blocks.0.0"), ("mid_block_resnets_0_conv1", "middle_block.0.in_layers.2")]:
        rows = file.weight(UNET + full).shape[0]
        file.add(f"lora_unet_{module}.diff_b", rows, scale=0.3)
    shape = file.weight(UNET + "input_blocks.0.0").shape
    file.add("lora_unet_conv_in.diff", *shape, scale=0.3 / shape[1:].numel() ** 0.5)
    width = file.weight(UNET + "input_blocks.4.1.norm").shape[0]
    file.add("lora_unet_down_blocks_1_attentions_0_norm.w_norm", width, scale=0.2)
    file.add("lora_unet_down_blocks_1_attentions_0_norm.b_norm", width, scale=0.2)
    file.add("diffusion_model.middle_block.1.norm.bias.diff", file.weight(UNET + "middle_block.1.norm").shape[0])
    file.add("lora_unet_out_0.set_weight", file.weight(UNET + "out.0").shape[0])
    return file


def _lycoris(models):
    file = File("lycoris", models)
    block = "input_blocks_1_1_transformer_blocks_0_"
    full = UNET + "input_blocks.1.1.transformer_blocks.0."
    conv = UNET + "input_blocks.2.0.in_layers.2"
    for module, name in [(block + "attn2_to_q", full + "attn2.to_q"), ("input_blocks_2_0_out_layers_3", conv)]:
        file.low_rank("lora_unet_" + module, name, alpha=1.0)
        file.dora("lora_unet_" + module, name)
    file.hadamard("lora_unet_" + block + "attn1_to_q", full + "attn1.to_q")
    file.hadamard("lora_unet_input_blocks_2_0_in_layers_2", conv, core=True)
    file.hadamard("lora_unet_input_blocks_1_0_in_layers_2", UNET + "input_blocks.1.0.in_layers.2")
    file.kronecker("lora_unet_" + block + "attn1_to_k", full + "attn1.to_k", 4, "plain")
    file.kronecker("lora_unet_" + block + "attn1_to_v", full + "attn1.to_v", 8, "left")
    file.kronecker("lora_unet_" + block + "attn1_to_out_0", full + "attn1.to_out.0", 4, "right")
    # A core (lokr_t2) is left out: ComfyUI 0.3.64 fails on it, and leaves the weight as it is.
    file.kronecker("lora_unet_middle_block_0_in_layers_2", UNET + "middle_block.0.in_layers.2", 32, "plain")
    return file


# name: the LoRAs with their strengths for the model and the text encoder, one after the other
CASES = {
    "none": [],
    "kohya": [("kohya", 1.0, 1.0)],
    "kohya/negative": [("kohya", -0.7, -0.4)],
    "kohya/model": [("kohya", 0.5, 0.0)],
    "kohya/clip": [("kohya", 0.0, 1.2)],
    "diffusers": [("diffusers", 0.9, 1.1)],
    "own": [("own", 0.8, 0.8)],
    "lycoris": [("lycoris", 1.0, 1.0)],
    "lycoris/part": [("lycoris", 0.35, 1.0)],
    "stacked": [("kohya", 0.8, 0.7), ("own", -0.5, 1.0), ("diffusers", 1.3, -0.6), ("kohya", 0.3, 0.2)],
}


class _Unused(logging.Handler):
    """Collects the keys that ComfyUI says it did not load."""

    def __init__(self):
        super().__init__()
        self.keys = []

    def emit(self, record):
        text = record.getMessage()
        if text.startswith("lora key not loaded: "):
            self.keys.append(text.split(": ", 1)[1])


def _laid(oracle, folder, steps, model, clip):
    import comfy.sd
    import comfy.utils

    for name, for_model, for_clip in steps:
        lora = comfy.utils.load_torch_file(str(folder / f"{name}.safetensors"), safe_load=True)
        model, clip = comfy.sd.load_lora_for_models(model, clip, lora, for_model, for_clip)
    return model, clip


def _unet(patcher, latent, steps, context):
    import comfy.model_management

    comfy.model_management.load_models_gpu([patcher])
    return patcher.model.diffusion_model(latent, steps, context)


def write(oracle, checkpoint):
    facts = dict(seed=SEED, steps=STEPS, prompt=PROMPT, negative=NEGATIVE)
    golden = Golden(oracle, "vectors_lora.py", checkpoint_sha256=sha256(checkpoint), **facts)
    models = SmallModels(checkpoint)
    model, clip = models.model_patcher(), models.clip(torch.float16)
    dim = clip.encode_from_tokens(clip.tokenize("a")).shape[-1]
    latent, steps = random("lora/latent", 1, 4, 8, 12), torch.tensor([617.0])
    context, start = random("lora/context", 1, 77, dim), random("lora/start", 1, 4, 8, 12)
    for name, tensor in [("latent", latent), ("timesteps", steps), ("context", context), ("start", start)]:
        golden.add(f"input/{name}", tensor)
    unused = _Unused()
    logging.getLogger().addHandler(unused)
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        for file in [_kohya(models), _diffusers(models), _own_names(models), _lycoris(models)]:
            save_file(file.tensors, folder / f"{file.name}.safetensors")
            for key, tensor in file.tensors.items():
                golden.add(f"file/{file.name}/{key}", tensor)
            unused.keys = []
            _laid(oracle, folder, [(file.name, 1.0, 1.0)], model, clip)
            golden.note(f"unused/{file.name}", sorted(unused.keys))
        for name, loras in CASES.items():
            with torch.inference_mode():
                changed, encoder = _laid(oracle, folder, loras, model, clip)
                golden.run(f"{name}/prediction", lambda: _unet(changed, latent, steps, context))
                text = golden.run(f"{name}/text", lambda: encoder.encode_from_tokens(encoder.tokenize(PROMPT)))
                if name in ("none", "kohya", "stacked"):
                    other = encoder.encode_from_tokens(encoder.tokenize(NEGATIVE))
                    with threads(1):
                        prompts = [[text, {}]], [[other, {}]]
                        run = oracle.nodes.KSampler().sample(
                            changed, SEED, STEPS, 5.0, "euler", "normal", *prompts, {"samples": start}, 0.8
                        )[0]
                    golden.add(f"{name}/run", run["samples"])
        _write_composed(oracle, folder, golden, model, clip, start, context)
    golden.note("cases", CASES)
    golden.write("lora_small.safetensors")


def _write_composed(oracle, folder, golden, model, clip, start, context):
    """A LoRA with two nodes that change what the model's output means, before and after it."""
    from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete, RescaleCFG

    other = random("lora/other", *context.shape)
    golden.add("input/other", other)

    def sample(changed):
        with torch.inference_mode(), threads(1):
            return oracle.nodes.KSampler().sample(
                changed, SEED, STEPS, 7.0, "euler", "karras", [[context, {}]], [[other, {}]], {"samples": start}, 0.8
            )[0]["samples"]

    first = ModelSamplingDiscrete().patch(model, "v_prediction", False)[0]
    first = _laid(oracle, folder, [("kohya", 0.6, 0.0)], first, clip)[0]
    golden.add("composed/run", sample(RescaleCFG().patch(first, 0.7)[0]))
