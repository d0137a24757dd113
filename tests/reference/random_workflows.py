"""Workflows by chance, in ComfyUI's API format: each from a seed of its own, around one group of nodes."""

import random

SMALL = "small.safetensors"
INPAINTING = "inpainting.safetensors"
PICTURES = ["one.png", "two.png"]  # RGBA, of different sizes
UPSCALE = ["nearest-exact", "bilinear", "area", "bicubic"]
WORDS = "sea lamp red tower quiet glass (old:1.3) ((wide)) storm (thin:0.6) paper \\(x\\) 42 naive".split()


class Workflow:
    """Nodes with counted ids, and the draws that made them."""

    def __init__(self, name, seed):
        self.name, self.nodes, self.rng = name, {}, random.Random(f"{name}/{seed}")

    def add(self, node, **inputs):
        self.nodes[str(len(self.nodes) + 1)] = {"class_type": node, "inputs": inputs}
        return str(len(self.nodes))

    def side(self, low=6, high=20):
        return 8 * self.rng.randint(low, high)

    def share(self, low=0.0, high=1.0):
        return round(self.rng.uniform(low, high), 2)

    def seed(self):
        return self.rng.randrange(1 << 63)

    def words(self):
        return " ".join(self.rng.choice(WORDS) for _ in range(self.rng.randint(1, 12)))

    def picture(self):
        return [self.add("LoadImage", image=self.rng.choice(PICTURES)), 0]

    def mask(self):
        if self.rng.random() < 0.5:
            return [self.add("LoadImage", image=self.rng.choice(PICTURES)), 1]
        mask = self.add("LoadImageMask", image=PICTURES[0], channel=self.rng.choice(["red", "green", "blue", "alpha"]))
        return [self.add("InvertMask", mask=[mask, 0]), 0] if self.rng.random() < 0.3 else [mask, 0]

    def save(self, latent):
        self.add("SaveLatent", samples=latent, filename_prefix=f"{self.name}/latent")

    def save_picture(self, pixels):
        self.add("SaveImage", images=pixels, filename_prefix=f"{self.name}/picture")


class Painting(Workflow):
    """A workflow with a model, two prompts and a latent."""

    def __init__(self, name, seed, checkpoint=SMALL):
        super().__init__(name, seed)
        loader = self.add("CheckpointLoaderSimple", ckpt_name=checkpoint)
        self.model, self.clip, self.vae = [loader, 0], [loader, 1], [loader, 2]
        self.width, self.height, self.batch = self.side(), self.side(), self.rng.choice([1, 1, 1, 2])
        self.positive, self.negative = self.prompt(), self.prompt()

    def prompt(self, words=None):
        return [self.add("CLIPTextEncode", clip=self.clip, text=words or self.words()), 0]

    def empty(self):
        latent = self.add("EmptyLatentImage", width=self.width, height=self.height, batch_size=self.batch)
        return [latent, 0]

    def sampled(self, latent, **settings):
        inputs = {
            "seed": self.seed(),
            "steps": self.rng.randint(3, 6),
            "cfg": round(self.rng.uniform(1.5, 9), 1),
            "sampler_name": self.rng.choice(["euler", "dpmpp_2m", "ddim", "uni_pc"]),
            "scheduler": self.rng.choice(["normal", "karras", "simple"]),
            "denoise": 1.0,
            **settings,
        }
        sampler = self.add(
            "KSampler",
            model=self.model,
            positive=self.positive,
            negative=self.negative,
            latent_image=latent,
            **inputs,
        )
        return [sampler, 0]


def sampler(name, seed, sampler_name, scheduler):
    """One sampler on one scheduler: whole, from a latent that is there, or in two parts."""
    w = Painting(name, seed)
    steps, kind = w.rng.randint(2, 9), w.rng.choice(["whole", "partly", "parts"])
    common = {"sampler_name": sampler_name, "scheduler": scheduler, "steps": steps}
    if kind != "parts" or steps < 3:
        denoise = 1.0 if kind == "whole" else w.share(0.3, 0.95)
        w.save(w.sampled(w.empty() if kind == "whole" else sampled_before(w), denoise=denoise, **common))
        return w
    cut = w.rng.randint(1, steps - 1)
    common.update(model=w.model, positive=w.positive, negative=w.negative, cfg=round(w.rng.uniform(1.5, 9), 1))
    first = w.add(
        "KSamplerAdvanced",
        add_noise="enable",
        noise_seed=w.seed(),
        start_at_step=0,
        end_at_step=cut,
        return_with_leftover_noise=w.rng.choice(["enable", "disable"]),
        latent_image=w.empty(),
        **common,
    )
    second = w.add(
        "KSamplerAdvanced",
        add_noise=w.rng.choice(["enable", "disable"]),
        noise_seed=w.seed(),
        start_at_step=cut,
        end_at_step=10000,
        return_with_leftover_noise="disable",
        latent_image=[first, 0],
        **common,
    )
    w.save([second, 0])
    return w


