import {
  Component,
  markRaw,
  onMounted,
  onPatched,
  onWillStart,
  useRef,
  useState,
} from "@odoo/owl";
import {Layout} from "@web/search/layout";
import {MatrixPanel} from "./matrix_panel";
import {MatrixRow} from "./matrix_row";
import {_t} from "@web/core/l10n/translation";
import {flatten, modelRows, visibleRows} from "./matrix_rows";
import {registry} from "@web/core/registry";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {useAutofocus, useService} from "@web/core/utils/hooks";

const MODEL = "sync.ownership.matrix";
/** Rows that Page Up and Page Down jump over. */
const PAGE = 12;

/**
 * Who owns which field: domains, models and fields by systems.
 *
 * A tree grid as WAI-ARIA describes it: one tab stop, which the arrows move. The stop is moved
 * in the document itself, so that a key costs no rendering of thousands of cells.
 */
export class OwnershipMatrix extends Component {
  static template = "sync_governance_base.OwnershipMatrix";
  static components = {Layout, MatrixPanel, MatrixRow};
  static props = {...standardActionServiceProps};

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.notification = useService("notification");
    this.display = {controlPanel: {}};
    this.table = useRef("table");
    this.search = useAutofocus({refName: "search", mobile: false});
    this.cursor = {key: null, column: 0};
    this.closed = new Set();
    this.rows = [];
    this.state = useState({
      matrix: null,
      error: null,
      text: "",
      only: "",
      selected: null,
      // bumped when rows or groups change: these are kept out of the reactive state
      version: 0,
    });
    onWillStart(() => this.load());
    onMounted(() => this.placeStop());
    onPatched(() => this.placeStop());
  }

  async load() {
    try {
      const matrix = await this.orm.call(MODEL, "get_matrix", []);
      this.rows = flatten(matrix.domains).map(markRaw);
      this.state.matrix = markRaw(matrix);
      this.state.error = null;
      this.state.version++;
    } catch (error) {
      this.state.error = error.data?.message || error.message;
    }
  }

  get visible() {
    const {text, only, version} = this.state;
    return version && visibleRows(this.rows, {text, only, closed: this.closed});
  }

  get isFiltered() {
    return Boolean(this.state.text.trim() || this.state.only);
  }

  get counts() {
    const fields = this.rows.filter((row) => row.level === 3);
    return {
      fields: fields.length,
      unowned: fields.filter((row) => !row.data.owned).length,
      pending: fields.filter((row) => row.data.pending).length,
    };
  }

  get selectedRow() {
    return this.rows.find((row) => row.key === this.state.selected?.key);
  }

  get selectedSystem() {
    return this.state.matrix.systems[this.state.selected.column - 1];
  }

  isOpen(row) {
    return this.isFiltered || !this.closed.has(row.key);
  }

  // -- the one tab stop --------------------------------------------------------------

  rowElements() {
    return [...(this.table.el?.tBodies[0].rows || [])];
  }

  cellAt(element) {
    const cell = element.closest("[data-column]");
    const key = cell?.closest("tr").dataset.key;
    return key ? {cell, key, column: Number(cell.dataset.column)} : null;
  }

  /** Keep exactly one cell in the tab order: the cursor's, or the first one. */
  placeStop() {
    const elements = this.rowElements();
    if (!elements.length) {
      return;
    }
    const row = elements.find((one) => one.dataset.key === this.cursor.key);
    this.setStop((row || elements[0]).cells[row ? this.cursor.column : 0]);
  }

  setStop(cell) {
    if (this.stop !== cell) {
      this.stop?.setAttribute("tabindex", "-1");
      cell.setAttribute("tabindex", "0");
      this.stop = cell;
    }
  }

  onFocusin(event) {
    const place = this.cellAt(event.target);
    if (place) {
      this.cursor = {key: place.key, column: place.column};
      this.setStop(place.cell);
      if (this.state.selected) {
        this.state.selected = {...this.cursor};
      }
    }
  }

  moveTo(rowIndex, column) {
    const elements = this.rowElements();
    const row = elements[Math.min(Math.max(rowIndex, 0), elements.length - 1)];
    row?.cells[Math.min(Math.max(column, 0), row.cells.length - 1)].focus();
  }

  onKeydown(event) {
    const place = this.cellAt(event.target);
    if (!place || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const row = this.rows.find((one) => one.key === place.key);
    if (this.moves(event.key, place, row) || this.acts(event.key, place, row)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  moves(key, {cell, column}, row) {
    const index = cell.parentElement.sectionRowIndex;
    const last = this.state.matrix.systems.length;
    const steps = {
      ArrowDown: [index + 1, column],
      ArrowUp: [index - 1, column],
      ArrowRight: [index, column + 1],
      ArrowLeft: [index, column - 1],
      PageDown: [index + PAGE, column],
      PageUp: [index - PAGE, column],
      Home: [index, 0],
      End: [index, last],
    };
    const isGroup = row.level < 3 && column === 0;
    if (isGroup && key === "ArrowRight" && !this.isOpen(row)) {
      this.toggle(row);
    } else if (isGroup && key === "ArrowLeft" && this.isOpen(row)) {
      this.toggle(row);
    } else if (column === 0 && key === "ArrowLeft") {
      this.moveToParent(row);
    } else if (steps[key]) {
      this.moveTo(...steps[key]);
    } else {
      return false;
    }
    return true;
  }

  moveToParent(row) {
    const key = row.parents.at(-1);
    const index = this.rowElements().findIndex((one) => one.dataset.key === key);
    if (index >= 0) {
      this.moveTo(index, 0);
    }
  }

  acts(key, place, row) {
    const actions = {
      Enter: () => this.activate(row, place.column),
      " ": () => this.activate(row, place.column),
      Escape: () => this.close(),
      o: () => this.edit(row, place.column, "owner"),
      r: () => this.edit(row, place.column, "next"),
      "/": () => this.search.el.focus(),
    };
    actions[key]?.();
    return Boolean(actions[key]);
  }

  // -- what can be done --------------------------------------------------------------

  onClick(event) {
    const place = this.cellAt(event.target);
    if (place) {
      const row = this.rows.find((one) => one.key === place.key);
      if (event.target.closest(".o_sync_caret")) {
        this.toggle(row);
      } else {
        this.activate(row, place.column);
      }
    }
  }

  /** A domain opens and closes, a model or field shows what is behind it. */
  activate(row, column) {
    if (row.level === 1) {
      this.toggle(row);
    } else {
      this.state.selected = {key: row.key, column};
    }
  }

  toggle(row) {
    if (!this.closed.delete(row.key)) {
      this.closed.add(row.key);
    }
    this.state.version++;
  }

  toggleAll(level) {
    const groups = this.rows.filter((row) => row.level === level);
    const close = groups.some((row) => !this.closed.has(row.key));
    groups.forEach((row) =>
      close ? this.closed.add(row.key) : this.closed.delete(row.key)
    );
    this.state.version++;
  }

  /** Close the panel; the cell that it spoke of has the focus again. */
  close() {
    this.state.selected = null;
    this.stop?.focus();
  }

  toggleOnly(only) {
    this.state.only = this.state.only === only ? "" : only;
  }

  async edit(row, column, role) {
    const system = this.state.matrix.systems[column - 1];
    if (row.level !== 3 || !system) {
      return;
    }
    if (!this.state.matrix.can_edit) {
      this.notification.add(_t("Only integration managers draft another owner."), {
        type: "warning",
      });
      return;
    }
    const args = [row.model.model, row.data.name, system.id, role];
    try {
      this.replace(row, await this.orm.call(MODEL, "set_role", args));
    } catch (error) {
      await this.load();
      throw error;
    }
  }

  /** Put the new state of a model in the place of the old one. */
  replace({domain, model}, changed) {
    const start = this.rows.findIndex((row) => row.model === model);
    const count = model.fields.length + 1;
    this.rows.splice(start, count, ...modelRows(changed, domain).map(markRaw));
    domain.data.models.splice(domain.data.models.indexOf(model), 1, changed);
    this.state.version++;
  }

  openPolicy(policyId) {
    return this.openForm("sync.policy", {res_id: policyId});
  }

  newPolicy(row) {
    return this.openForm("sync.policy", {
      context: {
        default_model_id: row.model.model_id,
        default_domain_id: row.domain.data.id,
        default_name: row.label,
      },
    });
  }

  openForm(model, values) {
    return this.action.doAction({
      type: "ir.actions.act_window",
      res_model: model,
      views: [[false, "form"]],
      ...values,
    });
  }

  openNextStep() {
    return this.action.doAction(this.state.matrix.next_step.action.xmlid);
  }
}

registry.category("actions").add("sync_governance_ownership_matrix", OwnershipMatrix);
