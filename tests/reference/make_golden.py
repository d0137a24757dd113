"""Makes the golden vectors below tests/data from a checkout of ComfyUI. See README.md beside this file."""

import argparse
import importlib

PARTS = {
    "schedules": "vectors_schedules",
    "noise": "vectors_noise",
    "sampling": "vectors_sampling",
    "text": "vectors_text",
    "object_info": "object_info",
    "models": "vectors_models",
    "runs": "vectors_runs",
    "samplers": "vectors_samplers",
    "nodes": "vectors_nodes",
    "lora": "vectors_lora",
    "parts": "vectors_parts",
    "pictures": "vectors_pictures",
    "patches": "vectors_patches",
    "inpainting": "vectors_inpainting",
    "rebatch": "vectors_rebatch",
}
NEED_CHECKPOINT = {"models", "runs", "samplers", "nodes", "lora", "parts"}
NEED_INPAINTING = {"patches", "inpainting"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comfyui", required=True, help="folder of a ComfyUI checkout")
    parser.add_argument("--checkpoint", help=f"small checkpoint, for: {', '.join(sorted(NEED_CHECKPOINT))}")
    parser.add_argument("--inpainting-checkpoint", help=f"small one, for: {', '.join(sorted(NEED_INPAINTING))}")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; without any: all")
    arguments = parser.parse_args()
    parts = arguments.parts or list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if NEED_CHECKPOINT & set(parts) and not arguments.checkpoint:
        parser.error("--checkpoint is needed; refrain-make-checkpoint makes the file")
    if NEED_INPAINTING & set(parts) and not arguments.inpainting_checkpoint:
        parser.error("--inpainting-checkpoint is needed; refrain-make-checkpoint --family sd1-inpainting makes the file")

    from oracle import Oracle

    oracle = Oracle(arguments.comfyui)
    for part in parts:
        module = importlib.import_module(PARTS[part])
        if part in NEED_CHECKPOINT:
            module.write(oracle, arguments.checkpoint)
        elif part in NEED_INPAINTING:
            module.write(oracle, arguments.inpainting_checkpoint)
        else:
            module.write(oracle)


if __name__ == "__main__":
    main()
