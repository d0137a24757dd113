"""Golden vectors of the small checkpoint's models: modules, U-Net, DeepCache, text encoder, autoencoder, pictures."""

import hashlib
from pathlib import Path

import numpy
import torch

from golden import Golden, random, threads
from small_models import FIRST_STAGE, TEXT, UNET, SmallModels, Splice

# name: batch, height, width, text tokens, scale of the latent, training steps
UNET_CASES = {
    "plain": (1, 8, 12, 77, 1.0, [981.0]),
    "square_batch": (2, 16, 16, 77, 1.0, [999.0, 301.7]),
    "long_text": (2, 8, 12, 154, 1.0, [500.0, 1.0]),
    "quiet": (1, 8, 12, 77, 1e-2, [261.0]),
    "odd": (1, 9, 13, 77, 1.0, [741.0]),
    "one_token": (1, 8, 8, 1, 1.0, [17.0]),
}

PROMPTS = [
    "",
    "a photo of a cat",
    "beautiful scenery nature glass bottle landscape, , purple galaxy bottle,",
    "a (big (red:0.7) dog:1.4) runs, ((masterpiece)), \\(style\\)",
    "(cat:0) and (dog:-1)",
    "a (very:1.2) long prompt, "
    + ", ".join(f"(thing {i}:0.{i % 9 + 1})" if i % 7 == 0 else f"thing {i}" for i in range(36)),
]


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def unet_input(models, case, name):
    batch, height, width, tokens, scale, steps = case
    dim = models.state[UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
    return (
        random(f"unet/{name}/latent", batch, 4, height, width, scale=scale),
        torch.tensor(steps),
        random(f"unet/{name}/context", batch, tokens, dim),
    )


def write_unet(golden, models, unet):
    skips = len(unet.output_blocks)
    for name, case in UNET_CASES.items():
        latent, steps, context = unet_input(models, case, name)
        golden.add(f"{name}/latent", latent)
        golden.add(f"{name}/timesteps", steps)
        golden.add(f"{name}/context", context)
        golden.run(f"{name}/prediction", lambda: unet(latent, steps, context))
    # What every unit gives, to find the first that is wrong.
    latent, steps, context = unet_input(models, UNET_CASES["plain"], "plain")
    encoder = []
    decoder = Splice(skips)

    def keep(h, options):
        encoder.append(h.clone())
        return h

    patches = {"input_block_patch": [keep], "output_block_patch": [decoder]}
    with torch.no_grad(), threads(1):
        unet(latent, steps, context, transformer_options={"patches": patches})
    for unit, h in enumerate(encoder):
        golden.add(f"plain/encoder/{unit}", h)
    for depth, h in decoder.kept.items():
        golden.add(f"plain/feature/{depth}", h)  # h_k; the deepest is the middle's output
    golden.note("skips", skips)


def write_deepcache(golden, models, unet):
    """h_k of input A for every k; Full(B), and B spliced with A's h_k for every k."""
    skips = len(unet.output_blocks)
    case = (2, 8, 8, 77, 1.0, [981.0, 981.0])
    a = unet_input(models, case, "a")
    b = unet_input(models, (*case[:5], [961.0, 961.0]), "b")
    b = (a[0] + 0.25 * b[0], b[1], a[2])  # near A, as the next step of a run is
    for name, (latent, steps, context) in (("a", a), ("b", b)):
        golden.add(f"{name}/latent", latent)
        golden.add(f"{name}/timesteps", steps)
    golden.add("context", a[2])
    keeper = Splice(skips)
    golden.run("a/prediction", lambda: unet(*a, transformer_options={"patches": {"output_block_patch": [keeper]}}))
    golden.run("b/prediction", lambda: unet(*b))
    for depth in range(skips):
        golden.add(f"a/feature/{depth}", keeper.kept[depth])
        splice = Splice(skips)
        splice.replace[depth] = keeper.kept[depth]
        patches = {"output_block_patch": [splice]}
        golden.run(f"b/deep/{depth}", lambda: unet(*b, transformer_options={"patches": patches}))
    golden.note("skips", skips)


def write_modules(golden, models, unet, vae):
    """Single modules, named by the path of their weights, on inputs of unit size and of 1/128, where an eps shows."""
    from comfy.ldm.modules.diffusionmodules.util import timestep_embedding

    steps = torch.tensor([0.0, 1.0, 500.0, 999.0])
    golden.add("timestep_embedding/input", steps)
    for width in (unet.model_channels, 320):
        golden.add(f"timestep_embedding/{width}", timestep_embedding(steps, width))
    embedding = golden.run("time_embed/output", lambda: unet.time_embed(timestep_embedding(steps, unet.model_channels)))
    context = random(
        "modules/context",
        1,
        77,
        models.state[UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1],
    )
    golden.add("context", context)
    decoder, encoder = vae.decoder, vae.encoder
    width = encoder.conv_in.weight.shape[0]
    top = decoder.mid.block_1.in_channels
    c = unet.model_channels
    emb = embedding[2:3]
    calls = {
        UNET + "input_blocks.1.0": (unet.input_blocks[1][0], c, lambda m, x: m(x, emb)),
        UNET + "input_blocks.4.0": (unet.input_blocks[4][0], c, lambda m, x: m(x, emb)),
        UNET + "input_blocks.1.1": (unet.input_blocks[1][1], c, lambda m, x: m(x, context)),
        UNET + "input_blocks.3.0": (unet.input_blocks[3][0], c, lambda m, x: m(x)),
        UNET + "output_blocks.2.1": (unet.output_blocks[2][1], unet.output_blocks[2][1].channels, lambda m, x: m(x)),
        UNET + "out": (unet.out, c, lambda m, x: m(x)),
        FIRST_STAGE + "encoder.down.0.block.0": (encoder.down[0].block[0], width, lambda m, x: m(x, None)),
        FIRST_STAGE
        + "encoder.down.1.block.0": (
            encoder.down[1].block[0],
            encoder.down[1].block[0].in_channels,
            lambda m, x: m(x, None),
        ),
        FIRST_STAGE + "encoder.down.0.downsample": (encoder.down[0].downsample, width, lambda m, x: m(x)),
        FIRST_STAGE + "decoder.mid.attn_1": (decoder.mid.attn_1, top, lambda m, x: m(x)),
    }
    for name, (module, channels, call) in calls.items():
        for size, scale in (("unit", 1.0), ("small", 1 / 128)):
            x = random(f"modules/{name}/{size}", 1, channels, 5, 6, scale=scale)
            golden.add(f"{name}/{size}/input", x)
            golden.run(f"{name}/{size}/output", lambda: call(module, x.clone()))


def write_clip(golden, clip):
    encoder = clip.cond_stage_model.clip_l
    batch = []
    for prompt in (PROMPTS[1], PROMPTS[2], PROMPTS[5]):
        batch += [[token for token, _ in chunk] for chunk in clip.tokenize(prompt)["l"]]
    golden.add("tokens", torch.tensor(batch))
    golden.run("last", lambda: encoder(batch)[0])
    for layer in (-1, -2):
        encoder.set_clip_options({"layer": layer})
        golden.run(f"layer{layer}", lambda: encoder(batch)[0])
        encoder.reset_clip_options()
    for number, prompt in enumerate(PROMPTS):
        tokens = clip.tokenize(prompt)
        golden.run(f"prompt/{number}/cross_attention", lambda: clip.encode_from_tokens(tokens))
        golden.run(f"prompt/{number}/pooled", lambda: clip.encode_from_tokens(tokens, return_pooled=True)[1])
    golden.note("prompts", PROMPTS)


def as_bytes(image):
    """ComfyUI's SaveImage: 255 x in float32, clipped, truncated."""
    return torch.from_numpy(numpy.clip(255.0 * image.numpy(), 0, 255).astype(numpy.uint8))


def write_vae(golden, vae):
    for name, shape, scale in (("plain", (1, 4, 8, 12), 1.0), ("batch", (2, 4, 4, 4), 5.0), ("odd", (1, 4, 5, 7), 1.0)):
        latent = random(f"vae/{name}/latent", *shape, scale=scale)
        golden.add(f"{name}/latent", latent)
        # Before it is moved to 0..1 and clamped, and after.
        golden.run(f"{name}/decoded", lambda: vae.first_stage_model.decode(latent))
        image = golden.run(f"{name}/image", lambda: vae.decode(latent))
        golden.add(f"{name}/bytes", as_bytes(image))
    for name, shape in (("plain", (1, 32, 48, 3)), ("batch", (2, 24, 24, 3))):
        image = random(f"vae/{name}/image", *shape, scale=0.25).add(0.5).clamp(0, 1)
        golden.add(f"encode/{name}/image", image)
        golden.run(f"encode/{name}/latent", lambda: vae.encode(image))


def write(oracle, checkpoint):
    models = SmallModels(checkpoint)
    unet = models.model_patcher().model.diffusion_model
    vae = models.vae()
    facts = {"checkpoint_sha256": sha256(checkpoint), "unet_heads": models.unet_heads, "text_heads": models.text_heads}

    def golden():
        return Golden(oracle, "vectors_models.py", **facts)

    unet_file, cut_file, module_file, clip_file, vae_file = (golden() for _ in range(5))
    write_unet(unet_file, models, unet)
    unet_file.write("unet_small.safetensors")
    write_deepcache(cut_file, models, unet)
    cut_file.write("deepcache_small.safetensors")
    write_modules(module_file, models, unet, vae.first_stage_model)
    module_file.write("modules_small.safetensors")
    write_clip(clip_file, models.clip())
    clip_file.write("clip_small.safetensors")
    write_vae(vae_file, vae)
    vae_file.write("vae_small.safetensors")
