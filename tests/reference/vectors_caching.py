"""Golden vectors of cache policies, each made by its original: schedules, decisions evaluation by evaluation, and latents.

    python tests/reference/vectors_caching.py --comfyui COMFYUI --checkpoint small.safetensors --deepcache DEEPCACHE
        --community COMMUNITY --easycache EASYCACHE --taylorseer TAYLORSEER

The last four are checkouts of horseee/DeepCache (1691a3a), styler00dollar/ComfyUI-deepcache (14070eb), H-EmbodVis/EasyCache (5127804)
and Shenyi-Z/TaylorSeer (288776d). Of each only functions are called; none is copied.
"""

import argparse
import ast
import contextlib
import importlib.util
import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy
import torch

from golden import FOLDER, Golden, random
from small_models import SmallModels
from vectors_models import sha256
from vectors_runs import SEED

STEPS = 20


def functions_of(path, *names, **given):
    """Functions of a file that can't be imported whole, with what they use of its modules."""
    tree = ast.parse(Path(path).read_text())
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
    space = dict(given)
    exec(compile(tree, str(path), "exec"), space)
    return [space[name] for name in names]


# Non-uniform schedules of horseee/DeepCache.


def centered_schedules(checkout):
    (centered,) = functions_of(
        checkout / "DeepCache/sd/pipeline_stable_diffusion.py", "sample_from_quad_center", np=numpy
    )
    cases = []
    for steps in (1, 2, 7, 20, 28, 50, 250):
        for interval in (2, 3, 5, 7, 10, 20):
            for center in (0, 5, 15, 110, 120):
                for power in (1.0, 1.2, 1.3, 1.4, 2.0):
                    if center > steps or (steps not in (50, 250) and power not in (1.2, 1.4)):
                        continue
                    count = -(-steps // interval)
                    case = {"steps": steps, "interval": interval, "center": center, "power": power}
                    try:
                        with warnings.catch_warnings():
                            warnings.simplefilter("ignore")  # complex numbers lose their imaginary part: on purpose
                            chosen, _ = centered(steps, count, center=center, pow=power)
                        case["full"] = [int(i) for i in sorted(chosen)]
                    except ValueError:
                        case["full"] = None
                    cases.append(case)
    return cases


# Runs in ComfyUI.


class Watch:
    """Writes one letter for each evaluation that the solver asks for: F whole, d without its middle, . nothing."""

    def __init__(self, unet):
        self.letters = ""
        unet.time_embed.register_forward_hook(lambda *_: self._ran("d"))
        unet.middle_block[0].register_forward_hook(lambda *_: self._ran("F"))

    def _ran(self, letter):
        self.letters = self.letters[:-1] + letter

    @contextlib.contextmanager
    def listening(self):
        import comfy.samplers

        original = comfy.samplers.KSamplerX0Inpaint.__call__

        def watched(model, *args, **kwargs):
            self.letters += "."
            return original(model, *args, **kwargs)

        comfy.samplers.KSamplerX0Inpaint.__call__ = watched
        try:
            self.letters = ""
            yield self
        finally:
            comfy.samplers.KSamplerX0Inpaint.__call__ = original


class Runs:
    def __init__(self, models, golden):
        self.golden = golden
        self.patcher = models.model_patcher()
        self.watch = Watch(self.patcher.model.diffusion_model)
        dim = models.state["model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
        self.conditions = {name: random(f"runs/{name}", 1, 77, dim) for name in ("positive", "negative")}
        self.latents = {
            "one": torch.zeros(1, 4, 16, 24),
            "two": torch.zeros(2, 4, 16, 24),
            "picture": random("caching/picture", 1, 4, 16, 24, scale=5.0),
        }
        for name, tensor in {**self.conditions, **self.latents}.items():
            golden.add(f"input/{name}", tensor)
        self.cases = []

    def run(self, node, settings, apply, sampler="euler", scheduler="normal", latent="one", denoise=1.0, cfg=7.5):
        import comfy.sample

        start = self.latents[latent]
        noise = comfy.sample.prepare_noise(start, SEED)
        with torch.inference_mode(), self.watch.listening() as watch:
            result = comfy.sample.sample(
                apply(self.patcher),
                noise,
                STEPS,
                cfg,
                sampler,
                scheduler,
                [[self.conditions["positive"], {}]],
                [[self.conditions["negative"], {}]],
                start,
                denoise=denoise,
                seed=SEED,
                disable_pbar=True,
            )
        name = f"run/{len(self.cases)}"
        self.golden.add(name, result)
        case = {"node": node, "inputs": settings, "sampler": sampler, "scheduler": scheduler, "latent": latent}
        case |= {"denoise": denoise, "cfg": cfg, "actions": watch.letters, "result": name}
        self.cases.append(case)
        print(node, settings, sampler, scheduler, watch.letters, flush=True)


def step_caches(runs, checkout):
    import sys

    sys.path.insert(0, str(checkout))
    from comfy_extras.nodes_easycache import EasyCacheNode, LazyCacheNode

    def case(name, threshold=0.2, start=0.15, end=0.95, **kwargs):
        node = {"EasyCache": EasyCacheNode, "LazyCache": LazyCacheNode}[name]
        settings = {"reuse_threshold": threshold, "start_percent": start, "end_percent": end, "verbose": False}
        runs.run(name, settings, lambda patcher: node.execute(patcher, **settings)[0], **kwargs)

    for name in ("EasyCache", "LazyCache"):
        for threshold in (0.0, 0.02, 0.05, 0.2, 1.0, 3.0):
            case(name, threshold)
        case(name, 0.1, 0.0, 1.0)
        case(name, 0.1, 0.3, 0.6)
        for sampler in ("heun", "dpmpp_2m", "euler_ancestral"):
            case(name, 0.1, sampler=sampler, scheduler="karras")
        # 0.3.64's EasyCache fails for batches (its issue 10344).
        case(name, 0.1, latent="one" if name == "EasyCache" else "two", sampler="ddim")
        case(name, 0.1, cfg=1.0)
        case(name, 0.1, latent="picture", denoise=0.6)


def community_node(runs, checkout):
    spec = importlib.util.spec_from_file_location("community", checkout / "DeepCache.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def case(interval=5, depth=3, start=0, end=1000, **kwargs):
        settings = {"cache_interval": interval, "cache_depth": depth, "start_step": start, "end_step": end}
        runs.run("DeepCache", settings, lambda patcher: module.DeepCache().apply(patcher, **settings)[0], **kwargs)

    case()
    case(2, 0)
    case(3, 11)
    case(1, 12)
    case(3, 1, 200, 800)
    case(3, 1, 0, 0)
    for sampler in ("heun", "dpmpp_2m", "euler_ancestral"):
        case(2, 1, sampler=sampler, scheduler="karras")
    case(3, 2, latent="two", sampler="ddim")
    case(3, 0, cfg=1.0)
    case(3, 0, latent="picture", denoise=0.6)


# Decisions of the published rules, on made-up inputs and outputs.


def easycache_trace(checkout, golden, name, threshold, warm_up, steps):
    """The function that EasyCache puts in place of a transformer's forward, around a model that answers with y_i."""
    (forward,) = functions_of(
        checkout / "EasyCache4Wan2.1/easycache_generate.py",
        "easycache_forward",
        torch=torch,
        amp=SimpleNamespace(autocast=lambda dtype: contextlib.nullcontext()),
        sinusoidal_embedding_1d=lambda dim, t: torch.zeros(1, 1),
    )
    drift, noise = random(f"{name}/drift", 1, 4, 1, 6, 8), random(f"{name}/noise", steps, 4, 1, 6, 8)
    inputs = [torch.cumsum(noise, 0)[i] * 0.1 + drift[0] * 0.03 * i for i in range(steps)]
    outputs = [torch.tanh(x * (1 + 0.01 * i)) + 0.3 * drift[0] for i, x in enumerate(inputs)]
    state = {"computed": False, "step": 0}

    def answer(*_):
        state["computed"] = True
        return [outputs[state["step"]]]

    model = SimpleNamespace(
        model_type="t2v", cnt=0, ret_steps=warm_up * 2, cutoff_steps=steps * 2 - 2, num_steps=steps * 2, thresh=threshold,
        k=None, accumulated_error_even=0, should_calc_current_pair=True, freq_dim=1, text_len=1, blocks=[],
        freqs=torch.zeros(1), previous_raw_input_even=None, previous_raw_output_even=None,
        previous_raw_output_odd=None, prev_prev_raw_input_even=None, cache_even=None, cache_odd=None,
        time_embedding=lambda e: torch.zeros(1, 1), dim=1, time_projection=lambda e: torch.zeros(1, 6),
        text_embedding=lambda e: e, head=lambda x, e: x, unpatchify=answer,
    )  # fmt: skip

    class Patch:
        weight = torch.zeros(1)

        def __call__(self, x):
            return x

    model.patch_embedding = Patch()
    letters, results = "", []
    for step, x in enumerate(inputs):
        state.update(step=step, computed=False)
        half = [forward(model, [x.clone()], torch.zeros(1), [torch.zeros(1, 1)], 10**6) for _ in range(2)][0]
        letters += "F" if state["computed"] else "."
        results.append(half[0])
    golden.add(f"easycache/{name}/inputs", torch.stack([x.view(1, 4, 6, 8) for x in inputs]))
    golden.add(f"easycache/{name}/outputs", torch.stack([x.view(1, 4, 6, 8) for x in outputs]))
    golden.add(f"easycache/{name}/results", torch.stack([x.view(1, 4, 6, 8) for x in results]))
    print("easycache", threshold, warm_up, letters, flush=True)
    return {"name": name, "threshold": threshold, "warm_up": warm_up, "steps": steps, "actions": letters}


def taylor_trace(checkout, golden, name, interval, order, warm_up, steps):
    derive, expand = functions_of(
        checkout / "TaylorSeer-DiT/taylor_utils/__init__.py",
        "derivative_approximation", "taylor_formula", torch=torch, Dict=dict, math=__import__("math"),
    )  # fmt: skip
    (decide,) = functions_of(
        checkout / "TaylorSeer-DiT/cache_functions/cal_type.py", "cal_type", force_scheduler=lambda *_: None
    )
    features = torch.cumsum(random(f"taylor/{name}", steps, 1, 8, 3, 4), 0)
    cache = {"cache": {-1: {0: {"m": {}}}}, "interval": interval, "max_order": order, "first_enhance": warm_up}
    cache["cache_counter"] = 0
    current = {"num_steps": steps, "activated_steps": [steps - 1], "layer": 0, "module": "m"}
    letters, results = "", []
    for i in range(steps):
        current["step"] = steps - 1 - i
        decide(cache, current)
        if current["type"] == "full":
            derive(cache, current, features[i])
            results.append(features[i])
        else:
            results.append(expand(cache, current))
        letters += "F" if current["type"] == "full" else "d"
    golden.add(f"taylor/{name}/features", features)
    golden.add(f"taylor/{name}/results", torch.stack(results))
    print("taylor", interval, order, warm_up, letters, flush=True)
    return {"name": name, "interval": interval, "order": order, "warm_up": warm_up, "steps": steps, "actions": letters}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True)
    for name in ("comfyui", "deepcache", "community", "easycache", "taylorseer"):
        parser.add_argument(f"--{name}", required=True, type=Path, help="a checkout")
    given = parser.parse_args()

    from oracle import Oracle

    schedules = centered_schedules(given.deepcache)
    path = FOLDER / "centered_schedules.json"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in schedules)
    path.write_text(f"[\n{lines}\n]\n")
    print(f"{path.name}: {len(schedules)} schedules", flush=True)

    torch.set_num_threads(1)
    oracle = Oracle(given.comfyui)
    golden = Golden(oracle, "vectors_caching.py", checkpoint_sha256=sha256(given.checkpoint), seed=SEED, steps=STEPS)
    easy = [easycache_trace(given.easycache, golden, str(i), *c, 30) for i, c in enumerate([(0.05, 5), (0.3, 10), (1.0, 2)])]
    taylor_cases = [(5, 1, 2), (5, 1, 3), (4, 2, 3), (3, 0, 2), (6, 2, 4)]
    taylor = [taylor_trace(given.taylorseer, golden, str(i), *c, 30) for i, c in enumerate(taylor_cases)]
    runs = Runs(SmallModels(given.checkpoint), golden)
    step_caches(runs, given.comfyui)
    community_node(runs, given.community)
    golden.note("runs", runs.cases)
    golden.note("easycache", easy)
    golden.note("taylor", taylor)
    golden.write("caching_small.safetensors")


if __name__ == "__main__":
    main()
