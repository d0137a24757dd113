"""The class-conditional latent model in the layout of LDM-4-G at reduced width, and its file.

High-Resolution Image Synthesis with Latent Diffusion Models. Rombach et al. CVPR 2022, arXiv:2112.10752, section 4.3.2.
"""

import torch
from torch import nn

import diffusion
import draw
from unet import UNet

SIDE = 64  # of the pictures
CLASSES = len(draw.SHAPES) * 2  # of each shape one thing and several; the row after them stands for "no class"
CONTEXT = 64


def class_of(scene):
    """The kind of picture, 0..11, or None for those of two shapes."""
    return None if scene.kind == "pair" else 2 * draw.SHAPES.index(scene.things[0].shape) + (scene.kind == "several")


def alphas(device):
    """[1000] float32."""
    return diffusion.scaled_linear(device, 0.0015, 0.0195)


class ClassToImage(nn.Module):
    """Class table and U-Net."""

    def __init__(self):
        super().__init__()
        self.classes = nn.Embedding(CLASSES + 1, CONTEXT)
        self.unet = UNet(width=32, multipliers=(1, 1, 1), attention=(False, True, True), res_blocks=1, channels=3,
                         context_width=CONTEXT, head_channels=None)

    def forward(self, latents, timesteps, labels):
        return self.unet(latents, timesteps, self.classes(labels)[:, None])


def tensors_of(first_stage, model):
    """All tensors of the single file, in float16."""
    parts = {"model.diffusion_model.": model.unet, "cond_stage_model.embedding.": model.classes,
             "first_stage_model.": first_stage}
    return {prefix + name: tensor.detach().cpu().half().contiguous()
            for prefix, part in parts.items() for name, tensor in part.state_dict().items()}


def metadata():
    """What shapes can't tell."""
    return {"format": "pt", "refrain.unet.heads": "1", "refrain.unet.sample_size": str(SIDE // 4)}


@torch.no_grad()
def latents_of(model, labels, noise, steps=50, guidance=3.0):
    """Latents of one picture for each label, [N]; `noise` and result [N, 3, 16, 16]."""
    labels = torch.cat((labels, torch.full_like(labels, CLASSES)))

    def predict(x, time):
        times = torch.full((2 * len(x),), time, device=x.device)
        with_class, without = model(torch.cat((x, x)), times, labels).float().chunk(2)
        return without + guidance * (with_class - without)

    return diffusion.ddim(predict, noise, alphas(noise.device), steps)
