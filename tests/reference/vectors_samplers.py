"""Golden vectors of the sampling nodes with the small U-Net: every sampler once, parts of runs, custom sampling."""

import torch

from golden import Golden, random, threads
from small_models import UNET, SmallModels
from vectors_models import sha256
from vectors_schedules import SAMPLERS, SCHEDULERS

SEED = 918273645
STEPS = 6


class Nodes:
    """ComfyUI's node classes around the small model."""

    def __init__(self, oracle, models, golden):
        from comfy_extras import nodes_custom_sampler

        self.nodes, self.custom, self.golden = oracle.nodes, nodes_custom_sampler, golden
        self.model = models.model_patcher()
        dim = models.state[UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
        self.positive = [[random("samplers/positive", 1, 77, dim), {}]]
        self.negative = [[random("samplers/negative", 1, 77, dim), {}]]
        self.latent = {"samples": random("samplers/latent", 1, 4, 8, 6, scale=4.0)}
        self.empty = {"samples": torch.zeros(1, 4, 8, 6)}
        golden.add("input/positive", self.positive[0][0])
        golden.add("input/negative", self.negative[0][0])
        golden.add("input/latent", self.latent["samples"])

    def keep(self, name, function):
        """Keeps the latents that `function` returns on one thread: one, or those of output and denoised_output."""
        with torch.inference_mode(), threads(1):
            latents = function()
        for suffix, latent in zip(["", "/denoised"], latents):
            self.golden.add(name + suffix, latent["samples"])
        return latents

    def advanced(self, add_noise, sampler, scheduler, latent, start, end, leftover):
        return self.nodes.KSamplerAdvanced().sample(
            self.model, add_noise, SEED, STEPS, 5.5, sampler, scheduler, self.positive, self.negative, latent, start, end,
            leftover,
        )  # fmt: skip

    def sampler(self, name):
        return self.custom.KSamplerSelect().get_sampler(name)[0]

    def sigmas(self, scheduler, denoise=1.0):
        return self.custom.BasicScheduler().get_sigmas(self.model, scheduler, STEPS, denoise)[0]


def write(oracle, checkpoint):
    golden = Golden(oracle, "vectors_samplers.py", checkpoint_sha256=sha256(checkpoint), seed=SEED, steps=STEPS)
    nodes = Nodes(oracle, SmallModels(checkpoint), golden)
    for i, sampler in enumerate(SAMPLERS):
        scheduler = SCHEDULERS[i % len(SCHEDULERS)]
        nodes.keep(
            f"k_sampler/{sampler}/{scheduler}",
            lambda: nodes.nodes.KSampler().sample(
                nodes.model, SEED, STEPS, 5.5, sampler, scheduler, nodes.positive, nodes.negative, nodes.empty, 1.0
            ),
        )
    for sampler in ["euler_cfg_pp", "uni_pc"]:
        nodes.keep(
            f"unguided/{sampler}/normal",
            lambda: nodes.nodes.KSampler().sample(
                nodes.model, SEED, STEPS, 1.0, sampler, "normal", nodes.positive, nodes.negative, nodes.latent, 0.7
            ),
        )
    _write_advanced(nodes)
    _write_custom(nodes)
    golden.write("samplers_small.safetensors")


def _write_advanced(nodes):
    """Two runs after another, and the cases at the ends."""
    for sampler, scheduler in [("euler", "normal"), ("dpmpp_2m", "karras"), ("dpm_2", "karras")]:
        first = nodes.keep(
            f"advanced/{sampler}/0-4/leftover",
            lambda: nodes.advanced("enable", sampler, scheduler, nodes.empty, 0, 4, "enable"),
        )
        nodes.keep(
            f"advanced/{sampler}/4-end",
            lambda: nodes.advanced("disable", sampler, scheduler, first[0], 4, 10000, "disable"),
        )
    nodes.keep(
        "advanced/euler/2-5/forced", lambda: nodes.advanced("enable", "euler", "normal", nodes.latent, 2, 5, "disable")
    )


def _write_custom(nodes):
    custom = nodes.custom
    high, low = custom.SplitSigmas().get_sigmas(nodes.sigmas("normal"), 4)
    euler = nodes.sampler("euler")
    nodes.keep(
        "custom/high",
        lambda: custom.SamplerCustom().sample(
            nodes.model, True, SEED, 5.5, nodes.positive, nodes.negative, euler, high, nodes.empty
        ),
    )
    guider = custom.CFGGuider().get_guider(nodes.model, nodes.positive, nodes.negative, 3.0)[0]
    basic = custom.BasicGuider().get_guider(nodes.model, nodes.positive)[0]
    seeded = custom.RandomNoise().get_noise(SEED)[0]
    none = custom.DisableNoise().get_noise()[0]

    def advanced(noise, guider, sampler, sigmas, latent):
        return custom.SamplerCustomAdvanced().sample(noise, guider, nodes.sampler(sampler), sigmas, latent)

    nodes.keep("custom/low", lambda: advanced(none, guider, "dpmpp_2m", low, nodes.latent))
    nodes.keep("custom/basic", lambda: advanced(seeded, basic, "lcm", nodes.sigmas("sgm_uniform", 0.8), nodes.latent))
    flipped = custom.FlipSigmas().get_sigmas(nodes.sigmas("karras", 0.6))[0]
    nodes.keep("custom/flipped", lambda: advanced(none, guider, "euler", flipped, nodes.latent))
    nodes.keep("custom/one_sigma", lambda: advanced(seeded, guider, "euler", high[:1], nodes.latent))
    channels = {"samples": torch.zeros(1, 16, 8, 6)}  # as another model's empty latent
    nodes.keep("custom/channels", lambda: advanced(seeded, basic, "euler", nodes.sigmas("karras"), channels))
    karras = custom.KarrasScheduler().get_sigmas(STEPS, 10.0, 0.5, 3.0)[0]
    exponential = custom.ExponentialScheduler().get_sigmas(STEPS, 10.0, 0.5)[0]
    nodes.golden.add("sigmas/karras", karras)
    nodes.golden.add("sigmas/exponential", exponential)
    nodes.golden.add("sigmas/flipped", flipped)
    nodes.golden.add("sigmas/basic/beta/0.45", nodes.sigmas("beta", 0.45))
