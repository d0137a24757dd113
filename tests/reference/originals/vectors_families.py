"""Golden vectors of LDM-4-G and DDPM: blocks, whole networks, DeepCache at every depth, the first stage."""

import torch
from golden import Golden, random, threads

from originals import load_file
from small_originals import LDM4G, SD1, Cut, class_table, ddpm_unet, ldm_unet, vq_model


def _inputs(name, case, channels, context=None):
    """case: batch, height, width, scale, training steps, tokens of context."""
    batch, height, width, scale, steps, tokens = case
    x = random(f"{name}/latent", batch, channels, height, width, scale=scale)
    t = torch.tensor(steps)
    return (x, t) if context is None else (x, t, random(f"{name}/context", batch, tokens, context))


def _write_cases(golden, cut, whole, family, cases, channels, context=None):
    for name, case in cases.items():
        inputs = _inputs(f"{family}/{name}", case, channels, context)
        for label, tensor in zip(("latent", "timesteps", "context"), inputs):
            golden.add(f"{name}/{label}", tensor)
        golden.run(f"{name}/prediction", lambda: cut(*inputs))
        if whole is not None and case[1] == case[2]:  # the loop of ours is the original's forward
            with torch.no_grad(), threads(1):
                assert torch.equal(whole(*inputs), cut(*inputs)), name


def _write_blocks(golden, cut, family, case, channels, context=None):
    inputs = _inputs(f"{family}/plain", case, channels, context)
    kept, skips = {}, []
    with torch.no_grad(), threads(1):
        cut(*inputs, keep=kept, encoder_outputs=skips)
    for unit, h in enumerate(skips):
        golden.add(f"plain/encoder/{unit}", h)
    for depth, h in sorted(kept.items()):
        golden.add(f"plain/feature/{depth}", h)


def _write_deepcache(golden, cut, family, case, channels, context=None):
    a = _inputs(f"{family}/a", case, channels, context)
    b = _inputs(f"{family}/b", case, channels, context)
    b = (a[0] + 0.25 * b[0], b[1] - 20, *a[2:])  # near a, as the next step of a run is
    for name, inputs in (("a", a), ("b", b)):
        for label, tensor in zip(("latent", "timesteps", "context"), inputs):
            golden.add(f"{name}/{label}", tensor)
    kept = {}
    golden.run("a/prediction", lambda: cut(*a, keep=kept))
    golden.run("b/prediction", lambda: cut(*b))
    with torch.no_grad(), threads(1):
        cut(*a, keep=kept)
    for depth in range(cut.skips):
        golden.add(f"a/feature/{depth}", kept[depth])
        golden.run(f"b/deep/{depth}", lambda: cut(*b, depth=depth, feature=kept[depth]))


def write_ldm4g(paths):
    unet = ldm_unet(paths.latent_diffusion, LDM4G)
    cut = Cut(unet)
    golden = Golden(paths, "originals/vectors_families.py", skips=cut.skips)
    plain = (1, 8, 16, 1.0, [981.0], 1)
    cases = {
        "plain": plain,
        "batch": (2, 16, 16, 1.0, [999.0, 301.0], 1),
        "three_tokens": (2, 8, 8, 1.0, [500.0, 1.0], 3),
        "quiet": (1, 8, 16, 1e-2, [261.0], 2),
    }
    _write_cases(golden, cut, lambda x, t, c: unet(x, t, context=c), "ldm4g", cases, 3, 64)
    _write_blocks(golden, cut, "ldm4g", plain, 3, 64)
    golden.write("ldm4g_small.safetensors")

    golden = Golden(paths, "originals/vectors_families.py", skips=cut.skips)
    _write_deepcache(golden, cut, "ldm4g", (2, 8, 8, 1.0, [981.0, 981.0], 1), 3, 64)
    # The fork's own cut at its only depth: the cached output of the last decoder unit but one is h_0.
    fork = ldm_unet(f"{paths.deepcache}/experiments/ldm", LDM4G)
    a, b = (tuple(golden.tensor(f"{n}/{x}") for x in ("latent", "timesteps", "context")) for n in "ab")
    with torch.no_grad(), threads(1):
        _, features = fork(a[0], a[1], context=a[2])
        cut_by_fork, _ = fork(b[0], b[1], context=b[2], prv_feature=features)
        assert torch.equal(cut_by_fork, golden.tensor("b/deep/0"))
    golden.write("ldm4g_deepcache_small.safetensors")


