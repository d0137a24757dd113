"""Random workflows around every node, sampler and scheduler, through ComfyUI itself and through `refrain run`.

With the small checkpoints; another --seed gives other sizes, seeds, prompts and settings. See README.md beside this
file; exit code 0: all agree, 1: some do not.
"""

import argparse
import importlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

LATENT_LIMIT = 1e-4  # of the latent's standard deviation, or twice ComfyUI's own spread if that is more
PICTURE_SHARE = 0.999  # of values within one level of 255
MODULES = [
    "comfy_extras.nodes_custom_sampler",
    "comfy_extras.nodes_freelunch",
    "comfy_extras.nodes_images",
    "comfy_extras.nodes_mask",
    "comfy_extras.nodes_model_advanced",
    "comfy_extras.nodes_model_downscale",
    "comfy_extras.nodes_post_processing",
    "comfy_extras.nodes_rebatch",
]


def make_pictures(folder):
    import numpy
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for name, (width, height), seed in [("one.png", (97, 74), 1), ("two.png", (64, 80), 2)]:
        numbers = numpy.random.default_rng(seed)
        coarse = Image.fromarray(numbers.integers(0, 256, (7, 9, 4), dtype=numpy.uint8), "RGBA")
        coarse.resize((width, height), Image.Resampling.BICUBIC).save(folder / name)


def make_comfyui(options, models):
    """ComfyUI with its further nodes, and a loader that knows the small checkpoints' sizes."""
    import torch

    from compare_full_size import ComfyUI
    from object_info import classes_of
    from small_models import SmallModels

    comfyui = ComfyUI(options.comfyui, models, options.cache / "comfyui")
    nodes = comfyui.oracle.nodes.NODE_CLASS_MAPPINGS
    for module in MODULES:
        nodes.update(classes_of(importlib.import_module(module)))
    import folder_paths

    folder_paths.set_input_directory(str(options.cache / "input"))
    loaded = {}

    def load(self, ckpt_name):
        if ckpt_name not in loaded:
            small = SmallModels(models / "checkpoints" / ckpt_name)
            loaded[ckpt_name] = small.model_patcher(), small.clip(), small.vae()
        return loaded[ckpt_name]

    nodes["CheckpointLoaderSimple"].load_checkpoint = load
    torch.set_num_threads(1)
    return comfyui


def run_comfyui(comfyui, workflow, folder, threads):
    """Returns what went wrong, or nothing."""
    import folder_paths

    for file in (folder / workflow.name).glob("*"):
        file.unlink()
    folder_paths.set_output_directory(str(folder))
    comfyui.executor.caches.objects.cache.clear()  # a save node keeps the output folder of its making
    try:
        comfyui.run(workflow.nodes, threads)
    except Exception as error:  # whatever a node throws
        return str(error).splitlines()[0][:300]
    return ""


