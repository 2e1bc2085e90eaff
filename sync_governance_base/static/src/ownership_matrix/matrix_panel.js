import {Component} from "@odoo/owl";
import {formatInteger} from "@web/views/fields/formatters";
import {rankOf} from "./matrix_rows";

/** What is behind one row: owners, policy, pending draft and the writes of seven days. */
export class MatrixPanel extends Component {
  static template = "sync_governance_base.MatrixPanel";
  static props = {
    row: Object,
    system: {type: Object, optional: true},
    systems: Array,
    labels: Object,
    days: Number,
    canEdit: Boolean,
    onClose: Function,
    onEdit: Function,
    onOpenPolicy: Function,
    onNewPolicy: Function,
  };

  get model() {
    return this.props.row.model;
  }

  get field() {
    return this.props.row.level === 3 ? this.props.row.data : null;
  }

  nameOf(systemId) {
    return this.props.systems.find((system) => system.id === systemId)?.name || "…";
  }

  namesOf(systemIds) {
    return systemIds.map((id) => this.nameOf(id));
  }

  get hits() {
    return this.props.row.data.hits;
  }

  /** Writes by outcome, in the order in which they get in somebody's way. */
  get totals() {
    const labels = this.props.labels.outcome;
    return Object.keys(labels)
      .map((outcome) => ({
        outcome,
        label: labels[outcome],
        count: this.hits
          .filter((hit) => hit.outcome === outcome)
          .reduce((sum, hit) => sum + hit.count, 0),
      }))
      .filter((total) => total.count);
  }

  /** Writes by somebody else than an owner that the mildest modes let through. */
  get wouldBlock() {
    return this.totals
      .filter((total) => ["observed", "warned"].includes(total.outcome))
      .reduce((sum, total) => sum + total.count, 0);
  }

  get roleNow() {
    const owners = this.field.pending || this.field.owners;
    return rankOf(owners, this.props.system.id);
  }

  format(number) {
    return formatInteger(number);
  }
}
