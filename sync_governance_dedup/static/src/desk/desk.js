import {Component, onWillStart, useExternalListener, useRef, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {DuplicateCompare} from "../compare/compare";

const PAGE = 80;

/**
 * The steward's desk: the queue on the left, the group side by side on the right, and a key for
 * every decision, so that two hundred of them need no mouse.
 */
export class DuplicateDesk extends Component {
  static template = "sync_governance_dedup.Desk";
  static components = {DuplicateCompare};
  static props = {...standardActionServiceProps};

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.dialog = useService("dialog");
    this.queueRef = useRef("queue");
    this.compare = null;
    this.state = useState({
      groups: [],
      total: 0,
      order: "value",
      selectedId: null,
      decided: 0,
      showKeys: false,
    });
    this.keys = {
      j: () => this.move(1),
      ArrowDown: () => this.move(1),
      k: () => this.move(-1),
      ArrowUp: () => this.move(-1),
      m: () => this.compare?.merge(),
      n: () => this.compare?.notDuplicate(),
      d: () => this.compare?.defer(),
      s: () => this.compare?.canSplit && this.compare.split(),
      f: () => this.compare?.toggleDiffering(),
      u: () => this.undoLast(),
      "?": () => (this.state.showKeys = !this.state.showKeys),
    };
    useExternalListener(window, "keydown", (event) => this.onKeydown(event));
    onWillStart(() => this.reload());
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
      ["m", _t("merge")],
      ["n", _t("not a duplicate")],
      ["s", _t("split off what was left out")],
      ["d", _t("defer")],
      ["f", _t("only differences")],
      ["u", _t("undo the last merge")],
    ];
  }

  async reload() {
    const queue = await this.orm.call("sync.duplicate.workbench", "get_queue", [], {
      order: this.state.order,
      limit: PAGE,
    });
    Object.assign(this.state, queue);
    if (!this.state.groups.some((group) => group.id === this.state.selectedId)) {
      this.state.selectedId = this.state.groups[0]?.id || null;
    }
  }

  async setOrder(order) {
    this.state.order = order;
    this.state.selectedId = null;
    await this.reload();
  }

  select(groupId) {
    this.state.selectedId = groupId;
    this.queueRef.el
      ?.querySelector(`[data-group-id="${groupId}"]`)
      ?.scrollIntoView({block: "nearest"});
  }

  move(step) {
    const place = this.state.groups.findIndex(
      (group) => group.id === this.state.selectedId
    );
    const next = this.state.groups[place + step];
    if (next) {
      this.select(next.id);
    }
  }

  /** A decided group leaves the queue at once; the next one is already on the screen. */
  async onDecided(groupId, method, result) {
    const place = this.state.groups.findIndex((group) => group.id === groupId);
    this.state.decided += 1;
    this.lastJournalId =
      method === "action_merge" ? result.journal_id : this.lastJournalId;
    this.state.groups.splice(place, 1);
    this.state.total -= 1;
    const next = this.state.groups[place] || this.state.groups[place - 1];
    this.state.selectedId = next ? next.id : null;
    const partOnly = method === "action_split" || method === "action_merge";
    if (this.state.groups.length < 10 || partOnly) {
      await this.reload(); // what was split off waits in a group of its own
    }
  }

  async undoLast() {
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
    const typing = event.target.closest(
      "input:not([type=checkbox]), textarea, select, .modal"
    );
    if (typing || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const digit = /^Digit([1-5])$/.exec(event.code)?.[1];
    if (digit && this.compare) {
      event.preventDefault();
      if (event.shiftKey) {
        this.compare.toggleByNumber(Number(digit));
      } else {
        this.compare.survivorByNumber(Number(digit));
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
