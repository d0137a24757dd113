"""Writes the small torch checkpoints below tests/data/checkpoints with torch itself: the forms that people's files have.

Usage: python tests/reference/torch_files.py [FOLDER]. Needs torch and numpy. The values follow from the names (see
`tensors`), so the C++ tests need no others to compare with.
"""

import collections
import io
import sys
import types
import zipfile
from pathlib import Path

import numpy
import torch

FOLDER = Path(__file__).resolve().parent.parent / "data" / "checkpoints"


def tensors():
    """Every element type and kind of storage that a state dict may hold."""
    base = torch.arange(24, dtype=torch.float32) / 4
    return {
        "float32": base[:6].clone().reshape(2, 3),
        "float16": base[:6].half().reshape(2, 3),
        "bfloat16": base[:6].bfloat16(),
        "float64": base[:6].double(),
        "int64": torch.arange(5),
        "int32": torch.arange(5, dtype=torch.int32),
        "uint8": torch.arange(5, dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(7.5),
        "empty": torch.zeros(0, 4),
        "transposed": base.reshape(4, 6).t(),
        "part_of_a_storage": base[6:12],
        "every_second": base[1:20:2],
        "parameter": torch.nn.Parameter(base[:4].clone()),
        "nested.name": base[:2].clone(),
    }


def class_called(module, name):
    """A class that the reader has no module for."""
    path = ""
    for part in module.split("."):
        path = f"{path}.{part}".strip(".")
        sys.modules.setdefault(path, types.ModuleType(path))
    made = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, made)
    return made


def lightning():
    """What pytorch-lightning puts beside the weights, with the averages that CompVis' trainer adds."""
    callback = class_called("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
    attributes = class_called("lightning_fabric.utilities.data", "AttributeDict")
    settings = attributes()
    settings.learning_rate = 1e-4
    state = collections.OrderedDict(
        {
            "model.diffusion_model.out.weight": torch.arange(4.0),
            "model_ema.decay": torch.tensor(0.9999),
            "model_ema.num_updates": torch.tensor(3, dtype=torch.int32),
            "model_ema.diffusion_modeloutweight": torch.arange(4.0) + 10,
            "betas": torch.linspace(0, 1, 5),
        }
    )
    state._metadata = {"": {"version": 1}}
    return {
        "epoch": 12,
        "global_step": 840000,
        "pytorch-lightning_version": "1.4.2",
        "callbacks": {callback: {"best_model_score": numpy.float64(0.25), "best_k_models": {"a": torch.ones(2)}}},
        "optimizer_states": [{"state": {0: {"step": 3, "exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 1e-4}]}],
        "lr_schedulers": [],
        "hyper_parameters": settings,
        "array": numpy.arange(3),
        "state_dict": state,
    }


def ddpm():
    """ermongroup's training state: model, optimizer, epoch, step, average."""
    model = {f"module.{name}": tensor for name, tensor in (("conv.weight", torch.ones(2)), ("conv.bias", torch.zeros(1)))}
    average = {"conv.weight": torch.full((2,), 5.0), "conv.bias": torch.full((1,), 6.0)}
    return [model, {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": []}, 3, 1000, average]


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)

    def save(name, value, **options):
        torch.save(value, folder / name, **options)

    state = {"state_dict": tensors()}
    save("zip.ckpt", state)
    save("legacy.ckpt", state, _use_new_zipfile_serialization=False)
    save("protocol_5.pt", tensors(), pickle_protocol=5)
    save("legacy_protocol_4.pt", tensors(), pickle_protocol=4, _use_new_zipfile_serialization=False)
    save("float8.pt", {n: torch.arange(6.0).to(getattr(torch, n)) for n in ("float8_e4m3fn", "float8_e5m2")})
    save("lightning.ckpt", lightning())
    save("lightning_legacy.ckpt", lightning(), _use_new_zipfile_serialization=False)
    save("ddpm.ckpt", ddpm())
    save("ddpm_legacy.ckpt", ddpm(), _use_new_zipfile_serialization=False)
    save("object.pt", torch.nn.Linear(2, 2))

    loop = {"weight": torch.arange(3.0), "list": []}
    loop["self"] = loop
    loop["list"].append(loop["list"])
    save("loop.pt", loop)

    stored = io.BytesIO()
    torch.save(state, stored)
    # A file written again by another zip program: compressed, its data at any address, another folder, one more entry.
    with zipfile.ZipFile(stored) as old, zipfile.ZipFile(folder / "deflated.ckpt", "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("my model/", "")
        for name in old.namelist():
            new.writestr("my model/" + name.split("/", 1)[1], old.read(name))
    with zipfile.ZipFile(stored) as old, zipfile.ZipFile(folder / "unaligned.ckpt", "w") as new:
        for name in old.namelist():
            new.writestr("a/" + name.split("/", 1)[1], old.read(name))


if __name__ == "__main__":
    main()
