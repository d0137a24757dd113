"""Trains the class-conditional latent model: its VQ autoencoder, then table and U-Net; writes the file at the end.

One label of eight is left out, for classifier-free guidance.
"""

import argparse
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

import class_to_image
import data
import diffusion
import loop
import train_autoencoder
from vq import VQModel

PICTURES = 12_000
OUT = 1 / 8


def prepared(arguments):
    """Pictures of 64 x 64 and their labels."""
    def make():
        pictures, scenes = data.drawn_pictures(PICTURES, arguments.seed + 2)
        labels = [class_to_image.class_of(scene) for scene in scenes]
        chosen = [n for n, label in enumerate(labels) if label is not None]
        return {"pictures": data.halved(pictures[chosen]), "labels": np.array([labels[n] for n in chosen])}

    arrays = data.kept(arguments.work / "class_pictures.npz", make)
    return {name: torch.from_numpy(array).to(arguments.device) for name, array in arrays.items()}


def train_first_stage(arguments, pictures):
    """The averaged autoencoder, or None where the time ran out before it was done."""
    model = VQModel().to(arguments.device, memory_format=torch.channels_last)
    arguments = argparse.Namespace(**{**vars(arguments), "steps": arguments.first_stage_steps, "batch": 8})
    training = loop.Training(arguments.work / "vq.pt", model, arguments, decay=0.99)

    def step_loss(step):
        random = loop.generator(arguments.seed, step, arguments.device)
        chosen = torch.randint(len(pictures), (arguments.batch,), generator=random, device=arguments.device)
        x = train_autoencoder.to_model(pictures[chosen])
        with loop.autocast(arguments.device):
            latents, codes = model.quantised(model.encode(x))
            made = model.decoder(model.post_quant_conv(latents)).float()
        error = F.l1_loss(made, x)
        return error + codes, torch.stack((error, codes))

    return training.average.eval() if training.run(step_loss) else None


@torch.no_grad()
def encoded(first_stage, pictures, device, number=256):
    """Latents, not quantised, as LDM trains on them: [N, 3, 16, 16]."""
    parts = []
    for some in pictures.split(number):
        with loop.autocast(device):
            parts.append(first_stage.encode(train_autoencoder.to_model(some)).float())
    return torch.cat(parts)


@torch.no_grad()
def normalise(first_stage, latents):
    """Gives latents deviation one, as this layout has no scale for them, by changing the autoencoder alike."""
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    first_stage.quant_conv.weight /= deviation[:, None, None, None]
    first_stage.quant_conv.bias.copy_((first_stage.quant_conv.bias - mean) / deviation)
    first_stage.quantize.embedding.weight.copy_((first_stage.quantize.embedding.weight - mean) / deviation)
    first_stage.post_quant_conv.bias += first_stage.post_quant_conv.weight[:, :, 0, 0] @ mean
    first_stage.post_quant_conv.weight *= deviation[None, :, None, None]
    return (latents - mean[:, None, None]) / deviation[:, None, None]


def train(arguments):
    """True when the training is complete and the file is written."""
    torch.manual_seed(arguments.seed)
    made = prepared(arguments)
    first_stage = train_first_stage(arguments, made["pictures"])
    if first_stage is None:
        return False
    latents, labels = normalise(first_stage, encoded(first_stage, made["pictures"], arguments.device)), made["labels"]
    torch.manual_seed(arguments.seed + 1)
    model = class_to_image.ClassToImage().to(arguments.device, memory_format=torch.channels_last)
    training = loop.Training(arguments.work / "class_to_image.pt", model, arguments, decay=0.998)
    alphas = class_to_image.alphas(arguments.device)
    predict = torch.compile(model) if arguments.compile else model

    def step_loss(step):
        random = loop.generator(arguments.seed + 1, step, arguments.device)
        chosen = torch.randint(len(latents), (arguments.batch,), generator=random, device=arguments.device)
        dropped = torch.rand(arguments.batch, generator=random, device=arguments.device) < OUT
        label = labels[chosen].masked_fill(dropped, class_to_image.CLASSES)
        x = latents[chosen].contiguous(memory_format=torch.channels_last)
        with loop.autocast(arguments.device):
            return diffusion.loss(lambda noised, times: predict(noised, times, label), x, alphas, random)

    if not training.run(step_loss):
        return False
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    save_file(class_to_image.tensors_of(first_stage, training.average), arguments.output, class_to_image.metadata())
    arguments.output.chmod(0o644)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    loop.add_arguments(parser, steps=4000, rate=1e-3, batch=64)
    parser.add_argument("--first-stage-steps", type=int, default=750, help="of the autoencoder, with eight pictures each")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="the file to write")
    sys.exit(0 if train(parser.parse_args()) else loop.OUT_OF_TIME)


if __name__ == "__main__":
    main()
