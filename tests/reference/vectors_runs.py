"""Golden vectors of whole KSampler runs with the small U-Net, without and with DeepCache."""

import torch

from golden import Golden, random, threads
from small_models import UNET, SmallModels, Splice
from vectors_models import sha256

SEED = 8566257
STEPS = 10
SAMPLERS = ["euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim"]  # vectors_samplers.py has all of them
SCHEDULERS = ["normal", "karras", "simple"]
SINGLE = ["euler", "euler_ancestral", "dpmpp_2m", "ddim"]  # samplers that evaluate once a step


class Uniform:
    """Full at evaluations 0, N, 2N, ...; between them the feature of the last full one at depth k is reused."""

    def __init__(self, skips, interval, depth):
        self.splice = Splice(skips)
        self.splice.before = self._begin
        self.interval, self.depth, self.evaluation = interval, depth, 0

    def _begin(self, options):
        reuse = self.evaluation % self.interval != 0
        self.splice.replace = {self.depth: self.splice.kept[self.depth]} if reuse else {}
        self.evaluation += 1

    def attach(self, patcher):
        clone = patcher.clone()
        clone.set_model_output_block_patch(self.splice)
        return clone


class Runs:
    def __init__(self, oracle, models, golden):
        self.golden = golden
        self.patcher = models.model_patcher()
        self.skips = len(self.patcher.model.diffusion_model.output_blocks)
        dim = models.state[UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
        self.conditions = {
            "positive": random("runs/positive", 1, 77, dim),
            "negative": random("runs/negative", 1, 77, dim),
            "long": random("runs/long", 1, 154, dim),
        }
        self.latents = {
            "one": torch.zeros(1, 4, 8, 12),
            "two": torch.zeros(2, 4, 8, 12),
            "odd": torch.zeros(1, 4, 9, 7),
            "picture": random("runs/picture", 2, 4, 8, 12, scale=5.0),
        }
        for name, tensor in {**self.conditions, **self.latents}.items():
            golden.add(f"input/{name}", tensor)

    def _sample(self, policy, latent, sampler, scheduler, cfg, denoise, positive, on_step):
        import comfy.sample

        patcher = policy().attach(self.patcher) if policy else self.patcher
        start = self.latents[latent]
        noise = comfy.sample.prepare_noise(start, SEED)
        # SD 1.x ignores the pooled output, which a real conditioning carries too.
        return comfy.sample.sample(
            patcher,
            noise,
            STEPS,
            cfg,
            sampler,
            scheduler,
            [[self.conditions[positive], {}]],
            [[self.conditions["negative"], {}]],
            start,
            denoise=denoise,
            seed=SEED,
            callback=on_step,
            disable_pbar=True,
        )

    def run(
        self,
        name,
        latent="one",
        sampler="euler",
        scheduler="normal",
        cfg=7.5,
        denoise=1.0,
        positive="positive",
        policy=None,
        every_step=False,
    ):
        """One run on one thread and one on two; keeps the first's result, and its states where asked."""
        states, answers = [], []

        def on_step(step, denoised, x, total):
            states.append(x.clone())
            answers.append(denoised.clone())

        with torch.inference_mode():
            with threads(1):
                one = self._sample(policy, latent, sampler, scheduler, cfg, denoise, positive, on_step)
            with threads(2):
                two = self._sample(policy, latent, sampler, scheduler, cfg, denoise, positive, None)
        self.golden.add(name, one)
        self.golden.spread(name, one, two)
        if every_step:
            self.golden.add(f"{name}/x", torch.stack(states))
            self.golden.add(f"{name}/denoised", torch.stack(answers))


def write(oracle, checkpoint):
    golden = Golden(oracle, "vectors_runs.py", checkpoint_sha256=sha256(checkpoint), seed=SEED, steps=STEPS)
    runs = Runs(oracle, SmallModels(checkpoint), golden)
    for sampler in SAMPLERS:
        for scheduler in SCHEDULERS:
            runs.run(
                f"guided/{sampler}/{scheduler}", sampler=sampler, scheduler=scheduler, every_step=scheduler == "normal"
            )
        runs.run(f"unguided/{sampler}/karras", sampler=sampler, scheduler="karras", cfg=1.0)
        runs.run(f"picture/{sampler}/normal", latent="picture", sampler=sampler, denoise=0.6)
    runs.run("batch/euler/normal", latent="two")
    runs.run("batch/euler_ancestral/normal", latent="two", sampler="euler_ancestral")
    runs.run("odd/dpmpp_2m/karras", latent="odd", sampler="dpmpp_2m", scheduler="karras")
    runs.run("long_text/euler/normal", positive="long")
    runs.run("cfg/1.5/euler/normal", cfg=1.5)
    runs.run("cfg/0/euler/normal", cfg=0.0)
    for interval in (2, 3):
        for depth in (0, 1, 2):
            runs.run(
                f"uniform/{interval}/{depth}/euler/normal",
                every_step=(interval, depth) == (3, 1),
                policy=lambda: Uniform(runs.skips, interval, depth),
            )
    for sampler in SINGLE:
        runs.run(
            f"uniform/5/0/{sampler}/karras",
            sampler=sampler,
            scheduler="karras",
            latent="two",
            policy=lambda: Uniform(runs.skips, 5, 0),
        )
    golden.write("sampling_small.safetensors")
