"""Plots the losses of the trainings in a folder of work, for the model card."""

import argparse
import pathlib

import matplotlib
import torch

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

PARTS = {"autoencoder": ("error", "edges"), "text_to_image": ("error of the noise",)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder with the states of training")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="the picture to write")
    arguments = parser.parse_args()
    figure, axes = pyplot.subplots(1, len(PARTS), figsize=(8, 3), layout="constrained")
    for axis, (name, parts) in zip(axes, PARTS.items()):
        lines = torch.load(arguments.work / f"{name}.pt", weights_only=True, map_location="cpu")["log"]
        for n, part in enumerate(parts):
            axis.plot([line[0] for line in lines], [line[1 + n] for line in lines], label=part, linewidth=1)
        axis.set(title=name.replace("_", " "), xlabel="step", yscale="log")
        axis.legend()
    figure.savefig(arguments.output, dpi=80, metadata={"Software": None})


if __name__ == "__main__":
    main()
