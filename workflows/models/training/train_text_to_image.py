"""Trains text encoder and U-Net together, from nothing, on latents of drawn pictures and their captions.

One caption of eight is left empty, for classifier-free guidance (Classifier-Free Diffusion Guidance. Ho, Salimans.
2022, arXiv:2207.12598).
"""

import argparse
import random
import sys

import numpy as np
import torch
from torch import nn

import data
import diffusion
import draw
import loop
import train_autoencoder
from autoencoder import AutoencoderKL
from clip_text import ClipText
from tokenizer import Tokenizer
from unet import UNet

PICTURES = 60_000
CAPTIONS = 3  # of each picture
EMPTY = 1 / 8


class TextToImage(nn.Module):
    """The two parts that are trained here."""

    def __init__(self):
        super().__init__()
        self.text = ClipText(Tokenizer().size)
        self.unet = UNet()

    def forward(self, latents, timesteps, tokens):
        return self.unet(latents, timesteps, self.text(tokens))


def trained_autoencoder(arguments):
    """The averaged weights of its training."""
    model = AutoencoderKL()
    state = torch.load(arguments.work / "autoencoder.pt", weights_only=True, map_location="cpu")
    model.load_state_dict(state["average"])
    return model.to(arguments.device, memory_format=torch.channels_last).eval()


@torch.no_grad()
def encoded(model, pictures, device, number=64):
    """Means of the latents of pictures, [N, 128, 128, 3] uint8 -> [N, 4, 16, 16] float32."""
    parts = []
    for start in range(0, len(pictures), number):
        some = torch.from_numpy(pictures[start:start + number]).to(device)
        with loop.autocast(device):
            parts.append(model.moments(train_autoencoder.to_model(some))[0].float().cpu())
    return torch.cat(parts).numpy()


def tokens_of(scenes, seed):
    """[N, 3, 77] int16: different captions of each scene."""
    tokenizer, rng, known = Tokenizer(), random.Random(seed), {}

    def ids(text):
        if text not in known:
            known[text] = np.array(tokenizer.encode(text), np.int16)
        return known[text]

    return np.stack([np.stack([ids(draw.caption(scene, rng)) for _ in range(CAPTIONS)]) for scene in scenes])


def prepared(arguments):
    """Latents with mean 0 and deviation 1 in each channel, tokens, and that mean and deviation."""
    def make():
        pictures, scenes = data.drawn_pictures(arguments.pictures, arguments.seed + 1)
        latents = encoded(trained_autoencoder(arguments), pictures, arguments.device)
        mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
        latents = (latents - mean[:, None, None]) / deviation[:, None, None]
        return {"latents": latents.astype(np.float16), "tokens": tokens_of(scenes, arguments.seed),
                "mean": mean, "deviation": deviation}

    return {name: torch.from_numpy(array) for name, array in data.kept(arguments.work / "latents.npz", make).items()}


def train(arguments):
    """True when the training is complete; its state is text_to_image.pt in the folder of work."""
    torch.manual_seed(arguments.seed)
    made = prepared(arguments)
    latents, tokens = made["latents"].to(arguments.device), made["tokens"].to(arguments.device)
    empty = torch.tensor(Tokenizer().encode(""), device=arguments.device)
    alphas = diffusion.scaled_linear(arguments.device)
    model = TextToImage().to(arguments.device, memory_format=torch.channels_last)
    training = loop.Training(arguments.work / "text_to_image.pt", model, arguments, decay=0.998)
    predict = torch.compile(model) if arguments.compile else model

    def step_loss(step):
        rand = loop.generator(arguments.seed, step, arguments.device)
        chosen, which = (torch.randint(size, (arguments.batch,), generator=rand, device=arguments.device)
                         for size in (len(latents), CAPTIONS))
        ids = tokens[chosen, which].long()
        dropped = torch.rand(arguments.batch, generator=rand, device=arguments.device) < EMPTY
        ids = torch.where(dropped[:, None], empty, ids)
        x = latents[chosen].float().contiguous(memory_format=torch.channels_last)
        with loop.autocast(arguments.device):
            return diffusion.loss(lambda noised, times: predict(noised, times, ids), x, alphas, rand)

    return training.run(step_loss)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    loop.add_arguments(parser, steps=5000, rate=1e-3, batch=64)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    sys.exit(0 if train(parser.parse_args()) else loop.OUT_OF_TIME)


if __name__ == "__main__":
    main()
