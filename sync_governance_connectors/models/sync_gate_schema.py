# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo import api, models
from odoo.tools import ormcache

from ..tools import openapi, pointer
from ..tools.jsonbody import merge_patch
from ..tools.problem import Problem

# Items are checked one by one: a bad one does not refuse the others.
BULK_ENVELOPE = openapi.bulk_schema({"type": "object", "properties": {}})


class SyncGate(models.AbstractModel):
    """What a body is held to: the resource's own schema, and its contract's."""

    _inherit = "sync.gate"  # pylint: disable=consider-merging-classes-inherited; by topic

    @api.model
    def _validate(self, resource, operation, body, version=None):
        """Check a body against what the resource understands, then its contract.

        Until its sunset, a deprecated version of the contract is as good as the one in
        force.

        :param version: number of the version to use; None for any that is valid
        :return: number of the version that the body is valid by, '' without a contract
        :raise Problem: 422 with every fault by the version in force
        """
        numbers = [version]
        if version is None:
            numbers = list(self._contract_versions(resource, operation)) or [""]
        refused = []
        for number in numbers:
            found = self._faults(resource, operation, body, number)
            if not found:
                return number
            refused.append(found)
        raise Problem.invalid(refused[0])

    def _faults(self, resource, operation, body, version):
        for text in self._schema_texts(resource._name, operation, version):
            found = pointer.faults(pointer.compiled(text), body)
            if found:
                return found
        return []

    def _validate_merged(self, passage, record):
        """Refuse a patch after which the record would break its contract.

        The contract is about whole bodies. What the record lacks already is not the
        patch's fault.

        :raise Problem: 422 with every new fault by the version in force
        """
        resource, refused = passage.resource, []
        versions = self._contract_versions(resource, "replace")
        if not versions:
            return
        before = resource._writable(self._canonical(passage, record))
        after = merge_patch(before, passage.body)
        for number, told in versions.items():
            known = self._faults(resource, "replace", before, number)
            found = self._faults(resource, "replace", after, number)
            found = [fault for fault in found if fault not in known]
            if not found:
                passage.version = number
                passage.headers |= told
                return
            refused.append(found)
        raise Problem.invalid(refused[0])

    @api.model
    @ormcache("resource_model", "operation", "version")
    def _schema_texts(self, resource_model, operation, version):
        """JSON texts of the schemas that a body is held to: one, or two that differ.

        A contract may ask for more than the resource does; it never lets through what
        the resource does not understand.
        """
        resource = self.env[resource_model]
        if operation == "bulk":
            return (json.dumps(BULK_ENVELOPE),)
        schemas = [resource._schema(operation)]
        if version:
            code = self.env["sync.contract"]._code_of(resource, operation)
            agreed = self.env["sync.contract"]._schema_of(code, version)
            if operation == "replace":  # the address names the record
                named = agreed.get("required", [])
                agreed["required"] = [one for one in named if one != "external_id"]
            schemas.append(agreed)
        return tuple({json.dumps(one, sort_keys=True): None for one in schemas})

    @api.model
    def _contract_versions(self, resource, operation):
        """``{number: headers}`` of the versions that a body may follow."""
        contracts = self.env["sync.contract"]
        code = contracts._code_of(resource, operation)
        return contracts._versions_valid(code) if code else {}
