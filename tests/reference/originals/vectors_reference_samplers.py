"""Golden vectors of the originals' samplers and schedules alone, around a noise prediction in closed form.

The originals draw their own noise, from torch's generator after torch.manual_seed(SEED): first x_T, then that of the
steps.
"""

import numpy
import torch
from golden import Golden, threads

from originals import load_file, on_the_cpu, use_ldm

SEED = 1234567
SHAPE = (2, 3, 4, 5)
LAWS = {"ldm4g": (0.0015, 0.0195), "sd1": (0.00085, 0.012)}


def prediction(x, t, *_):
    """What stands in for a network; t [N]."""
    phase = (t.float() / 200).view(-1, 1, 1, 1)
    return (x * 2 + phase).sin() * 0.6 + x * 0.2


class LdmModel:
    """What CompVis' samplers ask of a model."""

    def __init__(self, law, predict=prediction):
        from ldm.modules.diffusionmodules.util import make_beta_schedule

        betas = make_beta_schedule("linear", 1000, linear_start=LAWS[law][0], linear_end=LAWS[law][1])
        cumulated = numpy.cumprod(1.0 - betas, axis=0)
        self.betas = torch.tensor(betas, dtype=torch.float32)
        self.alphas_cumprod = torch.tensor(cumulated, dtype=torch.float32)
        self.alphas_cumprod_prev = torch.tensor(numpy.append(1.0, cumulated[:-1]), dtype=torch.float32)
        self.num_timesteps = 1000
        self.device = torch.device("cpu")
        self.apply_model = predict


def ldm_run(method, model, steps, eta=0.0, quad=False, shape=SHAPE, seed=SEED, **guidance):
    """The states after each step, the last of them the result. Quadratic steps by the sampler's own argument."""
    from ldm.models.diffusion.ddim import DDIMSampler
    from ldm.models.diffusion.plms import PLMSSampler

    sampler = {"ddim": DDIMSampler, "plms": PLMSSampler}[method](model)
    sampler.register_buffer = lambda name, value: setattr(sampler, name, value)  # the original's is for CUDA
    torch.manual_seed(seed)
    sampler.make_schedule(steps, ddim_discretize="quad" if quad else "uniform", ddim_eta=eta, verbose=False)
    run = sampler.ddim_sampling if method == "ddim" else sampler.plms_sampling
    _, kept = run(guidance.pop("conditioning", None), shape, log_every_t=1, **guidance)
    return torch.stack(kept["x_inter"]), sampler.ddim_timesteps


def write_ldm(golden, paths):
    use_ldm(paths.latent_diffusion)
    for law in LAWS:
        golden.add(f"alphas/ldm/{law}", LdmModel(law).alphas_cumprod)
    cases = [("ddim", 10, 0.0, False), ("ddim", 10, 1.0, False), ("ddim", 7, 0.5, False), ("ddim", 10, 0.0, True)]
    cases += [("plms", 10, 0.0, False), ("plms", 7, 0.0, False), ("plms", 2, 0.0, False)]
    for law in LAWS:
        for method, steps, eta, quad in cases:
            states, timesteps = ldm_run(method, LdmModel(law), steps, eta, quad)
            name = f"ldm/{law}/{method}/{'quad' if quad else 'uniform'}/{steps}/{eta:g}"
            golden.add(name, states)
            golden.add(f"{name}/timesteps", torch.from_numpy(numpy.flip(timesteps).astype(numpy.int64).copy()))