def sampled_before(w):
    """A latent of a picture, so that it is not zeros."""
    sides = {"width": w.width, "height": w.height}
    scaled = w.add("ImageScale", image=w.picture(), upscale_method="bilinear", crop="center", **sides)
    return [w.add("VAEEncode", pixels=[scaled, 0], vae=w.vae), 0]


def conditioning(name, seed):
    w = Painting(name, seed)
    if w.rng.random() < 0.3:
        w.clip = [w.add("CLIPSetLastLayer", clip=w.clip, stop_at_clip_layer=w.rng.choice([-1, -2, -3])), 0]

    def changed(conditioning):
        kind = w.rng.choice(["area", "shares", "mask", "range", "zero", "combine", "concat", "average"])
        if kind == "area":
            sides = {"width": 8 * w.rng.randint(8, 14), "height": 8 * w.rng.randint(8, 14)}
            place = {"x": 8 * w.rng.randint(0, 2), "y": 8 * w.rng.randint(0, 2), "strength": w.share(0.2, 2)}
            return [w.add("ConditioningSetArea", conditioning=conditioning, **sides, **place), 0]
        if kind == "shares":
            x, y = w.share(0, 0.5), w.share(0, 0.5)
            sides = {"width": w.share(0.2, 1 - x), "height": w.share(0.2, 1 - y)}
            area = w.add(
                "ConditioningSetAreaPercentage", conditioning=conditioning, x=x, y=y, strength=w.share(0.2, 2), **sides
            )
            return [area, 0]
        if kind == "mask":
            bounds = w.rng.choice(["default", "mask bounds"])
            strength = w.share(0.2, 2)
            return [
                w.add(
                    "ConditioningSetMask",
                    conditioning=conditioning,
                    mask=w.mask(),
                    strength=strength,
                    set_cond_area=bounds,
                ),
                0,
            ]
        if kind == "range":
            start = w.share(0, 0.6)
            return [
                w.add("ConditioningSetTimestepRange", conditioning=conditioning, start=start, end=w.share(start, 1)),
                0,
            ]
        if kind == "zero":
            return [w.add("ConditioningZeroOut", conditioning=conditioning), 0]
        if kind == "combine":
            return [w.add("ConditioningCombine", conditioning_1=conditioning, conditioning_2=w.prompt()), 0]
        if kind == "concat":
            return [w.add("ConditioningConcat", conditioning_to=conditioning, conditioning_from=w.prompt()), 0]
        average = w.add(
            "ConditioningAverage",
            conditioning_to=conditioning,
            conditioning_from=w.prompt(),
            conditioning_to_strength=w.share(),
        )
        return [average, 0]

    positive, negative = w.prompt(), w.prompt()
    for _ in range(w.rng.randint(1, 3)):
        positive = changed(positive)
    if w.rng.random() < 0.4:
        negative = changed(negative)
    # Something that holds everywhere and always, so that no cell is left out.
    w.positive = [w.add("ConditioningCombine", conditioning_1=positive, conditioning_2=w.prompt()), 0]
    w.negative = [w.add("ConditioningCombine", conditioning_1=negative, conditioning_2=w.prompt()), 0]
    w.save(w.sampled(w.empty(), denoise=1.0))
    return w


