"""Makes the golden vectors of the original implementations. See README.md beside this file."""

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "originals"))

PARTS = {
    "families": "vectors_families",
    "samplers": "vectors_reference_samplers",
    "trajectories": "vectors_trajectories",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("latent-diffusion", "stable-diffusion", "taming", "ddim", "deepcache"):
        parser.add_argument(f"--{name}", help=f"a checkout of {name}")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; without any: all")
    arguments = parser.parse_args()
    parts = arguments.parts or list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    from originals import revision

    checkouts = {name: path for name, path in vars(arguments).items() if name != "parts" and path}
    arguments.version = "; ".join(revision(path) for path in checkouts.values())
    for part in parts:
        importlib.import_module(PARTS[part]).write(arguments)


if __name__ == "__main__":
    main()
