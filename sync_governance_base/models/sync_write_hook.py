import logging
from collections import Counter
from contextlib import contextmanager
from typing import Any

from odoo import api, models

from ..tools.policy import CREATION, DELETION

_CREATING = "sync_creating"
_logger = logging.getLogger(__name__)


class _CreateHook:
    """Placed in front of a hooked model's classes: shows the hooks each ``create``."""

    __slots__ = ()

    @api.model_create_multi
    def create(self, vals_list):
        hook = self.env["sync.write.hook"]
        vals_list = hook._before_create(self, vals_list)
        with hook._creating(self._name):
            records = super().create(vals_list)
        hook._after_create(records, vals_list)
        return records


class _WriteHook:
    """Lets the hooks see each ``write``, and take values out of it."""

    __slots__ = ()

    def write(self, vals):
        hook = self.env["sync.write.hook"]
        kept = hook._before_write(self, vals)
        if vals and not kept:
            return True
        result = super().write(kept)
        hook._after_write(self, kept)
        return result

    def _update_field_translations(self, field_name, translations, *args, **kwargs):
        # the dialogue for translations writes past ``write``
        self.env["sync.write.hook"]._before_translate(self, field_name)
        return super()._update_field_translations(
            field_name, translations, *args, **kwargs
        )


class _UnlinkHook:
    """Lets the hooks see each ``unlink``, and keep records out of it."""

    __slots__ = ()

    def unlink(self):
        hook = self.env["sync.write.hook"]
        records = hook._before_unlink(self)
        ids = records.ids
        result = super(_UnlinkHook, records).unlink()
        hook._after_unlink(self.browse(), ids)
        return result


class _FlushHook:
    """Lets the hooks see the UPDATE of stored columns, recomputed ones included."""

    __slots__ = ()

    def _write_multi(self, vals_list):
        hook = self.env["sync.write.hook"]
        hook._before_flush(self, vals_list)
        super()._write_multi(vals_list)
        hook._after_flush(self, vals_list)


_HOOKS = {
    "create": (_CreateHook, "create"),
    "write": (_WriteHook, "write"),
    "unlink": (_UnlinkHook, "unlink"),
    "flush": (_FlushHook, "_write_multi"),
}
_HOOK_CLASSES = frozenset(hook_class for hook_class, _method in _HOOKS.values())


