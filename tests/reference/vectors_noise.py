"""Golden vectors of the initial noise: torch's CPU generator, by seed and by batch index."""

import json

import torch

from golden import Golden

SHAPES = [(1, 4, 8, 12), (2, 4, 8, 12), (1, 4, 5, 7), (1, 1, 3, 3), (3, 4, 2, 2)]
SEEDS = [0, 42, 156680208700286, (1 << 32) + 42, (1 << 64) - 1]
PICKED = [((2, 4, 5, 7), [0, 1]), ((2, 4, 5, 7), [1, 0]), ((3, 4, 8, 12), [3, 1, 3]), ((1, 4, 8, 12), [2])]


def write(oracle):
    import comfy.sample

    golden = Golden(oracle, "vectors_noise.py")
    for shape in SHAPES:
        for seed in SEEDS:
            name = "x".join(map(str, shape))
            golden.add(f"noise/{name}/{seed}", comfy.sample.prepare_noise(torch.zeros(shape), seed))
    cases = []
    for number, (shape, indices) in enumerate(PICKED):
        golden.add(f"picked/{number}", comfy.sample.prepare_noise(torch.zeros(shape), 42, indices))
        cases.append({"shape": shape, "seed": 42, "batch_index": indices})
    golden.note("picked", json.dumps(cases))
    golden.write("noise.safetensors")
