"""Numbers that look random and are the same, bit for bit, wherever this formula is written; see tests/common/formula.rs."""

import numpy as np


def salt(name):
    """FNV-1a of a name, 32 bits."""
    h = 0x811C9DC5
    for byte in name.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h


def noise(name, n):
    """n values in [-1, 1), multiples of 2^-23: the finalizer of MurmurHash3 of a counter."""
    h = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(salt(name))
    h = (h ^ h >> 16) * np.uint32(0x85EBCA6B)
    h = (h ^ h >> 13) * np.uint32(0xC2B2AE35)
    h ^= h >> 16
    return ((h >> 8).astype(np.float32) / np.float32(2**23)) - np.float32(1)
