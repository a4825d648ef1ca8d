"""The report as JUnit's XML: a suite for each arm, a case for each question."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from citewell.evaluation.report import ArmResult, Report
from citewell.evaluation.saying import verdict_sentence

# What XML 1.0 cannot hold.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> str:
    """Return the XML; an answer that is not wholly right is a failure, an unscored one skipped."""
    suites = ET.Element("testsuites", name=_plain(verdict_sentence(report)))
    for arm in report.arms:
        _add_suite(suites, arm, report)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add_suite(suites: ET.Element, arm: ArmResult, report: Report) -> None:
    suite = ET.SubElement(suites, "testsuite", name=_plain(arm.name))
    failures = skipped = 0
    for asked in report.asked:
        case = ET.SubElement(
            suite, "testcase", classname=_plain(arm.name), name=_plain(asked.question)
        )
        score = asked.correct.get(arm.name)
        if score is None:
            skipped += 1
            ET.SubElement(case, "skipped", message="it has no score")
        elif score < 1:
            failures += 1
            ET.SubElement(case, "failure", message=f"{100 * score:.0f}% right")
    suite.set("tests", str(len(report.asked)))
    suite.set("failures", str(failures))
    suite.set("skipped", str(skipped))
    suite.set("errors", "0")


def _plain(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
