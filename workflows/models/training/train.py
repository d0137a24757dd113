"""The one command that makes the text-to-image model: data, autoencoder, text encoder and U-Net, the file, a judgement.

    python workflows/models/training/train.py --work DIR --output workflows/models/checkpoints/drawn.safetensors

An interrupted run goes on where it stopped when it is started again.
"""

import argparse
import pathlib
import subprocess
import sys
import time

import torch

import loop

HERE = pathlib.Path(__file__).parent
# A GPU takes larger batches in the same time. Compiling shortens a step of the U-Net by half, of the autoencoder by little.
SETTINGS = {
    "cpu": {"autoencoder": ("--steps", "8000", "--batch", "8"),
            "text_to_image": ("--steps", "5000", "--batch", "64", "--pictures", "24000", "--compile")},
    "cuda": {"autoencoder": ("--steps", "6000", "--batch", "64"),
             "text_to_image": ("--steps", "5000", "--batch", "384", "--compile")},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, help="folder for data and states of training")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="the file to write")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=SETTINGS)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long; run again to go on")
    arguments = parser.parse_args()
    device, work = ("--device", arguments.device), ("--work", arguments.work)
    begin = time.time()

    def stage(script, *options):
        subprocess.run([sys.executable, HERE / script, *options], check=True)

    for name, settings in SETTINGS[arguments.device].items():
        left = max(0.0, arguments.minutes - (time.time() - begin) / 60)
        command = [sys.executable, HERE / f"train_{name}.py", *work, *device, *settings, "--minutes", str(left)]
        code = subprocess.run(command).returncode
        if code == loop.OUT_OF_TIME:
            print(f"the time is over during {name}: run the same command again to go on")
        if code != 0:
            sys.exit(code)
    stage("export.py", *work, "--output", arguments.output)
    stage("plot.py", *work, "--output", arguments.output.with_suffix(".png"))
    stage("judge_samples.py", *device, "--checkpoint", arguments.output)


if __name__ == "__main__":
    main()
