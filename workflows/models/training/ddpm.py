"""The pixel U-Net of DDPM at reduced width, its modules named as in ermongroup's files.

Denoising Diffusion Probabilistic Models. Ho et al. 2020, arXiv:2006.11239, appendix B.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autoencoder import AttnBlock, Downsample, Upsample, conv, norm, zeroed


def timestep_embedding(timesteps, width):
    """[N] -> [N, width]: sines, then cosines, of frequencies from 1 down to 1/10000, both included."""
    half = width // 2
    frequencies = torch.exp(-math.log(10000.0) / (half - 1) * torch.arange(half, device=timesteps.device))
    phases = timesteps.float()[:, None] * frequencies[None]
    return torch.cat((phases.sin(), phases.cos()), 1)


class Block(nn.Module):
    """[N, before, H, W] and the embedding of the time -> [N, after, H, W]."""

    def __init__(self, before, after, time_width):
        super().__init__()
        self.norm1, self.conv1 = norm(before), conv(before, after)
        self.temb_proj = nn.Linear(time_width, after)
        self.norm2, self.conv2 = norm(after), zeroed(conv(after, after))
        if before != after:
            self.nin_shortcut = conv(before, after, 1)

    def forward(self, x, time):
        h = self.conv1(F.silu(self.norm1(x))) + self.temb_proj(F.silu(time))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class Level(nn.Module):
    """Blocks, each with attention after it or none."""

    def __init__(self, blocks, attention):
        super().__init__()
        self.block = nn.ModuleList(blocks)
        self.attn = nn.ModuleList(AttnBlock(block.conv2.out_channels) for block in blocks if attention)

    def step(self, n, x, time):
        """Block number n."""
        x = self.block[n](x, time)
        return self.attn[n](x) if len(self.attn) else x


class PixelUNet(nn.Module):
    """The whole file: pictures of `side` pixels, attention where 16 are left and in the middle."""

    def __init__(self, width=32, multipliers=(1, 1, 1), blocks=1, side=32):
        super().__init__()
        self.width, self.side = width, side
        time_width = 4 * width
        self.temb = nn.Module()
        self.temb.dense = nn.ModuleList([nn.Linear(width, time_width), nn.Linear(time_width, time_width)])
        self.conv_in = conv(3, width)
        now, skips, down, up = width, [width], [], []
        for i, multiplier in enumerate(multipliers):
            after = width * multiplier
            down.append(Level([Block(now if n == 0 else after, after, time_width) for n in range(blocks)],
                              side >> i == 16))
            now = after
            skips += [now] * blocks
            if i + 1 < len(multipliers):
                down[-1].downsample = Downsample(now)
                skips.append(now)
        self.mid = nn.Module()
        self.mid.block_1, self.mid.attn_1, self.mid.block_2 = (Block(now, now, time_width), AttnBlock(now),
                                                               Block(now, now, time_width))
        for i in reversed(range(len(multipliers))):
            after = width * multipliers[i]
            widths = [now] + [after] * blocks
            up.insert(0, Level([Block(before + skips.pop(), after, time_width) for before in widths], side >> i == 16))
            now = after
            if i > 0:
                up[0].upsample = Upsample(now)
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        self.norm_out, self.conv_out = norm(now), zeroed(conv(now, 3))

    def forward(self, x, timesteps):
        """[N, 3, H, W], [N] -> the noise that is in the pictures, [N, 3, H, W]."""
        first, second = self.temb.dense
        time = second(F.silu(first(timestep_embedding(timesteps, self.width))))
        h = self.conv_in(x)
        skips = [h]
        for level in self.down:
            for n in range(len(level.block)):
                h = level.step(n, h, time)
                skips.append(h)
            if hasattr(level, "downsample"):
                h = level.downsample(h)
                skips.append(h)
        h = self.mid.block_2(self.mid.attn_1(self.mid.block_1(h, time)), time)
        for level in reversed(self.up):
            for n in range(len(level.block)):
                h = level.step(n, torch.cat((h, skips.pop()), 1), time)
            if hasattr(level, "upsample"):
                h = level.upsample(h)
        return self.conv_out(F.silu(self.norm_out(h)))
