"""Scores the pictures of a folder.

  psnr  against the same pictures of another folder (--reference): no weights, what the cache alone changes
  fid   Frechet inception distance with pytorch-fid (pip install pytorch-fid; downloads Inception's weights)
  npz   the array that OpenAI's evaluator takes for FID, sFID, IS, precision and recall (guided-diffusion, evaluations)
  clip  CLIP score with open_clip, ViT-g-14 laion2b_s34b_b88k, of --captions (pip install open_clip_torch)
"""

import argparse
import math
from pathlib import Path

import numpy
from PIL import Image


def pictures(folder):
    files = sorted((Path(folder) / "pictures").rglob("*.png"))
    if not files:
        raise SystemExit(f"{folder}: no pictures")
    return files


def psnr(arguments):
    ours, theirs = pictures(arguments.folder), pictures(arguments.reference)
    if [f.name for f in ours] != [f.name for f in theirs]:
        raise SystemExit("the two folders do not hold the same pictures")
    values = []
    for one, other in zip(ours, theirs):
        a, b = (numpy.asarray(Image.open(f).convert("RGB"), dtype=numpy.float64) for f in (one, other))
        error = ((a - b) ** 2).mean()
        values.append(10 * math.log10(255**2 / error) if error > 0 else math.inf)
    return f"PSNR {numpy.mean(values):.2f} dB over {len(values)} pictures"


def fid(arguments):
    from pytorch_fid.fid_score import calculate_fid_given_paths

    folder = str(pictures(arguments.folder)[0].parent)
    return f"FID {calculate_fid_given_paths([folder, arguments.reference], 50, 'cpu', 2048):.2f}"


def npz(arguments):
    stack = numpy.stack([numpy.asarray(Image.open(f).convert("RGB")) for f in pictures(arguments.folder)])
    path = Path(arguments.folder) / "pictures.npz"
    numpy.savez(path, arr_0=stack)
    return f"{path}: {stack.shape}; run guided-diffusion's evaluations/evaluator.py REFERENCE.npz {path}"


def clip(arguments):
    import open_clip
    import torch

    model, _, prepare = open_clip.create_model_and_transforms("ViT-g-14", pretrained="laion2b_s34b_b88k")
    tokens = open_clip.get_tokenizer("ViT-g-14")
    captions = Path(arguments.captions).read_text().splitlines()
    scores = []
    with torch.no_grad():
        for number, file in enumerate(pictures(arguments.folder)):
            image = model.encode_image(prepare(Image.open(file).convert("RGB"))[None])
            text = model.encode_text(tokens([captions[number % len(captions)]]))
            scores.append(max(0.0, 100 * torch.cosine_similarity(image, text).item()))
    return f"CLIP score {numpy.mean(scores):.2f} over {len(scores)} pictures"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", choices=("psnr", "fid", "npz", "clip", "none"))
    parser.add_argument("folder", help="a folder that pictures.sh made")
    parser.add_argument("--reference", help="psnr: another such folder; fid: pictures or statistics (.npz) of the data")
    parser.add_argument("--captions", help="clip: the prompts, one in a line")
    arguments = parser.parse_args()
    measures = {"psnr": psnr, "fid": fid, "npz": npz, "clip": clip, "none": lambda _: "not scored"}
    print(f"{Path(arguments.folder).name}: {measures[arguments.measure](arguments)}")


if __name__ == "__main__":
    main()
