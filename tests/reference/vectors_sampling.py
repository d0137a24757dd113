"""Golden vectors of the samplers alone, around a denoiser that is a formula."""

import math

import torch

from golden import Golden, random
from vectors_schedules import SAMPLERS, model_sampling

SEED = 1234567
SHAPE = (2, 4, 5, 7)  # 280 numbers: not a multiple of 16, so the tail of torch's normal numbers is seen too
RUNS = [("karras", 6, 1.0), ("normal", 9, 1.0), ("simple", 4, 0.6), ("normal", 1, 1.0), ("karras", 2, 1.0)]
EVERY_STEP = {"karras/6/1.0", "simple/4/0.6"}
CUT = ("exponential", 8, slice(2, 7))  # from the middle to a sigma above 0, as KSamplerAdvanced cuts runs


def denoised(x, sigma):
    """D(x; s) = x / (1 + s^2) + s^2 / (1 + s^2) * sin(3 x / sqrt(1 + s^2)): smooth, not linear, bounded for large s."""
    variance = 1.0 + sigma * sigma
    return x / variance + (sigma * sigma / variance) * torch.sin(3.0 * x / math.sqrt(variance))


class Formula:
    """What a sampler of ComfyUI sees of a model. D(0.9 x; s) stands for the negative prompt."""

    def __init__(self, levels):
        self.inner_model = self
        self.model_patcher = self
        self.model_sampling = levels
        self.get_model_object = lambda name: levels

    def __call__(self, x, sigma, model_options=None, seed=None):
        result = denoised(x, sigma[0].item())
        for function in (model_options or {}).get("sampler_post_cfg_function", []):
            function({"denoised": result, "uncond_denoised": denoised(0.9 * x, sigma[0].item())})
        return result


def _runs(model):
    """Name, sigmas, and whether the run starts from a latent."""
    import comfy.samplers

    for scheduler, steps, denoise in RUNS:
        sigmas = comfy.samplers.KSampler(model, steps, torch.device("cpu"), "euler", scheduler, denoise).sigmas
        yield f"{scheduler}/{steps}/{denoise}", sigmas, denoise < 1.0
    scheduler, steps, part = CUT
    sigmas = comfy.samplers.KSampler(model, steps, torch.device("cpu"), "euler", scheduler, 1.0).sigmas[part]
    yield f"{scheduler}/{steps}/cut", sigmas, True


def write(oracle):
    import comfy.samplers

    golden = Golden(oracle, "vectors_sampling.py", seed=SEED)
    levels = model_sampling()
    model = Formula(levels)
    noise = random("sampling/noise", *SHAPE)
    latent = random("sampling/latent", *SHAPE)
    golden.add("noise", noise)
    golden.add("latent", latent)
    for run, sigmas, from_latent in _runs(model):
        golden.add(f"sigmas/{run}", sigmas)
        for name in SAMPLERS:
            sampler = comfy.samplers.sampler_object(name)
            start = latent if from_latent else torch.zeros_like(latent)
            answers = []

            def callback(step, denoised, x, total):
                answers.append(denoised.clone())

            # A copy of the sigmas: uni_pc overwrites the last one.
            result = sampler.sample(
                model,
                sigmas.clone(),
                {"model_options": {}, "seed": SEED},
                callback,
                noise.clone(),
                start.clone(),
                None,
                True,
            )
            if run in EVERY_STEP:
                golden.add(f"{name}/{run}/denoised", torch.stack(answers))
            golden.add(f"{name}/{run}/result", result)
    _write_noise(golden)
    golden.write("sampling_analytic.safetensors")


def _write_noise(golden):
    """The Brownian path of the SDE samplers, and the seeds that it is drawn from."""
    import numpy
    from comfy.k_diffusion.sampling import BrownianTreeNoiseSampler

    x = torch.zeros(1, 2, 3, 4)
    steps = [(14.614642, 11.7), (11.7, 3.0123456), (11.7, 6.5), (3.0123456, 0.5), (0.5, 0.0291672), (5.0, 5.5)]
    for seed in [0, 42, (1 << 32) + 42, (1 << 64) - 1]:
        noise = BrownianTreeNoiseSampler(x, torch.tensor(0.0291672), torch.tensor(14.614642), seed=seed, cpu=True)
        path = [noise(torch.tensor(a), torch.tensor(b)) for a, b in steps]
        golden.add(f"brownian/{seed}", torch.stack(path))
        keys = [(), (0, 0), (1, 1), (5, 3), ((1 << 33) + 7, 40)]
        states = [numpy.random.SeedSequence(seed, spawn_key=k, pool_size=24).generate_state(4) for k in keys]
        golden.add(f"seeds/{seed}", torch.from_numpy(numpy.stack(states).astype(numpy.int64)))
    golden.add("brownian/steps", torch.tensor(steps))
