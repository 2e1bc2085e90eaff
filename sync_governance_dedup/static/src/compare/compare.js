import {
  Component,
  onWillStart,
  onWillUpdateProps,
  useEffect,
  useRef,
  useState,
} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {useDropdownState} from "@web/core/dropdown/dropdown_hooks";
import {_t} from "@web/core/l10n/translation";
import {deserializeDateTime, formatDate, formatDateTime} from "@web/core/l10n/dates";
import {useService} from "@web/core/utils/hooks";
import {formatMonetary} from "@web/views/fields/formatters";
import {user} from "@web/core/user";
import {Waterfall} from "./waterfall";

const REASONS = {
  only: _t("only value"),
  owner: _t("system of record"),
  fresh: _t("written last"),
  most: _t("most records say so"),
  quality: _t("better written"),
  changed: _t("record changed last"),
  complete: _t("more complete record"),
  empty: _t("empty everywhere"),
};

/**
 * Milliseconds that a group has to be on the screen before a key decides on it: who presses a key
 * twice, or leans on it, means the group that they saw.
 */
const LOOK = 200;

/** What was decided, in words. */
const DONE = {
  action_merge: (name) => _t("Merged into %s. It can be undone.", name),
  action_not_duplicate: (name) => _t("%s: remembered as different.", name),
  action_defer: (name) => _t("%s: deferred, it comes back by itself.", name),
  action_split: (name) => _t("%s: split.", name),
  action_assign: (name) => _t("%s: your colleague is asked.", name),
  action_review: (name) => _t("%s: it is yours.", name),
};

/**
 * The records of a duplicate group side by side: what differs, why they are thought to be one,
 * what hangs on them, and which value survives. Used by the desk and by the group's form.
 *
 * Props: `load(groupId)` returns what to show (the desk has it ready already), or nothing if it is
 * no longer wanted;
 * `onDecided({groupId, name, method, message, done})` carries a decision out: `done()` calls the
 * server, `message` tells of it in words.
 */
