from odoo.addons.sync_governance_webhooks.tools import difference


def test_changed_lines_alone():
    before = "\n".join("abcdefg")
    assert difference.lines(before, before) == ""
    assert difference.lines(before, before.replace("d", "x")) == (
        "@@ -2,5 +2,5 @@\n b\n c\n-d\n+x\n e\n f"
    )
    assert difference.lines("", "a") == "@@ -0,0 +1 @@\n+a"
