"""Records what ComfyUI's own validator says to the workflows of tests/workflows.

    python3 workflow_replies.py /path/to/ComfyUI

Needs a checkout of ComfyUI 0.3.64 and nothing else: execution.py and comfy_execution run as they are; everything that
they import beyond them is replaced by stand-ins, and the nodes by the schemas of tests/graph/stub_nodes.cpp.
Writes tests/data/workflow_replies.json.
"""

import asyncio
import importlib.abc
import importlib.machinery
import json
import logging
import pathlib
import sys
import types
from unittest.mock import MagicMock

TESTS = pathlib.Path(__file__).resolve().parents[1]
REPLACED = {"torch", "comfy", "PIL", "tqdm", "protocol", "comfy_api"}


class StandIn(types.ModuleType):
    __path__: list = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in REPLACED:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = StandIn(spec.name)
        if spec.name == "comfy_api.internal":
            module._ComfyNodeInternal = type("_ComfyNodeInternal", (), {})
            module._NodeOutputInternal = type("_NodeOutputInternal", (), {})
            module.is_class = lambda value: isinstance(value, type)
            module.first_real_override = lambda cls, name: None
            module.make_locked_method_func = lambda kind, name, clone: getattr(kind, name)
        return module

    def exec_module(self, module):
        pass


class AnyType(str):
    """ComfyUI's way to say "fits everything"."""

    def __ne__(self, other):
        return False


ANY = AnyType("*")


def node(required, returns=(), optional=None, hidden=None, output=False, validate=None):
    inputs = {"required": required}
    if optional:
        inputs["optional"] = optional
    if hidden:
        inputs["hidden"] = hidden
    members = {
        "INPUT_TYPES": classmethod(lambda cls: inputs),
        "RETURN_TYPES": returns,
        "OUTPUT_NODE": output,
        "FUNCTION": "run",
    }
    if validate:
        members["VALIDATE_INPUTS"] = classmethod(validate)
    return type("Stub", (), members)


def number(kind, default, low, high):
    return (kind, {"default": default, "min": low, "max": high})


def opinion(cls, filename_prefix):
    if filename_prefix == "throw":
        raise RuntimeError("no opinion on this")
    return "leaves the output folder" if ".." in filename_prefix else True


def stub_nodes():
    samplers = ["euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim"]
    schedulers = ["normal", "karras", "simple"]
    hidden = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
    text = ("STRING", {})
    denoise = number("FLOAT", 1.0, 0.0, 1.0)
    return {
        "CheckpointLoaderSimple": node(
            {"ckpt_name": (["sd15.safetensors", "v1-5-pruned-emaonly.ckpt"],)}, ("MODEL", "CLIP", "VAE")
        ),
        "CLIPTextEncode": node({"text": text, "clip": ("CLIP",)}, ("CONDITIONING",)),
        "EmptyLatentImage": node(
            {
                "width": number("INT", 512, 16, 16384),
                "height": number("INT", 512, 16, 16384),
                "batch_size": number("INT", 1, 1, 4096),
            },
            ("LATENT",),
        ),
        "KSampler": node(
            {
                "model": ("MODEL",),
                "seed": number("INT", 0, 0, 2**64 - 1),
                "steps": number("INT", 20, 1, 10000),
                "cfg": number("FLOAT", 8.0, 0.0, 100.0),
                "sampler_name": (samplers,),
                "scheduler": (schedulers,),
                "positive": ("CONDITIONING",),
                "negative": ("CONDITIONING",),
                "latent_image": ("LATENT",),
                "denoise": denoise,
            },
            ("LATENT",),
        ),
        "VAEDecode": node({"samples": ("LATENT",), "vae": ("VAE",)}, ("IMAGE",)),
        "SaveImage": node({"images": ("IMAGE",), "filename_prefix": text}, hidden=hidden, output=True),
        "PreviewImage": node({"images": ("IMAGE",)}, hidden=hidden, output=True),
        "Conversions": node(
            {"whole": ("INT", {}), "real": ("FLOAT", {}), "text": text, "switch": ("BOOLEAN", {})}, ("INT",)
        ),
        "LoraNames": node({"lora_name": ([f"lora_{i}.safetensors" for i in range(1, 26)],)}, ("INT",)),
        "VaeNames": node({"vae_name": ([],)}, ("INT",)),
        "BrokenChoices": node({"broken": (["x"],)}, ("INT",)),
        "UncheckedChoice": node({"image": text}, ("IMAGE", "MASK")),
        "Switch": node({"switch": ("BOOLEAN", {}), "on_true": (ANY,), "on_false": (ANY,)}, (ANY,)),
        "Blend": node(
            {"images": ("IMAGE",)},
            ("IMAGE",),
            optional={"mask": ("MASK",), "denoise": denoise, "scheduler": (schedulers,)},
        ),
        "Union": node({"either": ("IMAGE,MASK",)}, ("IMAGE",)),
        "TakesCount": node({"count": ("INT", {})}, ("INT",)),
        "Pass": node({"value": (ANY,)}, (ANY,)),
        "Show": node({"value": (ANY,)}, output=True),
        "Opinionated": node({"filename_prefix": text, "images": ("IMAGE",)}, output=True, validate=opinion),
    }


def reply(execution, path):
    """What ComfyUI makes of one file; None where Python or the validator itself gives up."""
    try:
        prompt = json.loads(path.read_bytes().decode("utf-8-sig"))
        if isinstance(prompt.get("prompt"), dict) and "class_type" not in prompt["prompt"]:
            prompt = prompt["prompt"]
        valid, error, _, node_errors = asyncio.run(execution.validate_prompt("id", prompt, None))
    except (ValueError, TypeError, AttributeError):
        return None
    if valid and not node_errors:
        return {"prompt": json.dumps(prompt)}
    errors = [
        [node_id, e["type"], e["message"], e["details"]]
        for node_id, record in node_errors.items()
        for e in record["errors"]
    ]
    return {"error": error and [error["type"], error["message"]], "errors": sorted(errors)}


def main():
    sys.path.insert(0, sys.argv[1])
    sys.meta_path.insert(0, StandIns())
    logging.disable(logging.CRITICAL)
    nodes = types.ModuleType("nodes")
    nodes.NODE_CLASS_MAPPINGS = stub_nodes()
    sys.modules["nodes"] = nodes
    import execution  # ComfyUI's

    replies = {}
    for path in sorted((TESTS / "workflows").glob("*/*.json")):
        replies[f"{path.parent.name}/{path.name}"] = reply(execution, path)
    target = TESTS / "data" / "workflow_replies.json"
    target.write_text(json.dumps(replies, indent=1) + "\n")


if __name__ == "__main__":
    main()