export class DuplicateCompare extends Component {
  static template = "sync_governance_dedup.Compare";
  static components = {Dropdown, DropdownItem, Waterfall};
  static props = {
    groupId: Number,
    load: {type: Function, optional: true},
    stewards: {type: Array, optional: true},
    onDecided: Function,
    register: {type: Function, optional: true},
  };

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.assign = useDropdownState();
    this.state = useState({
      data: null,
      error: null,
      onlyDiffering: false,
      busy: false,
      loading: false,
      seen: false,
      field: null,
    });
    this.tableRef = useRef("table");
    this.props.register?.(this);
    // neither is waited for: the queue goes on while the server thinks
    onWillStart(() => {
      this.load(this.props.groupId);
    });
    onWillUpdateProps((next) => {
      if (next.groupId !== this.props.groupId) {
        this.load(next.groupId);
      }
    });
    useEffect(
      (data) => {
        this.shownAt = Date.now();
        const timer = data && browser.setTimeout(() => (this.state.seen = true), LOOK);
        return () => browser.clearTimeout(timer);
      },
      () => [this.state.data]
    );
  }

  async load(groupId) {
    Object.assign(this.state, {loading: true, seen: false});
    this.wantedId = groupId;
    try {
      const data = await this.fetch(groupId);
      if (!data || groupId !== this.wantedId) {
        return; // the steward went on before it came
      }
      Object.assign(this.state, {
        data,
        error: null,
        loading: false,
        survivorId: data.survivor_id,
        left: {},
        choices: Object.fromEntries(
          data.rows.filter((row) => row.choice).map((row) => [row.field, row.choice])
        ),
        blockers: data.blockers,
        busy: false,
        field: null,
      });
    } catch (error) {
      if (groupId === this.wantedId) {
        const message = error.data?.message || String(error);
        Object.assign(this.state, {data: null, loading: false, error: message});
      }
    }
  }

  get canDecide() {
    const {data, busy, loading} = this.state;
    return Boolean(data?.can_decide) && !busy && !loading;
  }

  fetch(groupId) {
    if (this.props.load) {
      return this.props.load(groupId);
    }
    return this.orm.call("sync.duplicate.workbench", "get_group", [groupId]);
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
    return this.canDecide && this.included.length > 1 && !this.state.blockers.length;
  }

  get seen() {
    return Object.fromEntries(
      this.state.data.members.map((member) => [member.record_id, member.fingerprint])
    );
  }

  get seconds() {
    return Math.round((Date.now() - this.shownAt) / 1000);
  }

  day(text) {
    return formatDate(deserializeDateTime(text));
  }

  moments({created, changed}) {
    const [from, to] = [created, changed].map((text) =>
      formatDateTime(deserializeDateTime(text))
    );
    return _t("Created %(from)s, changed %(to)s", {from, to});
  }

  money(amount) {
    return formatMonetary(amount, {currencyId: user.activeCompany.currency_id});
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

  /** The next (1) or the previous (-1) field that differs gets the cursor. */
  moveField(step) {
    const fields = this.rows.filter((row) => row.differs).map((row) => row.field);
    const place = fields.indexOf(this.state.field);
    const start = step > 0 ? 0 : fields.length - 1;
    this.state.field = fields[place < 0 ? start : place + step] || null;
    this.tableRef.el
      ?.querySelector(`[data-field="${this.state.field}"]`)
      ?.scrollIntoView({block: "nearest"});
  }

  leaveField() {
    this.state.field = null;
  }

  // -- choices ----------------------------------------------------------------------------

  async setSurvivor(recordId) {
    if (this.canDecide && !this.state.left[recordId]) {
      this.state.survivorId = recordId;
      await this.refreshBlockers();
    }
  }

  /** The record with this number survives, or gives the field under the cursor. */
  pickNumber(number) {
    const member = this.state.data?.members[number - 1];
    const row = this.state.data?.rows.find((one) => one.field === this.state.field);
    if (member && row) {
      this.choose(row, member);
    } else if (member) {
      this.setSurvivor(member.record_id);
    }
  }

  choose(row, member) {
    if (this.canDecide && row.differs && !this.state.left[member.record_id]) {
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
    if (!this.canDecide) {
      return;
    }
    this.state.left[recordId] = !this.state.left[recordId];
    if (this.state.left[this.state.survivorId] && this.included.length) {
      this.state.survivorId = this.included[0].record_id;
    }
    await this.refreshBlockers();
  }

  async refreshBlockers() {
    const question = [
      this.state.data.id,
      this.state.survivorId,
      this.included.map((member) => member.record_id),
    ];
    this.asked = question;
    const blockers = await this.orm.call(
      "sync.duplicate.workbench",
      "get_blockers",
      question
    );
    if (this.asked === question && this.state.data?.id === question[0]) {
      this.state.blockers = blockers;
    }
  }

  // -- decisions --------------------------------------------------------------------------

  decide(method, kwargs, name = this.state.data.name) {
    if (!this.canDecide) {
      return;
    }
    this.state.busy = true;
    const {id: groupId, name: title} = this.state.data;
    // not `this.orm`: after the last group this component is gone before the answer comes
    const {orm} = this.env.services;
    return this.props.onDecided({
      groupId,
      name: title,
      method,
      message: DONE[method](name),
      done: () => orm.call("sync.duplicate.group", method, [[groupId]], kwargs),
    });
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
      this.memberName(this.state.survivorId)
    );
  }

  notDuplicate() {
    return this.decide("action_not_duplicate", {
      seen: this.seen,
      seconds: this.seconds,
    });
  }

  defer() {
    return this.decide("action_defer", {});
  }

  take() {
    return this.decide("action_review", {});
  }

  assignTo(steward) {
    return this.decide("action_assign", {user_id: steward.id});
  }

  split() {
    const leaving = this.state.data.members
      .map((member) => member.record_id)
      .filter((recordId) => this.state.left[recordId]);
    return this.decide("action_split", {record_ids: leaving});
  }

  get canSplit() {
    const left = this.state.data.members.length - this.included.length;
    return this.canDecide && left > 0 && this.included.length > 0;
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
