"""The acceptance run: a full-size SD 1.5 checkpoint of random weights through ComfyUI itself and through `refrain run`.

Both get the same API-format workflow. See README.md beside this file; exit code 0: all cases pass, 1: one does not.
"""

import argparse
import asyncio
import copy
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

LATENT_LIMIT = 1e-4  # of the latent's standard deviation, or twice ComfyUI's own spread if that is more
PICTURE_SHARE = 0.999  # of values within one level of 255
SAMPLERS = ["euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim"]
SCHEDULERS = ["normal", "karras", "simple"]
CHECKPOINT = "sd15_random_fp16.safetensors"
LORA = "sd15_random_lora.safetensors"
LORA_RANK = 16

PLAIN = "beautiful scenery nature glass bottle landscape, , purple galaxy bottle,"
WEIGHTED = "a (big (red:0.7) dog:1.4) runs, ((masterpiece)), (blurry:-0.5), \\(style\\), (sun:0)"
LONG = "a portrait of " + ", ".join(
    f"(detail {i}:1.{i % 10})" if i % 5 == 0 else f"detail number {i}" for i in range(45)
)


def case(
    name,
    width=192,
    height=128,
    batch=1,
    positive=PLAIN,
    negative="text, watermark",
    sampler="euler",
    scheduler="normal",
    steps=4,
    cfg=8.0,
    seed=156680208700286,
):
    return dict(
        name=name,
        width=width,
        height=height,
        batch=batch,
        positive=positive,
        negative=negative,
        sampler=sampler,
        scheduler=scheduler,
        steps=steps,
        cfg=cfg,
        seed=seed,
    )


def all_cases():
    small = [
        case("default", steps=20),
        case("batch2", batch=2, sampler="dpmpp_2m", scheduler="karras"),
        case("weighted", positive=WEIGHTED),
        case("long", positive=LONG, negative=WEIGHTED, batch=2),
        case("unguided", cfg=1.0),
        case("one_step", steps=1),
        case("largest_seed", seed=(1 << 64) - 1),
        dict(case("lora"), lora=[0.8, -0.6]),
    ]
    small += [
        case(f"{sampler}-{scheduler}", sampler=sampler, scheduler=scheduler, steps=3)
        for sampler in SAMPLERS
        for scheduler in SCHEDULERS
    ]
    large = [
        case("large-single", 512, 512),
        case("large-batch2", 512, 512, batch=2, sampler="dpmpp_2m", scheduler="karras", positive=LONG, steps=2),
    ]
    return {"small": small, "large": large, "full": [case("large-default", 512, 512, steps=20)]}


def workflow(c):
    """ComfyUI's default graph in the API format, and a SaveLatent; where the case has one, with a LoRA."""
    graph = {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": c["seed"],
                "steps": c["steps"],
                "cfg": c["cfg"],
                "sampler_name": c["sampler"],
                "scheduler": c["scheduler"],
                "denoise": 1.0,
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
        },
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}},
        "5": {
            "class_type": "EmptyLatentImage",
            "inputs": {"width": c["width"], "height": c["height"], "batch_size": c["batch"]},
        },
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": c["positive"], "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": c["negative"], "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": f"{c['name']}/picture", "images": ["8", 0]}},
        "10": {"class_type": "SaveLatent", "inputs": {"filename_prefix": f"{c['name']}/latent", "samples": ["3", 0]}},
    }
    if "lora" in c:
        strengths = dict(strength_model=c["lora"][0], strength_clip=c["lora"][1])
        inputs = dict(model=["4", 0], clip=["4", 1], lora_name=LORA, **strengths)
        graph["11"] = {"class_type": "LoraLoader", "inputs": inputs}
        graph["3"]["inputs"]["model"] = ["11", 0]
        graph["6"]["inputs"]["clip"] = graph["7"]["inputs"]["clip"] = ["11", 1]
    return graph


