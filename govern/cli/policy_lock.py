"""`govern policy lock`: policies and declared limits fixed before a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from govern.cli.params import takes
from govern.errors import ExitCode


@takes("policy lock")
def lock(given: dict[str, Any]) -> int:
    """Fix policies and declared limits before a run: writes govern.lock, which the run records.

    A lock that holds the same is left as it is; one that differs is replaced only with --replace.

    Example: govern policy lock --policy house-credit.yaml
    """
    from govern.cli import steps
    from govern.cli.clock import created
    from govern.codec import digest, document, write_files
    from govern.errors import InputError
    from govern.inputs.config import load_settings
    from govern.inputs.lockfile import place_of, read_lock
    from govern.lock import differences, lock_of

    settings = load_settings(given, config=given.get("config"), cwd=Path(), measuring=False)
    policies = [p.info for p in steps.policies_of(settings)]
    made = lock_of(policies, settings.declared, created(given))
    place = place_of(given, settings)
    if place.exists() and not given.get("replace"):
        old = read_lock(place).lock
        gone = [f"policy {p.name} is locked and not given" for p in old.policies
                if p.name not in {q.name for q in policies}]
        differs = [*differences(old, policies, settings.declared), *gone]
        if differs:
            more = f" and {len(differs) - 1} more" if len(differs) > 1 else ""
            raise InputError(f"holds another lock: {differs[0]}{more}", where=str(place),
                             fix="--replace writes it anew; what was measured before stays under the old one")
        return _said(given, f"{place}: unchanged, locked {old.locked}")
    data = document(made)
    try:
        write_files(place.parent, {place.name: data})
    except InputError as err:
        raise InputError(err.what, where=str(place), fix="choose another place with --lock") from None
    names = ", ".join(f"{p.name} {p.version}" for p in made.policies)
    return _said(given, f"{place} ({digest(data)[:8]}): {names}; {len(made.declared)} declared, locked {made.locked}")


def _said(given: dict[str, Any], line: str) -> int:
    from govern.cli import steps

    if not given.get("quiet"):
        steps.say(line)
    return ExitCode.PASS
