"""The optimisers: AdamW, or Muon for the matrices within a network and AdamW for all else.

Muon: An optimizer for hidden layers in neural networks. Jordan et al. 2024: the momentum of a matrix is replaced by
the orthogonal matrix next to it, found by a Newton-Schulz iteration.
"""

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the iteration x -> a x + b (x x') x + c (x x')^2 x
ITERATIONS = 5
MOMENTUM = 0.95
DECAY = 0.03  # of weights, times the rate
RATIO = 15.0  # of its rate to AdamW's
OUTER = ("embedding", "classes", "input_blocks.0.", "unet.out.", "conv_in", "conv_out", "quant_conv")


def within(name, parameter):
    """Whether it is a matrix between layers of the network: not where numbers come in or go out."""
    return parameter.ndim >= 2 and not any(part in name for part in OUTER)


def orthogonal(matrices):
    """The nearest orthogonal matrices, about: [K, rows, columns] -> the same in bfloat16."""
    a, b, c = COEFFICIENTS
    wide = matrices.shape[1] <= matrices.shape[2]
    x = (matrices if wide else matrices.transpose(1, 2)).bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.transpose(1, 2)


class Muon(torch.optim.Optimizer):
    """Takes matrices, and convolutions as matrices with a row for each output channel."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            alike = {}
            for parameter in group["params"]:
                alike.setdefault(parameter.flatten(1).shape, []).append(parameter)
            for parameters in alike.values():
                self._step(parameters, group["lr"])

    def _step(self, parameters, rate):
        gradients = [parameter.grad for parameter in parameters]
        momenta = [self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
                   for parameter in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)
        updates = orthogonal(torch.stack([update.flatten(1) for update in ahead])).float()
        scale = max(1.0, updates.shape[1] / updates.shape[2]) ** 0.5
        torch._foreach_mul_(parameters, 1 - rate * DECAY)
        for parameter, update in zip(parameters, updates):
            parameter.add_(update.view(parameter.shape), alpha=-rate * scale)


class Optimiser:
    """AdamW for all of a model, or with Muon for its inner matrices."""

    def __init__(self, model, rate, with_muon):
        named = list(model.named_parameters())
        inner = [parameter for name, parameter in named if with_muon and within(name, parameter)]
        others = [parameter for name, parameter in named if not (with_muon and within(name, parameter))]
        self.parts = [Muon(inner, rate * RATIO)] if with_muon else []
        self.parts.append(torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.99), weight_decay=1e-3))

    def set_rate(self, rate):
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate * (RATIO if isinstance(part, Muon) else 1.0)

    def zero_grad(self):
        for part in self.parts:
            part.zero_grad()

    def step(self):
        for part in self.parts:
            part.step()

    def state_dict(self):
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state):
        for part, saved in zip(self.parts, state["parts"]):
            part.load_state_dict(saved)
