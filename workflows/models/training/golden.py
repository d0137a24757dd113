"""Golden vectors for the C++ tests: what the modules here compute from the trained files, in float32.

    python workflows/models/training/golden.py --checkpoints workflows/models/checkpoints \
      --output tests/data/golden/drawn_models.safetensors
"""

import argparse
import pathlib

import torch
from safetensors.torch import load_file, save_file

import class_to_image
import export
import sample
from ddpm import PixelUNet
from tokenizer import Tokenizer
from vq import VQModel

PROMPTS = ("a large purple circle at the top left on a white background",
           "three small blue stars, yellow background")
TIMES = (1, 400, 990)
SEED = 7


def text_to_image(path):
    """Prompts, one evaluation of the U-Net at three times, first stage both ways, a whole run of 25 steps."""
    autoencoder, model = export.read(path)
    tokens = torch.tensor([Tokenizer().encode(text) for text in PROMPTS])
    context = model.text(tokens)
    latent = sample.start_noise(1, SEED)
    times = torch.tensor(TIMES)
    pictures = torch.rand(1, 3, 40, 32, generator=torch.Generator().manual_seed(SEED))
    made = sample.latents_of(model, PROMPTS, sample.start_noise(len(PROMPTS), SEED)) / export.LATENT_SCALE
    return {"context": context, "latent": latent, "times": times.float(),
            "unet": model.unet(latent.expand(3, -1, -1, -1), times, context[:1].expand(3, -1, -1)),
            "pixels": pictures,
            "encoded": autoencoder.moments(2 * pictures - 1)[0] * export.LATENT_SCALE, "run": made * export.LATENT_SCALE,
            "picture": torch.from_numpy(sample.pictures_of(autoencoder, made[:1])).permute(0, 3, 1, 2)}


def class_conditional(path):
    """The U-Net for the first and the last class and for none, and the first stage's decoder."""
    tensors = load_file(path)
    first_stage, model = VQModel(), class_to_image.ClassToImage()
    for prefix, part in (("model.diffusion_model.", model.unet), ("cond_stage_model.embedding.", model.classes),
                         ("first_stage_model.", first_stage)):
        part.load_state_dict({name: tensors[prefix + name].float() for name in part.state_dict()})
    latent = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(SEED))
    labels = torch.tensor((0, class_to_image.CLASSES - 1, class_to_image.CLASSES))
    unet = model(latent.expand(3, -1, -1, -1), torch.tensor(TIMES), labels)
    decoded = first_stage.decode(latent[:, :, :8, :10])
    return {"latent": latent, "times": torch.tensor(TIMES).float(), "context": model.classes(labels)[:, None],
            "unet": unet, "decoded": decoded}


def pixels(path):
    """The pixel U-Net at three times."""
    model = PixelUNet()
    model.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    latent = torch.randn(1, 3, model.side, model.side, generator=torch.Generator().manual_seed(SEED))
    return {"latent": latent, "times": torch.tensor(TIMES).float(),
            "unet": model(latent.expand(3, -1, -1, -1), torch.tensor(TIMES))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", required=True, type=pathlib.Path, help="the folder with the three files")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="the file to write")
    arguments = parser.parse_args()
    vectors = {}
    with torch.no_grad():
        for name, make in (("drawn", text_to_image), ("drawn_classes", class_conditional), ("drawn_pixels", pixels)):
            file = arguments.checkpoints / f"{name}.safetensors"
            vectors.update({f"{name}/{key}": value.contiguous() for key, value in make(file).items()})
    save_file(vectors, arguments.output, {"prompts": "\n".join(PROMPTS), "seed": str(SEED)})


if __name__ == "__main__":
    main()
