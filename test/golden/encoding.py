"""Arrays to JSON and back. Holds no numbers of its own; README.md describes both forms."""
import base64
import json
import math

import numpy as np


def pack(array):
    """A compact array: base64 of its little-endian elements."""
    array = np.asarray(array)
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {"shape": list(array.shape), "dtype": array.dtype.name, "data": base64.b64encode(little.tobytes()).decode()}


def unpack(packed):
    dtype = np.dtype(packed["dtype"])
    flat = np.frombuffer(base64.b64decode(packed["data"]), dtype=dtype.newbyteorder("<"))
    return flat.astype(dtype).reshape(packed["shape"])


def spell(array):
    """A readable array: a flat list of shortest decimals; JSON lacks infinities and NaN, so those are strings."""
    array = np.asarray(array)
    return {"shape": list(array.shape), "dtype": array.dtype.name, "data": [_number(x) for x in array.ravel().tolist()]}


def unspell(spelled):
    return np.array([float(x) for x in spelled["data"]]).astype(spelled["dtype"]).reshape(spelled["shape"])


def _number(x):
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    negative_zero = x == 0 and math.copysign(1, x) < 0
    return int(x) if x == int(x) and abs(x) < 2**53 and not negative_zero else x


def dump(value):
    """One line, without spaces."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