def latents(name, seed):
    w = Painting(name, seed)
    w.batch = 1

    def source():
        kind = w.rng.choice(["encode", "inpaint", "tiled"])
        if kind == "encode":
            return [w.add("VAEEncode", pixels=w.picture(), vae=w.vae), 0]
        if kind == "tiled":
            tiles = {"tile_size": 64, "overlap": w.rng.choice([0, 16]), "temporal_size": 64, "temporal_overlap": 8}
            return [w.add("VAEEncodeTiled", pixels=w.picture(), vae=w.vae, **tiles), 0]
        grow = w.rng.randint(0, 12)
        return [w.add("VAEEncodeForInpaint", pixels=w.picture(), vae=w.vae, mask=w.mask(), grow_mask_by=grow), 0]

    def changed(latent):
        method = w.rng.choice(UPSCALE + ["bislerp"])
        kind = w.rng.choice(["upscale", "by", "composite", "blend", "repeat", "mask", "rebatch"])
        if kind == "upscale":
            sides = {"width": w.side(), "height": w.rng.choice([0, w.side()])}
            crop = w.rng.choice(["disabled", "center"])
            return [w.add("LatentUpscale", samples=latent, upscale_method=method, crop=crop, **sides), 0]
        if kind == "by":
            by = w.share(0.5, 1.6)
            return [w.add("LatentUpscaleBy", samples=latent, upscale_method=method, scale_by=by), 0]
        if kind == "composite":
            place = {"x": 8 * w.rng.randint(0, 4), "y": 8 * w.rng.randint(0, 4), "feather": 8 * w.rng.randint(0, 3)}
            return [w.add("LatentComposite", samples_to=latent, samples_from=source(), **place), 0]
        if kind == "blend":
            return [w.add("LatentBlend", samples1=latent, samples2=source(), blend_factor=w.share()), 0]
        if kind == "repeat":
            many = [w.add("RepeatLatentBatch", samples=latent, amount=3), 0]
            first, length = w.rng.randint(0, 3), w.rng.randint(1, 3)
            return [w.add("LatentFromBatch", samples=many, batch_index=first, length=length), 0]
        if kind == "rebatch":
            many = [w.add("RepeatLatentBatch", samples=latent, amount=2), 0]
            return [w.add("RebatchLatents", latents=many, batch_size=3), 0]
        return [w.add("SetLatentNoiseMask", samples=latent, mask=w.mask()), 0]

    latent = source()
    for _ in range(w.rng.randint(1, 3)):
        latent = changed(latent)
    if w.rng.random() < 0.7:
        latent = w.sampled(latent, denoise=w.share(0.3, 1))
    w.save(latent)
    if w.rng.random() < 0.4:
        w.save_picture([w.add("VAEDecode", samples=latent, vae=w.vae), 0])
    return w


def inpainting(name, seed):
    w = Painting(name, seed, INPAINTING)
    told = w.add(
        "InpaintModelConditioning",
        positive=w.positive,
        negative=w.negative,
        vae=w.vae,
        pixels=w.picture(),
        mask=w.mask(),
        noise_mask=w.rng.random() < 0.6,
    )
    if w.rng.random() < 0.8:
        w.positive, w.negative = [told, 0], [told, 1]
    w.save(w.sampled([told, 2], denoise=w.share(0.5, 1)))
    return w


def patches(name, seed):
    w = Painting(name, seed, INPAINTING)
    for _ in range(w.rng.randint(1, 3)):
        kind = w.rng.choice(["FreeU", "FreeU_V2", "PatchModelAddDownscale", "RescaleCFG", "ModelSamplingDiscrete"])
        if kind.startswith("FreeU"):
            factors = {name: w.share(0.2, 1.8) for name in ["b1", "b2", "s1", "s2"]}
            w.model = [w.add(kind, model=w.model, **factors), 0]
        elif kind == "PatchModelAddDownscale":
            start = w.share(0, 0.4)
            window = {"start_percent": start, "end_percent": w.share(start, 1)}
            methods = {name: w.rng.choice(UPSCALE + ["bislerp"]) for name in ["downscale_method", "upscale_method"]}
            patch = w.add(
                kind,
                model=w.model,
                block_number=w.rng.randint(1, 8),
                downscale_factor=w.share(0.7, 2.2),
                downscale_after_skip=w.rng.random() < 0.5,
                **window,
                **methods,
            )
            w.model = [patch, 0]
        elif kind == "RescaleCFG":
            w.model = [w.add(kind, model=w.model, multiplier=w.share()), 0]
        else:
            sampling = w.rng.choice(["eps", "v_prediction", "lcm", "x0"])
            w.model = [w.add(kind, model=w.model, sampling=sampling, zsnr=w.rng.random() < 0.3), 0]
    w.width, w.height = w.side(12, 20), w.side(12, 20)  # FreeU_V2 wants more than one cell at the bottom
    w.save(w.sampled(w.empty()))
    return w


