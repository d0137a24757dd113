"""The loop of every trainer here: rate, moving average, and states from which a run resumes where it stopped."""

import copy
import math
import os
import pathlib
import time

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import muon

SAVE_EVERY = 180.0  # seconds
REPORT_EVERY = 50  # steps
WARM_UP = 100  # steps
OUT_OF_TIME = 3  # exit code of a trainer that stopped before its last step


def add_arguments(parser, steps, rate, batch):
    """The arguments that all trainers have."""
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder for data and states of training")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--rate", type=float, default=rate, help="the highest learning rate")
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="let PyTorch fuse operations: slow to start")
    parser.add_argument("--minutes", type=float, default=math.inf,
                        help="save and stop after so long; run again to go on")


def learning_rate(step, steps, peak):
    """Up in a straight line, then down along a cosine to a fiftieth."""
    return peak * min(1.0, (step + 1) / WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def autocast(device):
    """Computes products in bfloat16; the weights stay in float32."""
    return torch.autocast(torch.device(device).type, torch.bfloat16)


def generator(seed, step, device):
    """Random numbers of one step, the same whether or not the run was interrupted before."""
    return torch.Generator(device).manual_seed(seed * 1_000_000_007 + step)


class Training:
    """Model, its moving average, optimiser and log of a run, kept in one file."""

    def __init__(self, path, model, arguments, decay, with_muon=True):
        self.path, self.model, self.arguments, self.decay = pathlib.Path(path), model, arguments, decay
        self.optimiser = muon.Optimiser(model, arguments.rate, with_muon)
        self.average = copy.deepcopy(model).requires_grad_(False)
        self.done, self.lines = 0, []
        if self.path.exists():
            state = torch.load(self.path, weights_only=True, map_location=arguments.device)
            model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.done, self.lines = state["step"], state["log"]

    def run(self, loss_of):
        """Minimises loss_of(step), a loss and a tensor of its parts; True when all steps are done."""
        if torch.device(self.arguments.device).type == "cpu":
            # At these sizes the plain products take a third of the time of the fused attention's backward pass.
            with sdpa_kernel(SDPBackend.MATH):
                return self._run(loss_of)
        return self._run(loss_of)

    def _run(self, loss_of):
        begin, saved, reported, parts = time.time(), time.time(), time.time(), []
        while self.done < self.arguments.steps:
            parts.append(self._step(loss_of))
            self.done += 1
            now = time.time()
            if self.done % REPORT_EVERY == 0:
                mean = torch.stack(parts).mean(0).tolist()
                self.lines.append([float(self.done), *mean])
                print(f"{self.path.stem} step {self.done}", *(f"{value:.4f}" for value in mean),
                      f"{(now - reported) / len(parts):.3f} s/step", flush=True)
                parts, reported = [], now
            if now - saved > SAVE_EVERY:
                self.save()
                saved = now
            if now - begin > 60 * self.arguments.minutes:
                break
        self.save()
        return self.done >= self.arguments.steps

    def _step(self, loss_of):
        self.optimiser.set_rate(learning_rate(self.done, self.arguments.steps, self.arguments.rate))
        loss, parts = loss_of(self.done)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():  # the average follows sooner at the beginning
            weight = 1 - min(self.decay, (1 + self.done) / (10 + self.done))
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), weight)
        return parts.detach()

    def save(self):
        """Writes the file whole or not at all."""
        part = self.path.with_suffix(".part")
        torch.save({"model": self.model.state_dict(), "average": self.average.state_dict(),
                    "optimiser": self.optimiser.state_dict(), "step": self.done, "log": self.lines}, part)
        os.replace(part, self.path)
