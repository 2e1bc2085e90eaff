"""Each kind of user sees what it may, and not what it may not.

Least privilege in one table: the sections of the menu, some menus that are there and
some that are not, the buttons of four screens, and calls that the server refuses.
"""

import re
from dataclasses import dataclass

import pytest

from devenv.story.browser import open_action
from devenv.story.person import Person, Refused

READER = ["Control Tower", "Stewardship", "Flows", "Ownership", "Contracts"]

# button: its action and record (a key of ``records``), its name on the screen
BUTTONS = {
    "new system": ("sync_governance_base.sync_system_action", None, "New"),
    "decide conflict": (
        "sync_governance_base.sync_conflict_action",
        "conflict",
        "Take Incoming",
    ),
    "resolve issue": ("sync_governance_base.sync_issue_action", "issue", "Resolve"),
    "merge": (
        "sync_governance_dedup.sync_duplicate_group_action",
        "group",
        re.compile("^Merge"),
    ),
    "issue credential": (
        "sync_governance_connectors.sync_credential_action",
        None,
        "Issue a Credential",
    ),
}
# call: model, method, arguments; a text names a record of ``records``
CALLS = {
    "create system": ("sync.system", "create", [{"name": "Grey", "code": "grey"}]),
    "rename policy": ("sync.policy", "write", ["policy", {"name": "Mine"}]),
    "take incoming": ("sync.conflict", "action_take_all", ["conflict"]),
    "write conflict": ("sync.conflict", "write", ["conflict", {"state": "ignored"}]),
    "approve change": ("sync.change.request", "action_approve", ["request"]),
    "acknowledge issue": ("sync.issue", "action_acknowledge", ["issue"]),
    "merge": ("sync.duplicate.group", "action_merge", ["group"]),
    "make key": ("sync.credential.issue", "create", [{}]),
    "read audit": ("sync.audit", "search_read", []),
    "change audit": ("sync.audit", "write", [1, {"reason": "None"}]),
    "read secrets": ("sync.secret", "search_read", []),
    "set up board": ("sync.board", "create", [{"name": "Friends"}]),
    "drop event": ("sync.event", "unlink", [1]),
}
NOBODY = {"write conflict", "change audit", "drop event"}


@dataclass
class Role:
    """What one user finds; buttons and calls not named here must be absent, refused."""

    login: str
    sections: list
    sees: set
    misses: set
    buttons: set
    refused: set


ROLES = [
    Role(
        "sync_viewer",
        READER,
        {"Conflicts", "Issues", "Policies", "Events", "Requests"},
        {"Duplicates Desk", "Credentials", "Secrets", "Audit Log", "Mappings"},
        buttons=set(),
        refused=set(CALLS),
    ),
    Role(
        "sync_operator",
        READER,
        {"Issues", "Deliveries", "Dead Letters by Cause", "Replays"},
        {"Duplicates Desk", "Credentials", "Secrets", "Audit Log", "Mappings"},
        buttons={"resolve issue"},
        refused=set(CALLS) - {"acknowledge issue"},
    ),
    Role(
        "sync_steward",
        READER,
        {"Steward Inbox", "Conflicts", "Duplicates Desk", "Value Maps"},
        {"Credentials", "Secrets", "Audit Log", "Mappings", "Duplicate Rules"},
        buttons={"decide conflict", "resolve issue", "merge"},
        refused=set(CALLS)
        - {"take incoming", "approve change", "acknowledge issue", "merge"},
    ),
    Role(
        "sync_admin",
        [*READER, "Configuration"],
        {"Credentials", "Mappings", "Event Types", "Duplicate Rules"},
        {"Duplicates Desk", "Secrets", "Audit Log", "Segregation of Duties"},
        buttons={"new system", "resolve issue", "issue credential"},
        refused=NOBODY
        | {"take incoming", "approve change", "merge"}
        | {"read audit", "read secrets", "set up board"},
    ),
    Role(
        "sync_security",
        [*READER, "Audit", "Configuration"],
        {"Credentials", "Secrets", "Audit Log", "Findings"},
        {"Duplicates Desk", "Audit Verifications"},
        buttons={"issue credential"},
        refused=NOBODY
        | {"create system", "rename policy", "acknowledge issue"}
        | {"take incoming", "approve change", "merge"},
    ),
    Role(
        "sync_auditor",
        [*READER, "Audit", "Configuration"],
        {"Credentials", "Secrets", "Audit Log", "Findings", "Audit Verifications"},
        {"Duplicates Desk"},
        buttons=set(),
        refused=set(CALLS) - {"read audit", "read secrets"},
    ),
]
each_role = pytest.mark.parametrize("role", ROLES, ids=[role.login for role in ROLES])

LOAD_MENUS = "fetch('/web/webclient/load_menus').then((answer) => answer.json())"


def names_below(menus, menu):
    """Names of all menus below one, at any depth."""
    for child in menu["children"]:
        yield menus[str(child)]["name"]
        yield from names_below(menus, menus[str(child)])


@each_role
def test_menus(role, page_of):
    menus = page_of(role.login).evaluate(LOAD_MENUS)
    root = next(
        menu
        for menu in menus.values()
        if menu.get("xmlid") == "sync_governance_base.menu_sync_root"
    )
    assert [menus[str(child)]["name"] for child in root["children"]] == role.sections
    names = set(names_below(menus, root))
    assert role.sees <= names, role.sees - names
    assert not role.misses & names


@each_role
def test_buttons(role, page_of, records):
    page = page_of(role.login)
    found = set()
    for button, (action, record, name) in BUTTONS.items():
        ready = ".o_form_sheet" if record else ".o_list_view .o_data_row"
        open_action(page, action, records[record] if record else None, ready=ready)
        page.wait_for_timeout(300)
        exact = isinstance(name, str)
        buttons = page.get_by_role("button", name=name, exact=exact)
        if any(one.is_visible() for one in buttons.all()):
            found.add(button)
    assert found == role.buttons
    assert not page.errors


@each_role
def test_calls_that_are_refused(role, world, records):
    person = Person(world.url, world.db, role.login, role.login)
    for call in sorted(role.refused):
        model, method, arguments = CALLS[call]
        arguments = [records[one] if isinstance(one, str) else one for one in arguments]
        with pytest.raises(Refused):
            answer = person.call(model, method, *arguments)
            pytest.fail(f"{role.login} may {call}: {answer}")
