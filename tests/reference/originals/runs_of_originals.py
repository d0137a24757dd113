"""Runs of the originals with settings of anybody's choice, DeepCache off and on, for compare_originals.py.

A run is full at a list of steps and cut at a depth at the others. Each function takes the settings of a case and gives
the last latent, as a checkpoint's own network sees it.
"""

import contextlib
import sys
from pathlib import Path

import torch

from originals import Namespace, load_file, on_the_cpu, stub, use_ldm
from random_weights import fill
from small_originals import LDM4G, SD1, UNET, Cut, class_table, ddpm_config, ddpm_unet, ldm_unet
from vectors_reference_samplers import LdmModel, ddpm_betas, ddpm_sequence, ldm_run

# Of CLIP's vocabulary: "a photo of a cat"; published beside the tokenizer.
PROMPT = [320, 1125, 539, 320, 2368]


class Listed:
    """A model function that is full at listed steps. PLMS' first step has two calls (`doubled`)."""

    def __init__(self, cut, full, depth, doubled=False):
        self.cut, self.full, self.depth, self.doubled, self.call, self.kept = cut, full, depth, doubled, 0, {}

    def __call__(self, x, t, context=None):
        step = max(self.call - 1, 0) if self.doubled else self.call
        self.call += 1
        if self.full is None or step in self.full or self.call == 1:
            return self.cut(x, t, context, keep=self.kept)
        return self.cut(x, t, context, depth=self.depth, feature=self.kept[self.depth])


def text_states(seed, ids):
    """CLIP's last states of a prompt, by transformers, on the small checkpoint's weights; [1, 77, 64]."""
    from transformers import CLIPTextConfig, CLIPTextModel

    sizes = dict(vocab_size=49408, hidden_size=64, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4)
    model = CLIPTextModel(CLIPTextConfig(**sizes, hidden_act="quick_gelu", attn_implementation="eager"))
    fill(model, "cond_stage_model.transformer.", seed)
    tokens = torch.tensor([([49406] + ids + [49407] * 77)[:77]])
    return model(tokens).last_hidden_state


