"""The one table of settings: each row is a key of `govern.yaml`, its flag, or both.

The command line, the schema of `govern.yaml`, the merged settings and the table in the documentation are
all built from it. A row marked `later` belongs to the contract but has no effect in this version: giving it
is an error that says so, so that nobody believes it was heeded. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from govern.errors import InputError

Kind = Literal["text", "label", "int", "float", "flag", "path", "choice", "band", "free"]

MEASURING = ("report", "measure")
JUDGING = ("report", "check")
WRITING = ("report", "measure", "check", "render", "demo")
LOCK = "policy lock"
EVERY = ("report", "measure", "check", "render", "demo", "scan", "doctor", "selftest", "policy lint", "policy test",
         LOCK)
TELLING = ("policy show", "policy doc", "policy diff", "policy explain")
POLICY = ("policy lint", "policy test", *TELLING)
CARD = ("report", "render", "demo")


@dataclass(frozen=True)
class Option:
    """One setting. `key` is its place in `govern.yaml` (empty for flags only), `flag` its name on the command
    line (empty for keys only; `MODEL` is the argument). `default` holds when neither says anything.
    """

    key: str
    flag: str
    kind: Kind
    help: str
    commands: tuple[str, ...] = ()
    default: Any = None
    choices: tuple[str, ...] = ()
    choices_later: tuple[str, ...] = ()
    metavar: str = ""
    repeatable: bool = False
    panel: str = "Data"
    example: str = ""
    later: bool = False

    @property
    def name(self) -> str:
        """The key, or for flags only the flag without dashes: the name under which a value is passed on."""
        return self.key or self.flag.lstrip("-").replace("-", "_")


OPTIONS: tuple[Option, ...] = (
    Option("model.path", "MODEL", "path", "Model file: a pickle or joblib file of scikit-learn, XGBoost or "
           "LightGBM. Leave it out to judge stored predictions.", MEASURING, panel="Model",
           example="model.pkl"),
    Option("model.name", "--name", "text", "Name of the model on the card; default: the file's name.",
           MEASURING, panel="Model", example="credit-approval"),
    Option("model.version", "--model-version", "text", "Version of the model on the card.", MEASURING,
           panel="Model", example="3.2.0"),
    Option("model.trust", "--trust", "text",
           "Class or function the model file may name beyond the allow-list: "
           "exactly module.Class, or package.* for a package of your own.", (*MEASURING, "scan"), (),
           metavar="NAME", repeatable=True, panel="Model", example="ourlib.Encoder"),
    Option("model.path_extra", "--model-path", "path",
           "Folder from which the model's own modules are imported.",
           MEASURING, (), metavar="DIR", repeatable=True, panel="Model", example="src"),
    Option("data.path", "--data", "path",
           "Evaluation data: CSV (also .gz), JSON Lines, Parquet file or folder, "
           "Arrow/Feather.", MEASURING, metavar="FILE", example="eval.parquet"),
    Option("data.train", "--train", "path",
           "Training data: rows that stand in both, values and groups that differ, and drift from them are measured.",
           MEASURING, metavar="FILE", example="train.parquet"),
    Option("data.target", "--target", "text", "Column that holds the true label.",
           MEASURING, metavar="COLUMN", example="default"),
    Option("data.positive", "--positive", "label", "Label whose probability the score is; inferred for 0/1, "
           "false/true, no/yes and -1/1.", MEASURING, metavar="LABEL", example="1"),
    Option("data.favourable", "--favourable", "label",
           "Label people wish to receive; default: the positive one.",
           MEASURING, metavar="LABEL", example="0"),
    Option("data.threshold", "--threshold", "float",
           "Score at or above which the positive label is predicted; "
           "default: the model's own predict.", MEASURING, metavar="NUMBER", example="0.25"),
    Option("data.score", "--score", "text", "Column with scores of the positive label, instead of a model.",
           MEASURING, metavar="COLUMN", example="p_default"),
    Option("data.prediction", "--prediction", "text", "Column with predicted labels, instead of a model.",
           MEASURING, metavar="COLUMN", example="decision"),
    Option("data.features", "--feature", "text",
           "Feature column, in the model's order; default: the names the "
           "model remembers, else all columns not otherwise used if their number fits.", MEASURING,
           metavar="COLUMN", repeatable=True, example="income"),
    Option("data.sensitive", "--sensitive", "text",
           "Sensitive feature; a:b asks for their intersection to be "
           "judged too.", MEASURING, (), metavar="COLUMN", repeatable=True, example="sex"),
    Option("data.bands", "--band", "band", "Cut points of a continuous sensitive feature.", MEASURING,
           metavar="COLUMN=CUTS", repeatable=True, example="age=25,35,45,60"),
    Option("data.control", "--control", "text", "Control feature: groups are compared within its values too.",
           MEASURING, (), metavar="COLUMN", repeatable=True, example="region"),
    Option("data.search", "--search", "text",
           "Further column whose values, numbers as quarters, are searched for subgroups with the sensitive features; "
           "found ones are shown, never judged.", MEASURING, (), metavar="COLUMN", repeatable=True, example="region"),
    Option("data.weight", "--weight", "text", "Column with row weights: how many people a row stands for.",
           MEASURING, metavar="COLUMN", example="survey_weight"),
    Option("data.cluster", "--cluster", "text",
           "Column that says whom a row is about, where rows repeat people.",
           MEASURING, metavar="COLUMN", example="person_id"),
    Option("data.task", "--task", "choice", "What the model does; default: taken from the target, with a note.",
           MEASURING, choices=("binary", "multiclass", "regression")),
    Option("data.classes", "--class", "label",
           "Class of a multiclass target, given once for each in their order; default: the order of "
           "numbers, else of letters.", MEASURING, (), metavar="LABEL", repeatable=True, example="low"),
    Option("data.date", "--date", "text", "Column that holds the day of a row.", MEASURING, metavar="COLUMN",
           example="decided_on"),
    Option("data.period", "--period", "text", "Days that the rows should be of, both included.", MEASURING,
           metavar="FIRST..LAST", example="2026-01-01..2026-06-30"),
    Option("data.pairs", "--pair-column", "text",
           "Column whose values, numbers as quarters, should occur with every value of the other such columns.",
           MEASURING, (), metavar="COLUMN", repeatable=True, example="region"),
    Option("data.shares", "", "free",
           "Shares of groups in the population the model is for: `{sex: {women: 0.51, men: 0.49}}`."),
    Option("data.cases", "", "free",
           "Cases that the rows should cover, over sensitive and control features: `[{sex: women, age: 26–35}]`."),
    Option("data.decisions", "", "free",
           "Columns of decisions taken: `{screening: {column: passed_test, selected: 1}}`, short "
           "`screening: passed_test` (`selected` is then the favourable label). A row without a value did not reach "
           "the step."),
    Option("data.contract", "", "free",
           "What columns may hold: `{age: {kind: number, low: 18, high: 100, missing: false}, sex: {levels: [1, 2]}}`, "
           "`kind` one of number, boolean, text, date."),
    Option("data.metrics", "", "free",
           "Metrics of your own: `{cost: {function: 'module:function', better: lower, low: 0}}`, with "
           "`better` one of higher, lower, neither, and the range where there is one."),
    Option("policies", "--policy", "text", "Policy to judge by: the name of a shipped one, or a file.",
           (*JUDGING, LOCK), ("baseline",), metavar="NAME|FILE", repeatable=True, panel="Judging", example="baseline"),
    Option("phase", "--phase", "choice", "How far the use reaches; rules grow stricter with it.",
           (*JUDGING, "policy explain"), "team",
           ("desk", "poc", "team", "company"), panel="Judging"),
    Option("declared", "", "free",
           "Limits the owner commits to: `primary: {metric: roc_auc, min: 0.75}`, metrics such as "
           "`latency_p95_ms: 50`, and gaps between groups such as `selection_rate_ratio: 0.8`.", panel="Judging"),
    Option("waivers", "", "free", "List of {rule, subject or lineage, owner, reason, approver, expires}.",
           panel="Judging"),
    Option("report.out", "--out", "path", "Folder for what is written.", WRITING, "govern-report",
           metavar="DIR", panel="Output"),
    Option("report.formats", "--format", "choice",
           "Format of what is written: html and pdf are the card, the others are for pipelines; check writes those.",
           (*CARD, "check"), ("html", "pdf"),
           ("html", "pdf", "md", "junit", "sarif", "gitlab", "tap", "github", "ll144"), ("cyclonedx", "hf"),
           repeatable=True, panel="Output"),
    Option("report.lang", "--lang", "choice", "Language of the card.", CARD, "en", ("en", "ja"), panel="Output"),
    Option("report.edition", "--edition", "choice", "How much the card holds: summary is the verdict and what a "
           "committee reads, full has the annexes too.", CARD, "full", ("full", "summary"), panel="Output"),
    Option("report.suppress_below", "--suppress-below", "int",
           "In the HTML and PDF card, groups and cells of fewer rows are left out, with others from which they could "
           "be computed, for a card that leaves the house: it embeds no document, only digests. Documents and other "
           "formats stay whole.", CARD, 0, metavar="ROWS", panel="Output", example="10"),
    Option("report.paper", "--paper", "choice", "Paper of the PDF.", CARD, "a4", ("a4", "letter"), panel="Output"),
    Option("report.organisation", "", "text", "Name of the organisation on the card."),
    Option("report.colour", "", "text", "Colour of the organisation on the card, as `#1d5b94`."),
    Option("report.logo", "", "path", "Logo on the card: a PNG or JPEG file."),
    Option("report.sections", "", "path", "Markdown files that are added to the card as sections of their own.",
           default=(), repeatable=True),
    Option("explain.background", "--background", "choice",
           "Rows that explanations compare with: all of the sample, or those near the cut-off.", MEASURING, "all",
           ("all", "near-cutoff"), panel="Explanation"),
    Option("explain.rows", "--explain-rows", "int",
           "Most rows explained; fewer where the ranking of the features is settled before.", MEASURING,
           metavar="NUMBER", panel="Explanation", example="20000"),
    Option("explain.precision", "", "float",
           "Half-width of the intervals of the ten largest mean contributions, as a share of each, at which no more "
           "rows are explained.", panel="Explanation"),
    Option("explain.directions", "", "free",
           "Expected direction of the output by feature: `{income: falls, utilisation: rises}`.", panel="Explanation"),
    Option("explain.reasons", "", "free",
           "Sentences for the reasons of adverse decisions by feature: `{utilisation: 'High use of existing credit'}`, "
           "or by side `{income: {low: 'Income too low', high: …, missing: 'No income given'}}`.", panel="Explanation"),
    Option("explain.prohibited", "", "text", "Features that may never be given as a reason.", default=(),
           repeatable=True, panel="Explanation"),
    Option("explain.most_reasons", "", "int", "Most reasons given for an adverse decision.", default=4,
           panel="Explanation"),
    Option("explain.cases", "", "free",
           "Rows to explain one by one, by the values of columns: `[{application_id: 1017}]`.", panel="Explanation"),
    Option("seed", "--seed", "int", "Seed of every sample that is drawn.", MEASURING, 0, metavar="NUMBER",
           panel="Output"),
    Option("card", "", "free",
           "The words only people can supply: owner, purpose, out_of_scope, limitations …", panel="Output"),
    Option("", "--config", "path", "Settings file; default: govern.yaml in the working folder.",
           ("report", "measure", "check", "render", LOCK, *POLICY), metavar="FILE", panel="Output",
           example="govern.yaml"),
    Option("", "--compute", "text", "Measure latency and memory (measure), leave them out (skip), or take a "
           "compute.json.", ("report", "measure", "check", "demo"), metavar="measure|skip|FILE",
           panel="Output"),
    Option("", "--timestamp", "text", "Time recorded in the documents, ISO 8601; default: SOURCE_DATE_EPOCH, "
           "else now.", ("report", "measure", "demo", LOCK), metavar="ISO", panel="Output",
           example="2026-11-03T00:00:00Z"),
    Option("", "--today", "text",
           "Day of the decision, on which waivers are looked at; default: the date of the time recorded, for "
           "`policy lint` today's.",
           ("report", "check", "policy lint", "policy explain"), metavar="DATE", panel="Judging", example="2026-11-03"),
    Option("", "--baseline", "path", "Evidence of the version in service, to compare with.",
           (*JUDGING, "policy explain"), metavar="EVIDENCE", panel="Judging", example="service/evidence.json"),
    Option("", "--lock", "path",
           "Lock file of policies and declared limits, recorded when measuring; default: govern.lock beside "
           "govern.yaml, where there is one. With check: the file that must be the recorded one.",
           ("report", "measure", "check", LOCK), metavar="FILE", panel="Judging", example="govern.lock"),
    Option("", "--replace", "flag", "Write the lock anew where it differs.", (LOCK,), False, panel="Judging"),
    Option("", "--python", "path", "Python of the model's own environment.", MEASURING, metavar="PATH",
           panel="Model", later=True),
    Option("", "--policy", "text", "Policy in which the rule is looked for; default: those of govern.yaml, else all "
           "shipped ones.", ("policy explain",), (), metavar="NAME|FILE", repeatable=True, panel="Judging",
           example="baseline"),
    Option("", "--evidence", "path", "Evidence to judge the rule on.", ("policy explain",), metavar="EVIDENCE",
           panel="Judging", example="govern-report/evidence.json"),
    Option("", "--format", "choice", "Plain text or Markdown.", ("policy doc", "policy explain"), "text",
           ("text", "md"), panel="Output"),
    Option("", "--quiet", "flag", "Print nothing but errors.", EVERY, False, panel="Output"),
    Option("", "--verbose", "flag", "Print more, and the trace of an internal error.",
           (*EVERY, *TELLING), False, panel="Output"),
)

BY_NAME: dict[str, Option] = {o.name: o for o in OPTIONS}
KEYED: tuple[Option, ...] = tuple(o for o in OPTIONS if o.key)


def options_of(command: str) -> tuple[Option, ...]:
    """The rows whose flag `command` takes, in table order."""
    return tuple(o for o in OPTIONS if o.flag and command in o.commands)


def refuse_later(names: Iterable[str]) -> None:
    """Raises InputError when one of the flags given, by option name, has no effect in this version."""
    for name in names:
        if BY_NAME[name].later:
            raise InputError(later_text(BY_NAME[name].flag), fix="leave it out")


def later_text(name: str) -> str:
    """What is said about a setting that has no effect yet."""
    return f"{name} is not measured by this version"


def docs_table() -> str:
    """The Markdown table of all settings, for the documentation."""
    lines = ["| key in govern.yaml | flag | commands | default | meaning |", "|---|---|---|---|---|"]
    for o in OPTIONS:
        default = ", ".join(map(str, o.default)) if isinstance(o.default, tuple) else o.default
        shown = "" if default is None or default == "" or default is False else f"`{default}`"
        flag = f"`{o.flag}{' ' + o.metavar if o.metavar else ''}`" if o.flag else ""
        choices = f" One of {', '.join(o.choices)}." if o.choices else ""
        again = " May be given again." if o.repeatable else ""
        note = " *Not in this version.*" if o.later else ""
        cells = (f"`{o.key}`" if o.key else "", flag, ", ".join(o.commands), shown,
                 o.help + choices + again + note)
        lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"
