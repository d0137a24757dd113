"""The KL autoencoder of Stable Diffusion 1.x at reduced width, its modules named as in the single-file checkpoint.

High-Resolution Image Synthesis with Latent Diffusion Models. Rombach et al. CVPR 2022, arXiv:2112.10752.
Letters: N pictures, C channels, H x W pixels, h x w = H/8 x W/8.
"""

import torch
from torch import nn
from torch.nn import functional as F

from attention import attend

LATENT_CHANNELS = 4


def norm(channels):
    return nn.GroupNorm(32, channels, eps=1e-6)


def conv(before, after, kernel=3):
    return nn.Conv2d(before, after, kernel, padding=kernel // 2)


def zeroed(module):
    """A module that gives nothing at the beginning of training."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def opening(before, after):
    """A first convolution with large biases: in the last norms they are what colours are measured against."""
    module = conv(before, after)
    nn.init.normal_(module.bias, std=0.5)
    nn.init.normal_(module.weight, std=0.5 / (3 * before**0.5))
    return module


class ResnetBlock(nn.Module):
    """Two convolutions around a residual connection: [N, before, H, W] -> [N, after, H, W]."""

    def __init__(self, before, after):
        super().__init__()
        self.norm1, self.conv1 = norm(before), conv(before, after)
        self.norm2, self.conv2 = norm(after), zeroed(conv(after, after))
        if before != after:
            self.nin_shortcut = conv(before, after, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class AttnBlock(nn.Module):
    """Attention of one head over all places."""

    def __init__(self, channels):
        super().__init__()
        self.norm = norm(channels)
        self.q, self.k, self.v = (conv(channels, channels, 1) for _ in range(3))
        self.proj_out = zeroed(conv(channels, channels, 1))

    def forward(self, x):
        n = self.norm(x)
        q, k, v = (project(n).flatten(2).transpose(1, 2)[:, None] for project in (self.q, self.k, self.v))
        attended = attend(q, k, v)[:, 0]
        return x + self.proj_out(attended.transpose(1, 2).reshape(x.shape))


class Downsample(nn.Module):
    """Halves the picture; the pad is at the right and the bottom only."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)
        nn.init.zeros_(self.conv.bias)
        with torch.no_grad():  # at the beginning the mean of four
            self.conv.weight.mul_(0.1)[:, :, :2, :2] += 0.25 * torch.eye(channels)[:, :, None, None]

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Doubles the picture."""

    def __init__(self, channels):
        super().__init__()
        self.conv = conv(channels, channels)
        nn.init.zeros_(self.conv.bias)
        with torch.no_grad():  # at the beginning what was there
            self.conv.weight.mul_(0.1)[:, :, 1, 1] += torch.eye(channels)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def level(blocks, resample_name, resample):
    """One level of encoder or decoder; `resample` is None at the last."""
    module = nn.Module()
    module.block = nn.ModuleList(blocks)
    if resample is not None:
        setattr(module, resample_name, resample)
    return module


def middle(channels):
    module = nn.Module()
    module.block_1, module.attn_1, module.block_2 = (ResnetBlock(channels, channels), AttnBlock(channels),
                                                     ResnetBlock(channels, channels))
    return module


def through_middle(module, x):
    return module.block_2(module.attn_1(module.block_1(x)))


class Encoder(nn.Module):
    """[N, 3, H, W] -> [N, channels, h, w]; `first` channels after the first convolution."""

    def __init__(self, first, widths, blocks, channels):
        super().__init__()
        self.conv_in = opening(3, first)
        width, levels = first, []
        for i, after in enumerate(widths):
            resnets = [ResnetBlock(width if n == 0 else after, after) for n in range(blocks)]
            levels.append(level(resnets, "downsample", Downsample(after) if i + 1 < len(widths) else None))
            width = after
        self.down, self.mid = nn.ModuleList(levels), middle(width)
        self.norm_out, self.conv_out = norm(width), conv(width, channels)

    def forward(self, x):
        h = self.conv_in(x)
        for down in self.down:
            for block in down.block:
                h = block(h)
            if hasattr(down, "downsample"):
                h = down.downsample(h)
        return self.conv_out(F.silu(self.norm_out(through_middle(self.mid, h))))


class Decoder(nn.Module):
    """[N, channels, h, w] -> [N, 3, H, W]; level 0 is the last."""

    def __init__(self, widths, blocks, channels):
        super().__init__()
        width = widths[-1]
        self.conv_in, self.mid = opening(channels, width), middle(width)
        levels = []
        for i in reversed(range(len(widths))):
            resnets = [ResnetBlock(width if n == 0 else widths[i], widths[i]) for n in range(blocks + 1)]
            levels.insert(0, level(resnets, "upsample", Upsample(widths[i]) if i > 0 else None))
            width = widths[i]
        self.up = nn.ModuleList(levels)
        self.norm_out, self.conv_out = norm(width), conv(width, 3)

    def forward(self, z):
        h = through_middle(self.mid, self.conv_in(z))
        for up in reversed(self.up):
            for block in up.block:
                h = block(h)
            if hasattr(up, "upsample"):
                h = up.upsample(h)
        return self.conv_out(F.silu(self.norm_out(h)))


class AutoencoderKL(nn.Module):
    """Pictures in -1..1 to latents and back; what the file calls first_stage_model.

    96 channels are the least: with one or two in each of the 32 groups the last norms would take an even colour away.
    """

    def __init__(self, widths=(96, 96, 96, 96), blocks=1):
        super().__init__()
        self.encoder = Encoder(widths[0], widths, blocks, 2 * LATENT_CHANNELS)
        self.decoder = Decoder(widths, blocks, LATENT_CHANNELS)
        self.quant_conv = conv(2 * LATENT_CHANNELS, 2 * LATENT_CHANNELS, 1)
        self.post_quant_conv = conv(LATENT_CHANNELS, LATENT_CHANNELS, 1)
        # Little noise at the beginning, else the decoder learns to ignore the latents.
        nn.init.constant_(self.quant_conv.bias[LATENT_CHANNELS:], -5.0)

    def moments(self, pictures):
        """Mean and logarithm of the variance of the latents: two of [N, 4, h, w]."""
        return self.quant_conv(self.encoder(pictures)).chunk(2, 1)

    def decode(self, latents):
        """[N, 4, h, w] -> [N, 3, H, W] in about -1..1."""
        return self.decoder(self.post_quant_conv(latents))

    @torch.no_grad()
    def fold_normalisation(self, mean, deviation):
        """Makes latents of the given mean and deviation (of each channel) come out with mean 0 and deviation 1."""
        self.quant_conv.weight[:LATENT_CHANNELS] /= deviation[:, None, None, None]
        self.quant_conv.bias[:LATENT_CHANNELS] = (self.quant_conv.bias[:LATENT_CHANNELS] - mean) / deviation
        self.quant_conv.bias[LATENT_CHANNELS:] -= 2 * deviation.log()
        self.post_quant_conv.bias += self.post_quant_conv.weight[:, :, 0, 0] @ mean
        self.post_quant_conv.weight *= deviation[None, :, None, None]
