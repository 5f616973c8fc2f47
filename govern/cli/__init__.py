"""The command line: parse, call, write, exit."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from govern.errors import ExitCode, GovernError, printable

__all__ = ["main", "run"]

BUG = ("govern: internal error ({what}); this is a bug of govern, not a finding: please report it "
       "with what the same command prints with --verbose")


def main() -> None:
    """Entry point of the `govern` command."""
    import gc

    # A command ends soon and makes few cycles; looking for them takes a fifth of the time of a PDF, once what it lays
    # out counts as new.
    gc.set_threshold(1_000_000, 50, 100)
    code = run(sys.argv[1:])
    # All memory ends with the process; looking through it for cycles first takes a third of a second.
    gc.freeze()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command line; the one place where exceptions become codes and lines."""
    import signal

    def ended(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, ended)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, ended)
    try:
        from govern.cli.ahead import started

        with started(arguments):
            from govern.cli.app import app

            result = app(args=list(arguments), prog_name="govern", standalone_mode=False)
            sys.stdout.flush()
            return int(result or 0)
    except KeyboardInterrupt:
        _say("govern: interrupted; nothing further was written")
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`govern … | head`): end quietly, as signal 13 would.
        sys.stderr.close()
        return 141
    except GovernError as err:
        _say(f"govern: {err}")
        return int(err.exit_code)
    except Exception as err:
        if type(err).__name__ == "Abort":
            _say("govern: interrupted; nothing further was written")
            return 130
        if hasattr(err, "format_message") and hasattr(err, "exit_code"):
            return _usage(err)
        if "--verbose" in arguments:
            import traceback

            traceback.print_exc()
        _say(BUG.format(what=printable(f"{type(err).__name__}: {err}", 120)))
        return int(ExitCode.INTERNAL)


def _usage(err: Exception) -> int:
    """A usage error of the parser as one line that says where help is."""
    message = " ".join(err.format_message().split())  # type: ignore[attr-defined]
    command = getattr(getattr(err, "ctx", None), "command_path", "govern")
    if type(err).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(message + "\n")
    else:
        _say(f"govern: {printable(message.rstrip('.'), 220)}; see {command} --help")
    return int(ExitCode.UNUSABLE)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
