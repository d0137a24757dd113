"""Golden vectors of RebatchLatents: lists of latents in, lists of batches of another size out."""

import torch

from golden import Golden, random

# Each list: (number of latents, height, width, sides of the noise mask or none, first batch index or none).
LISTS = {
    "split": [(5, 4, 6, None, None)],
    "join": [(1, 4, 6, None, None), (1, 4, 6, None, None), (2, 4, 6, None, None)],
    "sizes": [(3, 4, 6, None, None), (1, 4, 6, None, None), (2, 5, 6, None, None), (1, 5, 6, None, None)],
    "masks": [(3, 4, 6, (1, 32, 48), None), (2, 4, 6, None, None), (2, 4, 6, (2, 32, 48), None)],
    "indices": [(2, 4, 6, None, 7), (3, 4, 6, None, None)],
}
BATCH_SIZES = [1, 2, 3, 64]


def latents(name, golden):
    listed = []
    for number, (count, h, w, mask, index) in enumerate(LISTS[name]):
        latent = {"samples": random(f"rebatch/{name}/{number}", count, 4, h, w)}
        golden.add(f"{name}/in/{number}/samples", latent["samples"])
        if mask:
            latent["noise_mask"] = random(f"rebatch/{name}/{number}/mask", mask[0], 1, *mask[1:]).clamp(0, 1)
            golden.add(f"{name}/in/{number}/noise_mask", latent["noise_mask"].to(torch.float16))
            latent["noise_mask"] = latent["noise_mask"].to(torch.float16).float()
        if index is not None:
            latent["batch_index"] = list(range(index, index + count))
            golden.add(f"{name}/in/{number}/batch_index", latent["batch_index"])
        listed.append(latent)
    return listed


def write(oracle):
    from comfy_extras.nodes_rebatch import LatentRebatch

    golden = Golden(oracle, "vectors_rebatch.py")
    for name in LISTS:
        given = latents(name, golden)
        for size in BATCH_SIZES:
            for number, latent in enumerate(LatentRebatch.execute(given, [size])[0]):
                path = f"{name}/out/{size}/{number}"
                golden.add(f"{path}/samples", latent["samples"])
                golden.add(f"{path}/batch_index", latent["batch_index"])
                if "noise_mask" in latent:
                    golden.add(f"{path}/noise_mask", latent["noise_mask"].to(torch.float16))
    golden.write("rebatch.safetensors")
