"""Full-size checkpoints of random weights in every layout: each is made, loaded, run for a step, and deleted.

Prints for each the size, the seconds of reading it (`cat`), of loading it and of the whole run, the peak memory, and
whether the latent is the first layout's, bit for bit. Needs torch, numpy and safetensors, and 8 GB of disk.
Usage: full_size_layouts.py --build build/release --cache FOLDER [--layouts NAME ...] [--] [family ...]. Exit code 1: one failed or differed.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "originals"))
NAMES = Path(__file__).resolve().parent.parent / "data" / "golden" / "diffusers_names.txt.gz"
FAMILIES = ("ldm4g", "ddpm-cifar", "ddpm", "sd1")
TEXT = "cond_stage_model.transformer."
LEVELS = {"ddpm": 6, "ddpm-cifar": 4}


def read(file):
    from safetensors.torch import load_file

    return load_file(file)


def write(tensors, file):
    from safetensors.torch import save_file

    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)


def save(value, file, legacy=False):
    import torch

    torch.save(value, file, _use_new_zipfile_serialization=not legacy)


def lightning(tensors):
    """What Lightning writes around a state dict."""
    return {"epoch": 3, "global_step": 7, "pytorch-lightning_version": "1.4.2", "state_dict": tensors, "callbacks": {}}


def trained_by_ermongroup(tensors):
    """The list that its training writes: the exponential average comes last, the weights themselves are others."""
    import torch

    others = {f"module.{name}": torch.zeros_like(tensor) for name, tensor in tensors.items()}
    return [others, {"state": {}, "param_groups": []}, 1, 2, tensors]


def diffusers_ddpm(tensors, family):
    from runs_of_originals import diffusers_ddpm_name

    renamed = {diffusers_ddpm_name(name, LEVELS[family]): tensor for name, tensor in tensors.items()}
    projections = ("to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight")
    return {n: t.flatten(1) if n.endswith(projections) else t for n, t in renamed.items()}


def diffusers_sd1(tensors, folder):
    # The list was made of a small model: its text encoder has fewer layers.
    text = {n: f"text_encoder.{n.removeprefix(TEXT)} {t.dim()}" for n, t in tensors.items() if n.startswith(TEXT)}
    listed = (line.split(" ", 1) for line in gzip.decompress(NAMES.read_bytes()).decode().splitlines()[1:])
    names = dict(listed) | text
    parts = {}
    for original, tensor in tensors.items():
        name, rank = names[original].split()
        part, leaf = name.split(".", 1)
        parts.setdefault(part, {})[leaf] = tensor.flatten(int(rank) - 1) if tensor.dim() > int(rank) else tensor
    files = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}
    for part, file in files.items():
        write(parts[part], folder / part / f"{file}.safetensors")
    configs = {
        "unet": {"attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280]},
        "vae": {"latent_channels": 4},
        "text_encoder": {"num_attention_heads": 12},
    }
    for part, config in configs.items():
        (folder / part / "config.json").write_text(json.dumps(config))
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))


def layouts(family):
    """Name of a file or folder, and how it is made of the tensors."""
    if not family.startswith("ddpm"):
        compvis = {
            "lightning.ckpt": lambda t, f: save(lightning(t), f),
            "legacy.ckpt": lambda t, f: save(lightning(t), f, True),
        }
        return compvis | ({"folder": diffusers_sd1} if family == "sd1" else {})
    return {
        "plain.ckpt": lambda t, f: save(t, f),
        "legacy.ckpt": lambda t, f: save(t, f, True),
        "trained.ckpt": lambda t, f: save(trained_by_ermongroup(t), f),
        "diffusers.safetensors": lambda t, f: write(diffusers_ddpm(t, family), f),
    }


def workflow(family, path, prefix):
    """One step; no picture is decoded."""
    loader = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": path.name}}
    if path.is_dir():
        loader = {"class_type": "DiffusersLoader", "inputs": {"model_path": path.name}}
    sd1, ddpm = family == "sd1", family.startswith("ddpm")
    convention = "ermongroup" if ddpm else "ldm"
    prompt = {"class_type": "CLIPTextEncode", "inputs": {"text": "a red fox", "clip": ["1", 1]}}
    nothing = {"class_type": "UnconditionalConditioning", "inputs": {"model": ["1", 0]}}
    small = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}}
    whole = {"class_type": "EmptyModelLatent", "inputs": {"model": ["1", 0], "batch_size": 1}}
    steps = {"rule": f"{convention} uniform", "steps": 1, "offset": 0, "final_alpha": "as usual"}
    method = {"implementation": convention, "eta": 0.0, "clip": False}
    links = {"positive": "4", "negative": "4", "sampler": "8", "sigmas": "7", "latent_image": "6", "model": "1"}
    sampling = {name: [node, 0] for name, node in links.items()} | {"add_noise": True, "noise_seed": 1, "cfg": 1.0}
    return {
        "1": loader,
        "4": prompt if sd1 else nothing,
        "6": small if sd1 else whole,
        "7": {"class_type": "ReferenceTimesteps", "inputs": {"model": ["1", 0], **steps}},
        "8": {"class_type": "ReferenceDDIM", "inputs": {"model": ["1", 0], **method}},
        "9": {"class_type": "SamplerCustom", "inputs": sampling},
        "10": {"class_type": "SaveLatent", "inputs": {"samples": ["9", 0], "filename_prefix": prefix}},
    }


def files_of(path):
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def seconds_of_reading(path):
    """As `cat`, from a cold page cache; leaves it cold."""
    os.sync()
    forget(path)
    begin = time.monotonic()
    for file in files_of(path):
        subprocess.run(["cat", file], stdout=subprocess.DEVNULL, check=True)
    seconds = time.monotonic() - begin
    forget(path)
    return seconds


def forget(path):
    for file in files_of(path):
        with open(file, "rb") as handle:
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(family, path, arguments):
    """One step; the latent's bytes, seconds of loading and of all, peak memory in GB."""
    cache = Path(arguments.cache)
    output = cache / "output"
    shutil.rmtree(output, ignore_errors=True)
    file, report = cache / "workflow.json", cache / "report.json"
    file.write_text(json.dumps(workflow(family, path, "latent")))
    begin = time.monotonic()
    command = [f"{arguments.build}/bin/refrain", "run", file, "--models", cache / "models", "--output-directory", output]
    done = subprocess.run([*command, "--report", report, "--dtype", "fp32", "--quiet"], stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        return None, 0, seconds, 0
    told = json.loads(report.read_text())["runs"][0]["report"]
    loading = sum(node["milliseconds"] for node in told["nodes"] if "Loader" in node["type"]) / 1000
    (latent,) = output.glob("*.latent")
    return read(latent)["latent_tensor"].numpy().tobytes(), loading, seconds, told["peak_memory_bytes"] / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--cache", required=True)
    parser.add_argument("--layouts", nargs="+", help="only these, beside the single safetensors file")
    parser.add_argument("families", nargs="*", metavar="family", help=f"of {', '.join(FAMILIES)}; without any: all")
    arguments = parser.parse_args()
    models = Path(arguments.cache) / "models"
    checkpoints = models / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    failed = False
    print(f"{'layout':32} {'GB':>5} {'cat s':>6} {'load s':>6} {'all s':>6} {'peak GB':>8}  latent")
    for family in arguments.families or FAMILIES:
        base = checkpoints / f"{family}.safetensors"
        dtype = "fp16" if family == "sd1" else "fp32"
        make_checkpoint = [f"{arguments.build}/bin/refrain-make-checkpoint", "--family", family, "--size", "full"]
        subprocess.run([*make_checkpoint, "--dtype", dtype, "--output", base], check=True)
        first = None
        for name, make in {base.name: None, **layouts(family)}.items():
            if make is not None and arguments.layouts and name not in arguments.layouts:
                continue
            path = (models / "diffusers" if name == "folder" else checkpoints) / name
            if make is not None:
                make(read(base), path)
            size = sum(file.stat().st_size for file in files_of(path)) / 1e9
            reading = seconds_of_reading(path)
            latent, loading, seconds, peak = run(family, path, arguments)
            first = first or latent
            same = "failed" if latent is None else "the same" if latent == first else "ANOTHER"
            failed = failed or same != "the same"
            times = f"{reading:6.1f} {loading:6.1f} {seconds:6.1f}"
            print(f"{family + ' ' + name:32} {size:5.2f} {times} {peak:8.2f}  {same}", flush=True)
            if make is not None:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        base.unlink()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
