"""The desk when it matters: split chains, a slow server, groups that are gone, ten
thousand of them, and hands that never leave the keyboard."""

import re
import time

import pytest
from playwright.sync_api import expect

from devenv.story.browser import open_action, shoot

DESK = "sync_governance_dedup.sync_duplicate_desk_action"
SEEN = ".o_sync_compare[data-seen='true']"

SEED = """
from odoo.addons.sync_governance_dedup.tools.types import Evidence, Group, PairScore
rule = env.ref("sync_governance_dedup.sync_duplicate_rule_partner")
lines = (Evidence("prior", "prior", -12.0),
         Evidence("name", "short_form", 6.0, "jonas ahrendt", "j ahrendt"),
         Evidence("phone", "equal", 10.2, "+49309012345", "+49309012345"))
known = {
    "split": ("Jonas Ahrendt", "J. Ahrendt"),
    "slow": ("Slow Castings", "Slow Casting"), "next": ("Next Drills", "Next Drill"),
    "gone": ("Gone Engines", "Gone Engine"), "looked": ("Looked Jacks", "Looked Jack"),
    "decided": ("Decided Kilns", "Decided Kiln"), "undone": ("Undone Pump", "Undone P"),
    "wide": tuple("Octavia Fittings %d" % place for place in range(8)),
    "long": ("Dampfschifffahrtsgesellschaft " * 9 + "A", "Dampfschifffahrts" * 20),
    "arabic": ("شركة النور للتجارة المحدودة", "النور للتجارة"),
    "chinese": ("東京電子株式会社", "株式会社東京電子 😀")}
partners = {key: env["res.partner"].create(
                [{"name": name, "phone": "030 9012345"} for name in names])
            for key, names in known.items()}
other = env["res.partner"].create({"name": "Jutta Ahrendt", "phone": "030 7778889"})
# groups made by hand: they are not compared again
env["sync.write.hook"]._dedup_settle()
env["queue.job"].search([
    ("method_name", "=", "_check_changed"), ("state", "=", "pending")]).unlink()
def group_of(key, records):
    ids = sorted(records.ids)
    pairs = tuple(PairScore(one, two, 0.9, 4.2, lines)
                  for one in ids for two in ids if one < two)
    cut = (PairScore(ids[1], other.id, 0.9, 3.0, lines[1:2]),) if key == "split" else ()
    return env["sync.duplicate.group"]._suggest(
        rule, [Group(tuple(ids), 0.9, pairs, cut)]).id
result = {key: group_of(key, records) for key, records in partners.items()}
partners["gone"].unlink()
env["sync.duplicate.group"].browse(result["gone"]).unlink()
env.cr.commit()
result["record"] = partners["looked"][0].id
"""

STATES = """
groups = env["sync.duplicate.group"].browse(%s)
result = groups.mapped("state")
"""

MANY = """
rule = env.ref("sync_governance_dedup.sync_duplicate_rule_partner")
one = env["res.partner"].create({"name": "Queue", "ref": "queue"})
env["sync.write.hook"]._dedup_settle()
env["queue.job"].search([
    ("method_name", "=", "_check_changed"), ("state", "=", "pending")]).unlink()
env.flush_all()
env.cr.execute('''
    WITH place AS (SELECT i, nextval('res_partner_id_seq') AS id
                     FROM generate_series(0, 19999) AS i)
    INSERT INTO res_partner
    SELECT (jsonb_populate_record(p, jsonb_build_object(
               'id', place.id, 'commercial_partner_id', place.id,
               'name', 'Queue ' || i / 2, 'complete_name', 'Queue ' || i / 2))).*
      FROM res_partner AS p, place WHERE p.id = %s
 RETURNING id''', [one.id])
ids = sorted(row[0] for row in env.cr.fetchall())
env.cr.execute('''
    WITH made AS (
        INSERT INTO sync_duplicate_group (rule_id, model_name, state, score,
                    member_count, value_at_stake, external_id_count, suggested_at)
        SELECT %s, 'res.partner', 'suggested', 0.9, 2, 0, 0,
               now() - interval '2 days' - interval '1 second' * i
          FROM generate_series(0, 9999) AS i RETURNING id),
    known AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM made)
    INSERT INTO sync_duplicate_member
           (group_id, rule_id, model_name, record_id, is_open)
    SELECT known.id, %s, 'res.partner', (%s::int[])[1 + 2 * place + side], TRUE
      FROM known, generate_series(0, 1) AS side''', [rule.id, rule.id, ids])
env.cr.commit()
"""

FORGET = """
env.cr.execute('''
    DELETE FROM sync_duplicate_group WHERE id IN (
        SELECT group_id FROM sync_duplicate_member WHERE record_id IN (
            SELECT id FROM res_partner WHERE ref = 'queue'))''')
env.cr.execute("DELETE FROM res_partner WHERE ref = 'queue'")
env.cr.commit()
"""


@pytest.fixture(scope="module")
def groups(world):
    """Ids of groups by what they are for, and of one record."""
    return world.shell(SEED)


