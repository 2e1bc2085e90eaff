"""Strong entity tags and the conditions that use them (RFC 9110 section 13)."""

import hashlib
import re

from .problem import Problem

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"', re.ASCII)
# A list of tags, as the document describes a condition (beside "*").
TAGS = r'^(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*$'
_LIST = re.compile(TAGS.removesuffix("$") + r"\Z", re.ASCII)


def strong(body: bytes) -> str:
    """Quoted strong tag of the exact representation."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def parse_list(header: str) -> tuple[list[str], list[str]]:
    """``(strong tags, weak tags)`` of a condition header, quotes kept."""
    strong_tags, weak_tags = [], []
    for weak, value in _TAG.findall(header):
        (weak_tags if weak else strong_tags).append(f'"{value}"')
    return strong_tags, weak_tags


def check_if_match_form(header: str | None, required: bool) -> None:
    """Refuse what cannot be compared with any state.

    :param required: whether a missing header is refused
    :raise Problem: 400 when it is no condition, 428 when it is missing
    """
    if header is None:
        if required:
            raise Problem(
                428,
                "precondition_required",
                "Read the record first and send its ETag as If-Match, so that no"
                " one's change is lost. If-Match: * overwrites knowingly.",
            )
    elif header != "*" and not _LIST.match(header):
        raise Problem(
            400, "if_match_invalid", 'If-Match is an ETag in double quotes, or "*".'
        )


def check_if_match(header: str | None, current: str | None, required: bool) -> None:
    """Refuse a write that is based on another state than the stored one.

    :param current: the record's tag now; None when there is no record
    :param required: whether a missing header is refused
    :raise Problem: 412 when the state differs; else as :func:`check_if_match_form`
    """
    check_if_match_form(header, required)
    if header is None:
        return
    if header == "*":
        if current is None:
            raise _failed("There is no such record.")
        return
    if current is None or current not in parse_list(header)[0]:
        raise _failed("The record changed since you read it: read it again.", current)


def check_if_none_match_any(header: str | None, exists: bool) -> None:
    """``If-None-Match: *`` on a write: only if there is no record yet."""
    if exists and header is not None and header.strip() == "*":
        raise _failed("The record exists already.")


def not_modified(header: str | None, current: str) -> bool:
    """Whether a read can be answered with 304 (weak comparison, as the RFC says)."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    strong_tags, weak_tags = parse_list(header)
    return current in strong_tags or current in weak_tags


def _failed(detail: str, current: str | None = None) -> Problem:
    headers = {"ETag": current} if current else None
    return Problem(412, "precondition_failed", detail, headers=headers)
