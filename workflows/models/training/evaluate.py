"""Draws the held-out prompts through `refrain run` and lets the judge look: the quality tables of the docs.

Without --caches only the uncached pictures; with it UniformCache at every interval and depth against them, and the
plain sampler at as many steps as take the same time.
"""

import argparse
import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

import draw
import judge

STEPS = 25
GUIDANCE = 5.0
INTERVALS = (2, 3, 5, 10)
DEPTHS = range(6)  # as many as the U-Net has skips
SEED = 1000

Setting = collections.namedtuple("Setting", "steps interval depth", defaults=(None, None))
Result = collections.namedtuple("Result", "pictures macs")
TIMED = 9  # pictures


def prompts_of(scenes):
    """One caption of each."""
    rng = random.Random(SEED)
    return [draw.caption(scene, rng) for scene in scenes]


def workflow_of(prompts, setting, checkpoint):
    """A workflow in ComfyUI's API format that draws every prompt from a seed of its own."""
    nodes = {"loader": node("CheckpointLoaderSimple", ckpt_name=checkpoint),
             "size": node("EmptyLatentImage", width=draw.SIDE, height=draw.SIDE, batch_size=1),
             "empty": node("CLIPTextEncode", text="", clip=["loader", 1])}
    model = ["loader", 0]
    if setting.interval is not None:
        nodes["policy"] = node("UniformCache", interval=setting.interval, depth=setting.depth)
        nodes["cached"] = node("ApplyCachePolicy", model=model, policy=["policy", 0])
        model = ["cached", 0]
    for n, prompt in enumerate(prompts):
        nodes[f"text{n}"] = node("CLIPTextEncode", text=prompt, clip=["loader", 1])
        nodes[f"sample{n}"] = node("KSampler", seed=SEED + n, steps=setting.steps, cfg=GUIDANCE, sampler_name="ddim",
                                   scheduler="normal", denoise=1, model=model, positive=[f"text{n}", 0],
                                   negative=["empty", 0], latent_image=["size", 0])
        nodes[f"decode{n}"] = node("VAEDecode", samples=[f"sample{n}", 0], vae=["loader", 2])
        nodes[f"save{n}"] = node("SaveImage", filename_prefix=f"p{n:04d}", images=[f"decode{n}", 0])
    return nodes


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def name_of(setting):
    """A folder's name."""
    return "_".join(f"{key}{value}" for key, value in setting._asdict().items() if value is not None)


def run(setting, prompts, folder, arguments):
    """Draws the pictures into the folder, once; the records of the samplings."""
    report = folder / "report.json"
    if not report.exists():
        folder.mkdir(parents=True, exist_ok=True)
        workflow = folder / "workflow.json"
        workflow.write_text(json.dumps(workflow_of(prompts, setting, arguments.checkpoint.name)))
        subprocess.run([arguments.refrain, "run", workflow, "--models", arguments.checkpoint.parent.parent,
                        "--output-directory", folder, "--report", folder / "report.part"], check=True,
                       stdout=subprocess.DEVNULL)
        (folder / "report.part").rename(report)
    runs = json.loads(report.read_text())["runs"]
    return [entry["record"] for entry in runs[-1]["report"]["records"] if "milliseconds" in entry["record"]]


def drawn(setting, prompts, arguments):
    """The pictures of all prompts and the multiply-accumulates of the sampling of one."""
    folder = arguments.work / name_of(setting)
    records = run(setting, prompts, folder, arguments)
    pictures = [np.asarray(Image.open(folder / f"p{n:04d}_00001_.png").convert("RGB")) for n in range(len(prompts))]
    return Result(pictures, records[-1]["macs"])


def milliseconds(setting, prompts, arguments):
    """Of the sampling of one picture, the median of a few; measured by itself, not while others draw."""
    with tempfile.TemporaryDirectory() as folder:
        records = run(setting, prompts[:TIMED], pathlib.Path(folder), arguments)
    return float(np.median([record["milliseconds"] for record in records]))


def psnr(pictures, references):
    """Mean over the pictures of the peak signal-to-noise ratio, in dB; of equal ones 99 are counted."""
    def one(a, b):
        error = np.square(a.astype(np.float64) - b).mean()
        return 99.0 if error == 0 else min(99.0, 10 * np.log10(255**2 / error))

    return float(np.mean([one(a, b) for a, b in zip(pictures, references)]))


def cached_settings():
    """Every interval and depth."""
    return [Setting(STEPS, interval, depth) for interval in INTERVALS for depth in DEPTHS]


def compared(scenes, prompts, arguments):
    """A table as Markdown: every interval and depth, and the plain sampler at equal time."""
    full = drawn(Setting(STEPS), prompts, arguments)
    plain = {}

    def right(result):
        return 100 * judge.table(scenes, result.pictures)["all"][0]

    def at_steps(steps):
        if steps not in plain:
            result = drawn(Setting(steps), prompts, arguments)
            plain[steps] = (psnr(result.pictures, full.pictures), right(result))
        return plain[steps]

    times = {setting: milliseconds(setting, prompts, arguments) for setting in (Setting(STEPS), *cached_settings())}
    lines = [f"Uncached, {STEPS} steps: the judge finds {right(full):.1f} % of the named attributes.", "",
             "| interval | depth | MACs saved | time saved | PSNR | judge | plain steps at equal time | PSNR | judge |",
             "|---|---|---|---|---|---|---|---|---|"]
    for setting in cached_settings():
        result = drawn(setting, prompts, arguments)
        faster = times[Setting(STEPS)] / times[setting]
        steps = min(STEPS, max(1, round(STEPS / faster)))
        plain_psnr, plain_right = at_steps(steps)
        lines.append(f"| {setting.interval} | {setting.depth} | {full.macs / result.macs:.2f} x | {faster:.2f} x | "
                     f"{psnr(result.pictures, full.pictures):.1f} | {right(result):.1f} % | "
                     f"{steps} | {plain_psnr:.1f} | {plain_right:.1f} % |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refrain", required=True, type=pathlib.Path, help="the command")
    parser.add_argument("--checkpoint", required=True, type=pathlib.Path, help="in a folder called checkpoints")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder for pictures; what is there is reused")
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--caches", action="store_true", help="compare UniformCache as well")
    parser.add_argument("--draw-share", metavar="K/N", help="only draw share K of N of the cached pictures, before "
                        "--caches: for processes side by side with a thread each (OMP_NUM_THREADS=1)")
    arguments = parser.parse_args()
    scenes = draw.test_scenes(arguments.prompts)
    prompts = prompts_of(scenes)
    if arguments.draw_share:
        share, of = map(int, arguments.draw_share.split("/"))
        for setting in cached_settings()[share - 1::of]:
            drawn(setting, prompts, arguments)
        return
    print(judge.as_text(judge.table(scenes, drawn(Setting(STEPS), prompts, arguments).pictures)))
    if arguments.caches:
        print()
        print(compared(scenes, prompts, arguments))


if __name__ == "__main__":
    main()
