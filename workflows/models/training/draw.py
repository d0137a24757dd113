"""Pictures of simple shapes with captions, drawn by a program: the training data of the small models.

A scene is one thing at a place, several equal things, or two different things side by side or above each other, on a
background. Everything follows from a seed. Edges are anti-aliased through signed distances; place, size, rotation,
colour and shading vary at random within what the caption says.
"""

import dataclasses
import random

import numpy as np

SIDE = 128
SHAPES = ("circle", "square", "triangle", "star", "ring", "cross")
COLOURS = {
    "red": (0.86, 0.10, 0.12),
    "orange": (1.00, 0.55, 0.05),
    "yellow": (0.98, 0.90, 0.15),
    "green": (0.10, 0.62, 0.20),
    "blue": (0.12, 0.30, 0.90),
    "purple": (0.55, 0.12, 0.70),
    "white": (0.97, 0.97, 0.97),
    "black": (0.05, 0.05, 0.05),
}
BACKGROUNDS = {
    "white": (0.95, 0.95, 0.95),
    "black": (0.07, 0.07, 0.07),
    "grey": (0.50, 0.50, 0.50),
    "blue": (0.32, 0.50, 0.85),
    "green": (0.40, 0.72, 0.42),
    "yellow": (0.95, 0.86, 0.40),
}
RADII = {"small": (13.5, 16.0), "large": (22.5, 26.0)}  # pixels
PLACES = {  # column and row of a 3 x 3 grid
    "at the top left": (0, 0), "at the top": (1, 0), "at the top right": (2, 0),
    "on the left": (0, 1), "in the centre": (1, 1), "on the right": (2, 1),
    "at the bottom left": (0, 2), "at the bottom": (1, 2), "at the bottom right": (2, 2),
}
PAIRS_OF_PLACES = (("on the left", "on the right"), ("at the top", "at the bottom"))
COUNTS = ("one", "two", "three", "four")
GRID = (30.0, 64.0, 98.0)  # pixels: the middles of the grid's columns and rows

# Never drawn for training; every test prompt has at least one of them.
HELD_OUT_SHAPES = {("circle", "purple"), ("square", "yellow"), ("triangle", "white"), ("star", "blue"),
                   ("ring", "green"), ("cross", "red")}
HELD_OUT_BACKGROUNDS = {("red", "white"), ("orange", "blue"), ("yellow", "grey"), ("green", "black"),
                        ("purple", "yellow"), ("black", "green")}


@dataclasses.dataclass(frozen=True)
class Thing:
    """What a caption says about a thing; `place` is None where it says nothing."""

    shape: str
    colour: str
    size: str
    count: int = 1
    place: str | None = None


@dataclasses.dataclass(frozen=True)
class Scene:
    """The whole of what a caption says."""

    things: tuple[Thing, ...]
    background: str

    @property
    def kind(self):
        """"one", "several" or "pair": a class of pictures."""
        return "pair" if len(self.things) == 2 else "several" if self.things[0].count > 1 else "one"


def is_held_out(scene):
    """Whether the scene has a combination that training never shows."""
    return any((thing.shape, thing.colour) in HELD_OUT_SHAPES or
               (thing.colour, scene.background) in HELD_OUT_BACKGROUNDS for thing in scene.things)


def random_scene(rng, kind=None):
    """A scene of any combination; things and background never share a colour, and a pair differs in both."""
    kind = kind or rng.choices(("one", "several", "pair"), (5, 2, 3))[0]
    background = rng.choice(tuple(BACKGROUNDS))
    colours = rng.sample([colour for colour in COLOURS if colour != background], 2)
    shapes = rng.sample(SHAPES, 2)
    sizes = [rng.choice(tuple(RADII)) for _ in range(2)]
    if kind == "one":
        things = (Thing(shapes[0], colours[0], sizes[0], 1, rng.choice(tuple(PLACES))),)
    elif kind == "several":
        things = (Thing(shapes[0], colours[0], sizes[0], rng.randint(2, 4)),)
    else:
        places = rng.choice(PAIRS_OF_PLACES)
        things = tuple(Thing(shapes[i], colours[i], sizes[i], 1, places[i]) for i in range(2))
    return Scene(things, background)


def scenes(seed, held_out=False, kind=None):
    """An endless stream of scenes, either none or all of them with a held-out combination."""
    rng = random.Random(seed)
    while True:
        scene = random_scene(rng, kind)
        if is_held_out(scene) == held_out:
            yield scene


def test_scenes(number=200, seed=2024):
    """Different scenes with held-out combinations: of five three of one thing, one of several things, one pair."""
    streams = {kind: scenes(seed, True, kind) for kind in ("one", "several", "pair")}
    order = ("one", "several", "one", "pair", "one")
    found = []
    while len(found) < number:
        scene = next(streams[order[len(found) % len(order)]])
        if scene not in found:
            found.append(scene)
    return found


