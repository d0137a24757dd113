"""The diffusion process of Stable Diffusion, its training loss and a sampler.

Denoising Diffusion Probabilistic Models. Ho et al. 2020, arXiv:2006.11239: x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) e.
Denoising Diffusion Implicit Models. Song et al. 2020, arXiv:2010.02502, eq. 12 with eta = 0.
Efficient Diffusion Training via Min-SNR Weighting Strategy. Hang et al. 2023, arXiv:2303.09556, gamma = 5.
"""

import torch

STEPS = 1000
GAMMA = 5.0


def scaled_linear(device="cpu", first=0.00085, last=0.012):
    """The a_t of Stable Diffusion, or of another model with such betas: [1000] float32."""
    betas = torch.linspace(first**0.5, last**0.5, STEPS, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float().to(device)


def linear(device="cpu"):
    """The a_t of DDPM: [1000] float32."""
    return torch.cumprod(1 - torch.linspace(1e-4, 0.02, STEPS, dtype=torch.float64), 0).float().to(device)


def weights(a):
    """Weights of errors of the noise; with s^2 = (1 - a) / a, in errors of x: gamma, 1 / s^2 below 1, 1 / s above.

    Where there is more noise than picture the plain error (of the noise) hardly sees where things are.
    """
    ratio = a / (1 - a)
    return (GAMMA / ratio).clamp(max=1.0) * ratio.rsqrt().clamp(min=1.0)


def loss(predict, x, alphas, random):
    """Weighted mean squared error of the predicted noise at a random time for each sample of x, [N, C, h, w].

    `predict(x_t, t)` gives the noise. The first result is the loss, the second [1] its value without weights.
    """
    noise = torch.randn(x.shape, generator=random, device=x.device)
    times = torch.randint(STEPS, (len(x),), generator=random, device=x.device)
    a = alphas[times][:, None, None, None]
    error = (predict(a.sqrt() * x + (1 - a).sqrt() * noise, times).float() - noise).square().mean((1, 2, 3))
    return (error * weights(alphas[times])).mean(), error.mean()[None]


@torch.no_grad()
def ddim(predict, noise, alphas, steps=25):
    """A sample from noise, [N, C, h, w]; `predict(x_t, t)` gives the noise in x_t, t is an int.

    In the form of Elucidating the Design Space of Diffusion-Based Generative Models (Karras et al. 2022,
    arXiv:2206.00364), x = x_t / sqrt(a_t) with sigma = sqrt((1 - a_t) / a_t), at the times of ComfyUI's scheduler
    "normal": evenly from the last to the first, sigma interpolated in its logarithm, the network asked at the nearest.
    """
    logs = ((1 - alphas.double()) / alphas.double()).sqrt().log().float()
    times = torch.linspace(STEPS - 1, 0, steps, device=alphas.device)
    below = times.long().clamp(max=STEPS - 2)
    sigmas = torch.lerp(logs[below], logs[below + 1], times - below).exp()
    x = noise * (1 + sigmas[0] ** 2).sqrt()
    for sigma, after in zip(sigmas, [*sigmas[1:], torch.zeros_like(sigmas[0])]):
        time = int((logs - sigma.log()).abs().argmin())
        x = x + predict(x / (1 + sigma**2).sqrt(), time) * (after - sigma)
    return x