@pytest.fixture
def many(world):
    world.shell(MANY)
    yield
    world.shell(FORGET)


@pytest.fixture
def page(log_in):
    return log_in("sync_steward")


def open_group(page, group_id):
    """The desk at one group, by its address: whatever else waits in the queue."""
    page.goto(f"/odoo/sync-duplicates/{group_id}")
    page.wait_for_selector(f"{SEEN}[data-group-id='{group_id}']")
    return page.locator(".o_sync_compare")


def shown(page):
    return page.locator(SEEN).get_attribute("data-group-id")


def assert_fits(page):
    assert not page.errors
    assert page.evaluate("document.body.scrollWidth <= window.innerWidth")
    wide = "document.querySelector('.o_sync_desk main')"
    assert page.evaluate(f"{wide}.scrollWidth <= {wide}.clientWidth")


def test_a_split_chain_says_which_pair_was_cut_and_why(groups, page, screens):
    desk = open_group(page, groups["split"])
    sentence = desk.locator(".o_sync_split_reason")
    expect(sentence).to_have_count(1)
    expect(sentence).to_be_in_viewport()
    expect(sentence).to_contain_text("“Jutta Ahrendt” looks like “J. Ahrendt” (90%)")
    expect(sentence).to_contain_text("not like “Jonas Ahrendt”")
    expect(sentence).to_contain_text("another person")
    expect(desk.locator("thead .o_sync_number")).to_have_count(2)
    shoot(page, screens, "desk_split")
    assert_fits(page)


@pytest.mark.parametrize("name", ["wide", "long", "arabic", "chinese"])
def test_every_group_fits(name, groups, page, screens):
    desk = open_group(page, groups[name])
    expect(desk.locator("thead .o_sync_number")).to_have_count(
        8 if name == "wide" else 2
    )
    shoot(page, screens, f"desk_{name}")
    assert_fits(page)


class Gate:
    """Lets calls of a method through only when it is opened."""

    def __init__(self, page, method, but=None):
        """:param but: id of a record about which calls get through in any case"""
        self.page, self.but, self.is_open, self.waiting = page, but, False, []
        page.route(f"**/{method}*", self.pass_)

    def pass_(self, route):
        asked = route.request.post_data_json["params"]["args"]
        if self.is_open or asked == [self.but]:
            route.continue_()
        else:
            self.waiting.append(route)

    def wait_for(self, count):
        deadline = time.monotonic() + 30
        while len(self.waiting) < count:
            assert time.monotonic() < deadline, "nobody asks"
            self.page.wait_for_timeout(20)

    def open(self):
        self.is_open = True
        for route in self.waiting:
            route.continue_()


def test_a_slow_server_is_not_told_twice(groups, page, world):
    """Pressing a key again and again, or leaning on it, decides on what was seen."""
    before = world.shell("result = env['sync.duplicate.verdict'].search_count([])")
    gates = [
        Gate(page, "get_group", but=groups["slow"]),
        Gate(page, "action_not_duplicate"),
    ]
    open_group(page, groups["slow"])
    for _press in range(5):
        page.keyboard.press("n")
    page.keyboard.down("n")
    page.keyboard.down("n")  # the second one is a repetition
    page.keyboard.up("n")
    expect(page.get_by_text("1 being carried out")).to_be_visible()
    item = f".o_sync_queue_item[data-group-id='{groups['slow']}']"
    expect(page.locator(item)).to_have_count(0)
    for gate in gates:
        gate.open()
    expect(page.get_by_text(re.compile(", 1 done"))).to_be_visible()
    expect(page.locator(".o_sync_pending")).to_have_count(0)
    assert world.shell(STATES % [groups["slow"]]) == ["not_duplicate"]
    after = world.shell("result = env['sync.duplicate.verdict'].search_count([])")
    assert after == before + 1
    assert not page.errors


def test_a_late_answer_does_not_change_the_screen(groups, page):
    """What counts is the selected group, whichever answer comes last."""
    gate = Gate(page, "get_group", but=groups["next"])
    open_group(page, groups["next"])
    gate.wait_for(2)  # the two that come next
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("m")
    gate.waiting.reverse()
    gate.open()
    page.wait_for_selector(f"{SEEN}:not([data-group-id='{groups['next']}'])")
    selected = page.locator("[aria-selected=true]").get_attribute("data-group-id")
    assert shown(page) == selected
    assert page.locator(".o_sync_pending").count() == 0
    assert not page.errors


def test_a_group_that_is_gone_says_so_and_is_passed_by(groups, page, screens):
    page.goto(f"/odoo/sync-duplicates/{groups['gone']}")
    said = page.get_by_text("This group is gone")
    expect(said).to_be_visible()
    for key in ("m", "n", "s", "d", "a", "f", "1", "Shift+Digit1", "ArrowRight"):
        page.keyboard.press(key)
    page.locator(".o_sync_again").click()
    expect(said).to_be_visible()
    shoot(page, screens, "desk_gone")
    page.keyboard.press("j")
    page.wait_for_selector(SEEN)
    expect(said).to_have_count(0)
    assert not page.errors


