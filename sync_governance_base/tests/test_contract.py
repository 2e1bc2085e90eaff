import json
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..models.sync_contract import Consumer

MODULE = "sync_governance_base"
TEXT = {"type": "string"}
V1 = {"type": "object", "properties": {"ref": TEXT, "uom": TEXT}, "required": ["ref"]}
COMPATIBLE = {**V1, "properties": {**V1["properties"], "note": TEXT}}
BREAKING = {**V1, "properties": {"ref": TEXT}}


@tagged("post_install", "-at_install")
class TestContract(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.author = cls._user("author", "integration_manager", "board_member")
        cls.voters = cls.env["res.users"].union(
            *(cls._user(f"voter{number}", "board_member") for number in range(3))
        )
        cls.officer = cls._user("officer", "security_officer")
        cls.viewer = cls._user("viewer", "viewer")
        cls.domain = cls.env["sync.domain"].create(
            {"name": "Contract orders", "code": "contract_orders", "criticality": "a"}
        )
        cls.board = (
            cls.env["sync.board"]
            .with_user(cls.officer)
            .create(
                {
                    "name": "Board",
                    "domain_ids": [fields.Command.set(cls.domain.ids)],
                    "member_ids": [fields.Command.set((cls.voters | cls.author).ids)],
                    "quorum": 2,
                }
            )
        )
        cls.contract = cls.env["sync.contract"]._seed(
            "order.tested",
            {
                "name": "Tested orders",
                "domain_id": cls.domain.id,
                "event_name": "order.tested",
            },
            "1.0.0",
            V1,
        )
        cls.v1 = cls.contract.active_version_id

    @classmethod
    def _user(cls, name, *groups):
        return new_test_user(
            cls.env,
            f"contract.{name}",
            groups=",".join(f"{MODULE}.group_sync_{group}" for group in groups),
        )

    def _draft(self, schema, number, **values):
        return (
            self.env["sync.contract.version"]
            .with_user(self.author)
            .create(
                {
                    "contract_id": self.contract.id,
                    "number": number,
                    "schema_text": json.dumps(schema),
                    **values,
                }
            )
        )

    def _vote(self, user, version, vote="approve", comment="Fine"):
        return (
            self.env["sync.ballot"]
            .with_user(user)
            .create({"version_id": version.id, "vote": vote, "comment": comment})
        )

    def _in(self, days):
        return fields.Date.today() + timedelta(days=days)

    # -- drafting ----------------------------------------------------------------------

    def test_seeding_puts_the_first_version_in_force_once(self):
        self.assertEqual((self.v1.state, self.v1.number), ("active", "1.0.0"))
        self.assertEqual(self.contract.board_id, self.board)
        again = self.env["sync.contract"]._seed(
            "order.tested", {"name": "x"}, "9.0.0", {}
        )
        self.assertEqual(again, self.contract)
        self.assertEqual(again.name, "Tested orders")
        self.assertEqual(self.env["sync.contract"]._schema_in_force("order.tested"), V1)
        self.assertIsNone(self.env["sync.contract"]._schema_in_force("order.unknown"))

    def test_differences_are_computed_with_their_severity(self):
        version = self._draft(BREAKING, "2.0.0")
        self.assertEqual(version.severity, "breaking")
        line = version.diff_ids
        self.assertEqual(
            (line.path, line.kind, line.severity),
            ("uom", "property_removed", "breaking"),
        )
        self.assertIn("uom", version.migration_note)
        version.schema_text = json.dumps(COMPATIBLE)
        self.assertEqual(version.severity, "non_breaking")
        self.assertEqual(version.diff_ids.path, "note")

    def test_the_direction_turns_the_judgement(self):
        self.contract.direction = "consumer"
        self.assertEqual(self._draft(BREAKING, "1.1.0").severity, "non_breaking")

    def test_differences_read_as_sentences(self):
        properties = {
            "ref": {"type": ["string", "null"], "description": "Order number"},
            "uom": {"enum": ["PCE"]},
        }
        version = self._draft({**V1, "properties": properties}, "2.0.0")
        messages = {(line.path, line.kind): line.message for line in version.diff_ids}
        self.assertEqual(messages["ref", "type"], "type: string → null, string")
        self.assertEqual(
            messages["ref", "description"], "description: – → Order number"
        )
        self.assertEqual(messages["uom", "enum"], "enum: – → PCE")

    def test_consumers_are_named_for_the_fields_they_read(self):
        consumers = [
            Consumer("WMS", paths=frozenset({"uom"})),
            Consumer("Shop", paths=frozenset({"ref"})),
            Consumer("Archive"),
        ]
        with patch.object(type(self.contract), "_consumers", lambda self: consumers):
            version = self._draft(BREAKING, "2.0.0")
            self.assertEqual(version.diff_ids.consumers, "WMS, Archive")
            self.assertEqual(self.contract.consumer_count, 3)

    def test_bad_input_is_explained(self):
        for values, message in (
            ({"schema": "{", "number": "1.1.0"}, "not valid JSON"),
            (
                {"schema": '{"$ref": "http://elsewhere"}', "number": "1.1.0"},
                "cannot be compared",
            ),
            ({"schema": "{}", "number": "1.1"}, "no version number"),
        ):
            with (
                self.assertRaisesRegex(ValidationError, message),
                self.env.cr.savepoint(),
            ):
                self.env["sync.contract.version"].create(
                    {
                        "contract_id": self.contract.id,
                        "number": values["number"],
                        "schema_text": values["schema"],
                    }
                )
        with self.assertRaisesRegex(ValidationError, "what has happened"):
            self.contract.event_name = "order.test"

    @mute_logger("odoo.sql_db")
    def test_numbers_are_unique_and_versions_keep_their_contract(self):
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._draft(COMPATIBLE, "1.0.0")
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.contract.unlink()

    # -- immutability ------------------------------------------------------------------

    def test_a_version_in_force_cannot_be_changed_by_anybody(self):
        for values in (
            {"schema_text": "{}"},
            {"number": "1.0.1"},
            {"summary": "other"},
        ):
            with self.assertRaisesRegex(UserError, "Draft a new version"):
                self.v1.sudo().write(values)
        with self.assertRaises(UserError):
            self.v1.sudo().unlink()

    def test_the_state_cannot_be_written(self):
        version = self._draft(COMPATIBLE, "1.1.0")
        for values in (
            {"state": "active"},
            {"author_ids": [fields.Command.clear()]},
            {"round": 7},
        ):
            with self.assertRaises(AccessError):
                version.write(values)
        sneaky = self._draft(COMPATIBLE, "1.2.0", state="active")
        self.assertEqual(sneaky.state, "draft")

    # -- review ------------------------------------------------------------------------

    def test_the_number_has_to_tell_the_change(self):
        with self.assertRaisesRegex(UserError, "2.0.0"):
            self._draft(
                BREAKING, "1.1.0", previous_sunset_date=self._in(200)
            ).action_submit()
        with self.assertRaisesRegex(UserError, "1.1.0"):
            self._draft(COMPATIBLE, "1.0.1").action_submit()

    def test_a_compatible_change_passes_with_the_quorum(self):
        version = self._draft(COMPATIBLE, "1.1.0")
        version.action_submit()
        self.assertEqual(version.activity_ids.user_id, self.voters)
        self._vote(self.voters[0], version)
        self.assertEqual(version.state, "in_review")
        self._vote(self.voters[1], version)
        self.assertEqual(version.state, "approved")
        self.assertFalse(version.activity_ids)
        version.action_activate()
        self.assertEqual((version.state, self.v1.state), ("active", "deprecated"))
        self.assertEqual(self.contract.active_version_id, version)
        self.assertIn(
            "note",
            self.env["sync.contract"]._schema_in_force("order.tested")["properties"],
        )
        actions = (
            self.env["sync.audit"]
            .search([("res_id", "=", version.id)])
            .mapped("action")
        )
        self.assertEqual(
            actions[::-1],
            ["contract.in_review"]
            + ["contract.voted"] * 2
            + ["contract.approved", "contract.active"],
        )

    def test_the_fast_track_needs_one_approval(self):
        self.board.fast_track = True
        version = self._draft(COMPATIBLE, "1.1.0")
        version.action_submit()
        self._vote(self.voters[0], version)
        self.assertEqual(version.state, "approved")

    def test_a_breaking_change_needs_everybody_and_half_a_year(self):
        self.board.fast_track = True
        version = self._draft(BREAKING, "2.0.0")
        with self.assertRaisesRegex(UserError, "stay valid"):
            version.action_submit()
        version.previous_sunset_date = self._in(179)
        with self.assertRaisesRegex(UserError, "stay valid"):
            version.action_submit()
        version.previous_sunset_date = self._in(180)
        version.action_submit()
        self.assertEqual(version.approvals_needed, 3)
        for voter in self.voters[:2]:
            self._vote(voter, version)
        self.assertEqual(version.state, "in_review")
        self._vote(self.voters[2], version)
        version.action_activate()
        self.assertEqual(self.v1.sunset_date, self._in(180))
        with self.assertRaisesRegex(UserError, "promised until"):
            self.v1.with_user(self.author).action_retire()
        self.v1.sudo().sunset_date = fields.Date.today()
        self.env["sync.contract.version"]._cron_sunset()
        self.assertIn("sunset", self.v1.activity_ids.summary)
        self.v1.with_user(self.author).action_retire()
        self.assertEqual(self.v1.state, "retired")

    def test_days_of_the_review_are_not_taken_from_the_consumers(self):
        version = self._draft(BREAKING, "2.0.0", previous_sunset_date=self._in(180))
        version.action_submit()
        for voter in self.voters:
            self._vote(voter, version)
        version.sudo().flush_recordset()
        self.env.cr.execute(
            "UPDATE sync_contract_version SET previous_sunset_date = %s WHERE id = %s",
            [self._in(150), version.id],
        )
        version.invalidate_recordset()
        version.action_activate()
        self.assertEqual(self.v1.sunset_date, self._in(180))

    def test_authors_do_not_vote(self):
        version = self._draft(COMPATIBLE, "1.1.0")
        version.action_submit()
        self.assertFalse(version.with_user(self.author).may_vote)
        self.assertTrue(version.with_user(self.voters[0]).may_vote)
        with self.assertRaisesRegex(ValidationError, "Authors do not vote"):
            self._vote(self.author, version)

    def test_whoever_touches_the_schema_is_an_author(self):
        other = self._user("other", "integration_manager", "board_member")
        self.board.member_ids |= other
        version = self._draft(COMPATIBLE, "1.1.0")
        version.with_user(other).schema_text = json.dumps({**COMPATIBLE, "title": "x"})
        version.action_submit()
        with self.assertRaisesRegex(ValidationError, "Authors do not vote"):
            self._vote(other, version)

    def test_one_vote_each_by_members_alone(self):
        version = self._draft(COMPATIBLE, "1.1.0")
        with self.assertRaisesRegex(ValidationError, "not under review"):
            self._vote(self.voters[0], version)
        version.action_submit()
        stranger = self._user("stranger", "board_member")
        with self.assertRaisesRegex(ValidationError, "Only members"):
            self._vote(stranger, version)
        with self.assertRaises(AccessError):
            self._vote(self.viewer, version)
        ballot = self._vote(self.voters[0], version)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self._vote(self.voters[0], version)
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            ballot.vote = "reject"
        # voting in somebody's name is not possible
        forged = (
            self.env["sync.ballot"]
            .with_user(self.voters[1])
            .create(
                {
                    "version_id": version.id,
                    "member_id": self.voters[2].id,
                    "vote": "approve",
                }
            )
        )
        self.assertEqual(forged.member_id, self.voters[1])

    def test_a_rejection_needs_a_reason_and_starts_a_new_round(self):
        version = self._draft(COMPATIBLE, "1.1.0")
        version.action_submit()
        with (
            self.assertRaisesRegex(ValidationError, "Say why"),
            self.env.cr.savepoint(),
        ):
            self._vote(self.voters[0], version, "reject", " ")
        self._vote(self.voters[0], version, "reject", "Not now")
        self.assertEqual(version.state, "in_review")
        self._vote(self.voters[1], version, "reject", "Not now")
        self.assertEqual(version.state, "draft")
        version.action_submit()
        self.assertEqual(version.approvals, 0)
        for voter in self.voters[:2]:
            self._vote(voter, version)
        self.assertEqual(version.state, "approved")

    def test_a_version_overtaken_by_another_cannot_come_into_force(self):
        first, second = (
            self._draft(COMPATIBLE, "1.1.0"),
            self._draft(COMPATIBLE, "1.2.0"),
        )
        for version in (first, second):
            version.action_submit()
            for voter in self.voters[:2]:
                self._vote(voter, version)
        first.action_activate()
        with self.assertRaisesRegex(UserError, "Draft it anew"):
            second.action_activate()
        second.action_withdraw()
        self.assertEqual(second.state, "draft")

    def test_a_contract_without_voters_cannot_be_submitted(self):
        self.contract.board_id = False
        with self.assertRaisesRegex(UserError, "Nobody may vote"):
            self._draft(COMPATIBLE, "1.1.0").action_submit()

    # -- boards and rights -------------------------------------------------------------

    def test_a_board_can_reach_its_quorum(self):
        with self.assertRaisesRegex(ValidationError, "never reach"):
            self.board.quorum = 9
        with self.assertRaisesRegex(ValidationError, "not in the group"):
            self.board.member_ids |= self.viewer

    def test_authors_do_not_choose_their_judges(self):
        with self.assertRaises(AccessError):
            self.board.with_user(self.author).member_ids = self.author
        with self.assertRaises(AccessError):
            self.contract.with_user(self.voters[0]).name = "Mine"
        with self.assertRaises(AccessError):
            self._draft(COMPATIBLE, "1.1.0").with_user(self.voters[0]).action_submit()

    def test_the_screen_drafts_the_next_version(self):
        action = self.contract.with_user(self.author).action_new_version()
        draft = (
            self.env["sync.contract.version"]
            .with_user(self.author)
            .browse(action["res_id"])
        )
        self.assertEqual((draft.number, draft.previous_id), ("1.1.0", self.v1))
        with Form(draft) as form:
            form.summary = "Adds a note"
            form.schema_text = json.dumps(COMPATIBLE)
        self.assertEqual(draft.diff_ids.message, "is new")
        draft.action_submit()
        action = (
            draft.with_user(self.voters[0]).with_context(vote="reject").action_vote()
        )
        ballot = Form(
            self.env["sync.ballot"]
            .with_user(self.voters[0])
            .with_context(**action["context"])
        )
        self.assertEqual(ballot.vote, "reject")
        ballot.comment = "Not like this"
        ballot.save()
        self.assertEqual(draft.ballot_ids.member_id, self.voters[0])
