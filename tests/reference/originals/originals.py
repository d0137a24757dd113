"""The original implementations, imported from their checkouts and run on the CPU.

CompVis latent-diffusion and stable-diffusion, ermongroup ddim and the forks in horseee DeepCache. They are neither
installed nor copied; only numbers that they compute are kept.
"""

import contextlib
import importlib.util
import subprocess
import sys
import types
from pathlib import Path

import torch


def stub(*names):
    """Stands in for packages that the originals import and that sampling does not use."""
    for name in names:
        module = types.ModuleType(name)
        module.__path__ = []
        sys.modules.setdefault(name, module)


def load_file(name, path):
    """A module from one file, without its package."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def revision(checkout):
    """Name and commit of a checkout; the name alone where it is no git work tree."""
    done = subprocess.run(["git", "-C", checkout, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return f"{Path(checkout).name} ({done.stdout.strip()})" if done.returncode == 0 else Path(checkout).name


def use_ldm(checkout):
    """Makes `ldm` the package of this checkout: latent-diffusion, stable-diffusion or DeepCache/experiments/ldm."""
    stub("omegaconf", "omegaconf.listconfig", "pytorch_lightning", "taming", "taming.modules", "taming.modules.vqvae")
    sys.modules["omegaconf.listconfig"].ListConfig = list
    for name in [name for name in sys.modules if name == "ldm" or name.startswith("ldm.")]:
        del sys.modules[name]
    sys.path[:] = [str(checkout)] + [path for path in sys.path if not (Path(path) / "ldm").is_dir()]


@contextlib.contextmanager
def on_the_cpu():
    """The originals send tensors to "cuda": here that is the CPU."""
    to = torch.Tensor.to

    def stay(tensor, *args, **kwargs):
        args = tuple("cpu" if str(arg).startswith("cuda") else arg for arg in args)
        return to(tensor, *args, **kwargs)

    torch.Tensor.to = stay
    device = torch.device
    try:
        yield
    finally:
        torch.Tensor.to = to
        torch.device = device


class Namespace:
    """A configuration with attributes, from nested dictionaries."""

    def __init__(self, **entries):
        for name, value in entries.items():
            setattr(self, name, Namespace(**value) if isinstance(value, dict) else value)
