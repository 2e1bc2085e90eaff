"""The plot: one order travels through all four modules, chapter by chapter.

Outside systems act over HTTP alone; people act through the web client. What is claimed
is read back from where it counts: the answer, the database, the receivers' own log.
"""

import time
from datetime import datetime, timezone

from . import browser
from .person import Refused

EXISTING_CUSTOMER = "Hoffmann & Söhne GmbH"
DELIVERY_S = 40


class Story:
    """Plays the chapters in order; they build on each other.

    :param partners: ``{system code: Partner}``
    :param people: ``{"admin": Person, "steward": Person}``
    :param run: counts the times the story was played in this database, from 1
    """

    def __init__(self, narrator, partners, people, receipts, run, screens):
        self._tell = narrator
        self._shop = partners["shop"]
        self._carrier = partners["carrier"]
        self._admin = people["admin"]
        self._steward = people["steward"]
        self._receipts = receipts
        self._screens = screens
        self._base_url = people["steward"].base_url
        self._customer = f"C-{run}001"
        self._twin = f"C-{run}002"
        self._order = f"SO-{run}001"
        self._parcel = f"PARCEL-{run}001"

    def play(self):
        """Play all chapters.

        :raise StoryFailed: at the first claim that does not hold
        """
        self.once_only()
        self.one_owner()
        self.sure_delivery()
        self.no_echo()
        self.one_customer()
        self.all_visible()

    # -- a ---------------------------------------------------------------------------

    def once_only(self):
        """The same request twice has one effect."""
        tell = self._tell
        with tell.chapter(
            "a", "The shop posts a customer and an order, and repeats itself"
        ):
            first, again = self._twice("customers", self._customer_body(), "customer")
            self._claim_replayed("customer", first, again)
            rows = self._crosswalk("shop", "res.partner", self._customer)
            tell.claim("one customer came of it", len(rows) == 1, rows[0]["res_id"])
            first, again = self._twice("orders", self._order_body(), "order")
            self._claim_replayed("order", first, again)
            orders = self._crosswalk("shop", "sale.order", self._order)
            tell.claim("one order came of it", len(orders) == 1, first.json()["number"])
            tell.remember(
                customer=self._customer,
                partner_id=rows[0]["res_id"],
                order=self._order,
                order_id=orders[0]["res_id"],
            )

    def _customer_body(self):
        return {
            "external_id": self._customer,
            "name": f"Nordwind Handel {self._customer} GmbH",
            "is_company": True,
            "email": f"einkauf@{self._customer.lower()}.example",
            "phone": "+49 40 1234567",
            "address": {
                "street": "Am Hafen 12",
                "zip": "20457",
                "city": "Hamburg",
                "country": "DE",
            },
        }

    def _order_body(self):
        return {
            "external_id": self._order,
            "customer": {"external_id": self._customer},
            "currency": "USD",
            "customer_reference": "PO 4711",
            "lines": [
                {
                    "line_id": "1",
                    "product": {"external_id": "SKU-1001"},
                    "quantity": "4",
                    "unit_price": "24.90",
                }
            ],
        }

    def _twice(self, resource, body, key):
        key = f"{key}-{body['external_id']}-{time.time_ns()}"
        return self._shop.post(resource, body, key), self._shop.post(
            resource, body, key
        )

    def _claim_replayed(self, what, first, again):
        self._claim_status(f"POST of the {what} is answered", first, 201)
        self._tell.claim(
            f"the same POST again: same bytes, marked as replayed, {what}",
            again.status_code == 201
            and again.content == first.content
            and again.headers.get("Idempotent-Replayed") == "true",
            f"Idempotent-Replayed: {again.headers.get('Idempotent-Replayed')}",
        )

    # -- b ---------------------------------------------------------------------------

    def one_owner(self):
        """Each field has one owner: what others send is held, not lost."""
        tell = self._tell
        with tell.chapter(
            "b", "The shop moves the customer, and tries to raise its credit"
        ):
            answer = self._shop.patch(
                f"customers/{self._customer}",
                {"address": {"street": "Elbchaussee 99"}, "credit_limit": "90000.00"},
            )
            self._claim_status("PATCH is answered", answer, 200)
            sync = answer.json()["sync"]
            tell.claim(
                "the address belongs to the shop: applied",
                "address.street" in sync["applied"],
                sync["applied"],
            )
            held = {entry["field"]: entry for entry in sync["held"]}
            tell.claim(
                "the credit limit belongs to finance: held, and the answer says so",
                held.get("credit_limit", {}).get("owner") == "finance",
                held.get("credit_limit"),
            )
            partner = self._partner()
            tell.claim(
                "Odoo has the new street and the old credit limit",
                partner["street"] == "Elbchaussee 99"
                and partner["credit_limit"] != 90000,
                (partner["street"], partner["credit_limit"]),
            )
            conflict = self._open_conflict()
            tell.claim("a conflict waits for the steward", conflict, conflict)
            self._person_is_told()
            tell.remember(conflict_id=conflict["id"])

    def _partner(self):
        return self._admin.call(
            "res.partner",
            "read",
            [self._tell.facts["partner_id"]],
            ["street", "phone", "credit_limit"],
        )[0]

    def _open_conflict(self):
        found = self._steward.search(
            "sync.conflict",
            [
                ("res_model", "=", "res.partner"),
                ("res_id", "=", self._tell.facts["partner_id"]),
                ("state", "=", "open"),
            ],
            ["display_name", "type"],
        )
        return found[0] if found else None

    def _person_is_told(self):
        """A person reads the owner in the tooltip, and is stopped."""
        described = self._admin.call("res.partner", "fields_get", ["phone"], ["help"])
        help_text = described["phone"].get("help", "")
        owner_line = next(
            (line for line in help_text.splitlines() if "System of record" in line), ""
        )
        self._tell.claim("the field's tooltip names its owner", owner_line, owner_line)
        try:
            self._admin.call(
                "res.partner",
                "write",
                [self._tell.facts["partner_id"]],
                {"phone": "+49 40 7654321"},
            )
            told = None
        except Refused as refusal:
            told = str(refusal).splitlines()[0]
        self._tell.claim("a person who edits it is stopped and told why", told, told)

    # -- c ---------------------------------------------------------------------------

    def sure_delivery(self):
        """A change is captured with its transaction and delivered in the end."""
        tell = self._tell
        with tell.chapter(
            "c", "The order is confirmed while the WMS is down for a moment"
        ):
            answer = self._shop.post(f"orders/{self._order}/confirm", {})
            self._claim_status("POST of the confirmation is answered", answer, 200)
            tell.claim("the order is confirmed", answer.json()["state"] == "confirmed")
            event = self._event("order.confirmed", "sale.order", tell.facts["order_id"])
            tell.claim("order.confirmed was captured", event, event["ref"])
            calls = tell.wait_for(
                "the WMS accepts order.confirmed",
                lambda: self._calls_until_accepted("wms", event["ref"]),
                DELIVERY_S,
            )
            statuses = [call["status"] for call in calls]
            tell.claim(
                "the WMS verified every signature (library standardwebhooks)",
                all(call["verified"] for call in calls),
                statuses,
            )
            tell.claim(
                "all attempts bear the same webhook-id",
                {call["webhook_id"] for call in calls} == {event["ref"]},
                event["ref"],
            )
            attempts = tell.wait_for(
                "the attempts are on record",
                lambda: self._attempts_on_record("wms", event["id"], len(calls)),
                DELIVERY_S,
            )
            tell.claim(
                "Odoo has each attempt on record",
                [attempt["status_code"] for attempt in attempts] == statuses,
                [attempt["status_code"] for attempt in attempts],
            )
            tell.remember(order_event=event["ref"], wms_statuses=statuses)

    def _event(self, name, model, record_id):
        found = self._admin.search(
            "sync.event",
            [
                ("name", "=", name),
                ("res_model", "=", model),
                ("res_id", "=", record_id),
            ],
            ["ref", "source_system_id"],
        )
        return found[0] if found else None

    def _calls_until_accepted(self, system, event_ref):
        calls = self._receipts.with_id(system, event_ref)
        return calls if calls and calls[-1]["status"] == 200 else None

    def _attempts_on_record(self, system, event_id, count):
        attempts = self._admin.search(
            "sync.delivery.attempt",
            [
                ("delivery_id.event_id", "=", event_id),
                ("delivery_id.subscription_id.system_id.code", "=", system),
            ],
            ["status_code"],
            order="id",
        )
        return attempts if len(attempts) == count else None

    # -- d ---------------------------------------------------------------------------

    def no_echo(self):
        """What a system tells is passed on to the others, and not back to it."""
        tell = self._tell
        with tell.chapter("d", "The carrier reports that the parcel has left"):
            picking = self._admin.search(
                "stock.picking", [("sale_id", "=", tell.facts["order_id"])], ["name"]
            )[0]
            # a carrier may report on the deliveries that name it, and on no others
            self._admin.call(
                "stock.picking",
                "write",
                [picking["id"]],
                {"sync_carrier_name": "Carrier"},
            )
            answer = self._carrier.hook(
                "shipment.milestone",
                {
                    "external_id": self._parcel,
                    "number": picking["name"],
                    "milestone": "dispatched",
                    "occurred_at": _now(),
                    "carrier": "Carrier",
                    "tracking_number": f"00{time.time_ns()}",
                },
            )
            self._claim_status("the signed webhook is taken at once", answer, 202)
            tell.wait_for(
                "the delivery is updated",
                lambda: self._milestone(picking["id"]) == "dispatched",
                DELIVERY_S,
            )
            state = self._admin.call(
                "stock.picking", "read", [picking["id"]], ["state"]
            )
            tell.claim(
                "the delivery is validated and dispatched",
                state[0]["state"] == "done",
                picking["name"],
            )
            event = self._event("shipment.dispatched", "stock.picking", picking["id"])
            tell.claim("shipment.dispatched was captured", event, event["ref"])
            for system in ("wms", "shop"):
                calls = tell.wait_for(
                    f"{system} is told",
                    lambda system=system: self._calls_until_accepted(
                        system, event["ref"]
                    ),
                    DELIVERY_S,
                )
                tell.claim(
                    f"the {system} is told", calls[-1]["verified"], calls[-1]["status"]
                )
            echoes = self._receipts.with_id("carrier", event["ref"])
            deliveries = self._admin.search(
                "sync.delivery",
                [("event_id", "=", event["id"])],
                ["subscription_id"],
            )
            tell.claim(
                "the carrier does not get its own message back",
                not echoes and len(deliveries) == 2,
                [delivery["subscription_id"][1] for delivery in deliveries],
            )
            tell.remember(
                picking_id=picking["id"],
                parcel=self._parcel,
                shipment_event=event["ref"],
            )

    def _milestone(self, picking_id):
        return self._admin.call(
            "stock.picking", "read", [picking_id], ["sync_milestone"]
        )[0]["sync_milestone"]

    # -- e ---------------------------------------------------------------------------

    def one_customer(self):
        """A customer who is there already under another spelling becomes one again."""
        tell = self._tell
        with tell.chapter(
            "e", "The shop posts a customer who exists in another spelling"
        ):
            self._scan_once()
            answer = self._shop.post("customers", self._twin_body())
            self._claim_status("POST of the customer is answered", answer, 201)
            twin_id = self._crosswalk("shop", "res.partner", self._twin)[0]["res_id"]
            group = tell.wait_for(
                "a duplicate group waits for the steward",
                lambda: self._group_of(twin_id),
                DELIVERY_S,
            )
            tell.claim(
                "a duplicate group waits for the steward",
                group["score"] >= 0.9,
                f"probability {group['score']:.3f}",
            )
            evidence = self._steward.search(
                "sync.duplicate.evidence",
                [("group_id", "=", group["id"])],
                ["field_name", "level", "weight"],
            )
            tell.claim(
                "it comes with its evidence",
                len(evidence) >= 3,
                ", ".join(
                    f"{row['field_name']} {row['weight']:+.1f}" for row in evidence
                ),
            )
            self._merge_in_browser(group["id"])
            survivor = self._crosswalk("shop", "res.partner", self._twin)[0]["res_id"]
            names = self._steward.call("res.partner", "read", [survivor], ["name"])
            living = self._steward.search(
                "res.partner", [("id", "in", [twin_id, survivor])], ["name"]
            )
            tell.claim("one customer is left", len(living) == 1, names[0]["name"])
            answer = self._shop.get(f"customers/{self._twin}")
            tell.claim(
                "the shop's id still finds the survivor",
                answer.status_code == 200,
                (answer.status_code, answer.json().get("name")),
            )
            tell.remember(group_id=group["id"], survivor_id=survivor, twin=self._twin)

    def _scan_once(self):
        """Customers who were there before the rule are compared after a first scan."""
        rule = self._steward.search(
            "sync.duplicate.rule", [("model_name", "=", "res.partner")], ["name"]
        )[0]
        scans = [("rule_id", "=", rule["id"])]
        if not self._steward.search("sync.duplicate.scan", scans, ["state"]):
            self._admin.call("sync.duplicate.rule", "action_scan", [rule["id"]])
        done = self._tell.wait_for(
            "the first scan of all customers ends",
            lambda: self._steward.search(
                "sync.duplicate.scan", [*scans, ("state", "=", "done")], ["total"]
            ),
            DELIVERY_S,
        )
        self._tell.claim(
            "all customers have been scanned once", done, f"{done[0]['total']} records"
        )

    def _twin_body(self):
        return {
            "external_id": self._twin,
            "name": "Hofmann und Soehne",
            "is_company": True,
            "phone": "030/901820",
            "address": {
                "street": "Hauptstr. 5",
                "zip": "10115",
                "city": "Berlin",
                "country": "DE",
            },
        }

    def _group_of(self, partner_id):
        found = self._steward.search(
            "sync.duplicate.group",
            [("member_ids.record_id", "=", partner_id), ("state", "=", "suggested")],
            ["score"],
        )
        return found[0] if found else None

    def _merge_in_browser(self, group_id):
        with (
            browser.chromium() as chromium,
            browser.logged_in(
                chromium, self._base_url, "sync_steward", "sync_steward"
            ) as page,
        ):
            browser.open_action(
                page, "sync_governance_dedup.sync_duplicate_group_action", group_id
            )
            merge = page.get_by_role("button", name="Merge m", exact=True)
            merge.wait_for()
            browser.shoot(page, self._screens, "duplicate_group")
            merge.click()
            page.wait_for_selector(".o_arrow_button_current[data-value=merged]")
            browser.shoot(page, self._screens, "duplicate_merged")

    # -- f ---------------------------------------------------------------------------

    def all_visible(self):
        """People find all of it in the backend."""
        with (
            self._tell.chapter("f", "All of it is in the menu Sync Governance"),
            browser.chromium() as chromium,
            browser.logged_in(
                chromium, self._base_url, "sync_admin", "sync_admin"
            ) as page,
        ):
            for name, action in SCREENS.items():
                browser.open_action(
                    page, action, ready=".o_action_manager .o_control_panel"
                )
                browser.shoot(page, self._screens, name)
                self._tell.claim(
                    f"screen {name.replace('_', ' ')}", not page.errors, f"{name}.png"
                )

    # -- shared ----------------------------------------------------------------------

    def _claim_status(self, sentence, answer, status):
        seen = answer.status_code
        if seen != status:
            seen = f"{seen} {answer.text[:500]}"
        self._tell.claim(sentence, answer.status_code == status, seen)

    def _crosswalk(self, system, model, external_id):
        return self._admin.search(
            "sync.crosswalk",
            [
                ("system_id.code", "=", system),
                ("res_model", "=", model),
                ("external_id", "=", external_id),
            ],
            ["res_id", "state"],
        )


SCREENS = {
    "control_tower": "sync_governance_base.sync_control_tower_action",
    "ownership": "sync_governance_base.sync_policy_action",
    "events": "sync_governance_webhooks.sync_event_action",
    "requests": "sync_governance_connectors.sync_request_action",
    "duplicates": "sync_governance_dedup.sync_duplicate_group_action",
    "conflicts": "sync_governance_base.sync_conflict_action",
}


def _now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
