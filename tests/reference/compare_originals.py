"""The acceptance run of the reference samplers: the originals and `refrain run` on weights and settings of your choice.

Both get the same random weights, noise and settings. See README.md beside this file; exit code 0: all runs agree.
"""

import argparse
import contextlib
import functools
import io
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "originals"))

FAMILIES = ("ldm4g", "sd1", "ddpm", "ddpm-cifar")
ORIGINALS = ("ldm4g", "ldm4g_fork", "sd1", "ddpm", "ddpm_fork", "diffusers_sd1", "diffusers_ddpm")
ROW = 1e-4  # of max|reference|, ten steps in float32
LATENT_SCALE = {"sd1": 0.18215}


def case(family, original, method, rule, settings, **more):
    """One run. `full`: the steps that are computed whole; None: all."""
    plain = dict(
        family=family, original=original, method=method, rule=rule, steps=settings.steps, eta=settings.eta, depth=0,
        full=None, interval=0, power=0, noise=settings.noise, scale=settings.scale, batch=settings.batch,
        size=settings.size, labels=settings.labels, clip=False, offset=0, variance="fixed_small", final="as usual",
    )
    made = plain | more
    guidance = "" if family.startswith("ddpm") else f" guidance {made['scale']:g}"
    made["name"] = f"{family} {original} {method} {rule.split()[1]} eta {made['eta']:g}{guidance}" + _cache_text(made)
    return made


def _cache_text(c):
    if c["full"] is None:
        return ""
    if c["power"]:
        return f", depth {c['depth']}, interval {c['interval']}, power {c['power']}"
    return f", depth {c['depth']}, full at {' '.join(str(step) for step in sorted(c['full']))}"


def all_cases(settings):
    """Uncached and cached runs of each family, by each original that it has."""
    cached = [
        dict(full=set(range(0, settings.steps, interval)), depth=depth, interval=interval)
        for interval in settings.intervals
        for depth in settings.depths
    ]
    cached.append(dict(full={0, 1, 2, 5}, depth=1))  # not uniform
    cases = []
    for family, method in (("ldm4g", "ddim"), ("sd1", "plms")):
        cases += [case(family, family, method, "ldm uniform", settings, **cache) for cache in [{}, *cached]]
    for cache in cached:
        if cache["depth"] == 0:
            cases.append(case("ldm4g", "ldm4g_fork", "ddim", "ldm uniform", settings, **cache))
    for interval in settings.intervals:
        uneven = dict(full=(), interval=interval, power=1.3)
        cases.append(case("ldm4g", "ldm4g_fork", "ddim", "ldm uniform", settings, **uneven))
    cases.append(case("ldm4g", "ldm4g", "ddim", "ldm uniform", settings, eta=1.0))
    cases.append(case("ldm4g", "ldm4g", "ddim", "ldm uniform", settings, scale=1.0))
    cases.append(case("sd1", "sd1", "ddim", "ldm uniform", settings, eta=0.5))
    leading = dict(offset=1, final="first")
    for cache in [{}, *(cache for cache in cached if "interval" in cache)]:  # DeepCache's helper knows no uneven steps
        cases.append(case("sd1", "diffusers_sd1", "ddim", "diffusers leading", settings, **leading, **cache))
    cases.append(case("sd1", "diffusers_sd1", "plms", "diffusers trailing", settings, final="first"))
    for family in ("ddpm", "ddpm-cifar"):
        cases += [case(family, "ddpm", "ddim", "ermongroup uniform", settings, **cache) for cache in [{}, *cached]]
        cases.append(case(family, "ddpm", "ddim", "ermongroup quad", settings))
        cases.append(case(family, "ddpm", "ddim", "ermongroup uniform", settings, eta=1.0))
        cases.append(case(family, "ddpm", "ddpm", "ermongroup uniform", settings))
        for cache in cached:
            if cache["depth"] >= 1 and "interval" in cache:
                cases.append(case(family, "ddpm_fork", "ddim", "ermongroup uniform", settings, **cache))
        clipped = dict(clip=True, final="one")
        cases.append(case(family, "diffusers_ddpm", "ddim", "diffusers leading", settings, **clipped))
        cases.append(case(family, "diffusers_ddpm", "ddpm", "diffusers trailing", settings, **clipped))
    return [c for c in cases if c["family"] in settings.families and c["original"] in settings.originals]


def _policy(c):
    if c["power"]:
        uneven = dict(interval=c["interval"], center=0, power=c["power"], formula="reference")
        return "NonUniformCache", dict(depth=c["depth"], **uneven)
    return "ListedCache", dict(depth=c["depth"], steps=", ".join(str(step) for step in sorted(c["full"])))


