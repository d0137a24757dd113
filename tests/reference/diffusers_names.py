"""Asks diffusers what the tensors of a single-file SD 1.x checkpoint are called in its folders.

Usage: python tests/reference/diffusers_names.py small.safetensors. Writes tests/data/golden/diffusers_names.txt.gz, a line
for each tensor: its name in the file, its name in the folder (with the component before it), its rank there. Needs
diffusers, transformers, torch and safetensors; refrain-make-checkpoint makes the file.
"""

import gzip
import sys
from pathlib import Path

import diffusers
import torch
from diffusers.loaders import single_file_utils
from safetensors import safe_open

TARGET = Path(__file__).resolve().parent.parent / "data" / "golden" / "diffusers_names.txt.gz"
LEVELS = 4


def main():
    # Each tensor stands for its name: it holds its number, and has the rank of the original.
    with safe_open(sys.argv[1], "pt") as file:
        names = sorted(file.keys())
        state = {n: torch.full([1] * len(file.get_slice(n).get_shape()), float(i)) for i, n in enumerate(names)}

    unet = {
        "layers_per_block": 2,
        "class_embed_type": None,
        "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
        "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    }
    vae = {"down_block_types": ["DownEncoderBlock2D"] * LEVELS, "up_block_types": ["UpDecoderBlock2D"] * LEVELS}
    parts = {
        "unet": single_file_utils.convert_ldm_unet_checkpoint(dict(state), unet),
        "vae": single_file_utils.convert_ldm_vae_checkpoint(dict(state), vae),
        "text_encoder": single_file_utils.convert_ldm_clip_checkpoint(dict(state)),
    }
    lines = []
    for part, converted in parts.items():
        for name, tensor in converted.items():
            lines.append(f"{names[int(tensor.flatten()[0])]} {part}.{name} {tensor.dim()}")
    text = f"# diffusers {diffusers.__version__}, tests/reference/diffusers_names.py\n" + "\n".join(sorted(lines)) + "\n"
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{TARGET.name}: {len(lines)} of {len(names)} tensors, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
