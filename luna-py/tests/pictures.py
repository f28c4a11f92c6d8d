"""Pictures as arrays, made on the spot."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def radiograph(width: int = 560, height: int = 600, bits: int = 8, seed: int = 1) -> NDArray[Any]:
    """A bright body on dark air, with noise: nothing is wrong with it."""
    noise = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    distance = ((x - width / 2) / (width / 3)) ** 2 + ((y - height / 2) / (height / 3)) ** 2
    top = 2**bits - 1
    values = 0.05 * top + 0.8 * top * np.exp(-distance) + noise.normal(0, 0.02 * top, (height, width))
    whole: NDArray[Any] = values.clip(1, top - 1).astype(np.uint8 if bits <= 8 else np.uint16)
    return whole
