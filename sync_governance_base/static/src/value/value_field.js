import {Component, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** Longer values are clipped until somebody wants to read them. */
const CLIP = 140;

/**
 * A value as text, read-only: what is empty says so, what is long can be unfolded.
 *
 * Option `known_field`: a boolean of the record; where it is false there never was a value.
 */
export class ValueField extends Component {
  static template = "sync_governance_base.ValueField";
  static props = {...standardFieldProps, knownField: {type: String, optional: true}};

  setup() {
    this.state = useState({open: false});
  }

  get value() {
    return this.props.record.data[this.props.name] || "";
  }

  get isLong() {
    return this.value.length > CLIP || this.value.split("\n").length > 3;
  }

  get nothing() {
    const {knownField, record} = this.props;
    return knownField && !record.data[knownField] ? _t("never agreed") : _t("empty");
  }

  toggle() {
    this.state.open = !this.state.open;
  }
}

registry.category("fields").add("sync_value", {
  component: ValueField,
  displayName: _t("Value, clipped"),
  supportedTypes: ["char", "text"],
  isEmpty: () => false,
  extractProps: ({options}) => ({knownField: options.known_field}),
});
