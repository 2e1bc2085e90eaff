import {Component, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {KeepLast} from "@web/core/utils/concurrency";
import {useAutofocus, useService} from "@web/core/utils/hooks";
import {useDebounced} from "@web/core/utils/timing";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/** Milliseconds without a keystroke after which the server is asked. */
const PAUSE = 300;

/**
 * Tells, while somebody types a new record or changes one, which stored ones it probably is.
 *
 * Options: `fields`, the names of the fields to look at.
 */
export class DuplicateBanner extends Component {
  static template = "sync_governance_dedup.Banner";
  static props = {...standardWidgetProps, fields: {type: Array}};

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.notification = useService("notification");
    this.state = useState({matches: [], asking: false, reason: "", silenced: false});
    this.keepLast = new KeepLast();
    this.ask = useDebounced((values) => this.load(values), PAUSE);
    useRecordObserver((record) => this.observe(record));
    useAutofocus({refName: "reason"});
  }

  /** Asks when what is compared was typed, not for a record as it was loaded. */
  observe(record) {
    const values = this.values(record);
    const key = JSON.stringify(values);
    if (record.resId !== this.shownId) {
      this.shownId = record.resId;
      this.asked = record.isNew ? null : key;
      Object.assign(this.state, {matches: [], asking: false, silenced: false});
    }
    if (key !== this.asked) {
      this.asked = key;
      this.ask(values);
    }
  }

  values(record) {
    const values = Object.fromEntries(
      this.props.fields
        .filter((name) => name in record.data)
        .map((name) => {
          const value = record.data[name];
          return [name, value && typeof value === "object" ? value.id : value];
        })
    );
    return record.resId ? {...values, id: record.resId} : values;
  }

  async load(values) {
    if (!values.name && !values.email && !values.phone && !values.vat) {
      this.state.matches = [];
      return;
    }
    this.state.matches = await this.keepLast.add(
      this.orm.silent.call("sync.duplicate.door", "get_matches", [
        this.props.record.resModel,
        values,
      ])
    );
  }

  get visible() {
    const {isNew, dirty} = this.props.record;
    return (isNew || dirty) && this.state.matches.length && !this.state.silenced;
  }

  get words() {
    return this.props.record.isNew
      ? {use: _t("Use this one"), anyway: _t("Create anyway")}
      : {use: _t("Open that one"), anyway: _t("Keep both")};
  }

  percent(match) {
    return `${Math.floor(match.probability * 100)} %`;
  }

  async note(match, outcome, reason) {
    await this.orm.call("sync.duplicate.prevention", "note_choice", [
      this.props.record.resModel,
      match.id,
      match.probability,
      outcome,
      reason,
    ]);
  }

  async useThis(match) {
    await this.note(match, "used");
    await this.props.record.discard();
    await this.action.doAction(
      {
        type: "ir.actions.act_window",
        res_model: this.props.record.resModel,
        res_id: match.id,
        views: [[false, "form"]],
      },
      {stackPosition: "replaceCurrentAction"}
    );
  }

  async createAnyway() {
    const reason = this.state.reason.trim();
    if (!reason) {
      this.notification.add(_t("Tell why this is another one."), {type: "warning"});
      return;
    }
    await this.note(this.state.matches[0], "created", reason);
    this.state.silenced = true;
  }
}

registry.category("view_widgets").add("sync_duplicate_banner", {
  component: DuplicateBanner,
  extractProps: ({options}) => ({fields: options.fields}),
});
