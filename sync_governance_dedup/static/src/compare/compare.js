import {Component, onWillStart, onWillUpdateProps, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {formatDateTime, deserializeDateTime} from "@web/core/l10n/dates";
import {useService} from "@web/core/utils/hooks";
import {Waterfall} from "./waterfall";

const REASONS = {
  only: _t("only value"),
  owner: _t("system of record"),
  fresh: _t("written last"),
  complete: _t("more complete record"),
  empty: _t("empty everywhere"),
};

/**
 * The records of a duplicate group side by side: what differs, why they are thought to be one,
 * what hangs on them, and which value survives. Used by the desk and by the group's form.
 */
export class DuplicateCompare extends Component {
  static template = "sync_governance_dedup.Compare";
  static components = {Waterfall};
  static props = {
    groupId: Number,
    onLoaded: {type: Function, optional: true},
    onDecided: {type: Function, optional: true},
    register: {type: Function, optional: true},
  };

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.notification = useService("notification");
    this.state = useState({data: null, error: null, onlyDiffering: false, busy: false});
    this.props.register?.(this);
    onWillStart(() => this.load(this.props.groupId));
    onWillUpdateProps((next) => {
      if (next.groupId !== this.props.groupId) {
        return this.load(next.groupId);
      }
    });
  }

  async load(groupId) {
    try {
      const data = await this.orm.call("sync.duplicate.workbench", "get_group", [
        groupId,
      ]);
      Object.assign(this.state, {
        data,
        error: null,
        survivorId: data.survivor_id,
        left: {},
        choices: Object.fromEntries(
          data.rows.filter((row) => row.choice).map((row) => [row.field, row.choice])
        ),
        blockers: data.blockers,
        busy: false,
      });
      this.shownAt = Date.now();
      this.props.onLoaded?.(data);
    } catch (error) {
      this.state.data = null;
      this.state.error = error.data?.message || String(error);
    }
  }

  get rows() {
    return this.state.data.rows.filter(
      (row) => !this.state.onlyDiffering || row.differs
    );
  }

  /** The strongest evidence of the best pair, for and against, in a line. */
  get reasons() {
    const [pair] = this.state.data.pairs;
    return (pair?.evidence || [])
      .filter((line) => line.field !== "prior" && Math.abs(line.weight) >= 0.5)
      .sort((one, other) => Math.abs(other.weight) - Math.abs(one.weight))
      .slice(0, 6);
  }

  get included() {
    return this.state.data.members.filter(
      (member) => !this.state.left[member.record_id]
    );
  }

  get canMerge() {
    return (
      this.state.data.can_decide &&
      !this.state.busy &&
      this.included.length > 1 &&
      !this.state.blockers.length
    );
  }

  get seen() {
    return Object.fromEntries(
      this.state.data.members.map((member) => [member.record_id, member.fingerprint])
    );
  }

  get seconds() {
    return Math.round((Date.now() - this.shownAt) / 1000);
  }

  when(text) {
    return text ? formatDateTime(deserializeDateTime(text)) : "";
  }

  percent(probability) {
    // 99.97 % must not read as certain
    const floor = Math.floor(probability * 1000) / 10;
    return `${floor} %`;
  }

  memberName(recordId) {
    return this.state.data.members.find((member) => member.record_id === recordId)
      ?.name;
  }

  reason(row) {
    const proposed = this.state.choices[row.field] === row.choice;
    return proposed ? REASONS[row.reason] : _t("your choice");
  }

  cellClass(row, member) {
    const id = member.record_id;
    return {
      o_sync_differs: row.differs,
      o_sync_empty: !row.values[id],
      o_sync_chosen: row.differs && this.state.choices[row.field] === id,
      o_sync_left: this.state.left[id],
    };
  }

  // -- choices ----------------------------------------------------------------------------

  async setSurvivor(recordId) {
    if (this.state.data.can_decide && !this.state.left[recordId]) {
      this.state.survivorId = recordId;
      await this.refreshBlockers();
    }
  }

  survivorByNumber(number) {
    const member = this.state.data?.members[number - 1];
    return member && this.setSurvivor(member.record_id);
  }

  choose(row, member) {
    if (
      this.state.data.can_decide &&
      row.differs &&
      !this.state.left[member.record_id]
    ) {
      this.state.choices[row.field] = member.record_id;
    }
  }

  toggleByNumber(number) {
    const member = this.state.data?.members[number - 1];
    return member && this.toggleLeft(member.record_id);
  }

  toggleDiffering() {
    this.state.onlyDiffering = !this.state.onlyDiffering;
  }

  async toggleLeft(recordId) {
    this.state.left[recordId] = !this.state.left[recordId];
    if (this.state.left[this.state.survivorId] && this.included.length) {
      this.state.survivorId = this.included[0].record_id;
    }
    await this.refreshBlockers();
  }

  async refreshBlockers() {
    this.state.blockers = await this.orm.call(
      "sync.duplicate.workbench",
      "get_blockers",
      [
        this.state.data.id,
        this.state.survivorId,
        this.included.map((member) => member.record_id),
      ]
    );
  }

  // -- decisions --------------------------------------------------------------------------

  async decide(method, kwargs, message) {
    if (this.state.busy || !this.state.data?.can_decide) {
      return;
    }
    this.state.busy = true;
    try {
      const result = await this.orm.call(
        "sync.duplicate.group",
        method,
        [[this.state.data.id]],
        kwargs
      );
      this.notification.add(message, {type: "success"});
      await this.props.onDecided?.(this.state.data.id, method, result);
      if (!this.props.onDecided) {
        await this.load(this.props.groupId);
      }
    } catch (error) {
      this.notification.add(error.data?.message || String(error), {
        type: "danger",
        sticky: true,
      });
      await this.load(this.props.groupId);
    }
  }

  merge() {
    if (!this.canMerge) {
      return;
    }
    const keep = new Set(this.included.map((member) => member.record_id));
    const values = Object.fromEntries(
      Object.entries(this.state.choices).filter(([, recordId]) => keep.has(recordId))
    );
    return this.decide(
      "action_merge",
      {
        survivor_id: this.state.survivorId,
        values,
        record_ids: [...keep],
        seen: this.seen,
        seconds: this.seconds,
      },
      _t("Merged into %s. It can be undone.", this.memberName(this.state.survivorId))
    );
  }

  notDuplicate() {
    return this.decide(
      "action_not_duplicate",
      {seen: this.seen, seconds: this.seconds},
      _t("Remembered as different.")
    );
  }

  defer() {
    return this.decide("action_defer", {}, _t("Deferred: it comes back by itself."));
  }

  split() {
    const leaving = this.state.data.members
      .map((member) => member.record_id)
      .filter((recordId) => this.state.left[recordId]);
    return this.decide("action_split", {record_ids: leaving}, _t("Split."));
  }

  get canSplit() {
    const left = this.state.data.members.length - this.included.length;
    return this.state.data.can_decide && left > 0 && this.included.length > 0;
  }

  // -- looking closer ---------------------------------------------------------------------

  openRecord(member) {
    this.action.doAction({
      type: "ir.actions.act_window",
      res_model: this.state.data.model,
      res_id: member.record_id,
      views: [[false, "form"]],
      target: "current",
    });
  }

  openDocuments(document) {
    this.action.doAction({
      type: "ir.actions.act_window",
      name: document.label,
      res_model: document.model,
      domain: document.domain,
      views: [
        [false, "list"],
        [false, "form"],
      ],
      target: "current",
    });
  }
}
