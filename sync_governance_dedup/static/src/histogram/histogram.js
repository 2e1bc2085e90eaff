import {Component, onWillStart, onWillUpdateProps, useState} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/**
 * The scores of a rule's latest scan, with examples on each side of the threshold: what a
 * steward would be asked, and what not.
 */
export class ScoreHistogram extends Component {
  static template = "sync_governance_dedup.Histogram";
  static props = {...standardWidgetProps};

  setup() {
    this.orm = useService("orm");
    this.state = useState({buckets: [], above: [], below: []});
    onWillStart(() => this.load(this.props.record));
    onWillUpdateProps((next) => this.load(next.record));
  }

  async load(record) {
    const threshold = record.data.suggest_threshold;
    if (
      !record.resId ||
      (record.resId === this.shownId && threshold === this.threshold)
    ) {
      return;
    }
    Object.assign(this, {shownId: record.resId, threshold});
    const scores = await this.orm.call("sync.duplicate.workbench", "get_scores", [
      record.resId,
      threshold,
    ]);
    Object.assign(this.state, scores);
  }

  get most() {
    return Math.max(1, ...this.state.buckets.map(([, count]) => count));
  }

  height(count) {
    // logarithmic: the few near the threshold matter, the many far from it would hide them
    return count ? Math.max(4, (100 * Math.log1p(count)) / Math.log1p(this.most)) : 0;
  }

  bucketClass(low) {
    const {suggest_threshold, auto_threshold} = this.props.record.data;
    if (low >= auto_threshold - 0.05) {
      return "text-bg-success";
    }
    return low >= suggest_threshold ? "text-bg-info" : "text-bg-secondary";
  }

  percent(value) {
    return `${Math.round(value * 100)} %`;
  }
}

registry.category("view_widgets").add("sync_duplicate_histogram", {
  component: ScoreHistogram,
  fieldDependencies: [
    {name: "suggest_threshold", type: "float"},
    {name: "auto_threshold", type: "float"},
  ],
});
