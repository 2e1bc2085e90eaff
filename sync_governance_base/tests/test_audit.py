import threading

from psycopg2 import DatabaseError

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, UserError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, TransactionCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from ..models import sync_audit
from ..tools import hash_chain


@tagged("post_install", "-at_install")
class TestAudit(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.audit = cls.env["sync.audit"]
        cls.partner = cls.env["res.partner"].create({"name": "Azure Interior"})
        cls.auditor = new_test_user(
            cls.env, "audit.auditor", groups="sync_governance_base.group_sync_auditor"
        )
        cls.manager = new_test_user(
            cls.env,
            "audit.manager",
            groups="sync_governance_base.group_sync_integration_manager",
        )

    def _entries(self, count=5):
        entries = self.audit.browse()
        for number in range(count):
            entries |= self.audit._log(
                "test.changed",
                self.partner,
                before={"street": f"Old {number}"},
                after={"street": f"New {number}"},
                reason="Moved",
            )
        return entries

    def _seal(self):
        self.env.flush_all()
        with self.enter_registry_test_mode():
            return self.audit._seal()

    def _forge(self, statement, *params):
        """Change rows behind the triggers, as the owner of the table can."""
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE sync_audit DISABLE TRIGGER USER")
        self.env.cr.execute(statement, params)
        self.env.cr.execute("ALTER TABLE sync_audit ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def test_entry_says_who_what_and_why(self):
        entry = self.audit.with_user(self.manager)._log(
            "partner.moved",
            self.partner,
            before={
                "street": "A",
                "date": self.partner.create_date,
                "tags": self.partner,
            },
            after={"street": "B", "amount": 0.1, "big": 1e22},
            reason="Moved\0",
        )
        self.assertEqual(entry.user_id, self.manager)
        self.assertEqual(entry.user_login, "audit.manager")
        self.assertEqual(
            (entry.res_model, entry.res_id), ("res.partner", self.partner.id)
        )
        self.assertEqual(entry.reason, "Moved")
        self.assertIn('"street":"A"', entry.before)
        self.assertIn('"amount":0.1', entry.after)
        self.assertFalse(entry.chain_index)
        self.assertIn("street", entry.changes)

    def test_digest_survives_the_way_through_the_database(self):
        texts = [
            "",
            "ä€😀",
            "line\nbreak",
            "\\",
            "'quote\"",
            "\ud800",
            "nul \0 inside",
            " padded ",
        ]
        for text in texts:
            self.audit._log(
                "test.text",
                self.partner,
                before={text: text},
                after={"v": [text, None, 1.0]},
            )
        self._seal()
        report, unsealed = self.audit._verify()
        self.assertTrue(report.valid, report)
        self.assertEqual(unsealed, 0)

    def test_orm_refuses_changes_even_to_superuser(self):
        entry = self._entries(1)
        with self.assertRaisesRegex(UserError, "append-only"):
            entry.sudo().write({"reason": "forged"})
        with self.assertRaisesRegex(UserError, "append-only"):
            entry.sudo().reason = "forged"
        with self.assertRaisesRegex(UserError, "append-only"):
            entry.sudo().unlink()

    def test_callers_cannot_place_entries_in_the_chain(self):
        entry = self.audit.sudo().create(
            {
                "logged_at": "2026-01-01 00:00:00",
                "action": "x",
                "chain_index": 1,
                "digest": "0",
            }
        )
        self.assertFalse(entry.chain_index)
        self.assertNotEqual(entry.digest, "0")

    @mute_logger("odoo.sql_db")
    def test_database_refuses_changes(self):
        entry = self._entries(1)
        self.env.flush_all()
        for statement in (
            "UPDATE sync_audit SET reason = 'forged' WHERE id = %s",
            "UPDATE sync_audit SET chain_index = 999999, reason = 'forged' WHERE id = "
            "%s",
            "DELETE FROM sync_audit WHERE id = %s",
        ):
            with (
                self.assertRaisesRegex(DatabaseError, "append-only"),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(statement, [entry.id])
        with (
            self.assertRaisesRegex(DatabaseError, "append-only"),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute("TRUNCATE sync_audit")
        self._seal()
        with (
            self.assertRaisesRegex(DatabaseError, "append-only"),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                "UPDATE sync_audit SET chain_index = NULL, chain_link = NULL WHERE id "
                "= %s",
                [entry.id],
            )

    def test_sealing_links_every_entry_once(self):
        self._seal()
        head = self.audit._chain_head()
        entries = self._entries(4)
        self.assertEqual(self._seal(), 4)
        self.assertEqual(
            entries.mapped("chain_index"), [head.index + n for n in range(1, 5)]
        )
        self.assertTrue(all(entry.sealed_at for entry in entries))
        self.assertEqual(self._seal(), 0)
        report, _unsealed = self.audit._verify()
        self.assertTrue(report.valid)
        self.assertEqual(report.head, self.audit._chain_head())

    def test_unsealed_entries_are_reported_apart(self):
        self._seal()
        self._entries(3)
        self.env.flush_all()
        report, unsealed = self.audit._verify()
        self.assertTrue(report.valid)
        self.assertEqual(unsealed, 3)

    def test_first_broken_link_is_named(self):
        entries = self._entries(5)
        self._seal()
        victim = entries[2]
        self._forge(
            "UPDATE sync_audit SET after = %s WHERE id = %s",
            '{"street":"X"}',
            victim.id,
        )
        report, _unsealed = self.audit._verify()
        self.assertEqual(report.first_break.kind, hash_chain.BreakKind.CONTENT)
        self.assertEqual(report.first_break.row_id, victim.id)
        self.assertEqual(report.first_break.index, victim.chain_index)

    def test_removed_entry_is_a_gap(self):
        entries = self._entries(5)
        self._seal()
        missing = entries[2].chain_index
        self._forge("DELETE FROM sync_audit WHERE id = %s", entries[2].id)
        report, _unsealed = self.audit._verify()
        self.assertEqual(report.first_break.kind, hash_chain.BreakKind.GAP)
        self.assertEqual(report.first_break.index, missing)

    def test_cut_tail_is_shown_by_an_earlier_verification(self):
        entries = self._entries(5)
        self._seal()
        with self.enter_registry_test_mode():
            first = self.env["sync.audit.verification"]._run()
        self.assertEqual(first.state, "valid")
        self._forge("DELETE FROM sync_audit WHERE id = %s", entries[-1].id)
        with self.enter_registry_test_mode():
            second = self.env["sync.audit.verification"]._run()
        self.assertEqual((second.state, second.break_kind), ("broken", "anchor"))
        self.assertEqual(second.break_index, first.head_index)

    def test_batches_do_not_matter(self):
        self.patch(sync_audit, "READ_BATCH", 2)
        self.patch(sync_audit, "SEAL_BATCH", 2)
        self._entries(7)
        self.assertGreaterEqual(self._seal(), 7)
        report, unsealed = self.audit._verify()
        self.assertTrue(report.valid)
        self.assertEqual(unsealed, 0)

    def test_who_may_read_and_verify(self):
        self._entries(1)
        self.assertTrue(self.audit.with_user(self.auditor).search([], limit=1).changes)
        with self.assertRaises(AccessError):
            self.audit.with_user(self.manager).search([])
        with self.assertRaises(AccessError):
            self.audit.with_user(self.manager).action_verify()
        with self.assertRaises(AccessError):
            self.audit.with_user(self.auditor).create(
                {"action": "x", "logged_at": "2026-01-01"}
            )
        with self.enter_registry_test_mode():
            action = self.audit.with_user(self.auditor).action_verify()
        result = self.env["sync.audit.verification"].browse(action["res_id"])
        self.assertEqual((result.state, result.user_id), ("valid", self.auditor))

    def test_entries_of_other_companies_are_hidden(self):
        other = self.env["res.company"].create({"name": "Other"})
        entry = self.audit.with_company(other)._log("other.done")
        self.assertEqual(entry.company_id, other)
        self.assertNotIn(entry.id, self.audit.with_user(self.auditor).search([]).ids)


@tagged("post_install", "-at_install")
class TestAuditConcurrency(BaseCase):
    """Real connections that really commit; the rows are taken out again at the end."""

    WRITERS, ENTRIES = 8, 25

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        with cls.registry.cursor() as cr:
            cls._env(cr)["sync.audit"]._seal()
            cr.execute("SELECT COALESCE(max(id), 0) FROM sync_audit")
            cls.last_id = cr.fetchone()[0]
        cls.addClassCleanup(cls._remove_entries)

    @classmethod
    def _remove_entries(cls):
        with cls.registry.cursor() as cr:
            cr.execute("ALTER TABLE sync_audit DISABLE TRIGGER USER")
            cr.execute("DELETE FROM sync_audit WHERE id > %s", [cls.last_id])
            cr.execute("ALTER TABLE sync_audit ENABLE TRIGGER USER")

    @staticmethod
    def _env(cr):
        return api.Environment(cr, SUPERUSER_ID, {})

    def _in_threads(self, *targets):
        errors = []

        def guarded(target):
            try:
                target()
            except Exception as error:
                errors.append(error)

        threads = [
            threading.Thread(target=guarded, args=(target,)) for target in targets
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertFalse(
            [thread for thread in threads if thread.is_alive()], "a writer hangs"
        )
        self.assertEqual(errors, [])

    def _verify(self):
        with self.registry.cursor() as cr:
            audit = self._env(cr)["sync.audit"]
            report, unsealed = audit._verify()
            cr.execute(
                "SELECT count(*), count(DISTINCT chain_index) FROM sync_audit WHERE id "
                "> %s",
                [self.last_id],
            )
            return report, unsealed, cr.fetchone()

    def test_parallel_writers_and_sealers_neither_fork_nor_lose(self):
        finished = threading.Event()

        def write(writer):
            for number in range(self.ENTRIES):
                with self.registry.cursor() as cr:
                    self._env(cr)["sync.audit"]._log(
                        "race.written", after={"writer": writer, "number": number}
                    )

        def seal():
            while not finished.is_set():
                with self.registry.cursor() as cr:
                    self._env(cr)["sync.audit"]._seal()

        def write_all():
            try:
                self._in_threads(*(lambda n=n: write(n) for n in range(self.WRITERS)))
            finally:
                finished.set()

        before = self._verify()[2][0]
        self._in_threads(write_all, seal, seal)
        with self.registry.cursor() as cr:
            self._env(cr)["sync.audit"]._seal()
        report, unsealed, (count, positions) = self._verify()
        self.assertTrue(report.valid, report)
        self.assertEqual(unsealed, 0)
        self.assertEqual(count - before, self.WRITERS * self.ENTRIES)
        self.assertEqual(positions, count)

    def test_a_slow_transaction_blocks_nobody_and_is_linked_later(self):
        with self.registry.cursor() as slow:
            audit = self._env(slow)["sync.audit"]
            late = audit._log("race.slow").id
            slow.execute("SELECT 1")

            def quick():
                with self.registry.cursor() as cr:
                    cr.execute("SET LOCAL lock_timeout = '5s'")
                    self._env(cr)["sync.audit"]._log("race.quick")

            self._in_threads(quick)
            with self.registry.cursor() as cr:
                self.assertGreaterEqual(self._env(cr)["sync.audit"]._seal(), 1)
        with self.registry.cursor() as cr:
            audit = self._env(cr)["sync.audit"]
            self.assertFalse(audit.browse(late).chain_index)
        with self.registry.cursor() as cr:
            audit = self._env(cr)["sync.audit"]
            self.assertEqual(audit._seal(), 1)
        report, unsealed, (count, positions) = self._verify()
        self.assertTrue(report.valid, report)
        self.assertEqual((unsealed, positions), (0, count))