class Results:
    """What a run left: one .latent file and a PNG for each of the batch, in a folder per case."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def there(self, c):
        pictures = len(list((self.folder / c["name"]).glob("picture_*.png")))
        latents = len(list((self.folder / c["name"]).glob("latent_*.latent")))
        return pictures == c["batch"] and latents == 1

    def clear(self, c):
        for file in (self.folder / c["name"]).glob("*"):
            file.unlink()

    def latent(self, c):
        from safetensors.torch import load_file

        (file,) = (self.folder / c["name"]).glob("latent_*.latent")
        return load_file(file)["latent_tensor"]

    def pictures(self, c):
        import numpy
        from PIL import Image

        files = sorted((self.folder / c["name"]).glob("picture_*.png"))
        return numpy.stack([numpy.asarray(Image.open(file).convert("RGB")).astype(int) for file in files])


class ComfyUI:
    """Executes prompts as ComfyUI's worker does."""

    class _Server:
        client_id = None
        last_node_id = None
        sockets_metadata = {}

        def send_sync(self, *arguments, **options):
            pass

    def __init__(self, checkout, models, output):
        from oracle import Oracle

        self.oracle = Oracle(checkout)
        import comfy.utils
        import execution
        import folder_paths

        comfy.utils.set_progress_bar_enabled(False)
        for folder in ("checkpoints", "loras"):
            folder_paths.add_model_folder_path(folder, str(models / folder), is_default=True)
        folder_paths.set_output_directory(str(output))
        for name in ("CLIPTextEncode", "EmptyLatentImage"):  # nothing but the checkpoint is reused between runs
            self.oracle.nodes.NODE_CLASS_MAPPINGS[name].IS_CHANGED = classmethod(lambda cls, **inputs: float("nan"))
        self.execution = execution
        self.executor = execution.PromptExecutor(self._Server())

    def run(self, prompt, threads):
        from oracle import threads as on_threads

        prompt = copy.deepcopy(prompt)
        valid, error, outputs, node_errors = asyncio.run(self.execution.validate_prompt("0", prompt, None))
        if not valid or node_errors:
            raise RuntimeError(f"ComfyUI refuses the workflow: {error} {node_errors}")
        with on_threads(threads):
            self.executor.execute(prompt, "0", {}, outputs)
        if not self.executor.success:
            raise RuntimeError(f"ComfyUI failed: {self.executor.status_messages[-1]}")


def file_hash(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prepare_checkpoint(options):
    """The full-size file in CACHE/models/checkpoints; returns its hash, which is kept beside it."""
    file = options.cache / "models" / "checkpoints" / CHECKPOINT
    note = file.with_suffix(".sha256")
    if not file.exists():
        tool = options.make_checkpoint or options.build / "bin" / "refrain-make-checkpoint"
        if not tool.is_file():
            raise SystemExit(f"{tool} is not there: build it, or give --make-checkpoint")
        file.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([tool, "--size", "full", "--dtype", "fp16", "--output", file], check=True)
    if not note.exists() or note.stat().st_mtime < file.stat().st_mtime:
        note.write_text(file_hash(file) + "\n")
    return note.read_text().strip()


def prepare_lora(options):
    """A random LoRA for all attention of the U-Net and of the text encoder, in CACHE/models/loras."""
    file = options.cache / "models" / "loras" / LORA
    if file.exists():
        return
    from safetensors import safe_open
    from safetensors.torch import save_file

    from golden import random

    unet, text = "model.diffusion_model.", "cond_stage_model.transformer."
    tensors = {}
    with safe_open(options.cache / "models" / "checkpoints" / CHECKPOINT, "pt") as checkpoint:
        for name in checkpoint.keys():
            if not name.endswith(".weight") or not any(part in name for part in (".attn1.to_", ".attn2.to_", "_proj.")):
                continue
            of_unet = name.startswith(unet)
            prefix, module = ("lora_unet_", name[len(unet) :]) if of_unet else ("lora_te_", name[len(text) :])
            rows, columns = checkpoint.get_slice(name).get_shape()
            key = prefix + module[: -len(".weight")].replace(".", "_")
            tensors[key + ".lora_up.weight"] = random(key + "up", rows, LORA_RANK, scale=0.5 / LORA_RANK**0.5).half()
            tensors[key + ".lora_down.weight"] = random(key + "down", LORA_RANK, columns, scale=columns**-0.5).half()
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)


def prepare_references(options, cases, checkpoint_hash):
    """ComfyUI's results on 1 and 2 threads, for the cases of which the cache has none. Returns {threads: Results}."""
    comfyui = None
    results = {}
    for count in options.threads:
        results[count] = Results(options.cache / "comfyui" / checkpoint_hash[:12] / f"threads{count}")
    for c in cases:
        for count in options.threads:
            where = results[count]
            record = where.folder / c["name"] / "case.json"
            if where.there(c) and record.exists() and json.loads(record.read_text())["case"] == c:
                continue
            comfyui = comfyui or ComfyUI(options.comfyui, options.cache / "models", where.folder)
            import folder_paths

            where.clear(c)
            prompt = workflow(c)
            # A save node keeps the output folder of its making, so the nodes are made anew.
            folder_paths.set_output_directory(str(where.folder))
            comfyui.executor.caches.objects.cache.clear()
            begin = time.time()
            comfyui.run(prompt, count)
            record.write_text(
                json.dumps(
                    {
                        "case": c,
                        "seconds": round(time.time() - begin, 1),
                        "threads": count,
                        "reference": comfyui.oracle.version,
                    }
                )
                + "\n"
            )
            print(f"ComfyUI, {count} thread{'s' * (count > 1)}: {c['name']} in {time.time() - begin:.1f} s", flush=True)
    return results


