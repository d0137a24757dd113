"""Pictures from captions in Python, the reference for the same in Refrain: DDIM with classifier-free guidance."""

import torch

import diffusion
from tokenizer import Tokenizer


def start_noise(number, seed):
    """[number, 4, 16, 16]: noise number n is drawn from seed + n, whatever the size of a batch."""
    return torch.stack([torch.randn((4, 16, 16), generator=torch.Generator().manual_seed(seed + n))
                        for n in range(number)])


@torch.no_grad()
def latents_of(model, captions, noise, steps=25, guidance=5.0):
    """Latents of deviation one for captions, [N, 4, 16, 16]; `model` is a TextToImage."""
    tokenizer, device = Tokenizer(), noise.device
    tokens = torch.tensor([tokenizer.encode(text) for text in [*captions, *[""] * len(captions)]], device=device)
    context = model.text(tokens)

    def predict(x, time):
        times = torch.full((2 * len(x),), time, device=device)
        with_text, without = model.unet(torch.cat((x, x)), times, context).float().chunk(2)
        return without + guidance * (with_text - without)

    return diffusion.ddim(predict, noise, diffusion.scaled_linear(device), steps)


@torch.no_grad()
def pictures_of(autoencoder, latents):
    """[N, 128, 128, 3] uint8 numpy, values truncated as ComfyUI does; `latents` as the autoencoder made them."""
    made = (autoencoder.decode(latents).float() + 1) / 2
    return (made.clamp(0, 1) * 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
