"""Times one full guided step of SD 1.5's U-Net in diffusers, eager, on the CPU: the peer of unet_bench.

Needs from PyPI: torch (the version we build with), numpy and diffusers. Weights are random and nothing is downloaded.
A guided step is one evaluation of a batch of two. Median of several runs after a warm-up, and the best, which is what
unet_bench prints; run the two in turns, on an otherwise idle machine.
"""

import argparse
import statistics
import time

import diffusers
import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def sd15_unet():
    """The U-Net of SD 1.5 with random weights."""
    torch.manual_seed(0)
    return diffusers.UNet2DConditionModel(
        sample_size=64,
        in_channels=4,
        out_channels=4,
        layers_per_block=2,
        block_out_channels=(320, 640, 1280, 1280),
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        attention_head_dim=8,
        cross_attention_dim=768,
    ).eval()


def time_step(unet, side, tokens, repeats):
    """Seconds of each timed evaluation."""
    weight = unet.conv_in.weight
    layout = torch.channels_last if weight.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
    latent = torch.randn(2, 4, side // 8, side // 8).to(weight.dtype).to(memory_format=layout)
    context = torch.randn(2, tokens, 768).to(weight.dtype)
    seconds = []
    with torch.inference_mode():
        for _ in range(repeats + 1):
            begin = time.perf_counter()
            unet(latent, 500, context, return_dict=False)
            seconds.append(time.perf_counter() - begin)
    return seconds[1:]  # the first one warms up


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=list(DTYPES))
    parser.add_argument("--layout", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
    parser.add_argument("--side", type=int, default=512, help="of the picture, in pixels")
    parser.add_argument("--tokens", type=int, default=77)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    diffusers.logging.set_verbosity_error()
    print(
        f"# diffusers {diffusers.__version__}, torch {torch.__version__}, {options.threads} threads, "
        f"{torch.backends.cpu.get_cpu_capability()}; SD 1.5 U-Net, {options.side}x{options.side}, batch 2, "
        f"{options.tokens} tokens, full"
    )
    for dtype in options.dtype:
        for layout in options.layout:
            unet = sd15_unet().to(DTYPES[dtype]).to(memory_format=LAYOUTS[layout])
            seconds = time_step(unet, options.side, options.tokens, options.repeats)
            print(
                f"diffusers-{layout} {dtype} median {statistics.median(seconds):.3f} s  min {min(seconds):.3f}  "
                f"max {max(seconds):.3f}  n {len(seconds)}",
                flush=True,
            )
            del unet


if __name__ == "__main__":
    main()