def ddpm_sequence(kind, steps):
    """Runner.sample_image's list."""
    if kind == "uniform":
        return list(range(0, 1000, 1000 // steps))
    return [int(s) for s in list(numpy.linspace(0, numpy.sqrt(1000 * 0.8), steps) ** 2)]


def ddpm_betas():
    return torch.from_numpy(numpy.linspace(1e-4, 0.02, 1000, dtype=numpy.float64)).float()


def write_ermongroup(golden, paths):
    denoising = load_file("original_denoising", f"{paths.ddim}/functions/denoising.py")
    betas = ddpm_betas()
    golden.add("alphas/ermongroup", denoising.compute_alpha(betas, torch.arange(1000)).flatten())
    for kind, steps, eta in (("uniform", 10, 0.0), ("uniform", 10, 1.0), ("uniform", 7, 0.5), ("quad", 10, 0.0)):
        sequence = ddpm_sequence(kind, steps)
        torch.manual_seed(SEED)
        with on_the_cpu():
            states, _ = denoising.generalized_steps(torch.randn(SHAPE), sequence, prediction, betas, eta=eta)
        golden.add(f"ermongroup/ddim/{kind}/{steps}/{eta:g}", torch.stack(states))
    for kind, steps in (("uniform", 10), ("quad", 10)):
        torch.manual_seed(SEED)
        with on_the_cpu():
            states, _ = denoising.ddpm_steps(torch.randn(SHAPE), ddpm_sequence(kind, steps), prediction, betas)
        golden.add(f"ermongroup/ddpm/{kind}/{steps}", torch.stack(states))
    for kind in ("uniform", "quad"):
        for steps in (1, 3, 7, 10, 30, 50, 100):
            golden.add(f"timesteps/ermongroup {kind}/{steps}", torch.tensor(ddpm_sequence(kind, steps)[::-1]))
    # Steps of the same number, which the quadratic list begins with.
    torch.manual_seed(SEED)
    with on_the_cpu():
        states, _ = denoising.generalized_steps(torch.randn(SHAPE), ddpm_sequence("quad", 100), prediction, betas)
    golden.add("ermongroup/ddim/quad/100/0", states[-1])


def write_ldm_timesteps(golden, paths):
    from ldm.modules.diffusionmodules.util import make_ddim_timesteps

    for kind in ("uniform", "quad"):
        for steps in (1, 4, 7, 10, 20, 30, 50, 250):
            rule = make_ddim_timesteps(kind, steps, 1000, verbose=False)
            golden.add(f"timesteps/ldm {kind}/{steps}", torch.from_numpy(numpy.flip(rule).astype(numpy.int64).copy()))


def diffusers_run(scheduler, steps, noisy=True, **step_options):
    """States after each call, from x_T; and the timesteps of the calls."""
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(SHAPE, generator=generator)
    states = [x]
    for t in scheduler.timesteps:
        e = prediction(x, t.expand(SHAPE[0]))
        x = scheduler.step(e, t, x, **({"generator": generator} if noisy else {}), **step_options).prev_sample
        states.append(x)
    return torch.stack(states), scheduler.timesteps


def write_diffusers(golden):
    from diffusers import DDIMScheduler, DDPMScheduler, PNDMScheduler

    sd = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1)
    pixels = dict(beta_schedule="linear", beta_start=1e-4, beta_end=0.02)
    golden.add("alphas/diffusers/sd1", DDIMScheduler(**sd).alphas_cumprod)
    golden.add("alphas/diffusers/ddpm", DDIMScheduler(**pixels).alphas_cumprod)
    for spacing in ("leading", "trailing", "linspace"):
        for eta in (0.0, 1.0):
            scheduler = DDIMScheduler(clip_sample=False, set_alpha_to_one=False, timestep_spacing=spacing, **sd)
            golden.add(f"diffusers/ddim/{spacing}/sd1/10/{eta:g}", diffusers_run(scheduler, 10, eta=eta)[0])
        scheduler = DDIMScheduler(clip_sample=True, set_alpha_to_one=True, timestep_spacing=spacing, **pixels)
        golden.add(f"diffusers/ddim/{spacing}/ddpm/10/0", diffusers_run(scheduler, 10, eta=0.0)[0])
        for variance in ("fixed_small", "fixed_large"):
            scheduler = DDPMScheduler(timestep_spacing=spacing, variance_type=variance, **pixels)
            golden.add(f"diffusers/ddpm/{spacing}/{variance}/10", diffusers_run(scheduler, 10)[0])
        scheduler = PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, timestep_spacing=spacing, **sd)
        golden.add(f"diffusers/plms/{spacing}/sd1/10", diffusers_run(scheduler, 10, noisy=False)[0])
        for steps in (1, 3, 7, 10, 20, 30, 50, 999):
            scheduler = DDIMScheduler(timestep_spacing=spacing, **sd)
            scheduler.set_timesteps(steps)
            golden.add(f"timesteps/diffusers {spacing}/{steps}", scheduler.timesteps.clone())


def write(paths):
    golden = Golden(paths, "originals/vectors_reference_samplers.py", seed=SEED, shape=list(SHAPE))
    import diffusers

    golden.note("diffusers", diffusers.__version__)
    with torch.no_grad(), threads(1):
        write_ldm(golden, paths)
        write_ldm_timesteps(golden, paths)
        write_ermongroup(golden, paths)
        write_diffusers(golden)
    golden.write("reference_samplers.safetensors")
