"""What the policy commands read: policies, and the metrics of the user's own that their rules may name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govern.metrics import Metric
    from govern.policy.schema import Policy


def own_metrics(given: Mapping[str, Any]) -> dict[str, Metric]:
    """The metrics of the user's own that the file of --config names, or the working folder's govern.yaml."""
    from govern.inputs.config import load_settings
    from govern.inputs.settings import CONFIG_NAME
    from govern.metrics import own

    config = given.get("config")
    if config is None and not Path(CONFIG_NAME).is_file():
        return {}
    return own(load_settings({}, config=config, cwd=Path(), measuring=False).plain())


def policy_of(name: str, given: Mapping[str, Any]) -> Policy:
    """A policy by name or file, checked with everything it extends. Raises InputError."""
    from govern.policy.packs import load_policy

    return load_policy(name, own=own_metrics(given))
