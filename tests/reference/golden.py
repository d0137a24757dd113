"""Writing golden vectors: named tensors with a record of how they came about."""

import json
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file

from oracle import threads

FOLDER = Path(__file__).resolve().parent.parent / "data" / "golden"


def difference(a, b):
    """max|a - b| over the standard deviation of a: the measure that the acceptance runs use."""
    a, b = a.double(), b.double()
    scale = a.std().item() if a.numel() > 1 else 0.0
    return (a - b).abs().max().item() / (scale if scale > 0 else 1.0)


class Golden:
    """Collects the tensors of one file, and how far the reference on two threads is from itself on one."""

    def __init__(self, oracle, tool, **facts):
        self._tensors = {}
        self._metadata = {
            "reference": oracle.version,
            "torch": torch.__version__,
            "numpy": numpy.__version__,
            "tool": f"tests/reference/{tool}",
            "threads": "1",
            "cpu": torch.backends.cpu.get_cpu_capability(),
            **{k: str(v) for k, v in facts.items()},
        }
        self._spread = {}

    def add(self, name, tensor):
        """Keeps a copy of a tensor (or a list of numbers) under a name."""
        if not torch.is_tensor(tensor):
            tensor = torch.tensor(tensor)
        if name in self._tensors:
            raise ValueError(f"two tensors are called {name}")
        self._tensors[name] = tensor.detach().clone().contiguous()

    def run(self, name, function):
        """Keeps what `function` returns on one thread, and notes how far two threads are from it. Returns it."""
        with torch.no_grad():
            with threads(1):
                one = function()
            with threads(2):
                two = function()
        self.add(name, one)
        self._spread[name] = difference(one, two)
        return one

    def tensor(self, name):
        """A tensor that was added."""
        return self._tensors[name]

    def drop(self, unwanted):
        """Forgets the tensors whose names `unwanted` says yes to: too large for what they add."""
        self._tensors = {name: tensor for name, tensor in self._tensors.items() if not unwanted(name)}

    def note(self, key, value):
        """One more line of the record; anything but text is written as JSON."""
        self._metadata[key] = value if isinstance(value, str) else json.dumps(value)

    def spread(self, name, one, two):
        """Notes how far the reference's result `two`, on two threads, is from `one`."""
        self._spread[name] = difference(one, two)

    def write(self, file_name):
        """Writes the file into the folder of golden vectors."""
        if self._spread:
            self._metadata["spread_1_2_threads"] = json.dumps({k: float(f"{v:.2e}") for k, v in self._spread.items()})
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / file_name
        save_file(self._tensors, path, metadata=self._metadata)
        path.chmod(0o644)
        worst = max(self._spread.values(), default=0.0)
        print(
            f"{path.name}: {len(self._tensors)} tensors, {path.stat().st_size / 1024:.0f} KiB, "
            f"worst spread {worst:.1e}",
            flush=True,
        )


def random(name, *shape, scale=1.0):
    """Normal numbers that depend on nothing but the name: torch's CPU generator, seeded with the name's FNV-1a hash."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % (1 << 64)
    generator = torch.Generator().manual_seed(seed % (1 << 63))
    return torch.randn(shape, generator=generator) * scale
