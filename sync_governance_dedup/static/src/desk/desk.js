import {Component, onWillStart, useExternalListener, useRef, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {useSetupAction} from "@web/search/action_hook";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {DuplicateCompare} from "../compare/compare";

const PAGE = 80;
/** Groups left in the list at which the next ones are fetched. */
const LOW = 20;
/** Groups after the one on the screen that are fetched while the steward looks. */
const AHEAD = 2;
/** Decisions after which a group still waits, for somebody. */
const WAITING = new Set(["action_review", "action_assign"]);

/**
 * The steward's desk: the queue on the left, the group side by side on the right, and a key for
 * every decision, so that two hundred of them need no mouse.
 *
 * Nobody waits for the server: the next group is there already when one is decided, and decisions
 * are carried out one after the other behind the steward's back. One that the server refuses comes
 * back to the top of the queue with the reason.
 */
export class DuplicateDesk extends Component {
  static template = "sync_governance_dedup.Desk";
  static components = {DuplicateCompare};
  static props = {...standardActionServiceProps};

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.notification = useService("notification");
    this.queueRef = useRef("queue");
    this.compare = null;
    this.ready = new Map();
    this.deciding = new Set();
    this.work = Promise.resolve();
    this.state = useState({
      groups: [],
      total: 0,
      order: "value",
      mine: false,
      selectedId: null,
      decided: 0,
      pending: 0,
      last: "",
      showKeys: false,
      stewards: [],
    });
    this.keys = {
      j: () => this.move(1),
      ArrowDown: () => this.move(1),
      k: () => this.move(-1),
      ArrowUp: () => this.move(-1),
      ArrowRight: () => this.compare?.moveField(1),
      ArrowLeft: () => this.compare?.moveField(-1),
      Escape: () => this.compare?.leaveField(),
      m: () => this.compare?.merge(),
      n: () => this.compare?.notDuplicate(),
      d: () => this.compare?.defer(),
      s: () => this.compare?.canSplit && this.compare.split(),
      a: () => this.compare?.assign.open(),
      f: () => this.compare?.toggleDiffering(),
      i: () => this.toggleMine(),
      u: () => this.undoLast(),
      "?": () => (this.state.showKeys = !this.state.showKeys),
    };
    useExternalListener(window, "keydown", (event) => this.onKeydown(event));
    useSetupAction({beforeLeave: () => this.work});
    onWillStart(async () => {
      const [stewards] = await Promise.all([
        this.orm.call("sync.duplicate.workbench", "get_stewards", []),
        this.reload(),
      ]);
      this.state.stewards = stewards;
    });
  }

  get orders() {
    return [
      {key: "value", label: _t("At stake")},
      {key: "age", label: _t("Oldest")},
      {key: "score", label: _t("Surest")},
    ];
  }

  get keyHelp() {
    return [
      ["j / k", _t("next, previous group")],
      ["1 – 5", _t("this record survives")],
      ["Shift + 1 – 5", _t("leave this record out, take it in again")],
      ["→ / ←", _t("next, previous field; then 1 – 5 whose value, Esc")],
      ["m", _t("merge")],
      ["n", _t("not a duplicate")],
      ["s", _t("split off what was left out")],
      ["d", _t("defer")],
      ["a", _t("take, or ask a colleague")],
      ["f", _t("only differences")],
      ["i", _t("only mine")],
      ["u", _t("undo the last merge")],
    ];
  }

  // -- the queue --------------------------------------------------------------------------

  async reload() {
    const queue = await this.orm.call("sync.duplicate.workbench", "get_queue", [], {
      order: this.state.order,
      mine: this.state.mine,
      without: [...this.deciding],
      limit: PAGE,
    });
    // what was decided while the answer was on its way is out of it
    queue.groups = queue.groups.filter((group) => !this.deciding.has(group.id));
    Object.assign(this.state, queue);
    if (!this.state.groups.some((group) => group.id === this.state.selectedId)) {
      this.state.selectedId = this.state.groups[0]?.id || null;
    }
    this.lookAhead();
  }

  async setOrder(order) {
    this.state.order = order;
    this.state.selectedId = null;
    await this.reload();
  }

  async toggleMine() {
    this.state.mine = !this.state.mine;
    this.state.selectedId = null;
    await this.reload();
  }

  select(groupId) {
    this.state.selectedId = groupId;
    this.queueRef.el
      ?.querySelector(`[data-group-id="${groupId}"]`)
      ?.scrollIntoView({block: "nearest"});
    this.lookAhead();
  }

  get place() {
    return this.state.groups.findIndex((group) => group.id === this.state.selectedId);
  }

  move(step) {
    const next = this.state.groups[this.place + step];
    if (next) {
      this.select(next.id);
    }
  }

  // -- what is on the screen next ---------------------------------------------------------

  load(groupId) {
    const known = this.ready.get(groupId) || this.fetch(groupId);
    this.ready.delete(groupId); // shown once: the next time it is looked at anew
    return known;
  }

  fetch(groupId) {
    return this.orm.call("sync.duplicate.workbench", "get_group", [groupId]);
  }

  lookAhead() {
    const start = this.place + 1;
    for (const group of this.state.groups.slice(start, start + AHEAD)) {
      if (!this.ready.has(group.id)) {
        const answer = this.fetch(group.id);
        answer.catch(() => this.ready.delete(group.id)); // asked again when it is shown
        this.ready.set(group.id, answer);
      }
    }
  }

  // -- decisions --------------------------------------------------------------------------

  /** A decided group leaves the queue at once; the server does it in its turn. */
  onDecided({groupId, method, message, done}) {
    const place = this.state.groups.findIndex((group) => group.id === groupId);
    const [group] = this.state.groups.splice(place, 1);
    const next = this.state.groups[place] || this.state.groups[place - 1];
    this.deciding.add(groupId);
    this.state.total -= 1;
    this.state.pending += 1;
    this.state.selectedId = next ? next.id : null;
    if (this.state.groups.length < LOW && this.state.total >= LOW) {
      this.reload(); // more than are listed, before the list runs dry
    } else {
      this.lookAhead();
    }
    this.work = this.work.then(() => this.carryOut(group, method, message, done));
    return this.work;
  }

  async carryOut(group, method, message, done) {
    try {
      const result = await done();
      this.state.decided += 1;
      this.state.last = message;
      if (result.journal_id) {
        this.lastJournalId = result.journal_id;
      }
      this.deciding.delete(group.id);
      if (result.rest_id || result.is_open || WAITING.has(method)) {
        await this.reload();
      }
    } catch (error) {
      this.deciding.delete(group.id);
      this.notification.add(error.data?.message || String(error), {
        title: group.name,
        type: "danger",
        sticky: true,
      });
      await this.reload();
    } finally {
      this.state.pending -= 1;
    }
  }

  async undoLast() {
    await this.work;
    if (this.lastJournalId) {
      const action = await this.orm.call("sync.merge.journal", "action_undo", [
        [this.lastJournalId],
      ]);
      this.action.doAction(action, {onClose: () => this.reload()});
    }
  }

  approveBand() {
    this.action.doAction("sync_governance_dedup.sync_merge_band_action", {
      onClose: () => this.reload(),
    });
  }

  onKeydown(event) {
    const elsewhere = event.target.closest(
      "input:not([type=checkbox]), textarea, select, .modal, .o-dropdown--menu"
    );
    const menuOpen = this.compare?.assign.isOpen;
    if (elsewhere || menuOpen || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (!this.state.selectedId) {
      this.compare = null; // the last one is off the screen
    }
    const digit = /^Digit([1-5])$/.exec(event.code)?.[1];
    if (digit && this.compare) {
      event.preventDefault();
      if (event.shiftKey) {
        this.compare.toggleByNumber(Number(digit));
      } else {
        this.compare.pickNumber(Number(digit));
      }
    } else if (this.keys[event.key]) {
      event.preventDefault();
      this.keys[event.key]();
    }
  }

  percent(score) {
    return `${Math.floor(score * 1000) / 10} %`;
  }
}

registry.category("actions").add("sync_governance_dedup_desk", DuplicateDesk);