class SyncWriteHook(models.AbstractModel):
    """The one place where governance meets the ORM.

    Models named by ``_sync_hooked_models`` get a class with the hooked methods right
    below their registry class, so that ``super()`` leads on to the model's own code and
    whatever overrides it.  All other models are left untouched and pay nothing.

    Other modules ``_inherit`` this model and extend the methods below with ``super()``.
    """

    _name = "sync.write.hook"
    _description = "Hooks on governed models"

    # ------------------------------------------------------------------
    # Extension points
    # ------------------------------------------------------------------

    @api.model
    def _sync_hooked_models(self) -> dict[str, set[str]]:
        """The models to hook, each with a subset of create, write, unlink, flush."""
        names = self.env["sync.policy"]._governed_models()
        names |= self.env["sync.write.sample"]._sampled_models().keys()
        return {name: {"create", "write", "unlink"} for name in names}

    @api.model
    def _before_create(self, model, vals_list: list[dict]) -> list[dict]:
        """Called before records are created; returns the values to create them with."""
        return self.env["sync.policy"]._enforce_create(model, vals_list)

    @api.model
    def _after_create(self, records, vals_list: list[dict]) -> None:
        """Called after records were created."""
        samples = self.env["sync.write.sample"]
        if samples._is_sampled(records._name):
            samples._note_whole(records, CREATION)

    @api.model
    @contextmanager
    def _creating(self, model_name: str):
        """While records of the model are being created."""
        under_way = self.env.cr.cache.setdefault(_CREATING, Counter())
        under_way[model_name] += 1
        try:
            yield
        finally:
            under_way[model_name] -= 1

    @api.model
    def _being_created(self, records):
        """Those of the records that are being created right now.

        Models complete their records by writing to them inside of ``create``.
        """
        under_way = self.env.cr.cache.get(_CREATING, {})
        if not under_way.get(records._name) or not records._log_access:
            return records.browse()
        now = self.env.cr.now()
        return records.filtered(lambda record: record.sudo().create_date == now)

    @api.model
    def _before_write(self, records, vals: dict[str, Any]) -> dict[str, Any]:
        """Called before a write; returns the values that may be written."""
        kept = self.env["sync.policy"]._enforce_write(records, vals)
        samples = self.env["sync.write.sample"]
        if samples._is_sampled(records._name):
            samples._note_write(records, kept)
        return kept

    @api.model
    def _before_translate(self, records, field_name: str) -> None:
        """Called before a field's translations are edited."""
        self.env["sync.policy"]._enforce_translate(records, field_name)

    @api.model
    def _after_write(self, records, vals: dict[str, Any]) -> None:
        """Called after a write, with the values that were written."""

    @api.model
    def _before_unlink(self, records):
        """Called before a deletion; returns the records that may be deleted."""
        deleted = self.env["sync.policy"]._enforce_unlink(records)
        samples = self.env["sync.write.sample"]
        if samples._is_sampled(records._name):
            samples._note_whole(deleted, DELETION)
        return deleted

    @api.model
    def _after_unlink(self, model, ids: list[int]) -> None:
        """Called after the records with those ids were deleted."""
        self.env["sync.crosswalk"]._retire(model._name, ids)

    @api.model
    def _before_flush(self, records, vals_list: list[dict]) -> None:
        """Called before stored columns are updated: one dictionary for each record."""

    @api.model
    def _after_flush(self, records, vals_list: list[dict]) -> None:
        """Called after stored columns were updated."""

    # ------------------------------------------------------------------
    # Installation
    # ------------------------------------------------------------------

    def _register_hook(self):
        super()._register_hook()
        self._install_hooks()

    def _unregister_hook(self):
        super()._unregister_hook()
        for model_class in self.env.registry.values():
            model_class_bases = tuple(
                base for base in model_class.__bases__ if base not in _HOOK_CLASSES
            )
            if model_class_bases != model_class.__bases__:
                model_class.__bases__ = model_class_bases

    @api.model
    def _sync_refresh_hooks(self) -> None:
        """Bring hooks and cached rules in line with the database, in every worker.

        Other workers reload their registry only when a model gets its first hook;
        otherwise clearing the caches is enough.  A hook that is no longer wanted stays,
        asking rules that are empty, until the next reload: another thread may be in it.
        """
        registry = self.env.registry
        registry.clear_cache()
        registry.clear_cache("templates")
        # again once the change is visible: threads may have cached the old rules
        self.env.cr.postcommit.add(registry.clear_cache)
        if registry.ready and self._install_hooks():
            registry.registry_invalidated = True

    @api.model
    def _install_hooks(self) -> bool:
        """Hook what should be hooked and is not; whether anything changed."""
        changed = False
        for model_name, operations in self._sync_hooked_models().items():
            model_class = self.env.registry.models.get(model_name)
            if model_class is None or model_class._abstract:
                _logger.info(
                    "No model %s to hook: its module is not loaded", model_name
                )
                continue
            missing = [
                _HOOKS[operation]
                for operation in sorted(operations)
                if _HOOKS[operation][0] not in model_class.__bases__
            ]
            if missing:
                changed = True
                hook_classes = tuple(hook_class for hook_class, _method in missing)
                model_class.__bases__ = hook_classes + model_class.__bases__
                for _hook_class, method in missing:
                    self._chain_under_patches(model_class, method)
        return changed

    @api.model
    def _chain_under_patches(self, model_class, method_name: str) -> None:
        """Slip under patches set on the registry
        class, which keep the method they found.

        base_automation and others replace a method and remember it as ``origin``.
        """
        patch = model_class.__dict__.get(method_name)
        while hasattr(getattr(patch, "origin", None), "origin"):
            patch = patch.origin
        if hasattr(patch, "origin"):
            patch.origin = getattr(super(model_class, model_class), method_name)
