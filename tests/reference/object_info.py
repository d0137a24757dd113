"""ComfyUI's own description of the nodes that we share with it: names, types, defaults, ranges, categories.

Texts written for readers (tooltips, descriptions) are left out. Choices that depend on a machine's files are empty.
"""

import json
import tempfile

from golden import FOLDER

NODES = [
    "CheckpointLoaderSimple",
    "CLIPTextEncode",
    "EmptyLatentImage",
    "KSampler",
    "VAEDecode",
    "SaveImage",
    "PreviewImage",
    "SaveLatent",
    "LoadLatent",
]


def _without_texts(section):
    inputs = {}
    for name, declaration in section.items():
        if not isinstance(declaration, (list, tuple)):  # a hidden input: its code
            inputs[name] = declaration
            continue
        kind, *options = declaration
        kind = list(kind) if isinstance(kind, (list, tuple)) else str(kind)
        inputs[name] = [kind] + [{k: v for k, v in o.items() if k != "tooltip"} for o in options]
    return inputs


def describe(nodes, name):
    """One entry of GET /object_info, in the order of keys in which ComfyUI's server writes it."""
    node = nodes.NODE_CLASS_MAPPINGS[name]
    declared = node.INPUT_TYPES()
    outputs = list(node.RETURN_TYPES)
    entry = {
        "input": {key: _without_texts(section) for key, section in declared.items()},
        "input_order": {key: list(section) for key, section in declared.items()},
        "output": outputs,
        "output_is_list": list(getattr(node, "OUTPUT_IS_LIST", [False] * len(outputs))),
        "output_name": list(getattr(node, "RETURN_NAMES", outputs)),
        "name": name,
        "display_name": nodes.NODE_DISPLAY_NAME_MAPPINGS.get(name, name),
        "python_module": getattr(node, "RELATIVE_PYTHON_MODULE", "nodes"),
        "category": getattr(node, "CATEGORY", "sd"),
        "output_node": getattr(node, "OUTPUT_NODE", False) is True,
    }
    for key, attribute in [("deprecated", "DEPRECATED"), ("experimental", "EXPERIMENTAL")]:
        if getattr(node, attribute, False):
            entry[key] = True
    return entry


def write(oracle):
    import folder_paths

    with tempfile.TemporaryDirectory() as empty:
        folder_paths.folder_names_and_paths["checkpoints"] = ([empty], {".safetensors"})
        folder_paths.set_input_directory(empty)
        entries = {name: describe(oracle.nodes, name) for name in NODES}
    path = FOLDER.parent / "object_info.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries, indent=1, ensure_ascii=True) + "\n")
    print(f"{path.name}: {len(entries)} nodes", flush=True)
