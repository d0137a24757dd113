"""Golden vectors of the nodes around sampling: conditioning, noise masks, latents, the autoencoder's nodes."""

import torch

from golden import Golden, random, threads
from small_models import UNET, SmallModels
from vectors_models import sha256

SEED = 24681357
STEPS = 5


class Nodes:
    """ComfyUI's node classes around the small checkpoint."""

    def __init__(self, oracle, models, golden):
        self.nodes, self.golden = oracle.nodes, golden
        self.model, self.vae = models.model_patcher(), models.vae()
        dim = models.state[UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
        self.prompts = {}
        for name, tokens in [("a", 77), ("b", 154), ("c", 77), ("d", 77)]:
            self.prompts[name] = [[self.input(f"prompt/{name}", 1, tokens, dim), {}]]
        self.latent = {"samples": self.input("latent", 2, 4, 8, 12, scale=4.0)}
        self.mask = self.input_mask("mask", 2, 40, 64)

    def input(self, name, *shape, scale=1.0):
        tensor = random(f"nodes/{name}", *shape, scale=scale)
        self.golden.add(f"input/{name}", tensor)
        return tensor

    def input_mask(self, name, *shape):
        """Smooth enough that resizing matters, with places of 0 and of 1."""
        coarse = random(f"nodes/{name}", shape[0], 1, 5, 7)
        tensor = torch.nn.functional.interpolate(coarse, size=shape[1:], mode="bicubic").squeeze(1).clamp(0, 1)
        self.golden.add(f"input/{name}", tensor)
        return tensor

    def sample(self, name, positive, negative, latent=None, cfg=6.0, sampler="euler", denoise=1.0):
        with torch.inference_mode(), threads(1):
            result = self.nodes.KSampler().sample(
                self.model, SEED, STEPS, cfg, sampler, "normal", positive, negative, latent or self.latent, denoise
            )[0]
        self.golden.add(f"sample/{name}", result["samples"])

    def __getattr__(self, name):
        """nodes.ConditioningCombine(...) calls the node of that name and returns its first output."""
        node = self.nodes.NODE_CLASS_MAPPINGS[name]

        def call(*arguments):
            with torch.inference_mode(), threads(1):
                return getattr(node(), node.FUNCTION)(*arguments)

        return call


def write(oracle, checkpoint):
    golden = Golden(oracle, "vectors_nodes.py", checkpoint_sha256=sha256(checkpoint), seed=SEED, steps=STEPS)
    models = SmallModels(checkpoint)
    nodes = Nodes(oracle, models, golden)
    _write_conditioning(nodes)
    _write_noise_masks(nodes)
    _write_latents(nodes)
    _write_autoencoder(nodes)
    _write_model_patches(nodes)
    _write_inversions(models, golden)
    golden.write("nodes_small.safetensors")


def _write_conditioning(nodes):
    a, b, c, d = (nodes.prompts[name] for name in "abcd")
    area = nodes.ConditioningSetArea(c, 64, 64, 16, 0, 1.4)[0]
    corner = nodes.ConditioningSetArea(d, 64, 64, 32, 0, 0.7)[0]
    shares = nodes.ConditioningSetAreaPercentage(d, 0.4, 1.0, 0.55, 0.0, 1.2)[0]
    masked = nodes.ConditioningSetMask(c, nodes.mask, "default", 0.8)[0]
    half = torch.zeros(1, 64, 96)
    half[:, 16:48, 40:90] = 1.0
    bounded = nodes.ConditioningSetMask(c, half, "mask bounds", 1.0)[0]
    early = nodes.ConditioningSetTimestepRange(c, 0.0, 0.35)[0]
    late = nodes.ConditioningSetTimestepRange(d, 0.35, 1.0)[0]

    def combined(*parts):
        whole = parts[0]
        for part in parts[1:]:
            whole = nodes.ConditioningCombine(whole, part)[0]
        return whole

    nodes.sample("combined", combined(a, b, c), d)
    nodes.sample("concatenated", nodes.ConditioningConcat(a, b)[0], d)
    nodes.sample("averaged", nodes.ConditioningAverage(b, a, 0.3)[0], nodes.ConditioningAverage(a, b, 0.6)[0])
    nodes.sample("area", combined(a, area), b)
    nodes.sample("areas", combined(a, area, corner, shares), combined(b, shares))
    nodes.sample("masked", combined(a, masked), d)
    nodes.sample("bounded", combined(a, bounded), d)
    nodes.sample("range", combined(early, late), b)
    nodes.sample("silent", nodes.ConditioningSetTimestepRange(a, 0.0, 0.5)[0], b)  # nothing holds at the end
    nodes.sample("zeroed", a, nodes.ConditioningZeroOut(a)[0])
    nodes.sample("all", combined(a, area, masked, early), combined(b, late), cfg=3.0, sampler="dpmpp_2m", denoise=0.7)
    nodes.golden.add("result/average", nodes.ConditioningAverage(b, a, 0.3)[0][0][0])


def _write_noise_masks(nodes):
    a, b = nodes.prompts["a"], nodes.prompts["b"]
    masked = nodes.SetLatentNoiseMask(nodes.latent, nodes.mask)[0]
    one = nodes.SetLatentNoiseMask(nodes.latent, nodes.mask[:1])[0]
    for sampler in ["euler", "ddim", "dpmpp_2m", "uni_pc"]:
        nodes.sample(f"inpaint/{sampler}", a, b, masked, sampler=sampler)
    nodes.sample("inpaint/one/euler_ancestral", a, b, one, sampler="euler_ancestral", denoise=0.8)


def _write_latents(nodes):
    latent = nodes.latent
    small = {"samples": nodes.input("small", 1, 4, 5, 6)}
    for method in ["nearest-exact", "bilinear", "area", "bicubic", "bislerp"]:
        wide = nodes.LatentUpscale(latent, method, 136, 72, "disabled")[0]
        nodes.golden.add(f"result/upscale/{method}", wide["samples"])
        half = nodes.LatentUpscaleBy(latent, method, 0.65)[0]
        nodes.golden.add(f"result/upscale_by/{method}", half["samples"])
    cropped = nodes.LatentUpscale(latent, "bilinear", 64, 96, "center")[0]
    nodes.golden.add("result/upscale/center", cropped["samples"])
    kept = nodes.LatentUpscale(latent, "bilinear", 0, 120, "disabled")[0]
    nodes.golden.add("result/upscale/by_height", kept["samples"])
    for feather in [0, 16]:
        put = nodes.LatentComposite(latent, small, 24, 16, "normal", feather)[0]
        nodes.golden.add(f"result/composite/{feather}", put["samples"])
    nodes.golden.add("result/blend", nodes.LatentBlend(latent, small, 0.3)[0]["samples"])
    one = nodes.LatentFromBatch({"samples": latent["samples"]}, 1, 5)[0]
    many = nodes.RepeatLatentBatch(one, 3)[0]
    nodes.golden.add("result/from_batch", one["samples"])
    nodes.golden.add("result/repeat/batch_index", torch.tensor(many["batch_index"]))
    nodes.sample("from_batch", nodes.prompts["a"], nodes.prompts["b"], many)


def _write_autoencoder(nodes):
    torch.manual_seed(7)
    picture = torch.rand(1, 75, 98, 3)
    nodes.golden.add("input/picture", picture)
    hole = torch.zeros(1, 40, 50)
    hole[:, 10:25, 12:33] = 1.0
    nodes.golden.add("input/hole", hole)
    nodes.golden.add("result/encoded", nodes.VAEEncode(nodes.vae, picture)[0]["samples"])
    for grow in [0, 6, 3]:
        latent = nodes.VAEEncodeForInpaint(nodes.vae, picture, hole, grow)[0]
        nodes.golden.add(f"result/inpaint/{grow}", latent["samples"])
        nodes.golden.add(f"result/inpaint/{grow}/mask", latent["noise_mask"].to(torch.uint8))
    told, _, latent = nodes.InpaintModelConditioning(
        nodes.prompts["a"], nodes.prompts["b"], picture, nodes.vae, hole, True
    )
    nodes.golden.add("result/told/latent", told[0][1]["concat_latent_image"])
    nodes.golden.add("result/told/mask", told[0][1]["concat_mask"].to(torch.float16))
    nodes.golden.add("result/told/samples", latent["samples"])
    tiles = nodes.VAEEncodeTiled(nodes.vae, picture, 64, 16)[0]["samples"]
    nodes.golden.add("result/encoded_tiled", tiles)
    decoded = nodes.VAEDecodeTiled(nodes.vae, {"samples": nodes.latent["samples"][:1] * 0.2}, 64, 32)[0]
    nodes.golden.add("result/decoded_tiled", decoded[:, ::3, ::3].contiguous())


def _write_model_patches(nodes):
    from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete, RescaleCFG

    plain = nodes.model
    a, b = nodes.prompts["a"], nodes.prompts["b"]
    for sampling, zsnr in [("v_prediction", False), ("v_prediction", True), ("lcm", False), ("x0", False)]:
        nodes.model = ModelSamplingDiscrete().patch(plain, sampling, zsnr)[0]
        name = f"sampling/{sampling}" + ("/zsnr" if zsnr else "")
        nodes.sample(name, a, b, sampler="lcm" if sampling == "lcm" else "euler", denoise=0.8)
    nodes.model = RescaleCFG().patch(plain, 0.7)[0]
    nodes.sample("rescaled", a, b, cfg=9.0)
    nodes.model = plain


INVERSION_PROMPTS = [
    "a embedding:style lighthouse",
    "(embedding:style.safetensors:1.4), red embedding:one",
    "embedding:one, by the sea embedding:sub/many x",
    " ".join(["sea"] * 72) + " embedding:many end",
]


def _write_inversions(models, golden):
    import tempfile
    from pathlib import Path

    from safetensors.torch import save_file

    clip = models.clip()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sub").mkdir()
        for name, key, count in [("style", "emb_params", 3), ("one", "clip_l", 1), ("sub/many", "emb_params", 9)]:
            vectors = random(f"nodes/inversion/{name}", count, 64, scale=0.5)
            golden.add(f"inversion/{name}/{key}", vectors)
            save_file({key: vectors}, Path(folder) / f"{name}.safetensors")
        clip.tokenizer.clip_l.embedding_directory = [folder]
        clip.tokenizer.clip_l.embedding_size = 64
        for number, prompt in enumerate(INVERSION_PROMPTS):
            with torch.inference_mode(), threads(1):
                states = clip.encode_from_tokens(clip.tokenize(prompt), return_pooled=True)[0]
            golden.add(f"inverted/{number}", states)
    golden.note("inversion_prompts", INVERSION_PROMPTS)
