"""Trains the autoencoder on drawn pictures: mean absolute error, a term for edges, a light KL term, no discriminator.

Most steps look at 64 x 64 pieces, of which several fit into the time of one picture; the last ones at whole pictures,
so that the group norms see what they will see. The rate is low because even colours make all inputs of a convolution
alike: at 6e-4 and above a step moves the outputs by as much as they are, and nothing is learned.
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
AMONG = 3  # pieces, of which the one with the most edges is taken: most are even
WHOLE = 0.15  # of the steps
KL_WEIGHT = 2e-5
EDGE_WEIGHT = 0.5


def to_model(pictures):
    """[N, H, W, 3] uint8 -> [N, 3, H, W] float32 in -1..1, channels last in memory."""
    return pictures.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def batch(pictures, number, random, whole):
    """Pieces of pictures with edges in them, or a quarter as many whole pictures."""
    count = max(1, number // 4) if whole else number
    if whole:
        return to_model(pictures[torch.randint(len(pictures), (count,), generator=random, device=pictures.device)])
    chosen = torch.randint(len(pictures), (count * AMONG,), generator=random, device=pictures.device)
    corners = torch.randint(pictures.shape[1] - PIECE + 1, (2, count * AMONG), generator=random, device=pictures.device)
    rows, columns = (corner[:, None] + torch.arange(PIECE, device=pictures.device) for corner in corners)
    pieces = to_model(pictures[chosen[:, None, None], rows[:, :, None], columns[:, None, :]])
    edges = sum(slope.abs().mean((1, 2, 3)) for slope in slopes(pieces)).view(count, AMONG)
    return pieces[edges.argmax(1) + AMONG * torch.arange(count, device=pictures.device)]


def recoloured(pictures, random):
    """Half of the pictures in other colours: one of the 48 symmetries of the colour cube for each.

    Else the autoencoder mistakes the pairs of colours that its pictures never show together.
    """
    number, device = len(pictures), pictures.device
    order = torch.rand(number, 3, generator=random, device=device).argsort(1)
    sign = 2.0 * torch.randint(2, (number, 3), generator=random, device=device) - 1
    changed = pictures.gather(1, order[:, :, None, None].expand_as(pictures)) * sign[:, :, None, None]
    kept = torch.rand(number, generator=random, device=device) < 0.5
    return torch.where(kept[:, None, None, None], pictures, changed).contiguous(memory_format=torch.channels_last)


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


def keep_encoder(training):
    """Goes on from the averaged weights, the encoder's as they are: latents made with them keep their meaning."""
    training.model.load_state_dict(training.average.state_dict())
    for part in (training.model.encoder, training.model.quant_conv):
        part.requires_grad_(False)


def train(arguments):
    """True when the training is complete; its state is autoencoder.pt in the folder of work."""
    torch.manual_seed(arguments.seed)
    made = data.kept(arguments.work / "autoencoder_pictures.npz",
                     lambda: {"pictures": data.drawn_pictures(PICTURES, arguments.seed)[0]})
    pictures = torch.from_numpy(made["pictures"]).to(arguments.device)
    model = AutoencoderKL().to(arguments.device, memory_format=torch.channels_last)
    training = loop.Training(arguments.work / "autoencoder.pt", model, arguments, decay=0.998, with_muon=False)
    if arguments.decoder_only:
        keep_encoder(training)
    compiled = torch.compile(loss_of) if arguments.compile else loss_of

    def step_loss(step):
        random = loop.generator(arguments.seed, step, arguments.device)
        torch.manual_seed(arguments.seed * 1_000_003 + step)  # of the latents' noise
        whole = step >= (1 - WHOLE) * arguments.steps
        # Not compiled for a second shape: on a CPU that takes longer than the few steps that are left.
        chosen = recoloured(batch(pictures, arguments.batch, random, whole), random)
        return (loss_of if whole else compiled)(model, chosen)

    return training.run(step_loss)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    loop.add_arguments(parser, steps=8000, rate=4e-4, batch=8)
    parser.add_argument("--decoder-only", action="store_true",
                        help="go on with the decoder alone, once there are latents of the encoder")
    sys.exit(0 if train(parser.parse_args()) else loop.OUT_OF_TIME)


if __name__ == "__main__":
    main()
