"""The denoising U-Net of Stable Diffusion 1.x at reduced width, its modules named as in the single-file checkpoint.

High-Resolution Image Synthesis with Latent Diffusion Models. Rombach et al. CVPR 2022, arXiv:2112.10752.
Letters: N samples, C channels, h x w latent sides, L = h w places, T text tokens, D width of a token.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from attention import attend
from autoencoder import zeroed


def conv(before, after, kernel=3, stride=1):
    return nn.Conv2d(before, after, kernel, stride, padding=kernel // 2)


def timestep_embedding(timesteps, width):
    """[N] -> [N, width]: cosines, then sines, of frequencies from 1 down to 1/10000."""
    frequencies = torch.exp(-math.log(10000.0) * torch.arange(width // 2, device=timesteps.device) / (width // 2))
    phases = timesteps.float()[:, None] * frequencies[None]
    return torch.cat((phases.cos(), phases.sin()), 1)


class ResBlock(nn.Module):
    """[N, before, h, w] and the embedding of the time -> [N, after, h, w]."""

    def __init__(self, before, after, time_width):
        super().__init__()
        self.in_layers = nn.Sequential(nn.GroupNorm(32, before), nn.SiLU(), conv(before, after))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time_width, after))
        self.out_layers = nn.Sequential(nn.GroupNorm(32, after), nn.SiLU(), nn.Identity(), zeroed(conv(after, after)))
        self.skip_connection = nn.Identity() if before == after else conv(before, after, 1)

    def forward(self, x, time, _context):
        h = self.in_layers(x) + self.emb_layers(time)[:, :, None, None]
        return self.skip_connection(x) + self.out_layers(h)


class CrossAttention(nn.Module):
    """Attention of places to places, or to the text."""

    def __init__(self, width, context_width, heads):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context_width, width, bias=False)
        self.to_v = nn.Linear(context_width, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x, context):
        q, k, v = (y.unflatten(2, (self.heads, -1)).transpose(1, 2)
                   for y in (self.to_q(x), self.to_k(context), self.to_v(context)))
        return self.to_out(attend(q, k, v).transpose(1, 2).flatten(2))


class GEGLU(nn.Module):
    """GLU Variants Improve Transformer. Shazeer. 2020, arXiv:2002.05202."""

    def __init__(self, width, hidden):
        super().__init__()
        self.proj = nn.Linear(width, 2 * hidden)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(GEGLU(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x):
        return self.net(x)


class TransformerBlock(nn.Module):
    def __init__(self, width, context_width, heads):
        super().__init__()
        self.attn1, self.attn2 = CrossAttention(width, width, heads), CrossAttention(width, context_width, heads)
        self.ff = FeedForward(width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x, context):
        normed = self.norm1(x)
        x = x + self.attn1(normed, normed)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    """Transformer blocks over the places, around a residual connection."""

    def __init__(self, width, context_width, heads):
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in, self.proj_out = conv(width, width, 1), zeroed(conv(width, width, 1))
        self.transformer_blocks = nn.ModuleList([TransformerBlock(width, context_width, heads)])

    def forward(self, x, _time, context):
        tokens = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)  # [N, L, C]
        for block in self.transformer_blocks:
            tokens = block(tokens, context)
        return x + self.proj_out(tokens.transpose(1, 2).reshape(x.shape))


class Downsample(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.op = conv(width, width, 3, 2)

    def forward(self, x, _time, _context):
        return self.op(x)


class Upsample(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = conv(width, width)

    def forward(self, x, _time, _context):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class ConvIn(nn.Conv2d):
    def forward(self, x, _time, _context):
        return super().forward(x)


class UNet(nn.Module):
    """What the file calls model.diffusion_model.

    `attention` tells for each level whether it has transformers; without `head_channels` they have one head.
    """

    def __init__(self, width=32, multipliers=(2, 2, 2), attention=(True, True, True), res_blocks=1,
                 channels=4, context_width=96, head_channels=32):
        super().__init__()
        self.width, self.head_channels = width, head_channels
        time_width = 4 * width

        def transformer(channels):
            return SpatialTransformer(channels, context_width, channels // (head_channels or channels))

        def unit(level, before, after):
            return [ResBlock(before, after, time_width), *([transformer(after)] if attention[level] else [])]

        self.time_embed = nn.Sequential(nn.Linear(width, time_width), nn.SiLU(), nn.Linear(time_width, time_width))
        encoder, skips, now = [[ConvIn(channels, width, 3, padding=1)]], [width], width
        for level, multiplier in enumerate(multipliers):
            for _ in range(res_blocks):
                encoder.append(unit(level, now, width * multiplier))
                now = width * multiplier
                skips.append(now)
            if level + 1 < len(multipliers):
                encoder.append([Downsample(now)])
                skips.append(now)
        self.input_blocks = nn.ModuleList(map(nn.ModuleList, encoder))
        self.middle_block = nn.ModuleList([ResBlock(now, now, time_width), transformer(now),
                                           ResBlock(now, now, time_width)])
        decoder = []
        for level in reversed(range(len(multipliers))):
            for n in range(res_blocks + 1):
                block = unit(level, now + skips.pop(), width * multipliers[level])
                now = width * multipliers[level]
                if level > 0 and n == res_blocks:
                    block.append(Upsample(now))
                decoder.append(block)
        self.output_blocks = nn.ModuleList(map(nn.ModuleList, decoder))
        self.out = nn.Sequential(nn.GroupNorm(32, now), nn.SiLU(), zeroed(conv(now, channels)))

    def forward(self, latents, timesteps, context):
        """[N, C, h, w], [N], [N, T, D] -> the noise that is in the latents, [N, C, h, w]."""
        time = self.time_embed(timestep_embedding(timesteps, self.width))
        h, skips = latents, []
        for block in self.input_blocks:
            for module in block:
                h = module(h, time, context)
            skips.append(h)
        for module in self.middle_block:
            h = module(h, time, context)
        for block in self.output_blocks:
            h = torch.cat((h, skips.pop()), 1)
            for module in block:
                h = module(h, time, context)
        return self.out(h)