def caption(scene, rng):
    """One of several ways to say what the scene is."""
    def phrase(thing):
        if thing.count > 1:
            return f"{COUNTS[thing.count - 1]} {thing.size} {thing.colour} {plural(thing.shape)}"
        return f"a {thing.size} {thing.colour} {thing.shape} {thing.place}"

    things = " and ".join(phrase(thing) for thing in scene.things)
    return rng.choice((f"{things} on a {scene.background} background", f"{things}, {scene.background} background",
                       f"{scene.background} background, {things}"))


def plural(shape):
    """The plural of a shape's name."""
    return shape + ("es" if shape == "cross" else "s")


def distance(shape, x, y):
    """Signed distance, in radii, of points to a shape of radius one around the origin: negative inside."""
    if shape == "circle":
        return np.hypot(x, y) - 0.95
    if shape == "ring":
        return np.abs(np.hypot(x, y) - 0.76) - 0.26
    if shape == "square":
        return np.maximum(np.abs(x), np.abs(y)) - 0.84
    if shape == "cross":
        wide, high = np.abs(x), np.abs(y)
        return np.minimum(np.maximum(wide - 1.0, high - 0.31), np.maximum(high - 1.0, wide - 0.31))
    if shape == "triangle":
        return np.maximum(np.abs(x) * 0.866 - (y - 0.15) * 0.5, y - 0.15) - 0.54
    # A star of five points: one half of a point, mirrored and turned around.
    sector = 2 * np.pi / 5
    angle = np.abs((np.arctan2(x, -y) + sector / 2) % sector - sector / 2)
    radius = np.hypot(x, y)
    along, across = radius * np.cos(angle), radius * np.sin(angle)
    tip, notch = np.array((1.1, 0.0)), 0.5 * np.array((np.cos(sector / 2), np.sin(sector / 2)))
    edge = (notch - tip) / np.hypot(*(notch - tip))
    return (along - tip[0]) * edge[1] - across * edge[0]


def centres(scene, radii, rng):
    """A middle, in pixels, for each thing that is drawn, so that none touch."""
    def jittered(column, row, by):
        return GRID[column] + rng.uniform(-by, by), GRID[row] + rng.uniform(-by, by)

    if scene.kind == "pair":
        return [jittered(*PLACES[thing.place], 3.0) for thing in scene.things]
    if scene.kind == "one":
        return [jittered(*PLACES[scene.things[0].place], 3.5)]
    if scene.things[0].size == "large":
        quarters = rng.sample([(column, row) for column in (0, 2) for row in (0, 2)], len(radii))
        return [jittered(column, row, 2.5) for column, row in quarters]
    found = []
    while len(found) < len(radii):
        at = tuple(rng.uniform(20.0, SIDE - 20.0) for _ in range(2))
        if all(np.hypot(at[0] - other[0], at[1] - other[1]) > 38.0 for other in found):
            found.append(at)
        elif rng.random() < 0.02:
            found = []
    return found


def draw(scene, rng):
    """The picture of a scene: [128, 128, 3] uint8."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) + 0.5
    picture = shaded(BACKGROUNDS[scene.background], (columns - 64) / 64, (rows - 64) / 64, 0.07, rng)
    drawn = [thing for thing in scene.things for _ in range(thing.count)]
    radii = [rng.uniform(*RADII[thing.size]) for thing in drawn]
    for thing, radius, (left, top) in zip(drawn, radii, centres(scene, radii, rng)):
        turn = np.radians(rng.uniform(-12.0, 12.0))
        x, y = (columns - left) / radius, (rows - top) / radius
        x, y = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
        cover = np.clip(0.5 - distance(thing.shape, x, y) * radius, 0.0, 1.0)[..., None]
        colour = shaded(COLOURS[thing.colour], x, y, 0.10, rng)
        picture = picture * (1 - cover) + colour * cover
    return np.rint(np.clip(picture, 0.0, 1.0) * 255).astype(np.uint8)


def shaded(colour, x, y, amount, rng):
    """A colour, a little changed, brighter towards a random direction: [h, w, 3]."""
    angle = rng.uniform(0.0, 2 * np.pi)
    slope = rng.uniform(0.0, amount) * (np.cos(angle) * x + np.sin(angle) * y)
    base = np.array([channel + rng.uniform(-0.025, 0.025) for channel in colour], np.float32)
    return base * (1 + slope[..., None]) + 0.3 * slope[..., None]


def main():
    """Draws a sheet of examples and prints their captions."""
    import sys
    from PIL import Image

    rng = random.Random(1)
    stream = scenes(1)
    chosen = [next(stream) for _ in range(32)]
    rows = [np.concatenate([draw(scene, rng) for scene in chosen[i:i + 8]], 1) for i in range(0, 32, 8)]
    Image.fromarray(np.concatenate(rows)).save(sys.argv[1])
    for scene in chosen:
        print(caption(scene, rng))


if __name__ == "__main__":
    main()
