# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From what people type to what can be compared.

Each normaliser takes text (or anything falsy) and returns text in one canonical form,
``""`` if nothing comparable is in it. None of them raises on bad input, and each one
is idempotent where its output is of the kind of its input.
"""

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from stdnum import get_cc_module

from . import vocabulary as words

MAX_LENGTH = 256  # what is longer is not a name; the rest cannot change a decision

_DOTTED = re.compile(r"\b((?:\w\.)+)(\w)\b")
_APOSTROPHES = re.compile(r"['’`´ʼ]")
_TOKEN = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")
_NON_DIGITS = re.compile(r"\D+")
_HOUSE_NUMBER = re.compile(r"^\d+[a-z]?$")
_ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")
_EXTENSION = re.compile(
    r"(?:ext|extension|apt|durchwahl|dw|poste|x)\.?\s*\d+\s*$", re.I
)
_EMAIL = re.compile(r"([^\s@<>,;\"]+)@([^\s@<>,;\"]+\.[^\s@<>,;\"]+)")
_NON_ALNUM = re.compile(r"[\W_]+")
_VAT_PREFIX = re.compile(r"^([A-Z]{2})(?=[0-9A-Z]*\d)")


def fold(text: str) -> str:
    """Lower case, Latin where a table exists, umlauts written out, no accents.

    ``Söhne`` and ``Soehne`` become the same; scripts without a table are kept.
    """
    text = text.lower()
    return text if text.isascii() else _latin(text)


@lru_cache(maxsize=65536)
def _latin(text: str) -> str:
    text = unicodedata.normalize("NFC", text).translate(words.LETTERS)
    # compatibility forms may hide capitals: mathematical ones among others
    text = unicodedata.normalize("NFKD", text).lower()
    text = "".join(c for c in text if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", text.translate(words.LETTERS))


def tokens(text: str | None) -> list[str]:
    """Folded words of a text; dotted abbreviations
    are closed up, punctuation is dropped."""
    if not text:
        return []
    text = str(text)[:MAX_LENGTH]
    if "'" in text or "`" in text or not text.isascii():
        text = _APOSTROPHES.sub("", text)
    if "." in text:
        text = _DOTTED.sub(lambda match: match[0].replace(".", ""), text)
    return _TOKEN.findall(fold(text))


def name(text: str | None) -> tuple[str, str]:
    """Split a name of a person or company into its telling words and its legal form.

    :return: (words joined by blanks in their order, legal form or ``""``)
    """
    telling, legal = [], []
    for token in tokens(text):
        # in front only the unmistakable ones: "OOO Vesna", but "AS Roma"
        if token in words.LEGAL_FORMS and (telling or legal or len(token) > 2):
            legal.append(token)
        elif token not in words.JOINERS and token not in words.HONORIFICS:
            telling.append(_strip_affix(token))
    # "SA" or "AG & Co": nothing but a legal form is still a name
    if not telling:
        return " ".join(legal or tokens(text)), ""
    return " ".join(telling), " ".join(legal)


def is_firm(text: str | None, legal: str) -> bool:
    """Whether a name with a legal form must be a firm's, whatever kind was ticked:
    "Muster AG" and "GmbH Muster", but not "Jose da Silva".

    :param legal: as :func:`name` returns it
    """
    forms = legal.split()
    return bool(forms) and (
        tokens(text)[-1] == forms[-1] or any(len(form) > 3 for form in forms)
    )


def _strip_affix(token: str) -> str:
    if token.isascii():
        return token
    for affix in words.LEGAL_AFFIXES:
        if token.startswith(affix) and token != affix:
            return token[len(affix) :]
        if token.endswith(affix) and token != affix:
            return token[: -len(affix)]
    return token


def email(text: str | None) -> str:
    """Lower-case address without ``+tag``;
    dots dropped where the provider ignores them."""
    match = _EMAIL.search(str(text)[:MAX_LENGTH]) if text else None
    if not match:
        return ""
    local, domain = match[1].lower(), match[2].lower().rstrip(".")
    local = local.split("+", 1)[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{domain}"


@lru_cache(maxsize=512)
def _dialling(country: str) -> tuple[str, str]:
    """(country calling code, trunk prefix) of an ISO country; empty if unknown."""
    code = phonenumbers.country_code_for_region(country)
    if not code:
        return "", ""
    return str(code), phonenumbers.ndd_prefix_for_region(country, True) or ""


@lru_cache(maxsize=4096)
def _calling_code(digits: str) -> str:
    """The calling code that international digits
    begin with; ``digits`` is a short prefix."""
    for length in (1, 2, 3):
        code = digits[:length]
        if int(code or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return code
    return ""


def phone(text: str | None, country: str | None = None) -> str:
    """Digits of a telephone number in E.164 order (no ``+``).

    Calling codes and trunk prefixes come from ``phonenumbers``; its full parser
    is not used, because numbers that break a national plan are compared all the same
    and a scan meets a million of them. A national number without a known country keeps
    its national digits.

    :param country: ISO code of the partner's country, the context of national numbers
    """
    if not text:
        return ""
    text = str(text)[:64].strip()
    international = text.startswith(("+", "00"))
    text = _EXTENSION.sub("", text)
    if international:
        text = text.replace("(0)", "")
    digits = _NON_DIGITS.sub("", text)
    if international:
        digits = digits.lstrip("0")
    if not 5 <= len(digits) <= 17 or len(set(digits)) == 1:
        return ""
    if international:
        return digits
    code, trunk = _dialling((country or "").upper()[:2])
    if not code:
        return digits.lstrip("0")
    if trunk and digits.startswith(trunk) and len(digits) > len(trunk) + 4:
        digits = digits[len(trunk) :]
    elif digits.startswith(code) and len(digits) >= len(code) + 9:
        return digits
    return code + digits


def national(number: str) -> str:
    """National part of digits that :func:`phone` returned, as far as it can be told."""
    code = _calling_code(number[:3]) if len(number) > 9 else ""
    return number[len(code) :]


def is_mobile(number: str) -> bool:
    """Whether digits that :func:`phone` returned are a mobile's, where one can tell."""
    code = _calling_code(number[:3]) if len(number) > 9 else ""
    return number[len(code) :].startswith(words.MOBILES.get(code, "?"))


