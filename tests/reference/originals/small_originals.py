"""The original classes at the sizes of the small random checkpoints, and DeepCache spliced into them by hand."""

import sys
from pathlib import Path

import torch

from originals import Namespace, load_file, stub, use_ldm
from random_weights import fill, random_weight

UNET = "model.diffusion_model."
FIRST_STAGE = "first_stage_model."
LDM4G = dict(image_size=16, in_channels=3, out_channels=3, model_channels=64, attention_resolutions=[8, 4, 2])
LDM4G |= dict(num_res_blocks=2, channel_mult=[1, 2, 2, 3], num_heads=1, context_dim=64)
SD1 = dict(image_size=16, in_channels=4, out_channels=4, model_channels=64, attention_resolutions=[4, 2, 1])
SD1 |= dict(num_res_blocks=2, channel_mult=[1, 2, 3, 3], num_heads=8, context_dim=64, legacy=False)
DDPM = {
    "ddpm": dict(ch=64, ch_mult=[1, 1, 1, 1, 2, 2], image_size=64, attn_resolutions=[4]),
    "ddpm-cifar": dict(ch=64, ch_mult=[1, 2, 2, 2], image_size=16, attn_resolutions=[8]),
}


def ldm_unet(checkout, sizes, seed=0):
    """CompVis' U-Net: latent-diffusion's, stable-diffusion's, or that of DeepCache's fork."""
    use_ldm(checkout)
    from ldm.modules.diffusionmodules.openaimodel import UNetModel

    return fill(UNetModel(use_spatial_transformer=True, transformer_depth=1, use_checkpoint=False, **sizes), UNET, seed)


def vq_model(checkout, taming):
    """The first stage of LDM-4-G: VQModelInterface, 32 channels, 256 entries."""
    use_ldm(checkout)
    stub("taming", "taming.modules", "taming.modules.vqvae", "pytorch_lightning")
    sys.modules["taming.modules.vqvae.quantize"] = load_file(
        "taming.modules.vqvae.quantize", f"{taming}/taming/modules/vqvae/quantize.py"
    )
    sys.modules["pytorch_lightning"].LightningModule = torch.nn.Module
    from ldm.models.autoencoder import VQModelInterface

    sizes = dict(double_z=False, z_channels=3, resolution=64, in_channels=3, out_ch=3, ch=32, ch_mult=[1, 2, 4])
    sizes |= dict(num_res_blocks=2, attn_resolutions=[], dropout=0.0)
    model = VQModelInterface(
        embed_dim=3, n_embed=256, ddconfig=sizes, lossconfig={"target": "torch.nn.Identity"}
    )
    return fill(model, FIRST_STAGE)


def class_table(seed=0):
    return random_weight("cond_stage_model.embedding.weight", (1001, 64), seed)


def ddpm_config(name):
    sizes = DDPM[name]
    return Namespace(
        data=dict(image_size=sizes["image_size"], channels=3),
        model=dict(
            type="simple",
            in_channels=3,
            out_ch=3,
            ch=sizes["ch"],
            ch_mult=sizes["ch_mult"],
            num_res_blocks=2,
            attn_resolutions=sizes["attn_resolutions"],
            dropout=0.0,
            resamp_with_conv=True,
        ),
        diffusion=dict(num_diffusion_timesteps=1000),
    )


def ddpm_unet(path, name, seed=0):
    """ermongroup's Model (models/diffusion.py), or that of DeepCache's fork (models/deepcache_diffusion.py)."""
    return fill(load_file("ddpm_" + Path(path).stem, path).Model(ddpm_config(name)), seed=seed)


class Cut:
    """A U-Net of either kind as encoder, middle, decoder and head, to be cut at a depth: the original's own modules,
    run by a loop that keeps h_k (what enters decoder unit S - 1 - k, before the concatenation) or takes another's."""

    def __init__(self, unet):
        self.unet = unet
        self.ldm = hasattr(unet, "input_blocks")
        self.encoder, self.decoder = self._ldm_units() if self.ldm else self._ddpm_units()
        self.skips = len(self.encoder)

    def _ldm_units(self):
        net = self.unet
        encoder = [lambda h, e, c, m=m: m(h, e, c) for m in net.input_blocks]
        decoder = [lambda h, e, c, m=m: m(h, e, c) for m in net.output_blocks]
        return encoder, decoder

    def _ddpm_units(self):
        net = self.unet

        def resnet(level, block):
            def run(h, e, c):
                h = level.block[block](h, e)
                return level.attn[block](h) if len(level.attn) > 0 else h

            return run

        def last(level, block):
            return lambda h, e, c: level.upsample(resnet(level, block)(h, e, c))

        encoder = [lambda h, e, c: net.conv_in(h)]
        decoder = []
        top = net.num_resolutions - 1
        for i, level in enumerate(net.down):
            encoder += [resnet(level, block) for block in range(net.num_res_blocks)]
            if i != top:
                encoder.append(lambda h, e, c, level=level: level.downsample(h))
        for i in reversed(range(net.num_resolutions)):
            decoder += [resnet(net.up[i], block) for block in range(net.num_res_blocks)]
            decoder.append((resnet if i == 0 else last)(net.up[i], net.num_res_blocks))
        return encoder, decoder

    def _embedding(self, t):
        if self.ldm:
            from ldm.modules.diffusionmodules.util import timestep_embedding

            return self.unet.time_embed(timestep_embedding(t, self.unet.model_channels, repeat_only=False))
        module = sys.modules[type(self.unet).__module__]
        emb = self.unet.temb.dense[0](module.get_timestep_embedding(t, self.unet.ch))
        return self.unet.temb.dense[1](module.nonlinearity(emb))

    def _head(self, h):
        if self.ldm:
            return self.unet.out(h)
        module = sys.modules[type(self.unet).__module__]
        return self.unet.conv_out(module.nonlinearity(self.unet.norm_out(h)))

    def _middle(self, h, e, c):
        if self.ldm:
            return self.unet.middle_block(h, e, c)
        mid = self.unet.mid
        return mid.block_2(mid.attn_1(mid.block_1(h, e)), e)

    def __call__(self, x, t, context=None, depth=None, feature=None, keep=None, encoder_outputs=None):
        """The prediction. With a depth: that of the network cut there, around `feature`. `keep` (a dict) gets every
        h_k that is computed, `encoder_outputs` (a list) the skips."""
        e = self._embedding(t)
        h, hs = x, []
        for unit in self.encoder[: self.skips if depth is None else depth + 1]:
            h = unit(h, e, context)
            hs.append(h)
        if encoder_outputs is not None:
            encoder_outputs.extend(hs)
        h = self._middle(h, e, context) if depth is None else feature
        for k in reversed(range(len(hs))):
            if keep is not None and (depth is None or k < depth):
                keep[k] = h
            h = self.decoder[self.skips - 1 - k](torch.cat([h, hs[k]], dim=1), e, context)
        return self._head(h)


class Uniform:
    """A model function that is full at calls 0, N, 2N, ... and cut at a depth between them."""

    def __init__(self, cut, interval, depth):
        self.cut, self.interval, self.depth, self.call, self.kept = cut, interval, depth, 0, {}

    def __call__(self, x, t, context=None):
        full = self.call % self.interval == 0
        self.call += 1
        if full:
            return self.cut(x, t, context, keep=self.kept)
        return self.cut(x, t, context, depth=self.depth, feature=self.kept[self.depth])
