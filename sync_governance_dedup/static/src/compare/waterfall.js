import {Component, useState} from "@odoo/owl";

/** Bits beyond which a bar is cut: one very strong reason must not flatten all others. */
const WIDEST = 15;

/**
 * Why a pair scored as it did: one bar a comparison, right for "the same", left for "not".
 */
export class Waterfall extends Component {
  static template = "sync_governance_dedup.Waterfall";
  static props = {pairs: Array, members: Array};

  setup() {
    this.state = useState({open: 0});
  }

  get pair() {
    return this.props.pairs[Math.min(this.state.open, this.props.pairs.length - 1)];
  }

  number(recordId) {
    return 1 + this.props.members.findIndex((member) => member.record_id === recordId);
  }

  title(pair) {
    return `${this.number(pair.left)} – ${this.number(pair.right)}`;
  }

  percent(pair) {
    return `${Math.floor(pair.probability * 1000) / 10} %`;
  }

  bar(line) {
    const width = (50 * Math.min(Math.abs(line.weight), WIDEST)) / WIDEST;
    return line.weight >= 0
      ? `left: 50%; width: ${width}%`
      : `left: ${50 - width}%; width: ${width}%`;
  }

  signed(weight) {
    return `${weight > 0 ? "+" : ""}${weight.toFixed(1)}`;
  }
}
