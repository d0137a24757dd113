"""Writes the trained parts as one safetensors file with the names of Stable Diffusion 1.x, in float16.

The file is the same, byte for byte, for the same weights. What shapes can't tell travels in it too: the heads in the
metadata, the vocabulary as a tensor of bytes.
"""

import argparse
import hashlib
import pathlib

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import train_text_to_image
from autoencoder import AutoencoderKL
from clip_text import POSITIONS
from tokenizer import Tokenizer

LATENT_SCALE = 0.18215  # the U-Net sees latents times this
UNET = "model.diffusion_model."
TEXT = "cond_stage_model.transformer.text_model."
FIRST_STAGE = "first_stage_model."
VOCABULARY = "cond_stage_model.tokenizer.vocabulary"


def normalised_autoencoder(arguments):
    """The autoencoder with latents that have deviation one once they are multiplied by the latent scale."""
    autoencoder = train_text_to_image.trained_autoencoder(arguments)
    made = train_text_to_image.prepared(arguments)
    mean, deviation = made["mean"].to(arguments.device), made["deviation"].to(arguments.device)
    autoencoder.fold_normalisation(mean, deviation * LATENT_SCALE)
    return autoencoder


def trained_text_to_image(arguments):
    """The averaged weights of its training."""
    model = train_text_to_image.TextToImage()
    state = torch.load(arguments.work / "text_to_image.pt", weights_only=True, map_location="cpu")
    model.load_state_dict(state["average"])
    return model.to(arguments.device).eval()


def tensors_of(autoencoder, model):
    """All tensors of the file."""
    parts = {UNET: model.unet, TEXT: model.text, FIRST_STAGE: autoencoder}
    tensors = {prefix + name: tensor.detach().cpu().half().contiguous()
               for prefix, part in parts.items() for name, tensor in part.state_dict().items()}
    tensors[TEXT + "embeddings.position_ids"] = torch.arange(POSITIONS)[None]
    vocabulary = np.frombuffer(Tokenizer().text().encode(), np.uint8)
    tensors[VOCABULARY] = torch.from_numpy(vocabulary.copy())
    return tensors


def read(path, device="cpu"):
    """The parts of such a file: autoencoder, and TextToImage, in float32."""
    tensors = load_file(path)
    autoencoder, model = AutoencoderKL(), train_text_to_image.TextToImage()
    for prefix, part in ((UNET, model.unet), (TEXT, model.text), (FIRST_STAGE, autoencoder)):
        part.load_state_dict({name: tensors[prefix + name].float() for name in part.state_dict()})
    return autoencoder.to(device).eval(), model.to(device).eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder with the states of training")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="the file to write")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    model = trained_text_to_image(arguments)
    metadata = {"format": "pt", "refrain.unet.head_channels": str(model.unet.head_channels),
                "refrain.clip.heads": str(model.text.heads)}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors_of(normalised_autoencoder(arguments), model), arguments.output, metadata)
    arguments.output.chmod(0o644)
    data = arguments.output.read_bytes()
    print(f"{arguments.output}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