def run_refrain(options, workflows, models):
    """What each workflow ended in: its exit status and, where it failed, what was said."""
    failures = {}
    for workflow in workflows:
        for file in (options.cache / "refrain" / workflow.name).glob("*"):
            file.unlink()
        file = options.cache / "workflows" / f"{workflow.name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(workflow.nodes, indent=1) + "\n")
        command = [options.build / "bin" / "refrain", "run", file, "--models", models]
        command += ["--input-directory", options.cache / "input", "--output-directory", options.cache / "refrain"]
        command += ["--device", "cpu", "--dtype", "fp32"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            failures[workflow.name] = " ".join(done.stdout.split())[:300]
    return failures


def results(folder):
    """Latents and pictures below a folder, by the file's name."""
    import numpy
    from PIL import Image
    from safetensors.torch import load_file

    found = {}
    for file in sorted(folder.glob("*")):
        if file.suffix == ".latent":
            found[file.name] = load_file(file)["latent_tensor"]
        elif file.suffix == ".png":
            found[file.name] = numpy.asarray(Image.open(file)).astype(int)
    return found


def worst(ours, theirs):
    """Largest difference of latents over their deviation, and smallest share of picture values within one level."""
    import torch

    from golden import difference

    off, share = 0.0, 1.0
    if ours.keys() != theirs.keys():
        return float("inf"), 0.0
    for name, expected in theirs.items():
        if ours[name].shape != expected.shape:
            return float("inf"), 0.0
        if not torch.is_tensor(expected):
            share = min(share, float((abs(ours[name] - expected) <= 1).mean()))
        elif not torch.equal(torch.isnan(ours[name]), torch.isnan(expected)):
            return float("inf"), share
        else:
            off = max(off, difference(torch.nan_to_num(expected), torch.nan_to_num(ours[name])))
    return off, share


def judge(options, comfyui, workflow, refused, failures):
    """Whether it passes, and a line about it."""
    ours, theirs = failures.get(workflow.name, ""), refused.get(workflow.name, "")
    if ours or theirs:
        both = bool(ours) and bool(theirs)
        return both, f"{workflow.name:40} ComfyUI: {theirs or 'ran'} | ours: {ours or 'ran'}", 0.0, 1.0
    reference = results(options.cache / "comfyui" / workflow.name)
    off, share = worst(results(options.cache / "refrain" / workflow.name), reference)
    limit = LATENT_LIMIT
    if LATENT_LIMIT < off < float("inf"):  # how far is ComfyUI from itself?
        again = options.cache / "comfyui-2-threads"
        run_comfyui(comfyui, workflow, again, 2)
        limit = max(limit, 2 * worst(results(again / workflow.name), reference)[0])
    passed = off <= limit and share >= PICTURE_SHARE and bool(reference)
    verdict = "ok" if passed else "FAILED"
    return passed, f"{workflow.name:40} {off:9.2e} of {limit:8.1e} {share:8.5f} {verdict}", off, share


def choices(options):
    """Our samplers and schedulers, in order."""
    command = [options.build / "bin" / "refrain", "nodes", "KSampler", "--json"]
    inputs = json.loads(subprocess.check_output(command))["KSampler"]["input"]["required"]
    return inputs["sampler_name"][0], inputs["scheduler"][0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comfyui", type=Path, required=True, help="folder of a ComfyUI checkout")
    parser.add_argument("--build", type=Path, default=Path("build/release"), help="our build folder")
    parser.add_argument("--cache", type=Path, required=True, help="folder for checkpoints, workflows and results")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other workflows")
    parser.add_argument("--count", type=int, default=20, help="workflows of each group beside the samplers'")
    parser.add_argument("--only", default="", help="a regular expression for the workflows' names")
    parser.add_argument("--verbose", action="store_true", help="a line for each workflow, not only for those that fail")
    options = parser.parse_args()
    options.cache = options.cache.resolve()

    from random_workflows import INPAINTING, SMALL, all_workflows

    models = options.cache / "models"
    for name, family in [(SMALL, "sd1"), (INPAINTING, "sd1-inpainting")]:
        file = models / "checkpoints" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            tool = options.build / "bin" / "refrain-make-checkpoint"
            subprocess.run([tool, "--family", family, "--size", "small", "--output", file], check=True)
    make_pictures(options.cache / "input")
    workflows = all_workflows(options.seed, options.count, *choices(options))
    workflows = [workflow for workflow in workflows if re.search(options.only, workflow.name)]

    begin = time.time()
    failures = run_refrain(options, workflows, models)
    print(f"refrain: {len(workflows)} workflows in {time.time() - begin:.0f} s", flush=True)
    begin = time.time()
    comfyui = make_comfyui(options, models)
    refused = {}
    for workflow in workflows:
        if problem := run_comfyui(comfyui, workflow, options.cache / "comfyui", 1):
            refused[workflow.name] = problem
    print(f"ComfyUI: {len(workflows)} workflows in {time.time() - begin:.0f} s", flush=True)

    bad, groups = 0, {}
    for workflow in workflows:
        passed, line, off, share = judge(options, comfyui, workflow, refused, failures)
        bad += not passed
        if options.verbose or not passed or workflow.name in refused:
            print(line, flush=True)
        count, most, least = groups.get(workflow.name.split("-")[0], (0, 0.0, 1.0))
        groups[workflow.name.split("-")[0]] = (count + 1, max(most, off), min(least, share))
    for group, (count, most, least) in groups.items():
        print(f"{group:14} {count:4} workflows, worst latent {most:9.2e}, smallest share within one level {least:8.5f}")
    print(f"{bad} of {len(workflows)} differ" if bad else f"all {len(workflows)} agree")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
