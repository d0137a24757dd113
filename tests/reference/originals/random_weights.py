"""Random weights by the formula of nodes/diffusion/tools/random_weights.hpp: what refrain-make-checkpoint writes."""

import numpy
import torch

BRANCH_ENDS = ("out_layers.3", "conv2", "to_out.0", "ff.net.2", "proj_out", "fc2", "out_proj")
QUERIES_AND_KEYS = ("to_q", "to_k", "q_proj", "k_proj", "q", "k")
OUTPUTS = ("model.diffusion_model.out.2", "first_stage_model.decoder.conv_out")


def _fnv1a64(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) % (1 << 64)
    return value


def _normal(start, count):
    with numpy.errstate(over="ignore"):
        z = numpy.arange(count, dtype=numpy.uint64) + numpy.uint64(start)
        z += numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        r = z ^ (z >> numpy.uint64(31))
    total = sum((r >> numpy.uint64(16 * lane)) & numpy.uint64(0xFFFF) for lane in range(4))
    return (total.astype(numpy.float64) / 65536.0 - 2.0) * numpy.sqrt(3.0)


def _ends(module, names):
    return any(module == name or module.endswith("." + name) for name in names)


def distribution(name, shape):
    if len(shape) == 1:
        return (1.0, 0.1) if name.endswith(".weight") else (0.0, 0.1)
    if name.endswith("token_embedding.weight"):
        return 0.0, 0.5
    if name.endswith(".embedding.weight"):
        return 0.0, 1.0
    if name.endswith("position_embedding.weight"):
        return 0.0, 0.1
    fan_in = float(numpy.prod(shape[1:]))
    module = name[: name.rfind(".")]
    gain = 1.0
    if _ends(module, BRANCH_ENDS):
        gain = 0.5
    elif _ends(module, QUERIES_AND_KEYS):
        gain = 1.25
    elif _ends(module, OUTPUTS) or module == "conv_out":
        gain = 0.3
    return 0.0, gain / numpy.sqrt(fan_in)


def random_weight(name, shape, seed=0):
    """float16 values, as float32."""
    mean, scale = distribution(name, shape)
    start = _fnv1a64(name) ^ ((seed * 0x9E3779B97F4A7C15) % (1 << 64))
    values = mean + scale * _normal(start, int(numpy.prod(shape)))
    return torch.from_numpy(values.astype(numpy.float32).astype(numpy.float16).astype(numpy.float32)).reshape(shape)


def fill(module, prefix="", seed=0):
    """Gives every parameter of a module the random weight of its name in a checkpoint. Returns the module, frozen."""
    state = {
        name: random_weight(prefix + name, tuple(tensor.shape), seed) if tensor.is_floating_point() else tensor
        for name, tensor in module.state_dict().items()
    }
    module.load_state_dict(state)
    return module.eval().requires_grad_(False)
