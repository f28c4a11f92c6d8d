"""An organiser's own rules."""

import pickle
from typing import Any

import numpy as np
import pytest
from pictures import radiograph

import luna_py as luna


@luna.rule("ORG001", help="Turn the picture.")
def not_portrait(record: luna.Record) -> str | None:
    """The picture is wider than high."""
    assert record.width is not None and record.height is not None
    if record.width > record.height:
        return f"{record.width} pixels wide, {record.height} high."
    return None


@luna.rule("ORG002", severity="warning", pixels=True, name="too-bright")
def too_bright(record: luna.Record, pixels: Any) -> list[luna.Finding]:
    if pixels.mean() < 200:
        return []
    place = (0, 0, pixels.shape[1], pixels.shape[0])
    found = luna.Finding("Bright.", found=f"{pixels.mean():.0f}", expected="below 200", box=place)
    return [found, luna.Finding("Very.", help="Dim it.")]


def fired(report: luna.Report, rule: str) -> list[dict[str, Any]]:
    return [row for row in report.findings.to_pylist() if row["rule"] == rule]


def test_a_rule_of_the_record() -> None:
    pictures = {"high": radiograph(), "wide": radiograph(700, 560)}
    report = luna.validate(pictures, rules=[not_portrait])
    [finding] = fired(report, "ORG001")
    assert finding["path"] == "wide" and finding["severity"] == "error"
    assert finding["name"] == "not-portrait" and finding["help"] == "Turn the picture."
    assert finding["message"] == "700 pixels wide, 560 high."
    assert report.paths(rule="ORG001") == ["wide"]
    assert "ORG001" not in luna.validate(pictures).to_json()
    assert report.to_dict()["profile"]["hash"] != luna.validate(pictures).to_dict()["profile"]["hash"]


def test_a_rule_of_the_pixels() -> None:
    bright = np.full((600, 560), 240, np.uint8) + (radiograph() % 8)
    report = luna.validate({"a": bright, "b": radiograph()}, rules=[too_bright])
    first, second = sorted(fired(report, "ORG002"), key=lambda row: row["message"])
    assert first["found"] == "243" and first["expected"] == "below 200"
    assert (first["x"], first["width"]) == (0, 560) and second["help"] == "Dim it."
    assert {first["path"], second["path"]} == {"a"}


def test_a_rule_that_fails_is_a_finding_and_the_run_goes_on() -> None:
    @luna.rule("ORG003")
    def broken(record: luna.Record) -> None:
        raise KeyError("nobody")

    @luna.rule("ORG004")
    def odd(record: luna.Record) -> object:
        return 7

    report = luna.validate({"a": radiograph()}, rules=[broken, odd, not_portrait])
    [failure] = fired(report, "ORG003")
    assert failure["severity"] == "error"
    assert "ORG003 stopped with KeyError: 'nobody' at test_rules.py, line" in failure["message"]
    assert 'in broken: raise KeyError("nobody")' in failure["found"]
    assert "Mend the rule" in failure["help"]
    [unfit] = fired(report, "ORG004")
    assert "a rule returns None, a Finding" in unfit["message"]


def test_the_report_depends_on_no_thread() -> None:
    pictures = {f"{number:02}": radiograph(560 + number, 580, seed=number) for number in range(40)}
    rules = [not_portrait, too_bright]
    one = luna.validate(pictures, rules=rules, threads=1).to_json()
    assert luna.validate(pictures, rules=rules, threads=8).to_json() == one
    validator = luna.Validator(rules=rules)
    records = dict(zip(pictures, validator.examine_many(pictures.values())))
    assert validator.conclude(records).to_json() == one
    assert luna.conclude(records, rules=rules).to_json() == one


def test_a_rule_of_every_file() -> None:
    @luna.rule("ORG005", scope="any", severity="info")
    def seen(record: luna.Record) -> bool:
        return True

    report = luna.validate({"a": b"%PDF-1.7", "b": radiograph()}, rules=[seen])
    assert [row["path"] for row in fired(report, "ORG005")] == ["a", "b"]
    assert not luna.examine(b"%PDF-1.7", rules=[not_portrait]).to_json().count("ORG001")


def test_a_rule_stays_the_function() -> None:
    wide = luna.examine(radiograph(700, 560))
    assert not_portrait(wide) == "700 pixels wide, 560 high."
    assert repr(not_portrait) == "<luna_py.Rule: ORG001 not-portrait>"


def test_a_profile_sets_the_severity() -> None:
    report = luna.validate(
        {"wide": radiograph(700, 560)},
        rules=[not_portrait],
        profile={"rules": {"ORG001": {"severity": "info"}}},
    )
    assert fired(report, "ORG001")[0]["severity"] == "info"
    profile = luna.Profile().with_rule("ORG001", severity="info")
    assert luna.validate({"wide": radiograph(700, 560)}, rules=[not_portrait], profile=profile).ok


def anything(value: object) -> Any:
    """What no type checker looks at."""
    return value


def a_rule(record: luna.Record) -> str:
    return "always"


def test_a_rule_of_a_module_can_be_pickled() -> None:
    validator = luna.Validator(rules=[luna.Rule("ORG006", a_rule, severity="warning")])
    there = pickle.loads(pickle.dumps(validator))
    record = there.examine(radiograph())
    assert [row["rule"] for row in record.findings.to_pylist()] == ["ORG006"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: luna.rule("org1"), "code: org1 is not 2 to 8 capital letters"),
        (lambda: luna.rule("LF001"), "code: LF is a family of LUNA's own rules"),
        (lambda: luna.rule("ORG001", severity=anything("fatal")), "severity: fatal is none of"),
        (lambda: luna.rule("ORG001", scope=anything("set")), "scope: set is neither image nor any"),
        (lambda: luna.rule("ORG001", scope="any", pixels=True), "scope: .any. has files without"),
    ],
)
def test_a_wrong_rule_is_said(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}"):
        make()(a_rule)


def test_wrong_rules_are_named() -> None:
    with pytest.raises(TypeError, match="^rules: a list of rules is due"):
        luna.validate({"a": b""}, rules=[a_rule])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="^rules: ORG001 is there twice"):
        luna.validate({"a": b""}, rules=[not_portrait, not_portrait])
    with pytest.raises(luna.ProfileError, match="ORG001"):
        luna.validate({"a": b""}, profile={"rules": {"ORG001": {"severity": "info"}}})
