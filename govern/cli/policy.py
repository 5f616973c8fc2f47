"""`govern policy`: the tree of its commands."""

from __future__ import annotations

import typer

from govern.cli.policy_diff import diff
from govern.cli.policy_doc import doc
from govern.cli.policy_explain import explain
from govern.cli.policy_lint import lint
from govern.cli.policy_list import list_
from govern.cli.policy_lock import lock
from govern.cli.policy_schema import schema
from govern.cli.policy_show import show
from govern.cli.policy_test import test

policy = typer.Typer(help="List, show, explain, check, test, compare and lock policies.", no_args_is_help=True)

for function in (list_, show, doc, explain, lint, test, diff, lock, schema):
    policy.command(function.__name__.rstrip("_"))(function)