def test_a_decided_group_says_by_whom(groups, page, screens):
    open_group(page, groups["decided"])
    page.keyboard.press("n")
    expect(page.get_by_text(re.compile(", 1 done"))).to_be_visible()
    desk = open_group(page, groups["decided"])
    expect(desk.locator(".o_sync_decision")).to_contain_text("Not a Duplicate · ")
    expect(desk.locator(".o_sync_merge")).to_have_count(0)
    page.keyboard.press("m")
    assert shown(page) == str(groups["decided"])
    shoot(page, screens, "desk_decided_group")
    assert_fits(page)


def test_a_slip_of_the_finger_is_taken_back(groups, page, world):
    open_group(page, groups["next"])
    page.keyboard.press("n")
    expect(page.get_by_text(re.compile(", 1 done"))).to_be_visible()
    page.keyboard.press("u")
    page.wait_for_selector(f"{SEEN}[data-group-id='{groups['next']}']")
    expect(page.locator(".o_sync_last")).to_contain_text("Taken back")
    expect(page.locator(".o_sync_merge")).to_be_enabled()
    assert world.shell(STATES % [groups["next"]]) == ["suggested"]
    assert not page.errors


def test_keys_work_after_clicks_and_not_behind_a_dialog(groups, page, world, screens):
    desk = open_group(page, groups["undone"])
    desk.locator(".o_sync_merge").click()
    expect(page.locator(".o_sync_last")).to_contain_text("Merged into")
    page.wait_for_selector(SEEN)
    waiting = shown(page)
    page.keyboard.press("u")
    dialog = page.locator(".modal")
    expect(dialog.get_by_text("Brought back")).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("m")
    page.keyboard.press("n")
    dialog.locator("[name=reason] input").fill("Two pumps")
    dialog.locator("button[name=action_undo]").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".o_sync_desk")).to_be_visible()
    assert world.shell(STATES % [groups["undone"], int(waiting)]) == [
        "unmerged",
        "suggested",
    ]
    assert not page.errors


def test_the_focus_is_seen_and_reaches_every_decision(groups, page, screens):
    desk = open_group(page, groups["looked"])
    page.locator("[aria-selected=true]").focus()
    reached = []
    for _step in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className"))
        ring = page.evaluate(
            "(() => { const style = getComputedStyle(document.activeElement);"
            " return style.boxShadow + style.outlineStyle; })()"
        )
        assert ring != "nonenone", reached[-1]
    for name in ("merge", "not_duplicate", "defer", "assign"):
        assert any(f"o_sync_{name}" in classes for classes in reached), reached
    desk.locator(".o_sync_merge").focus()
    shoot(page, screens, "desk_focus")


def test_a_record_is_found_by_keyboard(groups, page, screens):
    open_group(page, groups["looked"])
    page.keyboard.press("/")
    page.keyboard.type("octavia")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{SEEN}[data-group-id='{groups['wide']}']")
    expect(page.locator(".o_sync_queue_item")).to_have_count(1)
    shoot(page, screens, "desk_found")
    page.keyboard.press("/")
    page.keyboard.type(" nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No group with such a record waits.")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    page.wait_for_selector(SEEN)
    assert not page.errors


def test_the_desk_is_found_as_it_was_left(groups, page):
    desk = open_group(page, groups["looked"])
    page.get_by_role("button", name="Oldest").click()
    page.wait_for_selector(f"{SEEN}:not([data-group-id='{groups['looked']}'])")
    page.keyboard.press("j")
    page.wait_for_selector(SEEN)
    left = shown(page)
    desk.locator("thead a").first.click()
    page.wait_for_selector(".o_form_view")
    page.locator(".o_breadcrumb a", has_text="Duplicates").click()
    page.wait_for_selector(f"{SEEN}[data-group-id='{left}']")
    assert page.url.endswith(f"/sync-duplicates/{left}")
    expect(page.get_by_role("button", name="Oldest")).to_have_class(
        re.compile("btn-primary")
    )
    assert not page.errors


def test_ten_thousand_groups_are_gone_through(groups, many, page, screens):
    open_action(page, DESK, ready=SEEN)
    expect(page.get_by_text(re.compile(r"10,\d\d\d to decide"))).to_be_visible()
    page.get_by_role("button", name="Oldest").click()
    items = page.locator(".o_sync_queue_item")
    expect(items.first).to_contain_text("Queue 9999")
    expect(items).to_have_count(80)
    for _step in range(100):
        page.keyboard.press("j")
        page.wait_for_selector("[aria-selected=true]")
    expect(items).to_have_count(160)
    page.wait_for_selector(SEEN)
    selected = page.locator("[aria-selected=true]")
    expect(selected).to_be_in_viewport()
    assert shown(page) == selected.get_attribute("data-group-id")
    shoot(page, screens, "desk_ten_thousand")
    assert_fits(page)
