# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models
from odoo.exceptions import UserError

from ..tools.document import DocumentError

CHANNEL = "root.sync_inbound"


class SyncStepwiseRun(models.AbstractModel):
    """Role: long work in steps, each a queue job that commits what it has done.

    A step that was killed is begun again where the one before ended; between steps the
    run can be paused and cancelled. A model gives the selection ``phase``, a method for
    each (``_fetch``), says whose run it is (:meth:`_run_owner`), and what it leaves
    behind (:meth:`_discard`).
    """

    _name = "sync.stepwise.run"
    _description = "Role: a run in steps"
    _order = "id desc"

    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("running", "Running"),
            ("paused", "Paused"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        default="queued",
    )
    position = fields.Integer(readonly=True, help="How far the phase has come.")
    started_at = fields.Datetime(readonly=True)
    finished_at = fields.Datetime(readonly=True)
    error = fields.Text(readonly=True)

    # -- a model's own ---------------------------------------------------------------

    def _run_owner(self):
        """The record that the run belongs to: who may write it, steers the run."""
        raise NotImplementedError

    def _discard(self):
        """Clear away what a cancelled run leaves behind."""

    def _issue_kind(self):
        """Class of the issue that a failure raises, such as ``feed``."""
        raise NotImplementedError

    # -- work ------------------------------------------------------------------------

    def _enqueue(self, eta=None):
        self.ensure_one()
        # Runs are a ledger that no person writes.
        self.sudo().with_delay(
            channel=CHANNEL,
            eta=eta,
            description=f"{self._description}: {self._run_owner().display_name}",
            identity_key=f"{self._name}:{self.id}:{self.phase}:{self.position}",
        )._work()

    def _work(self):
        """Job: one step, and the next one queued behind it."""
        self.ensure_one()
        if self.state not in ("queued", "running"):
            return
        self.write(
            {
                "state": "running",
                "started_at": self.started_at or fields.Datetime.now(),
            }
        )
        try:
            with self.env.cr.savepoint():
                getattr(self, f"_{self.phase}")()
        except (DocumentError, UserError) as error:
            self._on_step_failed(error)
        if self.state == "running":
            self._enqueue()

    def _on_step_failed(self, error):
        self._fail(str(error))

    def _enter(self, phase):
        self.write({"phase": phase, "position": 0})

    def _complete(self):
        self.write({"state": "done", "finished_at": fields.Datetime.now()})

    def _fail(self, error):
        """Stop with a reason that a person can act on, and tell its owner."""
        owner = self._run_owner()
        self.write({"state": "failed", "error": error})
        self.env["sync.issue"]._raise(
            self._issue_fingerprint(),
            self.env._("%(name)s stopped: %(error)s", name=owner.name, error=error),
            self._issue_kind(),
            record=owner,
            system=owner.system_id,
        )

    def _on_job_failed(self, exc_message=None, **_failure):
        """queue_job's ``on_fail_method``."""
        self._fail(exc_message or self.env._("The job failed."))

    def _issue_fingerprint(self):
        return f"{self._issue_kind()}:{self._run_owner().id}"

    # -- steering --------------------------------------------------------------------

    def action_pause(self):
        self._steer(("queued", "running"), "paused")

    def action_cancel(self):
        self._steer(("queued", "running", "paused", "failed"), "cancelled")
        self.sudo().finished_at = fields.Datetime.now()
        self.sudo()._discard()

    def action_resume(self):
        self._steer(("paused", "failed"), "queued")
        self._enqueue()

    def _steer(self, states, state):
        self.ensure_one()
        self._run_owner().check_access("write")
        if self.state not in states:
            raise UserError(self.env._("The run is not in a state that allows this."))
        self.sudo().write({"state": state, "error": False})

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [[False, "form"]],
        }
