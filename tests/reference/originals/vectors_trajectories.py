"""Golden vectors of the originals' runs: ten steps of the small models by their own samplers, DeepCache off and on."""

import torch
from golden import Golden, difference, random, threads

from originals import load_file, on_the_cpu
from small_originals import LDM4G, SD1, Cut, Uniform, class_table, ddpm_unet, ldm_unet
from vectors_reference_samplers import SEED, LdmModel, ddpm_betas, ddpm_sequence, ldm_run

STEPS = 10
INTERVALS = (2, 3, 5)


def _add(golden, name, run, every_step):
    """run() -> states; keeps the last, or all. Where it keeps all, also how far two threads are from one."""
    with threads(1):
        one = run()
    golden.add(name, one if every_step else one[-1])
    if every_step:
        with threads(2):
            golden.spread(name, one[-1], run()[-1])


def _ldm(golden, cut, law, method, shape, conditioning, unconditional, scale, depths, name):
    def run(interval=1, depth=0, eta=0.0, scale=scale):
        model = LdmModel(law, Uniform(cut, interval, depth))
        guidance = dict(conditioning=conditioning)
        guidance |= dict(unconditional_guidance_scale=scale, unconditional_conditioning=unconditional)
        return ldm_run(method, model, STEPS, eta, shape=shape, **guidance)[0]

    _add(golden, f"{name}/{scale:g}", run, True)
    _add(golden, f"{name}/1", lambda: run(scale=1.0), False)
    if method == "ddim":
        _add(golden, f"{name}/{scale:g}/eta1", lambda: run(eta=1.0), False)
    for interval in INTERVALS:
        for depth in depths:
            _add(golden, f"{name}/{scale:g}/uniform/{interval}/{depth}", lambda: run(interval, depth), False)


def write_ldm4g(golden, paths):
    cut = Cut(ldm_unet(paths.latent_diffusion, LDM4G))
    table = class_table()
    classes, nothing = table[[25, 187]].unsqueeze(1), table[[1000, 1000]].unsqueeze(1)
    _ldm(golden, cut, "ldm4g", "ddim", (2, 3, 8, 8), classes, nothing, 1.5, (0, 1, 2), "ldm4g/ddim")


def write_sd1(golden, paths):
    cut = Cut(ldm_unet(paths.stable_diffusion, SD1))
    positive, negative = (random(f"trajectories/{side}", 1, 77, 64) for side in ("positive", "negative"))
    golden.add("sd1/positive", positive)
    golden.add("sd1/negative", negative)
    _ldm(golden, cut, "sd1", "plms", (1, 4, 8, 8), positive, negative, 7.5, (0, 1, 2), "sd1/plms")


def write_ddpm(golden, paths):
    unet = ddpm_unet(f"{paths.ddim}/models/diffusion.py", "ddpm-cifar")
    cut = Cut(unet)
    denoising = load_file("original_denoising", f"{paths.ddim}/functions/denoising.py")
    betas = ddpm_betas()

    def run(kind="uniform", eta=0.0, interval=1, depth=0, steps=denoising.generalized_steps):
        torch.manual_seed(SEED)
        with on_the_cpu():
            model = Uniform(cut, interval, depth)
            return torch.stack(steps(torch.randn(1, 3, 16, 16), ddpm_sequence(kind, STEPS), model, betas, eta=eta)[0])

    _add(golden, "ddpm/ddim/uniform/0", run, True)
    _add(golden, "ddpm/ddim/uniform/1", lambda: run(eta=1.0), False)
    _add(golden, "ddpm/ddim/quad/0", lambda: run("quad"), False)
    _add(golden, "ddpm/ddpm/uniform", lambda: run(steps=denoising.ddpm_steps), False)
    for interval in INTERVALS:
        for depth in (0, 1, 2, 3):  # 1 to 3: the fork's branches 0 to 2
            _add(golden, f"ddpm/ddim/uniform/0/uniform/{interval}/{depth}", lambda: run(interval=interval, depth=depth), False)
    _hold_to_the_fork(golden, paths, betas)


def _hold_to_the_fork(golden, paths, betas):
    """DeepCache's own runner gives what the splice gives, bit for bit."""
    root = f"{paths.deepcache}/experiments/ddpm/ddpm"
    fork = load_file("fork_denoising", f"{root}/functions/deepcache_denoising.py")
    unet = ddpm_unet(f"{root}/models/deepcache_diffusion.py", "ddpm-cifar")
    for interval in INTERVALS:
        for branch in (0, 1, 2):
            torch.manual_seed(SEED)
            with on_the_cpu(), threads(1):
                states, _ = fork.generalized_steps(
                    torch.randn(1, 3, 16, 16), ddpm_sequence("uniform", STEPS), unet, betas, timesteps=STEPS,
                    cache_interval=interval, branch=branch, eta=0.0,
                )
            expected = golden.tensor(f"ddpm/ddim/uniform/0/uniform/{interval}/{branch + 1}")
            assert difference(expected, states[-1]) == 0, (interval, branch)


def write(paths):
    golden = Golden(paths, "originals/vectors_trajectories.py", seed=SEED, steps=STEPS)
    with torch.no_grad():
        write_ldm4g(golden, paths)
        write_sd1(golden, paths)
        write_ddpm(golden, paths)
    golden.write("reference_runs_small.safetensors")
