# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from odoo.addons.sync_governance_dedup.tools import normalise

anything = st.one_of(st.none(), st.text(max_size=300), st.integers())


@pytest.mark.parametrize(
    "written, expected",
    [
        ("Hoffmann & Söhne GmbH", ("hoffmann soehne", "gmbh")),
        ("hoffmann und soehne", ("hoffmann soehne", "")),
        ("G.m.b.H. Müller", ("mueller", "gmbh")),
        ("Société Générale S.A.", ("societe generale", "sa")),
        ("株式会社トヨタ", ("トヨタ", "")),
        ("Иванов", ("ivanov", "")),
        ("Dr. Anna O'Neil", ("anna oneil", "")),
        ("AG", ("ag", "")),
        ("🎉", ("", "")),
        ("", ("", "")),
    ],
)
def test_names(written, expected):
    assert normalise.name(written) == expected


@pytest.mark.parametrize(
    "written, expected",
    [
        ("Hoffmann & Söhne GmbH", True),
        ("GmbH Hoffmann", True),
        ("Muster AG", True),
        ("Hoffmann", False),
        ("Jose da Silva", False),
        ("Sia Furler", False),
        ("", False),
    ],
)
def test_names_that_only_a_firm_has(written, expected):
    _telling, legal = normalise.name(written)
    assert normalise.is_firm(written, legal) is expected


@pytest.mark.parametrize(
    "written, country, expected",
    [
        ("+49 30 901820", None, "4930901820"),
        ("030/901820", "DE", "4930901820"),
        ("0049 (0)30 901820", "FR", "4930901820"),
        ("020 7946 0018", "GB", "442079460018"),
        ("(212) 555-0100 ext. 12", "US", "12125550100"),
        ("06 12345678", "IT", "390612345678"),
        ("030/901820", None, "30901820"),
        ("0000000", "DE", ""),
        ("ask Peter", "DE", ""),
    ],
)
def test_phones(written, country, expected):
    assert normalise.phone(written, country) == expected


@pytest.mark.parametrize(
    "written, expected",
    [
        ("Hauptstraße 5", ("haupt", "5")),
        ("Hauptstr. 5", ("haupt", "5")),
        ("102 Fifth Ave.", ("5", "102")),
        ("43 W. 65th St.", ("w 65", "43")),
        ("", ("", "")),
    ],
)
def test_streets(written, expected):
    assert normalise.street(written) == expected


def test_emails():
    assert normalise.email(" Joe.Doe+shop@GoogleMail.com ") == "joedoe@gmail.com"
    assert normalise.email("Joe.Doe@acme.de") == "joe.doe@acme.de"
    assert normalise.email("none") == ""


def test_tax_numbers_with_and_without_country():
    assert normalise.vat("DE 136.695.976") == normalise.vat("136695976", "DE")
    assert normalise.vat("n/a") == ""


@given(anything)
def test_nothing_is_too_odd(value):
    normalise.name(value)
    normalise.street(value)
    for each in (
        normalise.email, normalise.phone, normalise.vat, normalise.code, normalise.text,
        normalise.postcode, normalise.city, normalise.date,
    ):  # fmt: skip
        assert isinstance(each(value), str)


@example("\U0001d6a8")  # a mathematical capital alpha
@given(st.text(max_size=100))
def test_texts_are_settled_by_one_pass(value):
    once = normalise.text(value)
    assert normalise.text(once) == once
