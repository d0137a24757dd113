"""ComfyUI's own description of the nodes that we share with it: names, types, defaults, ranges, categories.

Texts written for readers (tooltips, descriptions) are left out. Choices that depend on a machine's files are empty.
"""

import asyncio
import importlib
import json
import tempfile

from golden import FOLDER

# Nodes by the module of ComfyUI that has them.
NODES = {
    "nodes": [
        "CheckpointLoaderSimple",
        "LoraLoader",
        "LoraLoaderModelOnly",
        "VAELoader",
        "UNETLoader",
        "CLIPLoader",
        "DiffusersLoader",
        "CLIPTextEncode",
        "EmptyLatentImage",
        "KSampler",
        "KSamplerAdvanced",
        "VAEDecode",
        "SaveImage",
        "PreviewImage",
        "SaveLatent",
        "LoadLatent",
        "CLIPSetLastLayer",
        "ConditioningCombine",
        "ConditioningConcat",
        "ConditioningAverage",
        "ConditioningSetArea",
        "ConditioningSetAreaPercentage",
        "ConditioningSetMask",
        "ConditioningSetTimestepRange",
        "ConditioningZeroOut",
        "SetLatentNoiseMask",
        "VAEEncode",
        "VAEEncodeForInpaint",
        "VAEEncodeTiled",
        "VAEDecodeTiled",
        "InpaintModelConditioning",
        "LatentUpscale",
        "LatentUpscaleBy",
        "LatentComposite",
        "LatentBlend",
        "LatentFromBatch",
        "RepeatLatentBatch",
        "LoadImage",
        "LoadImageMask",
        "ImageScale",
        "ImageScaleBy",
        "ImageInvert",
        "ImageBatch",
        "ImagePadForOutpaint",
    ],
    "comfy_extras.nodes_custom_sampler": [
        "SamplerCustom",
        "SamplerCustomAdvanced",
        "KSamplerSelect",
        "BasicScheduler",
        "KarrasScheduler",
        "ExponentialScheduler",
        "SplitSigmas",
        "FlipSigmas",
        "RandomNoise",
        "DisableNoise",
        "BasicGuider",
        "CFGGuider",
    ],
    "comfy_extras.nodes_model_advanced": ["ModelSamplingDiscrete", "RescaleCFG"],
    "comfy_extras.nodes_mask": ["ImageToMask", "MaskToImage", "InvertMask"],
    "comfy_extras.nodes_images": ["ImageCrop"],
    "comfy_extras.nodes_post_processing": ["ImageBlend", "ImageBlur", "ImageSharpen"],
    "comfy_extras.nodes_primitive": ["PrimitiveInt", "PrimitiveFloat", "PrimitiveString", "PrimitiveBoolean"],
    "comfy_extras.nodes_freelunch": ["FreeU", "FreeU_V2"],
    "comfy_extras.nodes_model_downscale": ["PatchModelAddDownscale"],
    "comfy_extras.nodes_rebatch": ["RebatchLatents"],
}


def classes_of(module):
    """The node classes of a module, by name: of the old form, or of the new one, which has an entry point."""
    if hasattr(module, "NODE_CLASS_MAPPINGS"):
        return module.NODE_CLASS_MAPPINGS

    async def listed():
        extension = await module.comfy_entrypoint()
        return await extension.get_node_list()

    return {node.GET_SCHEMA().node_id: node for node in asyncio.run(listed())}


def _without_texts(section):
    inputs = {}
    for name, declaration in section.items():
        if not isinstance(declaration, (list, tuple)):  # a hidden input: its code
            inputs[name] = declaration
            continue
        kind, *options = declaration
        kind = list(kind) if isinstance(kind, (list, tuple)) else str(kind)
        options = [{k: v for k, v in o.items() if k != "tooltip"} for o in options]
        if kind == "COMBO" and options and "options" in options[0]:  # the new form of a list of choices
            kind = options[0].pop("options")
            options[0].pop("multiselect", None)
        inputs[name] = [kind] + options
    return inputs


def describe(module, titles, name):
    """One entry of GET /object_info, in the order of keys in which ComfyUI's server writes it."""
    node = classes_of(module)[name]
    if hasattr(node, "GET_NODE_INFO_V1"):
        entry = node.GET_NODE_INFO_V1()
        entry["input"] = {key: _without_texts(section) for key, section in entry["input"].items()}
        entry["display_name"] = entry["display_name"] or name
        absent = ("output_tooltips", "description", "api_node")
        return {key: value for key, value in entry.items() if key not in absent and value is not None}
    declared = node.INPUT_TYPES()
    outputs = list(node.RETURN_TYPES)
    entry = {
        "input": {key: _without_texts(section) for key, section in declared.items()},
        "input_order": {key: list(section) for key, section in declared.items()},
        "output": outputs,
        "output_is_list": list(getattr(node, "OUTPUT_IS_LIST", [False] * len(outputs))),
        "output_name": list(getattr(node, "RETURN_NAMES", outputs)),
        "name": name,
        "display_name": titles.get(name, name),
        "python_module": module.__name__,
        "category": getattr(node, "CATEGORY", "sd"),
        "output_node": getattr(node, "OUTPUT_NODE", False) is True,
    }
    for key, attribute in [("deprecated", "DEPRECATED"), ("experimental", "EXPERIMENTAL")]:
        if getattr(node, attribute, False):
            entry[key] = True
    return entry


def write(oracle):
    import folder_paths

    entries = {}
    with tempfile.TemporaryDirectory() as empty:
        for folder in ["checkpoints", "loras", "vae", "vae_approx", "diffusion_models", "text_encoders", "diffusers"]:
            folder_paths.folder_names_and_paths[folder] = ([empty], {".safetensors"})
        folder_paths.set_input_directory(empty)
        for module_name, names in NODES.items():
            module = importlib.import_module(module_name)
            titles = {**oracle.nodes.NODE_DISPLAY_NAME_MAPPINGS, **getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", {})}
            for name in names:
                entries[name] = describe(module, titles, name)
    path = FOLDER.parent / "object_info.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries, indent=1, ensure_ascii=True) + "\n")
    print(f"{path.name}: {len(entries)} nodes", flush=True)
