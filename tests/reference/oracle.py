"""ComfyUI in this process: headless, on the CPU, without its server. The oracle behind the golden vectors.

ComfyUI is neither installed nor copied: its checkout is given by path. Only numbers that it computes are kept.
"""

import contextlib
import importlib.machinery
import logging
import subprocess
import sys
import types
from pathlib import Path

import torch


class _Missing(types.ModuleType):
    """Stands in for torchvision and torchaudio, which ComfyUI imports for models that are not looked at here."""

    def __init__(self, name):
        super().__init__(name)
        self.__path__ = []
        self.__spec__ = importlib.machinery.ModuleSpec(name, loader=None, is_package=True)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        child = type(name, (), {}) if name[0].isupper() else _Missing(f"{self.__name__}.{name}")
        setattr(self, name, child)
        return child


def _stub(*names):
    for name in names:
        sys.modules[name] = _Missing(name)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, sys.modules[name])


class Oracle:
    """ComfyUI's modules, imported from a checkout. One per process, because ComfyUI keeps its state in globals."""

    def __init__(self, checkout, base_directory=None):
        """checkout: ComfyUI's folder. base_directory: where its models, input, output and temp folders lie."""
        self.checkout = Path(checkout).resolve()
        if not (self.checkout / "comfy" / "samplers.py").is_file():
            raise SystemExit(f"{self.checkout} is no checkout of ComfyUI: comfy/samplers.py is not there")
        _stub(
            "torchvision",
            "torchvision.transforms",
            "torchvision.transforms.functional",
            "torchaudio",
            "torchaudio.transforms",
            "torchaudio.functional",
            "server",  # nothing is served here
        )
        sys.path.insert(0, str(self.checkout))
        import comfy.cli_args

        comfy.cli_args.args.cpu = True
        comfy.cli_args.args.disable_metadata = False
        if base_directory is not None:
            comfy.cli_args.args.base_directory = str(base_directory)
        logging.getLogger().setLevel(logging.WARNING)

        import nodes  # imports all of comfy

        self.nodes = nodes

    @property
    def version(self):
        """Version and, where the checkout is a git work tree, its commit."""
        text = (self.checkout / "comfyui_version.py").read_text()
        version = text.split("__version__ = ")[1].split('"')[1]
        commit = subprocess.run(
            ["git", "-C", self.checkout, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        )
        return f"ComfyUI {version}" + (f" ({commit.stdout.strip()})" if commit.returncode == 0 else "")


@contextlib.contextmanager
def threads(count):
    """Runs torch's operators on `count` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
