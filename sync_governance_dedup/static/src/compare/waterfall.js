import {Component, useState} from "@odoo/owl";

/**
 * Why a pair scored as it did: from what any two records are worth, each comparison goes on where
 * the one before ended, to the right for "the same", to the left for "not", down to the sum.
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

  /** The comparisons with the place of their bars, in percent of the width, and the sum. */
  get lines() {
    let sum = 0;
    const steps = this.pair.evidence.map((line) => {
      const from = sum;
      sum += line.weight;
      return {...line, from, to: sum};
    });
    const ends = [0, ...steps.map((step) => step.to)];
    const least = Math.min(...ends);
    const width = Math.max(...ends) - least || 1;
    const place = (weight) => (100 * (weight - least)) / width;
    const bar = (from, to) => {
      const left = place(Math.min(from, to));
      return `left: ${left}%; width: ${Math.max(place(Math.max(from, to)) - left, 0.5)}%`;
    };
    return {
      steps: steps.map((step) => ({...step, bar: bar(step.from, step.to)})),
      sum: {weight: sum, bar: bar(0, sum)},
      zero: `left: ${place(0)}%`,
    };
  }

  signed(weight) {
    return `${weight > 0 ? "+" : ""}${weight.toFixed(1)}`;
  }
}
