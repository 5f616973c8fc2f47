"""The tree of commands."""

from __future__ import annotations

import typer

from govern import __version__
from govern.cli.check import check
from govern.cli.demo import demo
from govern.cli.doctor import doctor
from govern.cli.measure import measure
from govern.cli.policy import policy
from govern.cli.render import render
from govern.cli.report import report
from govern.cli.scan import scan
from govern.cli.selftest import selftest

EXIT_CODES = ("Exit codes: 0 PASS (or done), 1 BLOCK (or refused), 2 unusable input and nothing was written, "
              "3 REVIEW: a person must decide, 70 internal error, 128+n ended by signal n.")

app = typer.Typer(
    help="Evidence, policy verdict and model card for a machine-learning model.", epilog=EXIT_CODES,
    no_args_is_help=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["--help", "-h"]})


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"govern {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Evidence, policy verdict and model card for a machine-learning model."""


for function in (report, measure, check, render, demo, scan, selftest, doctor):
    app.command(function.__name__)(function)
app.add_typer(policy, name="policy")
