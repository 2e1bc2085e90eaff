import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {fieldsBelow, rankOf} from "./matrix_rows";

/** One row of the matrix: a domain, a model or a field. */
export class MatrixRow extends Component {
  static template = "sync_governance_base.MatrixRow";
  static props = {
    row: Object,
    systems: Array,
    open: Boolean,
    selected: Boolean,
  };

  get unowned() {
    return fieldsBelow(this.props.row).filter((field) => !field.owned).length;
  }

  get isUnowned() {
    return this.props.row.level === 3 && !this.props.row.data.owned;
  }

  get isPending() {
    const {level, data} = this.props.row;
    return level > 1 && Boolean(data.pending);
  }

  get cells() {
    const {row, systems} = this.props;
    const cell = row.level === 3 ? this.fieldCell : this.groupCell;
    return systems.map((system) => cell.call(this, row, system));
  }

  /** How many fields below a domain or model the system owns. */
  groupCell(row, system) {
    const count = fieldsBelow(row).filter((field) => field.owners[0] === system.id);
    return {
      id: system.id,
      count: count.length || "",
      label: _t("%(row)s, %(system)s: owns %(count)s fields", {
        row: row.label,
        system: system.name,
        count: count.length,
      }),
    };
  }

  /** The letters of one field and system, and in words for who cannot see them. */
  fieldCell(row, system) {
    const field = row.data;
    const now = this.role(rankOf(field.owners, system.id));
    const then = field.pending ? this.role(rankOf(field.pending, system.id)) : now;
    const changes = now?.letter !== then?.letter || now?.rank !== then?.rank;
    const reads = field.consumers.includes(system.id);
    const words = [now?.words, reads && _t("consumer")].filter(Boolean);
    if (changes) {
      words.push(_t("draft: %s", then?.words || _t("no part")));
    }
    return {
      id: system.id,
      now,
      gone: changes,
      then: changes ? then : null,
      reads,
      enforcement: field.enforcement,
      label: `${row.label}, ${system.name}: ${words.join(", ") || _t("no part")}`,
    };
  }

  role(rank) {
    if (rank === null) {
      return null;
    }
    return rank
      ? {letter: "R", rank, words: _t("next in rank, place %s", rank + 1)}
      : {letter: "O", rank, words: _t("owner")};
  }
}
