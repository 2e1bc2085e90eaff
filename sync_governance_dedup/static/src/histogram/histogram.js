import {Component, onWillStart, onWillUpdateProps, useState} from "@odoo/owl";
import {formatInteger} from "@web/views/fields/formatters";
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
    this.state = useState({buckets: [], asked: 0, above: [], below: []});
    onWillStart(() => this.load(this.props.record));
    onWillUpdateProps((next) => this.load(next.record));
  }

  async load(record) {
    const threshold = record.data.suggest_threshold;
    if (
      !record.resId ||
      (record.resId === this.shownId && threshold === this.shownFor)
    ) {
      return;
    }
    Object.assign(this, {shownId: record.resId, shownFor: threshold});
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

  /** The threshold that somebody drags. */
  async pick(value) {
    const threshold = Math.min(Math.max(Number(value), 0.01), this.safe);
    await this.props.record.update({suggest_threshold: threshold});
  }

  get threshold() {
    return this.props.record.data.suggest_threshold;
  }

  get safe() {
    return this.props.record.data.auto_threshold;
  }

  count(number) {
    return formatInteger(number);
  }

  bucketClass(low) {
    if (low >= this.safe - 0.05) {
      return "text-bg-success";
    }
    // the bucket in which the threshold lies is asked in part
    return low > this.threshold - 0.05 ? "text-bg-info" : "text-bg-secondary";
  }

  percent(value) {
    return `${Math.round(value * 1000) / 10} %`;
  }
}

registry.category("view_widgets").add("sync_duplicate_histogram", {
  component: ScoreHistogram,
  fieldDependencies: [
    {name: "suggest_threshold", type: "float"},
    {name: "auto_threshold", type: "float"},
  ],
});
