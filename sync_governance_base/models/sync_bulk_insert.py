from odoo import api, models
from odoo.tools import SQL


class SyncBulkInsert(models.AbstractModel):
    """Mixin for logs and registers that every call writes to: many rows in a statement.

    For models whose rows need nothing of what the ORM does at ``create``: no computed
    columns, no constraints in Python, no translations. Hooks and overrides of
    ``create`` do not see them.
    """

    _name = "sync.bulk.insert"
    _description = "Rows in one Statement"

    @api.model
    def _insert_rows(self, vals_list: list[dict], skip_existing=False):
        """Insert rows by one statement, in the present transaction.

        :param vals_list: values of stored fields, each with the same names
        :param skip_existing: leave out rows that a unique index refuses
        :return: the records of the rows inserted, in order
        """
        if not vals_list:
            return self.browse()
        names = list(vals_list[0])
        logged = {}
        if self._log_access:
            now = SQL("(now() AT TIME ZONE 'UTC')")  # as ``cr.now``, not asked for
            logged = {
                **dict.fromkeys(("create_date", "write_date"), now),
                **dict.fromkeys(("create_uid", "write_uid"), self.env.uid),
            }
        rows = [
            SQL(
                "(%s)",
                SQL(", ").join(
                    [
                        *(self._column(name, vals[name]) for name in names),
                        *logged.values(),
                    ]
                ),
            )
            for vals in vals_list
        ]
        inserted = self.env.execute_query(
            SQL(
                "INSERT INTO %s (%s) VALUES %s %s RETURNING id",
                SQL.identifier(self._table),
                SQL(", ").join(map(SQL.identifier, [*names, *logged])),
                SQL(", ").join(rows),
                SQL("ON CONFLICT DO NOTHING") if skip_existing else SQL(),
            )
        )
        return self.browse(row_id for (row_id,) in inserted)

    @api.model
    def _column(self, name, value):
        return self._fields[name].convert_to_column_insert(value, self)
