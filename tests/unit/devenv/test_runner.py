"""The test run must not lie: what it plans, counts and calls green."""

import json
from collections import Counter

import pytest

from devenv import runner
from devenv.console import Problem

MANIFEST = '{"name": "x", "depends": []}'


class Settings:
    """The little of the settings that planning reads."""

    def __init__(self, root):
        self.root = root


@pytest.fixture
def settings(tmp_path):
    for name in ("sync_governance_base", "sync_governance_dedup"):
        (tmp_path / name / "tests").mkdir(parents=True)
        (tmp_path / name / "__manifest__.py").write_text(MANIFEST)
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    return Settings(tmp_path)


def part(settings, target=""):
    (only,) = runner.plan(settings, target)
    return only


def test_without_target_all_parts_are_planned_the_fast_ones_first(settings):
    names = [part.name for part in runner.plan(settings)]
    assert names == ["tests/unit", "sync_governance_base", "sync_governance_dedup"]


def test_a_folder_of_parts_is_never_one_process(settings):
    (settings.root / "tests" / "e2e").mkdir()
    names = [part.name for part in runner.plan(settings, "tests")]
    assert names == ["tests/unit", "tests/e2e"]


def test_a_path_in_a_module_is_run_with_that_modules_database(settings):
    target = "sync_governance_dedup/tests::TestMerge"
    planned = part(settings, target)
    assert planned.module.name == "sync_governance_dedup"
    assert planned.target == target
    assert not planned.is_whole


def test_an_unknown_target_is_a_problem(settings):
    with pytest.raises(Problem, match="no sync_governance_bass"):
        runner.plan(settings, "sync_governance_bass")


def test_a_module_without_tests_fails(settings, capsys):
    results = {part(settings, "sync_governance_base"): Counter()}
    shortfalls = runner._shortfalls(settings, results)
    assert runner._close(results, shortfalls) == 1
    assert capsys.readouterr().out.endswith("\n0 passed, 1 failed\n")


def test_fewer_tests_than_recorded_fail_and_skipped_ones_did_not_run(settings):
    (settings.root / runner.COUNTS).write_text(json.dumps({"tests/unit": 3}))
    results = {part(settings, "tests/unit"): Counter(passed=2, skipped=5)}
    (sentence,) = runner._shortfalls(settings, results)
    assert sentence == "tests/unit: 2 tests ran, at least 3 are expected"


def test_counts_are_only_raised(settings):
    counts = settings.root / runner.COUNTS
    counts.write_text(json.dumps({"tests/unit": 3, "sync_governance_base": 9}))
    unit = part(settings, "tests/unit")
    runner._record(settings, {unit: Counter(passed=4, failed=1)})
    runner._record(settings, {unit: Counter(passed=1)})
    assert json.loads(counts.read_text()) == {
        "sync_governance_base": 9,
        "tests/unit": 5,
    }


@pytest.mark.parametrize(
    "code, outcome",
    [(0, {}), (5, {}), (2, {"failed": 1}), (-9, {"failed": 1})],
)
def test_a_process_that_died_is_a_failure(tmp_path, code, outcome):
    assert runner._count(tmp_path / "never-written.xml", code) == Counter(outcome)


def test_outcomes_are_read_from_the_report(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite><testcase/><testcase><failure/></testcase>"
        "<testcase><error/></testcase><testcase><skipped/></testcase>"
        "</testsuite></testsuites>"
    )
    expected = Counter(passed=1, failed=2, skipped=1)
    assert runner._count(report, 1) == expected
