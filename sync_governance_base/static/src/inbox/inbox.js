import {onMounted, onPatched, useExternalListener, useState} from "@odoo/owl";
import {ListRenderer} from "@web/views/list/list_renderer";
import {browser} from "@web/core/browser/browser";
import {listView} from "@web/views/list/list_view";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";

const ROW = "tr.o_data_row";

/** A list that is worked off by keyboard: see the keys in InboxKeys. */
export class InboxRenderer extends ListRenderer {
  setup() {
    super.setup();
    this.actionService = useService("action");
    this.skipped = useState(new Set());
    this.lastPlace = 0;
    this.keys = {
      j: () => this.move(1),
      k: () => this.move(-1),
      a: () => this.decide("action_accept"),
      r: () => this.decide("action_reject"),
      s: () => this.skip(),
    };
    useExternalListener(window, "keydown", (event) => this.onKey(event));
    useExternalListener(window, "focusin", () => this.rememberPlace());
    // after the search box, which takes the focus when a list opens
    onMounted(() => browser.setTimeout(() => this.focusRow(0)));
    onPatched(() => this.returnFocus());
  }

  get rows() {
    return [...(this.tableRef.el?.querySelectorAll(ROW) || [])];
  }

  /** The row with the focus; null where none has it. */
  get place() {
    const place = this.rows.findIndex((row) => row.contains(document.activeElement));
    return place < 0 ? null : place;
  }

  onKey(event) {
    const busy =
      event.target.closest?.("input:not([type=checkbox]), textarea, select") ||
      document.querySelector(".modal");
    if (busy || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (this.keys[event.key]) {
      event.preventDefault();
      this.keys[event.key]();
    }
  }

  move(step) {
    this.focusRow(this.place === null ? 0 : this.place + step);
  }

  focusRow(place) {
    const rows = this.rows;
    rows[Math.min(Math.max(place, 0), rows.length - 1)]
      ?.querySelector("td.o_data_cell")
      ?.focus();
  }

  recordAt(place) {
    const id = this.rows[place]?.dataset.id;
    return this.openRecords.find((record) => record.id === id);
  }

  get openRecords() {
    const below = (list) =>
      list.isGrouped ? list.groups.flatMap((group) => below(group.list)) : list.records;
    return below(this.props.list);
  }

  /** Move on and leave the row for later: it fades until the list is opened anew. */
  skip() {
    const record = this.recordAt(this.place);
    if (record) {
      this.skipped.add(record.resId);
      this.move(1);
    }
  }

  async decide(method) {
    const record = this.recordAt(this.place);
    if (!record || this.isDeciding) {
      return;
    }
    this.isDeciding = true;
    try {
      await this.actionService.doActionButton({
        type: "object",
        name: method,
        resModel: "sync.inbox",
        resId: record.resId,
        resIds: [record.resId],
        onClose: () => this.props.list.model.load(),
      });
    } finally {
      this.isDeciding = false;
    }
  }

  rememberPlace() {
    this.lastPlace = this.place ?? this.lastPlace;
  }

  /** Rows that were drawn anew, as after a decision, leave the focus where it was. */
  returnFocus() {
    if (document.activeElement === document.body) {
      this.focusRow(this.lastPlace);
    }
  }

  getRowClass(record) {
    const skipped = this.skipped.has(record.resId) ? " o_sync_skipped" : "";
    return super.getRowClass(record) + skipped;
  }
}

registry.category("views").add("sync_inbox_list", {
  ...listView,
  Renderer: InboxRenderer,
  buttonTemplate: "sync_governance_base.InboxKeys",
});
