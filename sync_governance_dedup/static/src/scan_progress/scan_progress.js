import {Component, onMounted, onWillUnmount, xml} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/** Milliseconds between two looks at a scan. */
const PERIOD = 3000;

/** Keeps the form of a running scan up to date. */
export class ScanProgress extends Component {
  static template = xml``;
  static props = {...standardWidgetProps};

  setup() {
    onMounted(() => {
      this.timer = browser.setInterval(() => this.look(), PERIOD);
    });
    onWillUnmount(() => browser.clearInterval(this.timer));
  }

  async look() {
    const {record} = this.props;
    if (record.data.state === "running" && !document.hidden) {
      await record.load();
    }
  }
}

registry.category("view_widgets").add("sync_duplicate_scan_progress", {
  component: ScanProgress,
  fieldDependencies: [{name: "state", type: "selection"}],
});
