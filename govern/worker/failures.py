"""What went wrong in the model's process, as one line for the user; its own words are only quoted."""

from __future__ import annotations

import signal
from typing import Final

from govern.errors import InputError, printable
from govern.worker.protocol import Header

LOADING, PREDICTING, CHECKING = "loading", "predicting", "being checked"
EXPLAINING, TIMING, STARTING = "being explained", "being timed", "starting"
MEASURING = "measuring a metric of your own"

MEND_DATA: Final = "check that the data has the columns and values the model was trained on"
MEND_SAVE: Final = "save the model again with the library versions installed here"
MEND_SIZE: Final = "try fewer rows, a smaller model or a larger machine"
MEND_CRASH: Final = "try the same rows with the model outside govern"


def reported(answer: Header, doing: str, name: str, memory_bytes: int) -> InputError:
    """The error that the child reported in `answer`, for the model file `name`."""
    said = {k: printable(v, 400) for k, v in answer.items() if isinstance(v, str)}
    kind, text = said.get("error", ""), said.get("text", "")
    what, fix = f"could not be used while {doing}: {text}", ""
    if kind == "raised":
        what = f"the model raised an error while {doing}: {text}"
        fix = MEND_SAVE if doing == LOADING else MEND_DATA
    elif kind == "memory":
        limit = f"{memory_bytes / 2**30:g} GiB"
        what, fix = f"the model ran out of memory while {doing} (limit {limit})", MEND_SIZE
    elif kind == "module":
        what = f'needs the module "{printable(said.get("name", ""))}"'
        fix = "install it, or say with --model-path DIR where it is"
    elif kind == "attribute":
        module = printable(said.get("module", ""))
        what = f'needs "{printable(said.get("name", ""))}" from {module}, which is not there'
        fix = "say with --model-path DIR where the module that defines it is"
        if module == "__main__":
            fix = "move it into a module, save the model again and give --model-path DIR"
    elif kind == "version":
        library, saved = said.get("library", ""), printable(said.get("saved", ""), 20)
        what = f"saved with {library} {saved}, cannot be loaded with {said.get('installed', '')}: {text}"
        fix = f"install {library}=={saved} or save the model again"
    elif kind == "unreadable":
        what, fix = f"cannot be loaded: {text}", MEND_SAVE
    elif kind == "not_model":
        what = f"holds {printable(said.get('type', ''))}, not a model with predict"
        fix = "save the fitted model itself"
    elif kind == "shape":
        what, fix = f"the model's answer has the wrong shape: {text}", MEND_DATA
    elif kind == "function":
        what, fix = text, said.get("fix", "")
    elif kind == "unsupported":
        what = f"the model cannot be used: {text}"
    return InputError(what, where=name, fix=fix)


def ended(code: int | None, doing: str, name: str) -> InputError:
    """The error for a child that ended by itself with exit code `code` (negative: by a signal)."""
    process = "the model's process"
    if code is None:
        return InputError(f"{process} closed its pipe while {doing}", where=name, fix=MEND_CRASH)
    if code >= 0:
        what = f"{process} ended on its own (exit code {code}) while {doing}"
        return InputError(what, where=name, fix=MEND_CRASH)
    if -code == signal.SIGKILL:
        what = f"{process} was killed while {doing}, most likely for using too much memory"
        return InputError(what, where=name, fix=MEND_SIZE)
    if -code == signal.SIGXCPU:
        return InputError(f"{process} used up its processor time while {doing}", where=name, fix=MEND_SIZE)
    try:
        by = f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        by = f"signal {-code}"
    return InputError(f"{process} ended by {by} while {doing}", where=name, fix=MEND_CRASH)


def silent(seconds: float, doing: str, name: str) -> InputError:
    """The error for a child that gave no answer within `seconds`."""
    what = f"the model gave no answer within {seconds:g} s while {doing}"
    return InputError(what, where=name, fix=MEND_SIZE)


def unreadable(doing: str, name: str) -> InputError:
    """The error for a child whose answer is malformed, of the wrong size or out of range."""
    what = f"the model's process sent an answer that cannot be read while {doing}"
    return InputError(what, where=name, fix=MEND_CRASH)
