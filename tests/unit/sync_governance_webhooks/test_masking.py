from odoo.addons.sync_governance_webhooks.tools.masking import (
    mask,
    mask_text,
    parse_paths,
)

PAYLOAD = {
    "name": "Ada",
    "customer": {"email": "ada@example.com", "age": 36, "vip": True},
    "lines": [{"note": "gift", "sku": "A"}, {"sku": "B"}, {"note": "gift for Eve"}],
    "tags": ["one", "two"],
}


def test_values_are_hidden_in_objects_and_lists():
    paths = parse_paths("customer.email, lines.note ,tags, missing.key, name.first,")
    masked = mask(PAYLOAD, paths)
    assert masked["customer"] == {"email": "***", "age": 36, "vip": True}
    assert masked["lines"] == [{"note": "***", "sku": "A"}, {"sku": "B"}] + [
        {"note": "***"}
    ]
    assert masked["tags"] == "***" and masked["name"] == "Ada"
    assert PAYLOAD["customer"]["email"] == "ada@example.com", "the original stays"


def test_no_paths_mask_nothing():
    assert parse_paths(None) == parse_paths(" , ") == ()
    assert mask(PAYLOAD, ()) == PAYLOAD
    assert mask(None, (("a",),)) is None


def test_what_a_receiver_quotes_is_hidden_too():
    text = "Invalid: ada@example.com, note 'gift for Eve', 'gift', 36 of A, two"
    paths = parse_paths("customer, lines.note, lines.sku, tags")
    assert mask_text(text, PAYLOAD, paths) == (
        "Invalid: ***, note '***', '***', 36 of A, ***"
    )
