import {Component, useState} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {DuplicateCompare} from "../compare/compare";

/** The comparison inside the form of a duplicate group. */
export class CompareWidget extends Component {
  static template = "sync_governance_dedup.CompareWidget";
  static components = {DuplicateCompare};
  static props = {...standardWidgetProps};

  setup() {
    this.notification = useService("notification");
    this.state = useState({round: 0});
  }

  async onDecided({message, done}) {
    try {
      await done();
      this.notification.add(message, {type: "success"});
    } catch (error) {
      this.notification.add(error.data?.message || String(error), {
        type: "danger",
        sticky: true,
      });
      this.state.round += 1; // shown anew, as it is by now
    }
    await this.props.record.load();
  }
}

registry
  .category("view_widgets")
  .add("sync_duplicate_compare", {component: CompareWidget});