def run_refrain(options, cases):
    """Our results for all cases, by one call of the command."""
    results = Results(options.cache / "refrain")
    files = []
    for c in cases:
        results.clear(c)
        file = options.cache / "workflows" / f"{c['name']}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(workflow(c), indent=1) + "\n")
        files.append(file)
    command = [
        options.build / "bin" / "refrain",
        "run",
        *files,
        "--models",
        options.cache / "models",
        "--output-directory",
        results.folder,
        "--device",
        "cpu",
        "--dtype",
        "fp32",
        *options.refrain_option,
    ]
    begin = time.time()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(f"refrain: {len(cases)} workflows in {time.time() - begin:.1f} s, exit code {done.returncode}", flush=True)
    if done.returncode != 0:
        print(done.stdout[-4000:])
    return results


def judge(c, ours, references):
    """One line of the table, and whether the case passes."""
    import numpy

    from golden import difference

    name = f"{c['name']} {c['width']}x{c['height']} b{c['batch']} {c['steps']}st"
    if not ours.there(c):
        return f"{name:44} no result", False
    reference = references[max(references)]
    expected, latent = reference.latent(c), ours.latent(c)
    if expected.shape != latent.shape or expected.dtype != latent.dtype:
        return f"{name:44} {tuple(latent.shape)} {latent.dtype}, not {tuple(expected.shape)} {expected.dtype}", False
    off = difference(expected, latent)
    spread = difference(references[1].latent(c), expected) if len(references) == 2 else 0.0
    levels = numpy.abs(reference.pictures(c) - ours.pictures(c))
    share = float((levels <= 1).mean())
    limit = max(LATENT_LIMIT, 2 * spread)
    passed = off <= limit and share >= PICTURE_SHARE
    return (
        f"{name:44} {off:9.2e} {spread:9.2e} {model_share(c, expected, latent):9.2e} {share:9.5f} {levels.max():4d}"
        f"  {'ok' if passed else 'FAILED'}"
    ), passed


def model_share(c, expected, latent):
    """max|d| over the standard deviation of what the model added: a random network's latents are mostly their noise."""
    import torch

    noise = torch.randn(expected.shape, generator=torch.Generator().manual_seed(c["seed"] & 0xFFFFFFFF))
    direction = (expected * noise).sum() / (noise * noise).sum()
    return (expected - latent).abs().max().item() / (expected - direction * noise).std().item()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comfyui", type=Path, required=True, help="folder of a ComfyUI checkout")
    parser.add_argument("--build", type=Path, default=Path("build/release"), help="our build folder")
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for checkpoint, references and results (3 GB)"
    )
    parser.add_argument(
        "--cases",
        nargs="+",
        default=["small"],
        help="small (192x128), large (512x512), full (512x512, 20 steps), all, or names of cases",
    )
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=[1, 2],
        help="ComfyUI's threads: 1 2 measures its own spread too; 2 alone saves time",
    )
    parser.add_argument("--prepare", action="store_true", help="only make the checkpoint and ComfyUI's results")
    parser.add_argument("--reuse", action="store_true", help="judge our results of the last call again")
    parser.add_argument(
        "--make-checkpoint", type=Path, help="refrain-make-checkpoint, where it is not in the build folder"
    )
    parser.add_argument(
        "--refrain-option",
        action="append",
        default=[],
        metavar="=OPTION",
        help="passed on to `refrain run`, as in --refrain-option=--report --refrain-option=report.json",
    )
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    return parser.parse_args()


def choose(names):
    groups = all_cases()
    every = [c for group in groups.values() for c in group]
    chosen = []
    for name in names:
        found = every if name == "all" else groups.get(name) or [c for c in every if c["name"] == name]
        if not found:
            raise SystemExit(f"no case is called {name}; --list prints them")
        chosen += [c for c in found if c not in chosen]
    return chosen


def main():
    options = parse_arguments()
    if options.list:
        for group, cases in all_cases().items():
            print(f"{group}: {' '.join(c['name'] for c in cases)}")
        return 0
    options.cache = options.cache.resolve()
    cases = choose(options.cases)
    checkpoint_hash = prepare_checkpoint(options)
    prepare_lora(options)
    references = prepare_references(options, cases, checkpoint_hash)
    if options.prepare:
        return 0
    ours = Results(options.cache / "refrain") if options.reuse else run_refrain(options, cases)
    print(f"{'case':44} {'max|d|/s':>9} {'spread':>9} {'of model':>9} {'within 1':>9} {'most':>4}")
    verdicts = []
    for c in cases:
        line, passed = judge(c, ours, references)
        print(line, flush=True)
        verdicts.append(passed)
    print(f"{sum(verdicts)} passed, {len(verdicts) - sum(verdicts)} failed")
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
