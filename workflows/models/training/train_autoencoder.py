"""Trains the autoencoder on drawn pictures: mean absolute error, a term for edges, a light KL term, no discriminator.

Most steps look at 64 x 64 pieces, of which several fit into the time of one picture; the last ones at whole pictures,
so that the group norms see what they will see. The rate is low because even colours make all inputs of a convolution
alike: at 1e-3 a step moves the outputs by as much as they are, and nothing is learned.
"""

import argparse
import sys

import torch
from torch.nn import functional as F

import data
import loop
from autoencoder import AutoencoderKL

PIECE = 64
PICTURES = 6000
WHOLE = 0.05  # of the steps
KL_WEIGHT = 2e-5
EDGE_WEIGHT = 0.5


def to_model(pictures):
    """[N, H, W, 3] uint8 -> [N, 3, H, W] float32 in -1..1, channels last in memory."""
    return pictures.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def batch(pictures, number, random, whole):
    """Pieces of pictures, or a quarter as many whole ones."""
    count = max(1, number // 4) if whole else number
    chosen = torch.randint(len(pictures), (count,), generator=random, device=pictures.device)
    if whole:
        return to_model(pictures[chosen])
    corners = torch.randint(pictures.shape[1] - PIECE + 1, (2, count), generator=random, device=pictures.device)
    rows, columns = (corner[:, None] + torch.arange(PIECE, device=pictures.device) for corner in corners)
    return to_model(pictures[chosen[:, None, None], rows[:, :, None], columns[:, None, :]])


def slopes(x):
    """Differences of neighbours along both axes."""
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def loss_of(model, pictures):
    """The loss, and its parts: error, edges, KL: [3]."""
    with loop.autocast(pictures.device):
        mean, log_variance = model.moments(pictures)
        mean, log_variance = mean.float(), log_variance.float().clamp(-20, 10)
        made = model.decode(mean + torch.randn_like(mean) * (0.5 * log_variance).exp()).float()
    error = F.l1_loss(made, pictures)
    edges = sum(F.l1_loss(a, b) for a, b in zip(slopes(made), slopes(pictures)))
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    return error + EDGE_WEIGHT * edges + KL_WEIGHT * divergence, torch.stack((error, edges, divergence))


def train(arguments):
    """True when the training is complete; its state is autoencoder.pt in the folder of work."""
    torch.manual_seed(arguments.seed)
    made = data.kept(arguments.work / "autoencoder_pictures.npz",
                     lambda: {"pictures": data.drawn_pictures(PICTURES, arguments.seed)[0]})
    pictures = torch.from_numpy(made["pictures"]).to(arguments.device)
    model = AutoencoderKL().to(arguments.device, memory_format=torch.channels_last)
    training = loop.Training(arguments.work / "autoencoder.pt", model, arguments, decay=0.998)
    compiled = torch.compile(loss_of) if arguments.compile else loss_of

    def step_loss(step):
        random = loop.generator(arguments.seed, step, arguments.device)
        torch.manual_seed(arguments.seed * 1_000_003 + step)  # of the latents' noise
        whole = step >= (1 - WHOLE) * arguments.steps
        # Not compiled for a second shape: on a CPU that takes longer than the few steps that are left.
        return (loss_of if whole else compiled)(model, batch(pictures, arguments.batch, random, whole))

    return training.run(step_loss)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    loop.add_arguments(parser, steps=3000, rate=3e-4, batch=16)
    sys.exit(0 if train(parser.parse_args()) else loop.OUT_OF_TIME)


if __name__ == "__main__":
    main()
