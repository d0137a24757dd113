"""Sets of drawn pictures with their captions, made from a seed and kept in a file."""

import multiprocessing
import pathlib
import random

import numpy as np

import draw

CHUNK = 500


def _draw_chunk(job):
    seed, number = job
    rng = random.Random(seed)
    stream = draw.scenes(seed)
    drawn = [next(stream) for _ in range(number)]
    return np.stack([draw.draw(scene, rng) for scene in drawn]), drawn


def drawn_pictures(number, seed):
    """`number` training pictures: [number, 128, 128, 3] uint8, and their scenes."""
    jobs = [(seed * 1_000_003 + start, min(CHUNK, number - start)) for start in range(0, number, CHUNK)]
    with multiprocessing.Pool() as pool:
        parts = pool.map(_draw_chunk, jobs, chunksize=1)
    return np.concatenate([pictures for pictures, _ in parts]), [scene for _, part in parts for scene in part]


def halved(pictures):
    """Pictures of half the sides: means of four pixels, [N, H, W, 3] uint8 -> [N, H/2, W/2, 3] uint8."""
    number, high, wide, _ = pictures.shape
    fours = pictures.reshape(number, high // 2, 2, wide // 2, 2, 3).astype(np.uint16)
    return ((fours.sum((2, 4)) + 2) // 4).astype(np.uint8)


def kept(path, make):
    """The arrays by name in the file at `path`, which `make` makes when it isn't there."""
    path = pathlib.Path(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, **make())
        part.rename(path)
    with np.load(path) as arrays:
        return dict(arrays)
