"""Arrays in joblib streams: how many raw bytes follow a wrapper, read from its own state alone.

The count must be the loader's to the byte, or a payload could hide in what is skipped: every form this
module does not know exactly is refused.
"""

from __future__ import annotations

import re
from typing import Any

from govern.inputs.scan.nodes import Global, Made, Mapping, Refused

WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
SUBCLASSES = {"numpy.ndarray", "numpy.matrix", "numpy.memmap", "numpy.matrixlib.defmatrix.matrix"}
KEYS = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}

# What numpy.dtype.__reduce__ writes: kind and size in bytes (characters for U).
DTYPE = re.compile(r"(b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[mM]8|O8|[SUV]\d{1,9})")
HAS_OBJECT = 1
MAX_DIMENSIONS = 64


def is_dtype(made: Any) -> bool:
    """True for a value made by a call of numpy.dtype."""
    return (
        isinstance(made, Made)
        and made.how == "call"
        and isinstance(made.maker, Global)
        and (made.maker.module, made.maker.qualname) == ("numpy", "dtype")
    )


def is_wrapper(made: Any) -> bool:
    """True for a joblib array wrapper, after whose state raw bytes follow."""
    return (
        isinstance(made, Made)
        and isinstance(made.maker, Global)
        and (made.maker.module, made.maker.qualname) == WRAPPER
    )


def dtype_of(made: Any, depth: int = 0) -> tuple[int, bool]:
    """Item size in bytes and whether items are Python objects. Raises Refused for a form not known."""
    if not is_dtype(made) or depth > 4 or type(made.args) is not tuple or not made.args:
        raise Refused("numpy.dtype", "an array type that cannot be read")
    code = made.args[0]
    if type(code) is not str or not DTYPE.fullmatch(code) or made.args[1:] not in ((False, True), (0, 1)):
        raise Refused("numpy.dtype", "an array type that NumPy does not write")
    size = 1 if code == "b1" else int(code[1:])
    size *= 4 if code[0] == "U" else 1
    if not made.built:
        if code[0] in "SUV":
            raise Refused("numpy.dtype", "an array type without its state")
        return size, code[0] == "O"
    state = made.state
    if type(state) is not tuple or len(state) not in (8, 9) or type(state[0]) is not int or type(state[1]) is not str:
        raise Refused("numpy.dtype", "an array type with a state that NumPy does not write")
    if state[0] not in (3, 4) or state[1] not in ("<", ">", "|", "="):
        raise Refused("numpy.dtype", "an array type with a state that NumPy does not write")
    base, names, fields, itemsize, flags = state[2], state[3], state[4], state[5], state[7]
    if base is not None or type(itemsize) is not int or type(flags) is not int:
        raise Refused("numpy.dtype", "an array type with parts that cannot be read")
    if (code[0] in "SUV" and itemsize != size) or (code[0] not in "SUV" and itemsize != -1):
        raise Refused("numpy.dtype", "an array type whose size contradicts itself")
    if code[0] != "V" and (names is not None or fields is not None):
        raise Refused("numpy.dtype", "fields on a plain array type")
    inside = _fields(names, fields, size, depth) if code[0] == "V" else code[0] == "O"
    if bool(flags & HAS_OBJECT) != inside:
        raise Refused("numpy.dtype", "an array type that hides whether it holds objects")
    return size, inside


def _fields(names: Any, fields: Any, size: int, depth: int) -> bool:
    if names is None and fields is None:
        return False
    if type(names) is not tuple or not isinstance(fields, Mapping):
        raise Refused("numpy.dtype", "fields that cannot be read")
    objects, seen = False, []
    for key, value in fields.pairs():
        if type(key) is not str or type(value) is not tuple or len(value) not in (2, 3):
            raise Refused("numpy.dtype", "fields that cannot be read")
        inner, has_object = dtype_of(value[0], depth + 1)
        offset = value[1]
        if type(offset) is not int or offset < 0 or offset + inner > size:
            raise Refused("numpy.dtype", "a field outside its item")
        objects = objects or has_object
        seen.append(key)
    if any(type(name) is not str for name in names) or sorted(seen) != sorted(names):
        raise Refused("numpy.dtype", "fields that contradict their names")
    return objects


def array_bytes(wrapper: Made) -> tuple[int | None, bool]:
    """Raw bytes that follow a wrapper (None: a nested pickle follows) and whether padding precedes them.

    Raises Refused when the wrapper's state is not exactly one that joblib writes.
    """
    name = ".".join(WRAPPER)
    if wrapper.how != "new" or wrapper.args != () or not isinstance(wrapper.state, Mapping):
        raise Refused(name, "an array wrapper that joblib does not write")
    state: dict[str, Any] = {}
    for key, value in wrapper.state.pairs():
        if type(key) is not str or key not in KEYS or key in state:
            raise Refused(name, "an array wrapper with parts that joblib does not write")
        state[key] = value
    subclass, shape, dtype = state.get("subclass"), state.get("shape"), state.get("dtype")
    if not isinstance(subclass, Global) or subclass.name not in SUBCLASSES:
        raise Refused(name, "an array wrapper for something other than an array")
    if type(shape) is not tuple or len(shape) > MAX_DIMENSIONS:
        raise Refused(name, "an array wrapper without a shape")
    if state.get("order") not in ("C", "F") or type(state.get("allow_mmap")) is not bool:
        raise Refused(name, "an array wrapper that joblib does not write")
    alignment = state.get("numpy_array_alignment_bytes")
    if alignment is not None and (type(alignment) is not int or not 0 < alignment <= 255):
        raise Refused(name, "an array wrapper with an odd alignment")
    count = 1
    for length in shape:
        if type(length) is not int or not 0 <= length < 2**62:
            raise Refused(name, "an array wrapper with a shape that is none")
        count *= length
    size, objects = dtype_of(dtype)
    if objects:
        return None, False
    if size == 0:
        raise Refused(name, "an array of items without size")
    return count * size, alignment is not None