@lru_cache(maxsize=256)
def _vat_module(country: str):
    return get_cc_module(country.lower(), "vat") if country else None


def vat(text: str | None, country: str | None = None) -> str:
    """Tax number: compacted by the country's
    own rules, without the country's prefix."""
    if not text:
        return ""
    value = _NON_ALNUM.sub("", str(text)[:64]).upper()
    match = _VAT_PREFIX.match(value)
    country = (match[1] if match else country or "").upper()
    module = _vat_module(country)
    if module:
        try:
            value = module.compact(value).upper()
        except Exception:  # stdnum modules raise many kinds of errors on nonsense
            return _strip_country(value, country)
        value = _NON_ALNUM.sub("", value)
    value = _strip_country(value, country)
    # "/", "0" and "n/a" are how people say that there is none
    return value if len(value) >= 4 and len(set(value)) > 1 else ""


def _strip_country(value: str, country: str) -> str:
    return value[2:] if country and value.startswith(country) else value


def code(text: str | None) -> str:
    """Barcode, reference, registry number: upper-case letters and digits."""
    return _NON_ALNUM.sub("", fold(str(text)[:MAX_LENGTH])).upper() if text else ""


def text(value: str | None) -> str:
    """Any other text: folded words joined by blanks."""
    return _text(str(value)[:MAX_LENGTH]) if value else ""


@lru_cache(maxsize=16384)
def _text(value: str) -> str:
    return " ".join(tokens(value))


def postcode(value: str | None, country: str | None = None) -> str:
    """Postcode without blanks; ZIP+4 shortened;
    a country prefix (``D-10115``) dropped."""
    if not value:
        return ""
    value = _NON_ALNUM.sub("", str(value)[:24]).upper()
    match = re.match(r"^(?:[A-Z]{1,2})(\d{4,5})$", value)
    if match:
        return match[1]
    if value.isdigit() and len(value) == 9 and (country or "US").upper() == "US":
        return value[:5]
    return value


def city(value: str | None) -> str:
    """City: folded, without what stands in brackets,
    CEDEX numbers or district digits."""
    return _city(str(value)[:MAX_LENGTH]) if value else ""


@lru_cache(maxsize=65536)
def _city(value: str) -> str:
    plain = value.split("(", 1)[0] or value
    return " ".join(t for t in tokens(plain) if t != "cedex" and not t.isdigit())


def street(value: str | None) -> tuple[str, str]:
    """Split a street line.

    :return: (telling words of the street, house number); types of street ("St.", "Rue",
        the end of "Hauptstraße") are left out, directions and ordinals are shortened
    """
    number, telling, types = "", [], []
    found = tokens(value)
    for position, token in enumerate(found):
        token = words.ORDINALS.get(token, token)
        ordinal = _ORDINAL.match(token)
        if ordinal:
            telling.append(ordinal[1])
        elif _HOUSE_NUMBER.match(token) and (
            not number and (position == 0 or position >= len(found) - 2 or token != "1")
        ):
            number = token
        elif token in words.STREET_TYPES:
            types.append(token)
        else:
            telling.append(words.DIRECTIONS.get(token) or _strip_street_suffix(token))
    return " ".join(telling or types), number


@lru_cache(maxsize=65536)
def _strip_street_suffix(token: str) -> str:
    for suffix in words.STREET_SUFFIXES:
        if token.endswith(suffix) and len(token) > len(suffix) + 2:
            return token[: -len(suffix)]
    return token


def date(value: str | None) -> str:
    """Digits of an ISO date (``YYYYMMDD``); other text gives its digits."""
    return _NON_DIGITS.sub("", str(value)[:10]) if value else ""
