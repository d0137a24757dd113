"""Golden vectors of the picture nodes, and the small picture files that they load (tests/data/pictures)."""

import numpy
import torch
from PIL import Image

from golden import FOLDER, Golden, random, threads

PICTURES = FOLDER.parent / "pictures"
WIDTH, HEIGHT = 23, 17


def _scene(channels):
    """A smooth picture with an edge, 8 bits a channel."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [numpy.sin(x / (3 + c) + y / (5 - c)) * 100 + 128 for c in range(channels)]
    scene = numpy.stack(waves, -1)
    scene[4:9, 6:15] = 255 - scene[4:9, 6:15]
    return numpy.clip(scene, 0, 255).astype(numpy.uint8)


def _write_files():
    PICTURES.mkdir(parents=True, exist_ok=True)
    rgb, rgba = Image.fromarray(_scene(3)), Image.fromarray(_scene(4))
    grey = Image.fromarray(_scene(3)[:, :, 0])
    rgb.save(PICTURES / "rgb.png")
    rgba.save(PICTURES / "rgba.png")
    grey.save(PICTURES / "grey.png")
    Image.merge("LA", (grey, rgba.getchannel("A"))).save(PICTURES / "grey_alpha.png")
    grey.point(lambda v: 255 * (v > 128)).convert("1").save(PICTURES / "bits.png")
    palette = rgb.quantize(16)
    palette.save(PICTURES / "palette.png")
    palette.save(PICTURES / "palette_transparent.png", transparency=bytes([0, 60, 120, 255]))
    rgb.save(PICTURES / "colour_key.png", transparency=(255, 0, 0))
    Image.fromarray(_scene(3)[:, :, 1].astype(numpy.uint16) * 256 + 77).save(PICTURES / "grey16.png")
    rgb.save(PICTURES / "colour.jpg", quality=85)
    rgb.save(PICTURES / "fine.jpg", quality=92, subsampling=0, progressive=True)
    grey.save(PICTURES / "grey.jpg", quality=80)
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        rgb.save(PICTURES / f"turned{orientation}.jpg", quality=85, exif=exif)
    rgb.save(PICTURES / "turned6.png", exif=exif)
    rgb.save(PICTURES / "lossy.webp", quality=80)
    rgba.save(PICTURES / "lossless.webp", lossless=True, exif=exif)


def write(oracle):
    import folder_paths

    golden = Golden(oracle, "vectors_pictures.py")
    _write_files()
    folder_paths.set_input_directory(str(PICTURES))
    for file in sorted(PICTURES.iterdir()):
        picture, mask = oracle.nodes.LoadImage().load_image(file.name)
        golden.add(f"load/{file.name}/picture", (picture * 255).round().to(torch.uint8))
        golden.add(f"load/{file.name}/mask", (mask * 255).round().to(torch.uint8))
    for name in ["rgba.png", "colour.jpg", "palette_transparent.png"]:
        for channel in ["alpha", "red", "green", "blue"]:
            mask = oracle.nodes.LoadImageMask().load_image(name, channel)[0]
            golden.add(f"load_mask/{name}/{channel}", (mask * 255).round().to(torch.uint8))
    with torch.inference_mode(), threads(1):
        _write_nodes(oracle.nodes, golden)
    golden.write("pictures.safetensors")


def _write_nodes(nodes, golden):
    from comfy_extras import nodes_post_processing as post

    one = torch.from_numpy(_scene(3)).float()[None] / 255
    two = torch.sigmoid(random("pictures/two", 1, 11, 13, 3))
    golden.add("input/one", one)
    golden.add("input/two", two)
    for method in ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]:
        golden.add(f"scale/{method}", nodes.ImageScale().upscale(one, method, 31, 12, "disabled")[0])
        golden.add(f"scale_by/{method}", nodes.ImageScaleBy().upscale(one, method, 0.6)[0])
    golden.add("scale/center", nodes.ImageScale().upscale(one, "lanczos", 12, 30, "center")[0])
    golden.add("scale/by_width", nodes.ImageScale().upscale(one, "bilinear", 40, 0, "disabled")[0])
    golden.add("batch", nodes.ImageBatch().batch(one, two)[0])
    padded, mask = nodes.ImagePadForOutpaint().expand_image(one, 8, 0, 16, 8, 5)
    golden.add("pad/picture", padded)
    golden.add("pad/mask", mask)
    for mode in ["normal", "multiply", "screen", "overlay", "soft_light", "difference"]:
        golden.add(f"blend/{mode}", post.Blend.execute(one, two, 0.7, mode).args[0])
    golden.add("blur", post.Blur.execute(one, 4, 0.6).args[0])
    golden.add("sharpen", post.Sharpen.execute(one, 2, 0.9, 0.4).args[0])
