"""The library's random numbers, written a second time in numpy from their definition (README.md). Needs no torch."""
import numpy as np

_LOW = np.uint64(0xFFFFFFFF)


def philox4x32(counter, key):
    """Ten rounds over arrays of counters; counter: four words, key: two. Salmon et al., "Parallel random numbers", 2011."""
    c = [np.asarray(word, dtype=np.uint64) for word in counter]
    k = [int(word) for word in key]
    for _ in range(10):
        first, second = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [
            (second >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]),
            second & _LOW,
            (first >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]),
            first & _LOW,
        ]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(np.broadcast_arrays(*c))


def _words(block, word, seed, stream, step):
    block = block.astype(np.uint64)
    counter = (block & _LOW, block >> np.uint64(32), np.uint64(step), np.uint64(stream & 0xFFFFFFFF))
    return philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))[word, np.arange(block.size)]


def dropout_mask(shape, rate, seed, stream, step):
    """0 where an element is dropped, 1 / (1 - rate) where it is kept, in float64."""
    i = np.arange(int(np.prod(shape)))
    group, r = i // 128, i % 128
    word = _words(group * 16 + r % 16, r // 32, seed, stream, step)
    lane = (word >> (np.uint64(16) * ((r // 16) % 2).astype(np.uint64))) & np.uint64(0xFFFF)
    threshold = int(np.floor(rate * 65536 + 0.5))
    return np.where(lane < threshold, 0.0, 1.0 / (1.0 - rate)).reshape(shape)


def _element_words(count, seed, stream, step):
    i = np.arange(count)
    group, r = i // 64, i % 64
    return _words(group * 16 + r % 16, r // 16, seed, stream, step) >> np.uint64(8)


def uniform(shape, low, high, seed, stream, step):
    u = _element_words(int(np.prod(shape)), seed, stream, step) * 2.0**-24
    return (low + (high - low) * u).reshape(shape)


def normal(shape, mean, deviation, seed, stream, step):
    count = int(np.prod(shape))
    u1 = (_element_words(count, seed, stream, step) + np.uint64(1)) * 2.0**-24
    u2 = _element_words(count, seed, stream + 0x80000000, step) * 2.0**-24
    return (mean + deviation * np.sqrt(-2 * np.log(u1)) * np.cos(2 * np.pi * u2)).reshape(shape)
