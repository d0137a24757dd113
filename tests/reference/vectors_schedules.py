"""Golden vectors of noise levels: the training table, the schedulers, denoise below 1, times of levels and back."""

import torch

from golden import Golden

SCHEDULERS = [
    "simple",
    "sgm_uniform",
    "karras",
    "exponential",
    "ddim_uniform",
    "beta",
    "normal",
    "linear_quadratic",
    "kl_optimal",
]
SAMPLERS = [
    "euler",
    "euler_cfg_pp",
    "euler_ancestral",
    "heun",
    "heunpp2",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpm_fast",
    "dpm_adaptive",
    "dpmpp_2s_ancestral",
    "dpmpp_sde",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_3m_sde",
    "ddpm",
    "lcm",
    "ipndm",
    "ipndm_v",
    "deis",
    "res_multistep",
    "ddim",
    "uni_pc",
    "uni_pc_bh2",
]
WHOLE_LIST = ["normal", "karras", "simple"]
STEPS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 20, 23, 25, 28, 30, 50, 100, 999, 1000]
SHORTENED = [(1, 0.5), (3, 0.9), (7, 0.33), (10, 0.6), (10, 0.9999), (10, 0.99995), (12, 0.05), (20, 0.75), (30, 0.01)]


def model_sampling():
    """SD 1.x: 1000 training steps, betas from 0.00085 to 0.012, linear in their square roots; predicts noise."""
    import comfy.model_sampling

    class Sampling(comfy.model_sampling.ModelSamplingDiscrete, comfy.model_sampling.EPS):
        pass

    return Sampling()


def write(oracle):
    import comfy.samplers

    golden = Golden(oracle, "vectors_schedules.py")
    levels = model_sampling()
    golden.add("table/sigmas", levels.sigmas)
    golden.add("table/log_sigmas", levels.log_sigmas)

    for scheduler in SCHEDULERS:
        for steps in STEPS:
            if scheduler == "kl_optimal" and steps == 1:
                continue  # not a number: ComfyUI divides by 0
            sigmas = comfy.samplers.calculate_sigmas(levels, scheduler, steps)
            golden.add(f"sigmas/{scheduler}/{steps}", sigmas.float())

    class Model:
        def get_model_object(self, name):
            return levels

    for scheduler in SCHEDULERS:
        for steps, denoise in SHORTENED:
            if scheduler not in WHOLE_LIST and (steps, denoise) not in [(3, 0.9), (20, 0.75)]:
                continue
            sampler = comfy.samplers.KSampler(Model(), steps, torch.device("cpu"), "euler", scheduler, denoise)
            golden.add(f"ksampler/{scheduler}/{steps}/{denoise}", sampler.sigmas.float())
    for sampler in ["dpm_2", "dpm_2_ancestral", "uni_pc", "uni_pc_bh2"]:  # less the last but one
        for scheduler in ["karras", "beta"]:
            for steps, denoise in [(1, 1.0), (10, 1.0), (7, 0.33)]:
                found = comfy.samplers.KSampler(Model(), steps, torch.device("cpu"), sampler, scheduler, denoise)
                golden.add(f"penultimate/{sampler}/{scheduler}/{steps}/{denoise}", found.sigmas.float())
    empty = comfy.samplers.KSampler(Model(), 10, torch.device("cpu"), "euler", "normal", 0.0)
    golden.add("ksampler/normal/10/0.0", empty.sigmas.float())

    # A level on the table, between two entries (on both sides of the middle in the logarithm), and outside of it.
    table = levels.sigmas
    middle = (levels.log_sigmas[:-1] + levels.log_sigmas[1:]).div(2).exp()
    probes = torch.cat(
        [table[::111], middle[5::97] * 1.0005, middle[5::97] * 0.9995, torch.tensor([1e-4, 0.02, 14.7, 80.0])]
    )
    golden.add("timestep/sigma", probes)
    golden.add("timestep/result", levels.timestep(probes).float())
    times = torch.tensor([0.0, 0.25, 0.5, 1.0, 17.3, 333.3333, 500.5, 998.0, 998.75, 999.0, 1200.0, -3.0])
    golden.add("sigma/timestep", times)
    golden.add("sigma/result", levels.sigma(times))
    percents = [0.0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999, 1.0]
    golden.add("percent/percent", torch.tensor(percents, dtype=torch.float64))
    golden.add("percent/result", torch.tensor([levels.percent_to_sigma(p) for p in percents], dtype=torch.float64))
    golden.write("schedules.safetensors")
