"""Looks at a picture and says what is on it: background, things with shape, colour, size and place, their number.

The background is a plane fitted through what lies around the things; a thing is a connected region that differs from
it; its shape is the one whose outline, at the same area, covers it best.

    python judge.py                     validates the judge on drawn pictures
    python judge.py picture.png ...     says what is on pictures
"""

import collections
import dataclasses
import functools
import sys

import numpy as np
from scipy import ndimage

import draw

CONTRAST = 0.22  # of a thing against the background, Euclidean in RGB of 0..1
LEAST_AREA = 60  # pixels
BETWEEN_SIZES = (draw.RADII["small"][1] * draw.RADII["large"][0]) ** 0.5
TURNS = np.radians(np.arange(-12.0, 13.0, 4.0))
KINDS = ("shape", "colour", "size", "position", "background", "count")


@dataclasses.dataclass(frozen=True)
class Seen:
    """A thing on a picture; `cell` is its column and row in a 3 x 3 grid."""

    shape: str
    colour: str
    size: str
    cell: tuple[int, int]
    middle: tuple[float, float]
    area: int


def nearest(colour, palette):
    """The name of the closest colour."""
    return min(palette, key=lambda name: np.square(np.subtract(palette[name], colour)).sum())


def background_plane(picture):
    """A colour for each pixel, linear in its place, through the pixels that belong to no thing: [h, w, 3]."""
    rows, columns = np.mgrid[0:picture.shape[0], 0:picture.shape[1]] / 64.0 - 1.0
    terms = np.stack((np.ones_like(rows), rows, columns), -1)
    border = np.ones(rows.shape, bool)
    border[5:-5, 5:-5] = False
    plane = np.broadcast_to(np.median(picture[border], 0), picture.shape)
    belongs = border
    for limit in (0.30, CONTRAST, CONTRAST):
        belongs = belongs & (np.linalg.norm(picture - plane, axis=-1) < limit)
        if belongs.sum() < 50:
            break
        plane = terms @ np.linalg.lstsq(terms[belongs], picture[belongs], rcond=None)[0]
        belongs = np.ones_like(border)
    return plane


@functools.cache
def template(shape):
    """Area and centre of gravity of a shape of radius one."""
    y, x = np.mgrid[-1.5:1.5:301j, -1.5:1.5:301j]
    inside = draw.distance(shape, x, y) < 0
    return inside.sum() * 0.01**2, x[inside].mean(), y[inside].mean()


def recognised(mask):
    """Shape, radius and middle (x, y) of a region, given as a mask."""
    rows, columns = np.nonzero(mask)
    area, left, top = len(rows), columns.mean(), rows.mean()
    reach = int(1.6 * np.sqrt(area)) + 3
    y0, x0 = max(0, int(top) - reach), max(0, int(left) - reach)
    piece = mask[y0:int(top) + reach, x0:int(left) + reach]
    best = (-1.0, None)
    for shape in draw.SHAPES:
        unit, shift_x, shift_y = template(shape)
        radius = np.sqrt(area / unit)
        y, x = np.mgrid[0:piece.shape[0], 0:piece.shape[1]]
        x, y = (x + x0 - left) / radius, (y + y0 - top) / radius
        for turn in TURNS if shape not in ("circle", "ring") else (0.0,):
            u, v = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
            inside = draw.distance(shape, u + shift_x, v + shift_y) < 0
            overlap = (inside & piece).sum() / (inside | piece).sum()
            if overlap > best[0]:
                dx, dy = (np.cos(turn) * shift_x - np.sin(turn) * shift_y,
                          np.cos(turn) * shift_y + np.sin(turn) * shift_x)
                best = (overlap, shape, radius, (left - dx * radius, top - dy * radius))
    return best[1:]


def look(picture):
    """What is on a picture of [128, 128, 3] uint8: the name of the background, and the things, largest first."""
    pixels = picture.astype(np.float64) / 255
    plane = background_plane(pixels)
    difference = np.linalg.norm(pixels - plane, axis=-1)
    regions, number = ndimage.label(difference > CONTRAST)
    things = []
    for n in range(1, number + 1):
        region = regions == n
        if region.sum() < LEAST_AREA:
            continue
        # The outline runs where half of the contrast is left.
        strong = region & (difference > 0.5 * np.median(difference[region]))
        core = ndimage.binary_erosion(strong)
        colour = nearest(np.median(pixels[core if core.sum() > 10 else strong], 0), draw.COLOURS)
        shape, radius, (x, y) = recognised(strong)
        cell = tuple(int(np.searchsorted((47.0, 81.0), at)) for at in (x, y))
        things.append(Seen(shape, colour, "large" if radius > BETWEEN_SIZES else "small", cell, (x, y),
                           int(strong.sum())))
    things.sort(key=lambda thing: -thing.area)
    return nearest(np.median(plane.reshape(-1, 3), 0), draw.BACKGROUNDS), things


def score(scene, background, things):
    """For each thing that the caption says, its kind and whether it is so: a list of (kind, bool)."""
    marks = [("background", background == scene.background),
             ("count", len(things) == sum(thing.count for thing in scene.things))]
    if scene.kind == "several":
        wanted = scene.things[0]
        for kind in ("shape", "colour", "size"):
            values = collections.Counter(getattr(thing, kind) for thing in things)
            marks.append((kind, bool(values) and values.most_common(1)[0][0] == getattr(wanted, kind)))
        return marks
    left = list(things)
    for wanted in scene.things:
        cell = draw.PLACES[wanted.place]
        middle = [draw.GRID[i] for i in cell]
        found = None
        if left and scene.kind == "one":
            found = left[0]
        elif left:
            found = min(left, key=lambda thing: np.hypot(*np.subtract(thing.middle, middle)))
            left.remove(found)
        marks += [(kind, found is not None and getattr(found, kind) == getattr(wanted, kind))
                  for kind in ("shape", "colour", "size")]
        marks.append(("position", found is not None and found.cell == cell))
    return marks


def table(scenes, pictures):
    """Share of right marks for each kind and in all, with the level of chance: {kind: (right, chance, number)}.

    Chance is what the same pictures score against captions of other pictures.
    """
    seen = [look(picture) for picture in pictures]
    own = collections.defaultdict(list)
    others = collections.defaultdict(list)
    for n, scene in enumerate(scenes):
        for kind, right in score(scene, *seen[n]):
            own[kind].append(right)
        for shift in range(1, min(20, len(seen))):
            for kind, right in score(scene, *seen[(n + shift) % len(seen)]):
                others[kind].append(right)
    for marks in (own, others):
        marks["all"] = [mark for kind in KINDS for mark in marks[kind]]
    return {kind: (float(np.mean(own[kind])), float(np.mean(others[kind])) if others[kind] else 0.0, len(own[kind]))
            for kind in (*KINDS, "all") if own[kind]}


def as_text(results):
    """A table as Markdown."""
    lines = ["| kind | right | by chance | marks |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {kind} | {100 * right:.1f} % | {100 * chance:.1f} % | {number} |"
                              for kind, (right, chance, number) in results.items()])


def main():
    if len(sys.argv) > 1:
        from PIL import Image

        for path in sys.argv[1:]:
            background, things = look(np.asarray(Image.open(path).convert("RGB")))
            print(f"{path}: {background} background;", "; ".join(
                f"{thing.size} {thing.colour} {thing.shape} at {thing.cell}" for thing in things))
        return
    import data

    pictures, scenes = data.drawn_pictures(1000, seed=99)
    print(as_text(table(scenes, pictures)))


if __name__ == "__main__":
    main()
