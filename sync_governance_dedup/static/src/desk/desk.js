import {
  Component,
  onWillStart,
  useEffect,
  useExternalListener,
  useRef,
  useState,
} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {delay} from "@web/core/utils/concurrency";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {user} from "@web/core/user";
import {formatInteger, formatMonetary} from "@web/views/fields/formatters";
import {useSetupAction} from "@web/search/action_hook";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {DuplicateCompare} from "../compare/compare";

const PAGE = 80;
/** Groups left in the list at which the next ones are fetched. */
const LOW = 20;
/** Milliseconds that a group has to stay selected before the server is asked for it. */
const PASSING = 60;
/** Groups after the one on the screen that are fetched while the steward looks. */
const AHEAD = 2;
/** Keys that decide: once a press, and only on a group that the steward has seen. */
const DECIDING = new Set(["m", "n", "s", "d"]);
/** What the desk remembers while the steward looks at a record. */
const REMEMBERED = ["order", "mine", "words", "selectedId", "decided", "done"];
/** Decisions that are taken back at once. */
const REOPENABLE = new Set(["action_not_duplicate", "action_defer"]);
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
    this.ui = useService("ui");
    this.queueRef = useRef("queue");
    this.findRef = useRef("find");
    this.compare = null;
    this.ready = new Map();
    this.deciding = new Set();
    this.work = Promise.resolve();
    this.asked = 0;
    this.state = useState({
      groups: [],
      total: 0,
      order: "value",
      mine: false,
      words: "",
      selectedId: this.props.resId || null,
      decided: 0,
      pending: 0,
      last: "",
      done: [],
      showKeys: false,
      stewards: [],
      ...this.props.state,
    });
    this.keys = {
      j: () => this.move(1),
      ArrowDown: () => this.move(1),
      k: () => this.move(-1),
      ArrowUp: () => this.move(-1),
      ArrowRight: () => this.shown?.moveField(1),
      ArrowLeft: () => this.shown?.moveField(-1),
      Escape: () => this.shown?.leaveField(),
      m: () => this.shown?.merge(),
      n: () => this.shown?.notDuplicate(),
      d: () => this.shown?.defer(),
      s: () => this.shown?.canSplit && this.shown.split(),
      a: () => this.shown?.assign.open(),
      f: () => this.shown?.toggleDiffering(),
      i: () => this.toggleMine(),
      "/": () => this.findRef.el.focus(),
      u: () => this.undoLast(),
      "?": () => (this.state.showKeys = !this.state.showKeys),
    };
    useExternalListener(window, "keydown", (event) => this.onKeydown(event));
    useSetupAction({
      beforeLeave: () => this.work,
      beforeUnload: (event) => this.state.pending && event.preventDefault(),
      getLocalState: () =>
        Object.fromEntries(REMEMBERED.map((name) => [name, this.state[name]])),
    });
    useEffect(
      (resId) => {
        this.props.updateActionState?.({resId}); // its address can be given to others
        this.queueRef.el
          ?.querySelector("[aria-selected=true]")
          ?.scrollIntoView({block: "nearest"});
      },
      () => [this.state.selectedId || false]
    );
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
      ["1 – 9", _t("this record survives")],
      ["Shift + 1 – 9", _t("leave this record out, take it in again")],
      ["→ / ←", _t("next, previous field; then 1 – 9 whose value, Esc")],
      ["m", _t("merge")],
      ["n", _t("not a duplicate")],
      ["s", _t("split off what was left out")],
      ["d", _t("defer")],
      ["a", _t("take, or ask a colleague")],
      ["f", _t("only differences")],
      ["i", _t("only mine")],
      ["/", _t("find a record; Esc shows all again")],
      ["u", _t("take the last decision back")],
    ];
  }

  // -- the queue --------------------------------------------------------------------------

  /** Ask for what waits: as many as are listed, and the one on the screen with them. */
  async reload() {
    const queue = await this.getQueue({
      first: this.state.selectedId,
      without: [...this.deciding],
      limit: Math.max(PAGE, this.state.groups.length),
    });
    if (queue) {
      this.list(queue, this.state.selectedId);
    }
  }

  list(queue, selectedId) {
    Object.assign(this.state, queue, {
      selectedId: selectedId || queue.groups[0]?.id || null,
    });
  }

  async loadMore() {
    if (this.more) {
      return;
    }
    this.more = true;
    const listed = this.state.groups.map((group) => group.id);
    const queue = await this.getQueue({
      without: [...this.deciding, ...listed],
      limit: PAGE,
    }).finally(() => (this.more = false));
    if (queue) {
      this.state.groups.push(...queue.groups);
    }
  }

  /** The answer to the latest question; an answer that another question overtook is none. */
  async getQueue(options) {
    const turn = ++this.asked;
    const {order, mine, words} = this.state;
    const queue = await this.orm.call("sync.duplicate.workbench", "get_queue", [], {
      order,
      mine,
      words,
      ...options,
    });
    // what was decided while the answer was on its way is out of it
    queue.groups = queue.groups.filter((group) => !this.deciding.has(group.id));
    return turn === this.asked ? queue : null;
  }

  /** Another order or choice of groups, from its first one. */
  async showFirst(changes) {
    Object.assign(this.state, changes);
    const queue = await this.getQueue({without: [...this.deciding], limit: PAGE});
    if (queue) {
      this.list(queue);
    }
  }

  setOrder(order) {
    return this.showFirst({order});
  }

  toggleMine() {
    return this.showFirst({mine: !this.state.mine});
  }

  find(words) {
    return words === this.state.words ? null : this.showFirst({words});
  }

  /** Enter looks for the words, Escape for everything again; both give the keys back. */
  onFindKeydown(event) {
    if (event.key === "Escape") {
      event.target.value = "";
    }
    if (["Enter", "Escape"].includes(event.key)) {
      event.stopPropagation();
      event.target.blur(); // which is a change, if there is one
      this.find(event.target.value.trim());
    }
  }

  select(groupId) {
    this.state.selectedId = groupId;
    if (this.hasMore && this.place >= this.state.groups.length - LOW) {
      this.loadMore();
    }
  }

  get hasMore() {
    return this.state.groups.length < this.state.total;
  }

  /** The comparison, if a group is on the screen. */
  get shown() {
    return this.state.selectedId && this.compare?.state.data ? this.compare : null;
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

  /** A group to show, or nothing if the steward passed it by. */
  async load(groupId) {
    if (!this.ready.has(groupId)) {
      await delay(PASSING);
    }
    if (groupId !== this.state.selectedId) {
      return null;
    }
    const known = this.ready.get(groupId) || this.fetch(groupId);
    this.ready.delete(groupId); // shown once: the next time it is looked at anew
    const group = await known;
    this.lookAhead();
    return group;
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
  onDecided(decision) {
    const {groups} = this.state;
    const place = groups.findIndex((group) => group.id === decision.groupId);
    if (place >= 0) {
      groups.splice(place, 1); // one that was opened by its address may be elsewhere
      this.state.total -= 1;
    }
    const next = groups[Math.max(place, 0)] || groups[place - 1];
    this.deciding.add(decision.groupId);
    this.state.pending += 1;
    this.state.selectedId = next ? next.id : null;
    if (this.state.groups.length < LOW && this.state.total >= LOW) {
      this.reload(); // more than are listed, before the list runs dry
    }
    this.work = this.work.then(() => this.carryOut(decision));
    return this.work;
  }

  async carryOut({groupId, name, method, message, done}) {
    try {
      const result = await done();
      this.state.decided += 1;
      this.state.last = message;
      if (result.journal_id || REOPENABLE.has(method)) {
        this.state.done.push({groupId, journalId: result.journal_id});
      }
      this.deciding.delete(groupId);
      if (result.rest_id || result.is_open || WAITING.has(method)) {
        await this.reload();
      }
    } catch (error) {
      this.deciding.delete(groupId);
      this.notification.add(error.data?.message || String(error), {
        title: name,
        type: "danger",
        sticky: true,
      });
      await this.reload();
    } finally {
      this.state.pending -= 1;
    }
  }

  /** Take the last decision back, then the one before: a merge asks for the reason first. */
  async undoLast() {
    await this.work;
    const last = this.state.done.pop();
    if (last?.journalId) {
      const action = await this.orm.call("sync.merge.journal", "action_undo", [
        [last.journalId],
      ]);
      action.context.sync_undo_stays = true;
      await this.action.doAction(action, {onClose: () => this.reload()});
    } else if (last) {
      await this.orm.call("sync.duplicate.group", "action_reopen", [[last.groupId]]);
      this.state.decided -= 1;
      this.state.last = _t("Taken back: it waits again.");
      this.state.selectedId = last.groupId;
      await this.reload();
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
    const busy = this.shown?.assign.isOpen || this.ui.activeElement !== document;
    if (elsewhere || busy || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    if (digit && this.shown) {
      event.preventDefault();
      if (event.shiftKey) {
        this.shown.toggleByNumber(Number(digit));
      } else {
        this.shown.pickNumber(Number(digit));
      }
    } else if (this.keys[event.key]) {
      event.preventDefault();
      if (!DECIDING.has(event.key) || (!event.repeat && this.shown?.state.seen)) {
        this.keys[event.key]();
      }
    }
  }

  count(number) {
    return formatInteger(number);
  }

  money(amount) {
    return formatMonetary(amount, {currencyId: user.activeCompany.currency_id});
  }

  age({age_days: days}) {
    if (days < 1) {
      return _t("today");
    }
    return days === 1 ? _t("1 day") : _t("%s days", days);
  }

  percent(score) {
    return `${Math.floor(score * 1000) / 10} %`;
  }
}

registry.category("actions").add("sync_governance_dedup_desk", DuplicateDesk);
