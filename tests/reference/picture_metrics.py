"""PSNR and SSIM of two pictures made by a formula, by scikit-image: the numbers of tests/cli/picture_metrics_test.cpp.

    pip install scikit-image==0.25.2 && python tests/reference/picture_metrics.py
"""
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def pictures(width, height):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    first = (x * 7 + y * 3 + c * 29 + x * y // 4) % 256
    second = np.clip(first + (x * 31 + y * 17 + c * 5) % 41 - 20, 0, 255)
    return first.astype(np.uint8), second.astype(np.uint8)


for size in [(40, 24), (11, 11), (64, 64)]:
    a, b = pictures(*size)
    # Gaussian weights and population covariance: the settings of the paper, as scikit-image's documentation names them.
    ssim = structural_similarity(a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                 data_range=255)
    print(size, repr(float(peak_signal_noise_ratio(a, b, data_range=255))), repr(float(ssim)))