def write_vq(paths):
    model = vq_model(paths.latent_diffusion, paths.taming)
    golden = Golden(paths, "originals/vectors_families.py")
    for name, shape in (("plain", (1, 3, 8, 12)), ("batch", (2, 3, 5, 7))):
        latent = random(f"vq/{name}/latent", *shape)
        golden.add(f"{name}/latent", latent)
        golden.run(f"{name}/quantised", lambda: model.quantize(latent)[0])
        golden.run(f"{name}/decoded", lambda: model.decode(latent))
    for name, shape in (("plain", (1, 3, 16, 24)), ("batch", (2, 3, 12, 12))):
        pixels = random(f"vq/{name}/pixels", *shape, scale=0.5).clamp(-1, 1)
        golden.add(f"encode/{name}/pixels", pixels)
        golden.run(f"encode/{name}/latent", lambda: model.encode(pixels))
    golden.add("class/25", class_table()[25])
    golden.add("class/1000", class_table()[1000])
    golden.write("vq_small.safetensors")


def write_ddpm(paths, name):
    unet = ddpm_unet(f"{paths.ddim}/models/diffusion.py", name)
    cut = Cut(unet)
    lsun = name == "ddpm"
    side, wide = (64, 96) if lsun else (16, 24)
    file = name.replace("-", "_")
    golden = Golden(paths, "originals/vectors_families.py", skips=cut.skips)
    steps = torch.tensor([0.0, 1.0, 500.0, 999.0])
    golden.add("sinusoids/input", steps)
    sinusoids = load_file("original_ddpm_again", f"{paths.ddim}/models/diffusion.py").get_timestep_embedding
    golden.add("sinusoids/output", sinusoids(steps, 128))
    from diffusers.models.embeddings import get_timestep_embedding

    of_diffusers = get_timestep_embedding(steps, 128, flip_sin_to_cos=False, downscale_freq_shift=1)
    golden.add("sinusoids/diffusers", of_diffusers)
    small = (1, 32, 64) if lsun else (1, 8, 16)
    cases = {
        "plain": (*small, 1.0, [900.0], 0),
        "square": (1, side, side, 1.0, [999.0], 0),
        "batch": (2, *((32, 32) if lsun else (16, 16)), 1.0, [500.0, 1.0], 0),
        "wide": (1, side // 2, wide, 1.0, [40.0], 0),
        "quiet": (*small, 1e-2, [240.0], 0),
    }
    if lsun:
        del cases["wide"]
    whole = lambda x, t: unet(x, t) if x.shape[2] == unet.resolution else cut(x, t)  # noqa: E731
    _write_cases(golden, cut, whole, file, cases, 3)
    if not lsun:  # the blocks of six levels are the same ones, and large
        _write_blocks(golden, cut, file, cases["plain"], 3)
    golden.write(f"{file}_small.safetensors")

    golden = Golden(paths, "originals/vectors_families.py", skips=cut.skips)
    _write_deepcache(golden, cut, file, (1, *((32, 32) if lsun else (16, 16)), 1.0, [900.0], 0), 3)
    fork = ddpm_unet(f"{paths.deepcache}/experiments/ddpm/ddpm/models/deepcache_diffusion.py", name)
    fork.resolution = golden.tensor("a/latent").shape[2]
    a, b = ((golden.tensor(f"{n}/latent"), golden.tensor(f"{n}/timesteps")) for n in "ab")
    for branch in range(cut.skips - 1):  # the fork's branch b is our depth b + 1
        with torch.no_grad(), threads(1):
            _, features = fork(*a, branch=branch)
            cut_by_fork, _ = fork(*b, prv_f=features, branch=branch)
        assert torch.equal(cut_by_fork, golden.tensor(f"b/deep/{branch + 1}")), branch
    large = range(9) if lsun else range(3)  # the test takes its own, which equal the others' in the file above
    golden.drop(lambda tensor: tensor.startswith("a/feature/") and int(tensor[10:]) in large)
    golden.write(f"{file}_deepcache_small.safetensors")


def write(paths):
    write_ldm4g(paths)
    write_vq(paths)
    write_ddpm(paths, "ddpm")
    write_ddpm(paths, "ddpm-cifar")
