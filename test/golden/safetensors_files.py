"""Makes python.safetensors and rewritten.safetensors with Python's own library, and checks with it that simdnn.safetensors, which a test
compares with what the writer writes today, holds the same.  pip install numpy safetensors  (made with numpy 2.4.6, safetensors 0.8.0)"""

import json
import zlib
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

here = Path(__file__).parent


def ramp(dtype, *shape):
    return (np.arange(np.prod(shape, dtype=int)) * 3 - 4).astype(dtype).reshape(shape)


tensors = {
    "layers.0.weight": ramp(np.float32, 3, 5) / np.float32(8),
    "layers.0.bias": ramp(np.float64, 5) / 8,
    "half": ramp(np.float16, 2, 2) / np.float16(8),
    "step": np.array(41, np.int32),
    "pixels": (ramp(np.int64, 7) + 4).astype(np.uint8),
    "signed": ramp(np.int8, 3),
    "count": ramp(np.int64, 2),
    "mask": np.array([True, False, True]),
    "empty": ramp(np.float32, 0, 4),
    "Gewichte \"ä\\\n€ 😀": ramp(np.float32, 1),
    "__proto__": ramp(np.float32, 2),
}
metadata = {"format": "simdnn", "text": "Größe \"1\" \\ 2\n😀", "__proto__": "x"}



def checksum():
    """That of lib/data/checksum.ts."""
    dtypes = {"float32": "F32", "float64": "F64", "float16": "F16", "int32": "I32", "uint8": "U8", "int8": "I8", "int64": "I64", "bool": "BOOL"}
    text = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    total = 0
    for entry in sorted(metadata.items()):
        total = zlib.crc32(text(entry), total)
    for name, value in sorted(tensors.items()):
        total = zlib.crc32(text([name, dtypes[value.dtype.name], value.shape]) + value.tobytes(), total)
    return f"{total:08x}"


save_file(tensors, here / "python.safetensors", metadata)
ours = here / "simdnn.safetensors"
if ours.exists():
    with safe_open(ours, "np") as file:
        assert file.metadata() == metadata | {"simdnn.crc32": checksum()}
        assert set(file.keys()) == set(tensors)
        for name, expected in tensors.items():
            value = file.get_tensor(name)
            assert value.dtype == expected.dtype and value.shape == expected.shape and (value == expected).all(), name
    print(f"{len(tensors)} tensors agree")
    # What reads ours and writes it again keeps the checksum, in another order of bytes.
    save_file(tensors, here / "rewritten.safetensors", metadata | {"simdnn.crc32": checksum()})
