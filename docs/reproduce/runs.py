"""Writes the runs of a workflow that make many pictures: seeds, and random classes or captions, one file for a batch.

Needs nothing but Python. Nodes are found by their titles: Latent (batch_size), Sampler (noise_seed), Classes (labels),
Positive (text), Save (filename_prefix).
"""

import argparse
import json
import random
from pathlib import Path


def titled(workflow, title):
    return next((node for node in workflow.values() if node.get("_meta", {}).get("title") == title), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workflow", required=True)
    parser.add_argument("--folder", required=True, help="where the files go")
    parser.add_argument("--pictures", help="a folder of pictures; batches that are whole there are left out")
    parser.add_argument("--count", type=int, required=True, help="pictures in all")
    parser.add_argument("--batch", type=int, required=True, help="pictures of one run")
    parser.add_argument("--classes", type=int, help="draw labels from 0 to this number less one, seed 0")
    parser.add_argument("--captions", help="a text file with one prompt in a line; implies a batch of 1")
    arguments = parser.parse_args()

    text = Path(arguments.workflow).read_text()
    captions = Path(arguments.captions).read_text().splitlines() if arguments.captions else None
    batch = 1 if captions else arguments.batch
    labels = random.Random(0)
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    there = {}
    for picture in Path(arguments.pictures).glob("*.png") if arguments.pictures else ():
        there.setdefault(picture.name[:6], []).append(picture)
    for number, first in enumerate(range(0, arguments.count, batch)):
        workflow = json.loads(text)
        size = min(batch, arguments.count - first)
        drawn = [str(labels.randrange(arguments.classes)) for _ in range(size)] if arguments.classes else []
        made = there.get(f"{number:06d}", [])
        if len(made) == size:
            continue
        for picture in made:
            picture.unlink()
        titled(workflow, "Latent")["inputs"]["batch_size"] = size
        titled(workflow, "Sampler")["inputs"]["noise_seed"] = number
        titled(workflow, "Save")["inputs"]["filename_prefix"] = f"{number:06d}"
        if arguments.classes:
            titled(workflow, "Classes")["inputs"]["labels"] = ", ".join(drawn)
        if captions:
            titled(workflow, "Positive")["inputs"]["text"] = captions[first % len(captions)]
        (folder / f"{number:06d}.json").write_text(json.dumps(workflow, indent=1))


if __name__ == "__main__":
    main()
