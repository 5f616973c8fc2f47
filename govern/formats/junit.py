"""JUnit XML: a suite for each policy, a test case for each finding.

A binding finding that was decided is a failure, one that could not be decided an error: both are red in every reader.
What failed without binding, is not settled, waived or does not apply is skipped with the reason, because JUnit knows no
third colour and green would hide it.

Source: `junit-10.xsd` of the Jenkins xUnit plug-in, which GitLab, Jenkins and pytest follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from govern.evidence import Evidence
from govern.formats.results import Result, results
from govern.verdict import Verdict

# What the XML 1.0 production Char leaves out.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(evidence: Evidence, verdict: Verdict, digests: Mapping[str, str]) -> str:
    """The results as JUnit XML."""
    found = results(evidence, verdict)
    versions = {p.name: p.version for p in verdict.policies}
    root = ET.Element("testsuites", _tally(found) | {"name": "govern"})
    for policy in dict.fromkeys(r.policy for r in found):
        mine = [r for r in found if r.policy == policy]
        name = " ".join(x for x in (policy, versions.get(policy, "")) if x)
        skipped = str(sum(_element(r) == "skipped" for r in mine))
        suite = ET.SubElement(root, "testsuite", _clean(_tally(mine) | {
            "name": name, "skipped": skipped, "timestamp": evidence.created.removesuffix("Z")}))
        properties = ET.SubElement(suite, "properties")
        for key, value in (("verdict", verdict.outcome), ("phase", verdict.phase), ("decided_on", verdict.decided_on),
                           *((f"sha256.{k}", v) for k, v in digests.items())):
            ET.SubElement(properties, "property", _clean({"name": key, "value": value}))
        for result in mine:
            _case(suite, result)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(suite, "testcase", _clean({"classname": result.id.replace("/", "."), "name": result.name}))
    element = _element(result)
    if element == "system-out":
        said = ET.SubElement(case, element)
    else:
        said = ET.SubElement(case, element, _clean({"type": result.sort, "message": _message(result)}))
    said.text = _NOT_XML.sub("\ufffd", "\n".join([*result.parts, f"{result.path}:{result.line}"]))


def _message(result: Result) -> str:
    return result.aside or (result.seen if result.sort in ("n/a", "to_sign") else f"{result.word}: {result.seen}")


def _element(result: Result) -> str:
    if result.binds:
        return "failure" if result.decided else "error"
    return "system-out" if result.sort == "pass" else "skipped"


def _tally(found: list[Result]) -> dict[str, str]:
    elements = [_element(r) for r in found]
    return {"tests": str(len(found)), "failures": str(elements.count("failure")),
            "errors": str(elements.count("error"))}


def _clean(attributes: Mapping[str, str]) -> dict[str, str]:
    return {k: _NOT_XML.sub("\ufffd", v) for k, v in attributes.items()}
