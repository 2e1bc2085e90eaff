import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const HEIGHT = 28;

/** The last 24 hours as bars: what was delivered, and on top of it what failed. */
export class Sparkline extends Component {
  static template = "sync_governance_webhooks.Sparkline";
  static props = {...standardFieldProps};

  get bars() {
    const hours = this.props.record.data[this.props.name] || [];
    const highest = Math.max(1, ...hours.map(([good, bad]) => good + bad));
    return hours.map(([good, bad], index) => {
      const goodHeight = (good / highest) * HEIGHT;
      const badHeight = (bad / highest) * HEIGHT;
      return {
        x: index * 10,
        goodY: HEIGHT - goodHeight,
        goodHeight,
        badY: HEIGHT - goodHeight - badHeight,
        badHeight,
        title: `${good} / ${bad}`,
      };
    });
  }
}

registry.category("fields").add("sync_sparkline", {
  component: Sparkline,
  supportedTypes: ["json"],
});