def workflow(c, checkpoint, prefix):
    """The run as a workflow that saves its last latent."""
    family, convention = c["family"], c["rule"].split()[0]
    model = ["1", 0] if c["full"] is None else ["3", 0]
    steps = dict(rule=c["rule"], steps=c["steps"], offset=c["offset"], final_alpha=c["final"])
    sampling = dict(model=model, add_noise=True, noise_seed=c["noise"], cfg=1.0, positive=["4", 0], negative=["5", 0])
    nodes = {
        "1": ("CheckpointLoaderSimple", dict(ckpt_name=checkpoint)),
        "7": ("ReferenceTimesteps", dict(model=["1", 0], **steps)),
        "9": ("SamplerCustom", dict(**sampling, sampler=["8", 0], sigmas=["7", 0], latent_image=["6", 0])),
        "10": ("SaveLatent", dict(samples=["9", 0], filename_prefix=prefix)),
    }
    methods = {
        "ddim": ("ReferenceDDIM", dict(eta=c["eta"], clip=c["clip"])),
        "plms": ("ReferencePLMS", {}),
        "ddpm": ("ReferenceDDPM", dict(variance=c["variance"], clip=True)),
    }
    node, inputs = methods[c["method"]]
    nodes["8"] = (node, dict(model=["1", 0], implementation=convention, **inputs))
    if c["full"] is not None:
        nodes["2"] = _policy(c)
        nodes["3"] = ("ApplyCachePolicy", dict(model=["1", 0], policy=["2", 0]))
    if family == "sd1":
        nodes["4"] = ("CLIPTextEncode", dict(text="a photo of a cat", clip=["1", 1]))
        nodes["5"] = ("CLIPTextEncode", dict(text="", clip=["1", 1]))
        height, width = c["size"]
        nodes["6"] = ("EmptyLatentImage", dict(width=8 * width, height=8 * height, batch_size=1))
        nodes["9"][1]["cfg"] = c["scale"]
    else:
        batch = len(c["labels"]) if family == "ldm4g" else c["batch"]
        nodes["5"] = nodes["4"] = ("UnconditionalConditioning", dict(model=["1", 0]))
        nodes["6"] = ("EmptyModelLatent", dict(model=["1", 0], batch_size=batch))
        if family == "ldm4g":
            nodes["4"] = ("ClassConditioning", dict(model=["1", 0], labels=", ".join(map(str, c["labels"]))))
            nodes["9"][1]["cfg"] = c["scale"]
    return {key: dict(class_type=node, inputs=inputs) for key, (node, inputs) in nodes.items()}


def run_refrain(cases, arguments):
    """Makes the checkpoints and runs all workflows of a family in one process; the last latents, in order."""
    from safetensors.torch import load_file

    cache, build = Path(arguments.cache), Path(arguments.build)
    models = cache / "models"
    (models / "checkpoints").mkdir(parents=True, exist_ok=True)
    for family in sorted({c["family"] for c in cases}):
        checkpoint = f"{family}_{arguments.seed}.safetensors"
        subprocess.run(
            [build / "bin/refrain-make-checkpoint", "--family", family, "--seed", str(arguments.seed), "--output",
             models / "checkpoints" / checkpoint], check=True)
        files = []
        for number, c in enumerate(cases):
            if c["family"] != family:
                continue
            for old in (cache / "output").glob(f"c{number}_*"):
                old.unlink()
            file = cache / f"c{number}.json"
            file.write_text(json.dumps(workflow(c, checkpoint, f"c{number}"), indent=1))
            files.append(file)
        command = [build / "bin/refrain", "run", *files, "--models", models, "--output-directory", cache / "output"]
        subprocess.run([*command, "--dtype", "fp32", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    results = []
    for number, c in enumerate(cases):
        (file,) = (cache / "output").glob(f"c{number}_*.latent")
        results.append(load_file(file)["latent_tensor"] * LATENT_SCALE.get(c["family"], 1.0))
    return results


def deviation(a, reference):
    return ((a.double() - reference.double()).abs().max() / reference.double().abs().max()).item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("latent-diffusion", "stable-diffusion", "ddim", "deepcache"):
        parser.add_argument(f"--{name}", required=True, help=f"a checkout of {name}")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--cache", required=True, help="a folder for checkpoints, workflows and latents")
    parser.add_argument("--seed", type=int, default=1, help="of the weights")
    parser.add_argument("--noise", type=int, default=20, help="of the noise")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--scale", type=float, default=3.0, help="of guidance")
    parser.add_argument("--eta", type=float, default=0.0)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--labels", type=int, nargs="+", default=[3, 999])
    parser.add_argument("--size", type=int, nargs=2, default=[8, 16], help="sides of SD's latents, in cells")
    parser.add_argument("--intervals", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--depths", type=int, nargs="+", default=[0, 1, 2, 5])
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--originals", nargs="+", choices=ORIGINALS, default=ORIGINALS)
    arguments = parser.parse_args()

    import torch
    from oracle import threads
    from runs_of_originals import Originals

    cases = all_cases(arguments)
    ours = run_refrain(cases, arguments)
    originals = Originals(arguments, arguments.seed)
    failed, worst = 0, {}
    print(f"{'deviation':>10} {'spread':>9}  run; both of max|reference|, the spread that of the original itself")
    for c, result in zip(cases, ours):
        with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            run = functools.partial(getattr(originals, c["original"]), c)
            with threads(1):
                reference = run()
            with threads(2):
                spread = deviation(run(), reference)
            if "diffusers" in c["original"]:
                with threads(1), originals.plain_attention():
                    spread = max(spread, deviation(run(), reference))
        found = deviation(result, reference)
        failed += found > ROW
        known = worst.get(c["original"], (0, 0))
        worst[c["original"]] = (max(found, known[0]), max(spread, known[1]))
        print(f"{found:10.1e} {spread:9.1e}  {c['name']}{'' if found <= ROW else '   BEYOND THE ROW'}", flush=True)
    print(f"\n{len(cases)} runs, {failed} beyond their row. The worst of each original:")
    for name, (found, spread) in worst.items():
        # One pair of runs says little about the spread, all of an original's say more.
        failed += found > 2 * spread
        print(f"{found:10.1e} {spread:9.1e}  {name}{'' if found <= 2 * spread else '   BEYOND TWICE ITS SPREAD'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
