"""Golden vectors of what the loaders of single parts add: rounded weights, and textual inversions in torch's files."""

import torch

from golden import FOLDER, Golden, random
from small_models import UNET, SmallModels
from vectors_models import sha256

WIDTH = 64
EMBEDDINGS = FOLDER.parent / "embeddings"


def _rounded(models, dtype):
    """As UNETLoader's weight_dtype does: the weights in that type, computed with in float32."""
    import comfy.model_base
    import comfy.model_detection
    import comfy.supported_models

    sizes = comfy.model_detection.detect_unet_config(models.state, UNET)
    sizes.update(num_heads=models.unet_heads, num_head_channels=-1)
    config = comfy.supported_models.SD15(sizes)
    config.set_inference_dtype(dtype, torch.float32)
    model = comfy.model_base.BaseModel(config, device=torch.device("cpu"))
    weights = {name[len(UNET) :]: tensor for name, tensor in models.state.items() if name.startswith(UNET)}
    missing, unexpected = model.diffusion_model.load_state_dict(weights, strict=True)
    assert not missing and not unexpected
    assert next(model.diffusion_model.parameters()).dtype == dtype
    return model.eval().diffusion_model


def _write_embeddings(golden):
    """Small files as programs for training write them, and the vectors that ComfyUI finds in each."""
    import comfy.sd1_clip

    def vectors(name, *shape):
        return random(f"parts/embedding/{name}", *shape)

    extra = {"name": "style", "step": 100, "sd_checkpoint": None}
    files = {
        "webui.pt": {"string_to_token": {"*": 265}, "string_to_param": {"*": vectors("webui", 3, WIDTH)}, **extra},
        "parameter.pt": {"string_to_param": {"*": torch.nn.Parameter(vectors("parameter", 2, WIDTH))}, **extra},
        "token.bin": {"<style>": vectors("token", WIDTH)},
        "plain.pt": {"emb_params": vectors("plain", 4, WIDTH)},
        "half.pt": {"clip_l": vectors("half", 1, WIDTH).half(), "clip_g": vectors("other", 1, 2 * WIDTH).half()},
        "legacy.pt": {"string_to_param": {"*": vectors("legacy", 2, WIDTH)}, **extra},
    }
    EMBEDDINGS.mkdir(exist_ok=True)
    for name, contents in files.items():
        torch.save(contents, EMBEDDINGS / name, _use_new_zipfile_serialization=name != "legacy.pt")
        found = comfy.sd1_clip.load_embed(name, [str(EMBEDDINGS)], WIDTH, "clip_l")
        golden.add(f"embedding/{name}", found.detach().float().reshape(-1, WIDTH))


def write(oracle, checkpoint):
    golden = Golden(oracle, "vectors_parts.py", checkpoint_sha256=sha256(checkpoint))
    models = SmallModels(checkpoint)
    latent, steps = random("parts/latent", 1, 4, 8, 12), torch.tensor([617.0])
    context = random("parts/context", 1, 77, WIDTH)
    for name, tensor in [("latent", latent), ("timesteps", steps), ("context", context)]:
        golden.add(f"input/{name}", tensor)
    for name, dtype in [("fp8_e4m3fn", torch.float8_e4m3fn), ("fp8_e5m2", torch.float8_e5m2)]:
        unet = _rounded(models, dtype)
        golden.run(f"{name}/prediction", lambda: unet(latent, steps, context))
    _write_embeddings(golden)
    golden.write("parts_small.safetensors")
