import {Component, onWillStart, onWillUnmount, useState} from "@odoo/owl";
import {Layout} from "@web/search/layout";
import {_t} from "@web/core/l10n/translation";
import {debounce} from "@web/core/utils/timing";
import {deserializeDateTime} from "@web/core/l10n/dates";
import {formatInteger} from "@web/views/fields/formatters";
import {registry} from "@web/core/registry";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {useService} from "@web/core/utils/hooks";

const REFRESH = "sync_governance/refresh";
/** A burst of changes reloads the screen once; a quiet system is reread this often. */
const SETTLE_MS = 1500;
const POLL_MS = 60000;

export class ControlTower extends Component {
  static template = "sync_governance_base.ControlTower";
  static components = {Layout};
  static props = {...standardActionServiceProps};

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.bus = useService("bus_service");
    this.state = useState({overview: null, failed: false});
    this.display = {controlPanel: {}};

    const reload = debounce(() => this.load(), SETTLE_MS);
    this.bus.subscribe(REFRESH, reload);
    const timer = setInterval(() => !document.hidden && this.load(), POLL_MS);
    onWillStart(() => this.load());
    onWillUnmount(() => {
      this.bus.unsubscribe(REFRESH, reload);
      reload.cancel();
      clearInterval(timer);
    });
  }

  async load() {
    try {
      this.state.overview = await this.orm.silent.call(
        "sync.control.tower",
        "get_overview",
        []
      );
      this.state.failed = false;
    } catch (error) {
      // A screen that hangs on a wall keeps its last figures and says that they are old
      if (!this.state.overview) {
        throw error;
      }
      this.state.failed = true;
    }
  }

  get freshness() {
    const time = deserializeDateTime(this.state.overview.as_of).toFormat("HH:mm:ss");
    return this.state.failed
      ? _t("No connection: figures of %s", time)
      : _t("Live, as of %s", time);
  }

  format(value) {
    return typeof value === "number" ? formatInteger(value) : value;
  }

  /** Share of the widest stage, in percent: the width of a funnel's bar. */
  share(stage) {
    const widest = Math.max(...this.state.overview.funnel.map((item) => item.count), 1);
    return Math.max((100 * stage.count) / widest, stage.count ? 4 : 0);
  }

  /** Points of a sparkline in a box of 100 by 24. */
  sparkline(numbers) {
    const top = Math.max(...numbers, 1);
    const step = 100 / Math.max(numbers.length - 1, 1);
    return numbers
      .map((number, index) => `${index * step},${23 - (22 * number) / top}`)
      .join(" ");
  }

  async open({xmlid, domain, context}) {
    const action = await this.action.loadAction(xmlid);
    if (action.type === "ir.actions.act_window") {
      // The list must show what the number counts, no default filter on top of it
      action.domain = domain;
      action.context = {...context};
      action.target = "current";
    }
    return this.action.doAction(action);
  }

  openSystem(system) {
    return this.action.doAction({
      type: "ir.actions.act_window",
      res_model: "sync.system",
      res_id: system.id,
      views: [[false, "form"]],
    });
  }
}

registry.category("actions").add("sync_governance_control_tower", ControlTower);