class Originals:
    """The originals on the weights of one seed; networks are made once."""

    def __init__(self, paths, seed):
        self.paths, self.seed, self._made = paths, seed, {}

    def _once(self, name, make):
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def _ldm(self, checkout, case, cut, law, shape, positive, negative):
        use_ldm(checkout)
        model = LdmModel(law, Listed(cut, case["full"], case["depth"], case["method"] == "plms"))
        guidance = dict(conditioning=positive, unconditional_conditioning=negative)
        guidance["unconditional_guidance_scale"] = case["scale"]
        quad = case["rule"] == "ldm quad"
        return ldm_run(
            case["method"], model, case["steps"], case["eta"], quad, shape, case["noise"], **guidance
        )[0][-1]

    def ldm4g(self, case):
        cut = self._once("ldm4g", lambda: Cut(ldm_unet(self.paths.latent_diffusion, LDM4G, self.seed)))
        return self._ldm(self.paths.latent_diffusion, case, cut, "ldm4g", *self._classes(case))

    def _classes(self, case):
        """The latents' shape, and the conditioning of the labels and of none."""
        table, count = self._once("classes", lambda: class_table(self.seed)), len(case["labels"])
        return (count, 3, 16, 16), table[case["labels"]].unsqueeze(1), table[[1000] * count].unsqueeze(1)

    def ldm4g_fork(self, case):
        """DeepCache's own sampler, network and choice of the full steps; its only branch is depth 0."""
        checkout = f"{self.paths.deepcache}/experiments/ldm"
        unet = self._once("ldm4g fork", lambda: ldm_unet(checkout, LDM4G, self.seed))
        use_ldm(checkout)
        model = LdmModel("ldm4g", None)
        model.model = _fork_wrapper(unet)
        model.apply_model = lambda x, t, c: model.model(x, t, c_crossattn=[c])
        shape, classes, nothing = self._classes(case)
        guidance = dict(conditioning=classes, unconditional_conditioning=nothing)
        guidance["unconditional_guidance_scale"] = case["scale"]
        uneven = dict(nonuniform=True, pow=case["power"]) if case["power"] else {}
        return ldm_run(
            "ddim", model, case["steps"], case["eta"], False, shape, case["noise"], **guidance, **uneven,
            replicate_interval=case["interval"],
        )[0][-1]

    def _texts(self):
        """Positive and negative, kept in a file: transformers and diffusers need not go together."""
        file = Path(self.paths.cache) / f"texts_{self.seed}.pt"
        if not file.exists():
            torch.save([text_states(self.seed, ids) for ids in (PROMPT, [])], file)
        return self._once("texts", lambda: torch.load(file))

    def sd1(self, case):
        cut = self._once("sd1", lambda: Cut(ldm_unet(self.paths.stable_diffusion, SD1, self.seed)))
        positive, negative = self._texts()
        return self._ldm(self.paths.stable_diffusion, case, cut, "sd1", (1, 4, *case["size"]), positive, negative)

    def ddpm(self, case):
        name = case["family"]
        cut = self._once(name, lambda: Cut(ddpm_unet(f"{self.paths.ddim}/models/diffusion.py", name, self.seed)))
        denoising = load_file("original_denoising", f"{self.paths.ddim}/functions/denoising.py")
        side = ddpm_config(name).data.image_size
        sequence = ddpm_sequence(case["rule"].split()[1], case["steps"])
        model = Listed(cut, case["full"], case["depth"])
        torch.manual_seed(case["noise"])
        with on_the_cpu():
            x = torch.randn(case["batch"], 3, side, side)
            if case["method"] == "ddpm":
                return denoising.ddpm_steps(x, sequence, model, ddpm_betas())[0][-1]
            return denoising.generalized_steps(x, sequence, model, ddpm_betas(), eta=case["eta"])[0][-1]

    def ddpm_fork(self, case):
        """DeepCache's own runner; its branch b is depth b + 1."""
        name = case["family"]
        root = f"{self.paths.deepcache}/experiments/ddpm/ddpm"
        path = f"{root}/models/deepcache_diffusion.py"
        unet = self._once(f"fork {name}", lambda: ddpm_unet(path, name, self.seed))
        fork = load_file("fork_denoising", f"{root}/functions/deepcache_denoising.py")
        side = ddpm_config(name).data.image_size
        sequence = ddpm_sequence(case["rule"].split()[1], case["steps"])
        torch.manual_seed(case["noise"])
        with on_the_cpu():
            return fork.generalized_steps(
                torch.randn(case["batch"], 3, side, side), sequence, unet, ddpm_betas(), timesteps=case["steps"],
                cache_interval=case["interval"], branch=case["depth"] - 1, eta=case["eta"],
            )[0][-1]

    def diffusers_sd1(self, case):
        """diffusers' own network and schedulers; cached by DeepCache's helper, whose branch is the depth."""
        from diffusers import DDIMScheduler, PNDMScheduler

        unet = self._once("diffusers sd1", self._diffusers_sd1_unet)
        law = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, set_alpha_to_one=False)
        law |= dict(timestep_spacing=case["rule"].split()[1], steps_offset=case["offset"])
        plms = case["method"] == "plms"
        scheduler = PNDMScheduler(skip_prk_steps=True, **law) if plms else DDIMScheduler(clip_sample=False, **law)
        positive, negative = self._texts()
        both = torch.cat([negative, positive])

        def predict(x, t):
            e = unet(torch.cat([x, x]), t, encoder_hidden_states=both).sample
            return e[:1] + case["scale"] * (e[1:] - e[:1])

        options = {} if plms else {"eta": case["eta"]}
        helper = self._helper(unet, scheduler, case) if case["full"] is not None else None
        try:
            return _diffusers_run(scheduler, case, (1, 4, *case["size"]), predict, options)
        finally:
            if helper:
                helper.disable()

    def _helper(self, unet, scheduler, case):
        path = f"{self.paths.deepcache}/DeepCache/extension/deepcache.py"
        helper = load_file("deepcache_helper", path).DeepCacheSDHelper(Namespace(unet=unet, scheduler=scheduler))
        helper.set_params(cache_interval=case["interval"], cache_branch_id=case["depth"])
        helper.enable()
        return helper

    def _diffusers_unets(self):
        return [made for name, made in self._made.items() if name.startswith("diffusers")]

    @contextlib.contextmanager
    def plain_attention(self):
        """diffusers' networks with attention written out, instead of torch's fused one."""
        from diffusers.models.attention_processor import Attention, AttnProcessor

        modules = [part for unet in self._diffusers_unets() for part in unet.modules() if isinstance(part, Attention)]
        kept = [module.processor for module in modules]
        for module in modules:
            module.set_processor(AttnProcessor())
        try:
            yield
        finally:
            for module, processor in zip(modules, kept):
                module.set_processor(processor)

    def _diffusers_sd1_unet(self):
        from diffusers import UNet2DConditionModel
        from diffusers.loaders import single_file_utils

        unet = UNet2DConditionModel(
            block_out_channels=(64, 128, 192, 192), layers_per_block=2, cross_attention_dim=64, attention_head_dim=8
        )
        made = self._once("sd1", lambda: Cut(ldm_unet(self.paths.stable_diffusion, SD1, self.seed))).unet
        state = {UNET + name: tensor for name, tensor in made.state_dict().items()}
        config = dict(layers_per_block=2, class_embed_type=None, **{k: unet.config[k] for k in _BLOCKS})
        unet.load_state_dict(single_file_utils.convert_ldm_unet_checkpoint(state, config))
        return unet.eval().requires_grad_(False)

    def diffusers_ddpm(self, case):
        from diffusers import DDIMScheduler, DDPMScheduler

        unet = self._once(f"diffusers {case['family']}", lambda: self._diffusers_ddpm_unet(case["family"]))
        law = dict(beta_start=1e-4, beta_end=0.02, timestep_spacing=case["rule"].split()[1], clip_sample=case["clip"])
        ddpm = case["method"] == "ddpm"
        scheduler = DDPMScheduler(variance_type=case["variance"], **law) if ddpm else DDIMScheduler(**law)
        side = ddpm_config(case["family"]).data.image_size
        options = {} if ddpm else {"eta": case["eta"]}
        return _diffusers_run(scheduler, case, (case["batch"], 3, side, side), lambda x, t: unet(x, t).sample, options)

    def _diffusers_ddpm_unet(self, name):
        from diffusers import UNet2DModel

        sizes = ddpm_config(name).model
        side = ddpm_config(name).data.image_size
        attention = [side >> level in sizes.attn_resolutions for level in range(len(sizes.ch_mult))]
        unet = UNet2DModel(
            block_out_channels=[sizes.ch * m for m in sizes.ch_mult],
            down_block_types=["AttnDownBlock2D" if a else "DownBlock2D" for a in attention],
            up_block_types=["AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention)],
            layers_per_block=2, norm_eps=1e-6, downsample_padding=0, freq_shift=1, flip_sin_to_cos=False,
            attention_head_dim=None,
        )
        path = f"{self.paths.ddim}/models/diffusion.py"
        state = self._once(name, lambda: Cut(ddpm_unet(path, name, self.seed))).unet.state_dict()
        renamed = {diffusers_ddpm_name(key, len(attention)): tensor for key, tensor in state.items()}
        shapes = {key: tensor.shape for key, tensor in unet.state_dict().items()}
        unet.load_state_dict({key: tensor.reshape(shapes[key]) for key, tensor in renamed.items()})
        return unet.eval().requires_grad_(False)


def _fork_wrapper(unet):
    """The fork's DiffusionWrapper around a network; the file that has it imports much that sampling does not use."""
    stub("pytorch_lightning.utilities", "pytorch_lightning.utilities.distributed", "torchvision", "torchvision.utils")
    stub("ldm.models.autoencoder")
    lightning = sys.modules["pytorch_lightning"]
    lightning.LightningModule = torch.nn.Module
    sys.modules["pytorch_lightning.utilities.distributed"].rank_zero_only = lambda function: function
    sys.modules["torchvision.utils"].make_grid = None
    for name in ("VQModelInterface", "IdentityFirstStage", "AutoencoderKL"):
        setattr(sys.modules["ldm.models.autoencoder"], name, torch.nn.Module)
    from ldm.models.diffusion.ddpm import DiffusionWrapper

    wrapper = DiffusionWrapper({"target": "torch.nn.Identity"}, "crossattn")
    wrapper.diffusion_model = unet
    return wrapper


_BLOCKS = ("down_block_types", "up_block_types")
_PARTS = {
    "temb.dense.0": "time_embedding.linear_1", "temb.dense.1": "time_embedding.linear_2", "norm_out": "conv_norm_out",
    "mid.block_1": "mid_block.resnets.0", "mid.block_2": "mid_block.resnets.1", "mid.attn_1": "mid_block.attentions.0",
}
_LEAVES = {"temb_proj": "time_emb_proj", "nin_shortcut": "conv_shortcut"}
_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}


def diffusers_ddpm_name(name, levels):
    """What diffusers calls a tensor of ermongroup's network."""
    attention = ".attn" in name
    for old, new in _PARTS.items():
        if name.startswith(old + "."):
            name = new + name[len(old) :]
    parts = name.split(".")
    if parts[0] in ("down", "up"):
        level = int(parts[1]) if parts[0] == "down" else levels - 1 - int(parts[1])
        kinds = {"block": "resnets", "attn": "attentions", "downsample": "downsamplers.0", "upsample": "upsamplers.0"}
        parts[:3] = [f"{parts[0]}_blocks", str(level), kinds[parts[2]]]
    parts[-2] = (_ATTENTION if attention else _LEAVES).get(parts[-2], parts[-2])
    return ".".join(parts)


def _diffusers_run(scheduler, case, shape, predict, options):
    scheduler.set_timesteps(case["steps"])
    generator = torch.Generator().manual_seed(case["noise"])
    x = torch.randn(shape, generator=generator)
    if case["method"] != "plms":
        options = dict(options, generator=generator)
    for t in scheduler.timesteps:
        x = scheduler.step(predict(x, t), t, x, **options).prev_sample
    return x
