"""Trains the unconditional pixel model on drawn pictures of 32 x 32; writes the file at the end."""

import argparse
import pathlib
import sys

import torch
from safetensors.torch import save_file

import data
import diffusion
import loop
import train_autoencoder
from ddpm import PixelUNet

PICTURES = 12_000


def train(arguments):
    """True when the training is complete and the file is written."""
    torch.manual_seed(arguments.seed)

    def make():
        pictures, _ = data.drawn_pictures(PICTURES, arguments.seed + 3)
        return {"pictures": data.halved(data.halved(pictures))}

    made = data.kept(arguments.work / "small_pictures.npz", make)
    pictures = torch.from_numpy(made["pictures"]).to(arguments.device)
    model = PixelUNet().to(arguments.device, memory_format=torch.channels_last)
    training = loop.Training(arguments.work / "pixels.pt", model, arguments, decay=0.998)
    alphas = diffusion.linear(arguments.device)
    predict = torch.compile(model) if arguments.compile else model

    def step_loss(step):
        random = loop.generator(arguments.seed, step, arguments.device)
        chosen = torch.randint(len(pictures), (arguments.batch,), generator=random, device=arguments.device)
        with loop.autocast(arguments.device):
            return diffusion.loss(predict, train_autoencoder.to_model(pictures[chosen]), alphas, random)

    if not training.run(step_loss):
        return False
    tensors = {name: tensor.cpu().half().contiguous() for name, tensor in training.average.state_dict().items()}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, arguments.output, {"format": "pt", "refrain.unet.sample_size": str(model.side)})
    arguments.output.chmod(0o644)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    loop.add_arguments(parser, steps=3000, rate=1e-3, batch=32)
    parser.add_argument("--output", required=True, type=pathlib.Path, help="the file to write")
    sys.exit(0 if train(parser.parse_args()) else loop.OUT_OF_TIME)


if __name__ == "__main__":
    main()
