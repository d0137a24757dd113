"""Golden vectors of runs with a model of nine input channels: the mask and the picture without what it covers."""

import torch

from golden import Golden, random, threads
from small_models import UNET, SmallModels
from vectors_models import sha256

SEED = 97531
STEPS = 5


def write(oracle, checkpoint):
    golden = Golden(oracle, "vectors_inpainting.py", checkpoint_sha256=sha256(checkpoint), seed=SEED, steps=STEPS)
    models = SmallModels(checkpoint)
    model, vae, nodes = models.model_patcher(), models.vae(), oracle.nodes
    dim = models.state[UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
    prompts = {}
    for name in "ab":
        prompts[name] = [[random(f"inpainting/{name}", 1, 77, dim), {}]]
        golden.add(f"input/{name}", prompts[name][0][0])
    torch.manual_seed(11)
    golden.add("input/picture", torch.rand(1, 75, 98, 3))
    hole = torch.zeros(1, 40, 50)
    hole[:, 10:25, 12:33] = 1.0
    golden.add("input/hole", hole)
    golden.add("input/soft", random("inpainting/soft", 1, 1, 5, 6).clamp(0, 1).repeat_interleave(9, 2)[:, 0])
    golden.add("input/latent", random("inpainting/latent", 2, 4, 9, 12, scale=4.0))
    picture = golden.tensor("input/picture")

    def sample(name, positive, negative, latent, sampler="euler", denoise=1.0):
        with torch.inference_mode(), threads(1):
            result = nodes.KSampler().sample(
                model, SEED, STEPS, 5.0, sampler, "karras", positive, negative, latent, denoise
            )[0]["samples"]
        assert torch.isfinite(result).all(), name
        golden.add(f"run/{name}", result)

    def told(mask, noise_mask, positive=prompts["a"]):
        with torch.inference_mode(), threads(1):
            return nodes.InpaintModelConditioning().encode(positive, prompts["b"], picture, vae, mask, noise_mask)

    latent = {"samples": golden.tensor("input/latent")}
    sample("without_mask", prompts["a"], prompts["b"], latent)
    masked = nodes.SetLatentNoiseMask().set_mask(latent, hole)[0]
    sample("noise_mask_alone", prompts["a"], prompts["b"], masked, denoise=0.8)
    sample("masked", *told(hole, True))
    sample("masked/dpmpp_2m", *told(hole, True), sampler="dpmpp_2m", denoise=0.7)
    sample("free", *told(golden.tensor("input/soft"), False))
    positive, negative, latent = told(hole, True)
    sample("batch", positive, negative, nodes.RepeatLatentBatch().repeat(latent, 2)[0])
    area = nodes.ConditioningSetArea().append(prompts["a"], 48, 40, 32, 16, 1.3)[0]
    sample("area", *told(hole, False, nodes.ConditioningCombine().combine(prompts["a"], area)[0]))
    golden.write("inpainting_small.safetensors")
