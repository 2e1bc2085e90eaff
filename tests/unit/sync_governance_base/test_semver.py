import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_base.tools.semver import Version, parse, suffices

numbers = st.builds(Version, *[st.integers(0, 999)] * 3)


@given(numbers)
def test_round_trip(version):
    assert parse(str(version)) == version


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.2.x",
        "1.2.3-rc1",
        " 1.2.3",
        "1.2.3\n",
        None,
    ],
)
def test_what_is_no_version(text):
    with pytest.raises(ValueError):
        parse(text)


@given(numbers, st.sampled_from(["major", "minor", "patch"]))
def test_a_bump_suffices_for_itself_and_what_is_smaller(version, part):
    bumped = version.bumped(part)
    assert suffices(version, bumped, part) and suffices(version, bumped, "patch")
    assert not suffices(version, version, part)


def test_bumps():
    assert str(Version(1, 4, 2).bumped("major")) == "2.0.0"
    assert str(Version(1, 4, 2).bumped("minor")) == "1.5.0"
    assert not suffices(Version(1, 4, 2), Version(1, 9, 9), "major")
    assert suffices(Version(1, 4, 2), Version(3, 0, 0), "major")
