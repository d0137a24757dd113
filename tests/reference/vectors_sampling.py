"""Golden vectors of the samplers alone, around a denoiser that is a formula."""

import math

import torch

from golden import Golden, random
from vectors_schedules import SAMPLERS, model_sampling

SEED = 1234567
SHAPE = (2, 4, 5, 7)  # 280 numbers: not a multiple of 16, so the tail of torch's normal numbers is seen too
RUNS = [("karras", 6, 1.0), ("normal", 9, 1.0), ("simple", 4, 0.6), ("normal", 1, 1.0), ("karras", 2, 1.0)]


def denoised(x, sigma):
    """D(x; s) = x / (1 + s^2) + s^2 / (1 + s^2) * sin(3 x / sqrt(1 + s^2)): smooth, not linear, bounded for large s."""
    variance = 1.0 + sigma * sigma
    return x / variance + (sigma * sigma / variance) * torch.sin(3.0 * x / math.sqrt(variance))


class Formula:
    """What a sampler of ComfyUI sees of a model."""

    def __init__(self, levels):
        self.inner_model = self
        self.model_sampling = levels

    def __call__(self, x, sigma, model_options=None, seed=None):
        return denoised(x, sigma[0].item())


def write(oracle):
    import comfy.samplers

    golden = Golden(oracle, "vectors_sampling.py", seed=SEED)
    levels = model_sampling()
    model = Formula(levels)
    model.get_model_object = lambda name: levels
    noise = random("sampling/noise", *SHAPE)
    latent = random("sampling/latent", *SHAPE)
    golden.add("noise", noise)
    golden.add("latent", latent)
    for scheduler, steps, denoise in RUNS:
        sigmas = comfy.samplers.KSampler(model, steps, torch.device("cpu"), "euler", scheduler, denoise).sigmas
        golden.add(f"sigmas/{scheduler}/{steps}/{denoise}", sigmas)
        for name in SAMPLERS:
            sampler = comfy.samplers.sampler_object(name)
            start = latent if denoise < 1.0 else torch.zeros_like(latent)
            states, answers = [], []

            def callback(step, denoised, x, total):
                states.append(x.clone())
                answers.append(denoised.clone())

            result = sampler.sample(
                model, sigmas, {"model_options": {}, "seed": SEED}, callback, noise.clone(), start.clone(), None, True
            )
            prefix = f"{name}/{scheduler}/{steps}/{denoise}"
            golden.add(f"{prefix}/x", torch.stack(states))
            golden.add(f"{prefix}/denoised", torch.stack(answers))
            golden.add(f"{prefix}/result", result)
    golden.write("sampling_analytic.safetensors")
