"""Draws the held-out prompts in Python from an exported file and prints the judge's table.

With --refrain it also draws some of them with Refrain, from the same noise, and tells how far the two are apart.
"""

import argparse
import pathlib

import numpy as np
from PIL import Image

import draw
import evaluate
import export
import judge
import sample

SOME = 8


def drawn(parts, prompts, device, batch=50):
    """A picture for each prompt, from the noise that Refrain takes too: [N, 128, 128, 3] uint8."""
    autoencoder, model = parts
    noise = sample.start_noise(len(prompts), evaluate.SEED).to(device)
    made = []
    for start in range(0, len(prompts), batch):
        latents = sample.latents_of(model, prompts[start:start + batch], noise[start:start + batch], evaluate.STEPS,
                                    evaluate.GUIDANCE)
        made.append(sample.pictures_of(autoencoder, latents / export.LATENT_SCALE))
    return np.concatenate(made)


def sheet(pictures, columns=8):
    """Rows of pictures as one."""
    whole = len(pictures) // columns * columns
    rows = [np.concatenate(list(pictures[n:n + columns]), 1) for n in range(0, whole, columns)]
    return Image.fromarray(np.concatenate(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True, type=pathlib.Path, help="the file, in a folder checkpoints")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--sheet", type=pathlib.Path, help="a file for the first 32 pictures")
    parser.add_argument("--refrain", type=pathlib.Path, help="the command, to compare with")
    parser.add_argument("--work", type=pathlib.Path, help="a folder for Refrain's pictures")
    arguments = parser.parse_args()
    scenes = draw.test_scenes(arguments.prompts)
    prompts = evaluate.prompts_of(scenes)
    pictures = drawn(export.read(arguments.checkpoint, arguments.device), prompts, arguments.device)
    if arguments.sheet:
        sheet(pictures[:32]).save(arguments.sheet)
    print(judge.as_text(judge.table(scenes, pictures)))
    if arguments.refrain:
        others = evaluate.drawn(evaluate.Setting(evaluate.STEPS), prompts[:SOME], arguments).pictures
        apart = np.abs(pictures[:SOME].astype(int) - np.stack(others))
        print(f"from Refrain's pictures: at most {apart.max()} of 255 levels, {apart.mean():.4f} on average")


if __name__ == "__main__":
    main()
