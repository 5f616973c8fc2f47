"""What was looked for in the data: repeated rows, conflicts, training data, periods, declared shares and cases."""

from __future__ import annotations

from collections.abc import Iterator

from govern.errors import printable
from govern.evidence import OVERALL, Evidence, Measurement
from govern.formats.cells import Part, Table, heads
from govern.formats.drift import drift
from govern.formats.naming import group_label, metric_meaning, metric_name
from govern.formats.numbers import count, decimal, percent
from govern.formats.strings import Strings
from govern.metrics import METRICS

WHOLE = ("duplicate_share", "label_conflict_share", "train_overlap_share", "out_of_period_share", "median_tie_share",
         "pair_coverage")
BY_COLUMN = ("contract_break_share", "unseen_value_share", "population_stability")
COLUMNS_SHOWN = 40
COLUMN, CASE, OUTPUT = "column: ", "case: ", "output"
NOTHING = "–"


def data_checks(evidence: Evidence, t: Strings) -> list[Part]:
    """The parts that have something to show."""
    return [part for part in (_whole(evidence, t), _columns(evidence, t), *drift(evidence, t), _shares(evidence, t),
                              _cases(evidence, t)) if part is not None]


def _whole(evidence: Evidence, t: Strings) -> Part | None:
    """Checks of all rows, with what was counted."""
    rows = []
    for m in evidence.measurements:
        if m.metric not in WHOLE or m.group != OVERALL:
            continue
        title = metric_name(m.metric, t)
        if m.split == "train":
            title = t("datachecks.in_train", check=title)
        if m.slice:
            title = t("datachecks.of", check=title, of=printable(t.phrase(m.slice), 80))
        meaning = metric_meaning(m.metric, t)
        if m.value is None:
            meaning += t("datachecks.why", why=printable(t.phrase(m.reason or m.status.replace("_", " ")), 120))
        rows.append((title, meaning, seen(m), counted(m, t)))
    if not rows:
        return None
    titles = [t(f"datachecks.{k}") for k in ("check", "meaning", "seen", "counted")]
    table = Table(heads(titles, ("w20", "", "w8", "w14")), tuple(rows), left=2)
    return Part(t("datachecks.title"), "", (table,))


def _columns(evidence: Evidence, t: Strings) -> Part | None:
    """What was measured of single columns: one row a column that has any of it."""
    by: dict[str, dict[str, Measurement]] = {}
    for m in evidence.measurements:
        if m.metric in BY_COLUMN and m.slice is not None and m.split == "eval":
            name = t("datachecks.output") if m.slice == OUTPUT else m.slice.removeprefix(COLUMN)
            by.setdefault(name, {})[m.metric] = m
    shown = [k for k in BY_COLUMN if any(k in found for found in by.values())]
    if not shown:
        return None
    # The columns that stand out most come first; the others follow in the order of the evidence.
    ranked = sorted(by, key=lambda name: -max((m.value or 0.0 for m in by[name].values()), default=0.0))[:COLUMNS_SHOWN]
    rows = [(printable(name, 60), *(seen(by[name].get(k)) for k in shown)) for name in ranked]
    more = len(by) - len(ranked)
    train = evidence.train
    note = t("datachecks.against_train", rows=count(train.rows or 0)) if train is not None else ""
    table = Table(heads([t("datachecks.column"), *(t(f"datachecks.{k}") for k in shown)], ("w24",)), tuple(rows),
                  after=t("data.columns_more", n=more) if more > 0 else "")
    return Part(t("datachecks.columns"), note, (table,))


def _shares(evidence: Evidence, t: Strings) -> Part | None:
    """Each group's share of the rows beside the declared one, or beside that in the training data."""
    at = {(m.group, m.split): m for m in evidence.measurements if m.metric == "group_share"}
    gaps = {m.group: m for m in evidence.measurements if m.metric == "group_share_gap"}
    trained = any(split == "train" for _, split in at)
    if not gaps and not trained:
        return None
    declared = evidence.settings.get("data", {}).get("shares") or {}
    rows = []
    for g in evidence.groups:
        here = at.get((g.id, "eval"))
        if here is None or len(g.features) != 1 or g.within:
            continue
        asked = (declared.get(g.features[0]) or {}).get(g.values[0])
        cells = [group_label(evidence, g.id, t), count(g.n), seen(here)]
        if gaps:
            cells += [percent(float(asked)) if isinstance(asked, int | float) else NOTHING, seen(gaps.get(g.id))]
        rows.append((*cells, *([seen(at.get((g.id, "train")))] if trained else [])))
    titles = [t("fairness.group"), t("fairness.rows"), t("datachecks.share")]
    titles += [t("datachecks.declared"), t("datachecks.gap")] if gaps else []
    titles += [t("datachecks.train_share")] if trained else []
    after = t.clauses(_stability(evidence, t))
    return Part(t("datachecks.shares"), t("datachecks.shares_note") if gaps else "",
                (Table(heads(titles, ("w24",)), tuple(rows), after=after),))


def _stability(evidence: Evidence, t: Strings) -> Iterator[str]:
    for m in evidence.measurements:
        if m.metric == "group_share_stability" and m.value is not None:
            yield t("datachecks.stability", feature=printable(":".join(m.features)), value=decimal(m.value))


def _cases(evidence: Evidence, t: Strings) -> Part | None:
    """Rows of each declared case, here and in training."""
    found: dict[str, dict[str, Measurement]] = {}
    for m in evidence.measurements:
        if m.metric == "case_rows" and m.slice is not None:
            found.setdefault(m.slice.removeprefix(CASE), {})[m.split] = m
    if not found:
        return None
    trained = any("train" in by for by in found.values())
    titles = [t("datachecks.case"), t("fairness.rows"), *([t("datachecks.train_rows")] if trained else [])]
    rows = tuple((printable(case, 120), _rows(by.get("eval")), *([_rows(by.get("train"))] if trained else []))
                 for case, by in found.items())
    return Part(t("datachecks.cases"), "", (Table(heads(titles, ("w30",)), rows),))


def _rows(m: Measurement | None) -> str:
    return NOTHING if m is None or m.value is None else count(m.value)


def seen(m: Measurement | None) -> str:
    """A measured number of the data: shares in percent, others with three decimals, `–` where there is none."""
    if m is None or m.value is None:
        return NOTHING
    return percent(m.value) if METRICS[m.metric].name.endswith(("_share", "_gap", "coverage")) else decimal(m.value)


def counted(m: Measurement, t: Strings) -> str:
    """The counts behind a share; empty where there are none."""
    if m.value is None or m.numerator is None or m.denominator is None:
        return ""
    return t("reason.of", x=count(m.numerator), n=count(m.denominator))

