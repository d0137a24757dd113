"""The VQ autoencoder f4 of LDM-4-G at reduced width, its modules named as in the single-file checkpoint.

Neural Discrete Representation Learning. van den Oord et al. 2017, arXiv:1711.00937, eq. 3 with beta = 0.25.
"""

import torch
from torch import nn

from autoencoder import Decoder, Encoder, conv

CHANNELS = 3
COMMITMENT = 0.25


class VQModel(nn.Module):
    """Pictures in -1..1 to latents and back; what the file calls first_stage_model."""

    def __init__(self, first=32, widths=(64, 32, 64), blocks=1, codes=512):
        super().__init__()
        self.encoder, self.decoder = Encoder(first, widths, blocks, CHANNELS), Decoder(widths, blocks, CHANNELS)
        self.quant_conv, self.post_quant_conv = conv(CHANNELS, CHANNELS, 1), conv(CHANNELS, CHANNELS, 1)
        self.quantize = nn.Module()
        self.quantize.embedding = nn.Embedding(codes, CHANNELS)
        nn.init.normal_(self.quantize.embedding.weight)

    def encode(self, pictures):
        """[N, 3, H, W] -> [N, 3, H/4, W/4], not quantised."""
        return self.quant_conv(self.encoder(pictures))

    def quantised(self, latents):
        """The nearest codes, with the gradient passed straight through, and the loss of codes and encoder."""
        codes = self.quantize.embedding.weight.float()
        places = latents.float().permute(0, 2, 3, 1)
        chosen = codes[torch.cdist(places.flatten(0, 2), codes).argmin(1)].view_as(places)
        loss = (chosen - places.detach()).square().mean() + COMMITMENT * (chosen.detach() - places).square().mean()
        return (places + (chosen - places).detach()).permute(0, 3, 1, 2), loss

    def decode(self, latents):
        """[N, 3, h, w], quantised or not -> [N, 3, H, W] in about -1..1."""
        return self.decoder(self.post_quant_conv(self.quantised(latents)[0]))