def custom(name, seed):
    w = Painting(name, seed)
    steps, shape = w.rng.randint(3, 8), {"sigma_max": 14.614642, "sigma_min": 0.0291675}
    kind = w.rng.choice(["BasicScheduler", "KarrasScheduler", "ExponentialScheduler"])
    if kind == "BasicScheduler":
        scheduler = w.rng.choice(["normal", "sgm_uniform", "beta", "linear_quadratic", "kl_optimal"])
        sigmas = [w.add(kind, model=w.model, scheduler=scheduler, steps=steps, denoise=w.share(0.5, 1)), 0]
    elif kind == "KarrasScheduler":
        sigmas = [w.add(kind, steps=steps, rho=w.rng.choice([3.0, 7.0]), **shape), 0]
    else:
        sigmas = [w.add(kind, steps=steps, **shape), 0]
    if w.rng.random() < 0.4:
        sigmas = [w.add("SplitSigmas", sigmas=sigmas, step=w.rng.randint(1, steps - 1)), w.rng.choice([0, 1])]
    if w.rng.random() < 0.15:
        sigmas = [w.add("FlipSigmas", sigmas=sigmas), 0]
    sampler_name = w.rng.choice(["euler", "heun", "dpmpp_2m_sde", "ipndm", "res_multistep"])
    choice = [w.add("KSamplerSelect", sampler_name=sampler_name), 0]
    cfg = round(w.rng.uniform(1, 9), 1)
    if w.rng.random() < 0.4:
        run = w.add(
            "SamplerCustom",
            model=w.model,
            add_noise=w.rng.random() < 0.7,
            noise_seed=w.seed(),
            cfg=cfg,
            positive=w.positive,
            negative=w.negative,
            sampler=choice,
            sigmas=sigmas,
            latent_image=sampled_before(w),
        )
    else:
        noise = w.add("RandomNoise", noise_seed=w.seed()) if w.rng.random() < 0.8 else w.add("DisableNoise")
        if w.rng.random() < 0.5:
            guider = w.add("CFGGuider", model=w.model, positive=w.positive, negative=w.negative, cfg=cfg)
        else:
            guider = w.add("BasicGuider", model=w.model, conditioning=w.positive)
        run = w.add(
            "SamplerCustomAdvanced",
            noise=[noise, 0],
            guider=[guider, 0],
            sampler=choice,
            sigmas=sigmas,
            latent_image=sampled_before(w),
        )
    w.save([run, w.rng.choice([0, 1])])
    return w


def pictures(name, seed):
    w = Workflow(name, seed)

    def changed(pixels):
        method = w.rng.choice(UPSCALE + ["lanczos"])
        kind = w.rng.choice(["scale", "by", "invert", "batch", "crop", "blur", "blend", "sharpen", "pad", "mask"])
        if kind == "scale":
            sides = {"width": w.rng.randint(20, 150), "height": w.rng.choice([0, w.rng.randint(20, 150)])}
            crop = w.rng.choice(["disabled", "center"])
            return [w.add("ImageScale", image=pixels, upscale_method=method, crop=crop, **sides), 0]
        if kind == "by":
            return [w.add("ImageScaleBy", image=pixels, upscale_method=method, scale_by=w.share(0.4, 2)), 0]
        if kind == "invert":
            return [w.add("ImageInvert", image=pixels), 0]
        if kind == "batch":
            return [w.add("ImageBatch", image1=pixels, image2=w.picture()), 0]
        if kind == "crop":
            sides = {"width": w.rng.randint(10, 60), "height": w.rng.randint(10, 60)}
            return [w.add("ImageCrop", image=pixels, x=w.rng.randint(0, 40), y=w.rng.randint(0, 40), **sides), 0]
        if kind == "blur":
            return [w.add("ImageBlur", image=pixels, blur_radius=w.rng.randint(1, 9), sigma=w.share(0.2, 4)), 0]
        if kind == "sharpen":
            settings = {"sharpen_radius": w.rng.randint(1, 6), "sigma": w.share(0.2, 3), "alpha": w.share(0, 3)}
            return [w.add("ImageSharpen", image=pixels, **settings), 0]
        if kind == "blend":
            mode = w.rng.choice(["normal", "multiply", "screen", "overlay", "soft_light", "difference"])
            return [
                w.add("ImageBlend", image1=pixels, image2=w.picture(), blend_factor=w.share(), blend_mode=mode),
                0,
            ]
        if kind == "pad":
            sides = {side: 8 * w.rng.randint(0, 4) for side in ["left", "top", "right", "bottom"]}
            pad = w.add("ImagePadForOutpaint", image=pixels, feathering=w.rng.randint(0, 30), **sides)
            if w.rng.random() < 0.5:
                return [pad, 0]
            return [w.add("MaskToImage", mask=[pad, 1]), 0]
        mask = [w.add("ImageToMask", image=pixels, channel=w.rng.choice(["red", "green", "blue"])), 0]
        return [w.add("MaskToImage", mask=mask), 0]

    pixels = w.picture()
    for _ in range(w.rng.randint(1, 4)):
        pixels = changed(pixels)
    w.save_picture(pixels)
    return w


GROUPS = {
    "conditioning": conditioning,
    "latents": latents,
    "inpainting": inpainting,
    "patches": patches,
    "custom": custom,
    "pictures": pictures,
}


def all_workflows(seed, count, samplers, schedulers):
    """Every sampler on every scheduler, and `count` workflows of each other group."""
    workflows = []
    for sampler_name in samplers:
        for scheduler in schedulers:
            workflows.append(sampler(f"sampler-{sampler_name}-{scheduler}", seed, sampler_name, scheduler))
    for group, make in GROUPS.items():
        workflows += [make(f"{group}-{number}", seed) for number in range(count)]
    return workflows
