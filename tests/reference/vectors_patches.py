"""Golden vectors of patches to the U-Net: FreeU, FreeU_V2, PatchModelAddDownscale, alone, together and under DeepCache.

On the small inpainting checkpoint, whose widths stand in the proportions of the published ones: FreeU looks for 2 and 4
times the model's channels.
"""

import torch

from golden import Golden, random, threads
from small_models import UNET, SmallModels
from vectors_models import sha256
from vectors_runs import Uniform

SEED = 1357924680
STEPS = 4
SIGMAS = [9.5, 1.5]

# Each run: its name, its latent, and its patches in order, with their inputs.
FREE_U = ("FreeU", 1.1, 1.2, 0.9, 0.2)
FREE_U_STRONG = ("FreeU", 1.6, 0.7, 2.0, 0.4)
FREE_U_V2 = ("FreeU_V2", 1.3, 1.4, 0.9, 0.2)
FREE_U_V2_STRONG = ("FreeU_V2", 0.4, 2.1, 0.0, 1.7)
SHRINK = ("PatchModelAddDownscale", 3, 2.0, 0.0, 0.35, True, "bicubic", "bicubic")
SHRINK_LESS = ("PatchModelAddDownscale", 3, 1.3, 0.0, 0.35, True, "bicubic", "bicubic")  # FreeU_V2: more than a cell
RUNS = [
    ("plain", "even", []),
    ("free_u", "even", [FREE_U]),
    ("free_u/strong", "odd", [FREE_U_STRONG]),
    ("free_u_v2", "even", [FREE_U_V2]),
    ("free_u_v2/strong", "odd", [FREE_U_V2_STRONG]),
    ("free_u/twice", "even", [FREE_U, FREE_U_V2_STRONG]),
    ("shrink", "even", [SHRINK]),
    ("shrink/odd", "odd", [SHRINK]),
    ("shrink/whole_run", "even", [("PatchModelAddDownscale", 4, 1.7, 0.0, 1.0, True, "nearest-exact", "bilinear")]),
    ("shrink/late", "odd", [("PatchModelAddDownscale", 1, 2.0, 0.4, 0.8, True, "area", "bislerp")]),
    ("shrink/skip_too", "even", [("PatchModelAddDownscale", 3, 2.0, 0.0, 0.6, False, "bilinear", "area")]),
    ("shrink/skip_too/odd", "odd", [("PatchModelAddDownscale", 5, 1.5, 0.0, 0.6, False, "bislerp", "nearest-exact")]),
    ("shrink/last", "even", [("PatchModelAddDownscale", 11, 2.0, 0.0, 1.0, True, "bicubic", "bicubic")]),
    ("grow", "even", [("PatchModelAddDownscale", 2, 0.6, 0.0, 0.5, True, "bicubic", "bislerp")]),
    (
        "shrink/twice",
        "even",
        [
            ("PatchModelAddDownscale", 1, 1.3, 0.0, 0.3, True, "bicubic", "nearest-exact"),
            ("PatchModelAddDownscale", 4, 2.0, 0.0, 0.7, True, "area", "bilinear"),
        ],
    ),
    ("free_u/then_shrink", "even", [FREE_U_V2, SHRINK_LESS]),
    ("shrink/then_free_u", "even", [SHRINK_LESS, FREE_U_V2]),
    ("all", "even", [("ModelSamplingDiscrete", "v_prediction", True), FREE_U, SHRINK, ("RescaleCFG", 0.7)]),
]
CACHED = [("free_u", [FREE_U], 3, 0), ("free_u_v2", [FREE_U_V2], 2, 1), ("free_u_v2/deep", [FREE_U_V2], 3, 7)]


class Patches:
    def __init__(self, oracle, models):
        from comfy_extras.nodes_freelunch import FreeU, FreeU_V2
        from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete, RescaleCFG
        from comfy_extras.nodes_model_downscale import PatchModelAddDownscale

        self.sampler = oracle.nodes.KSampler()
        self.plain = models.model_patcher()
        self.skips = len(self.plain.model.diffusion_model.output_blocks)
        self.nodes = {
            "FreeU": FreeU().patch,
            "FreeU_V2": FreeU_V2().patch,
            "ModelSamplingDiscrete": ModelSamplingDiscrete().patch,
            "RescaleCFG": RescaleCFG().patch,
            "PatchModelAddDownscale": PatchModelAddDownscale.execute,
        }

    def put_on(self, model, patches):
        for node, *inputs in patches:
            model = self.nodes[node](model, *inputs)[0]
        return model

    def sample(self, model, latent, positive, negative):
        with torch.inference_mode():
            return self.sampler.sample(
                model, SEED, STEPS, 6.0, "euler", "normal", positive, negative, {"samples": latent}, 1.0
            )[0]["samples"]

    def predict(self, model, latent, timestep, context, sigma):
        """The U-Net alone, as ComfyUI's BaseModel calls it."""
        options = {"patches": model.model_options["transformer_options"].get("patches", {})}
        options["sigmas"] = torch.full((latent.shape[0],), sigma)
        steps = torch.full((latent.shape[0],), timestep)
        with torch.inference_mode():
            return model.model.diffusion_model(
                latent, steps, context.expand(latent.shape[0], -1, -1), transformer_options=options
            )


def write(oracle, checkpoint):
    golden = Golden(oracle, "vectors_patches.py", checkpoint_sha256=sha256(checkpoint), seed=SEED, steps=STEPS)
    models = SmallModels(checkpoint)
    patches = Patches(oracle, models)
    dim = models.state[UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
    prompts = []
    for name in ["positive", "negative"]:
        golden.add(f"input/{name}", random(f"patches/{name}", 1, 77, dim))
        prompts.append([[golden.tensor(f"input/{name}"), {}]])
    golden.add("input/even", random("patches/even", 2, 4, 16, 12, scale=3.0))
    golden.add("input/odd", random("patches/odd", 1, 4, 17, 11, scale=3.0))
    for latent, channels in [("even", (2, 9, 16, 12)), ("odd", (1, 9, 17, 11))]:
        golden.add(f"channels/{latent}", random(f"patches/channels/{latent}", *channels))
    for name, latent, applied in RUNS:
        model = patches.put_on(patches.plain, applied)
        with threads(1):
            result = patches.sample(model, golden.tensor(f"input/{latent}"), *prompts)
        assert torch.isfinite(result).all(), name
        golden.add(f"run/{name}", result)
        # A run's latent is mostly its noise: one evaluation shows more.
        for sigma in SIGMAS:
            timestep = patches.plain.model.model_sampling.timestep(torch.tensor(sigma)).item()
            channels = golden.tensor(f"channels/{latent}")
            golden.run(
                f"prediction/{name}/{sigma}",
                lambda: patches.predict(model, channels, float(timestep), prompts[0][0][0], sigma),
            )
    for name, applied, interval, depth in CACHED:
        # The splice first: it keeps and replaces h as it was before the other patches.
        model = patches.put_on(Uniform(patches.skips, interval, depth).attach(patches.plain), applied)
        with threads(1):
            golden.add(f"cached/{name}", patches.sample(model, golden.tensor("input/even"), *prompts))
    golden.note("runs", [{"name": name, "latent": latent, "patches": applied} for name, latent, applied in RUNS])
    golden.note(
        "cached", [{"name": n, "patches": p, "interval": interval, "depth": d} for n, p, interval, d in CACHED]
    )
    golden.write("patches_small.safetensors")
