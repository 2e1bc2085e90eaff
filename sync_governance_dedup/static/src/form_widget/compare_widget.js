import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {DuplicateCompare} from "../compare/compare";

/** The comparison inside the form of a duplicate group. */
export class CompareWidget extends Component {
  static template = "sync_governance_dedup.CompareWidget";
  static components = {DuplicateCompare};
  static props = {...standardWidgetProps};

  async onDecided() {
    await this.props.record.load();
  }
}

registry
  .category("view_widgets")
  .add("sync_duplicate_compare", {component: CompareWidget});
