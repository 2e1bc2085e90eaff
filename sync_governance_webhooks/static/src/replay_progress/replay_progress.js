import {onWillUnmount} from "@odoo/owl";
import {
  ProgressBarField,
  progressBarField,
} from "@web/views/fields/progress_bar/progress_bar_field";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";

const NEWS = "sync.replay/progress";

/** A progress bar that moves while it is looked at: the server tells of each step. */
export class ReplayProgress extends ProgressBarField {
  setup() {
    super.setup();
    const bus = useService("bus_service");
    const onNews = (news) => this.onNews(news);
    bus.subscribe(NEWS, onNews);
    onWillUnmount(() => bus.unsubscribe(NEWS, onNews));
  }

  async onNews({ids}) {
    const {record} = this.props;
    const {root} = record.model;
    if (!ids.includes(record.resId) || root.editedRecord) {
      return;
    }
    // What a person is just typing is worth more than the latest figure.
    const isForm = root === record;
    if (!isForm || !(await record.isDirty())) {
      await root.load();
    }
  }
}

registry.category("fields").add("sync_replay_progress", {
  ...progressBarField,
  component: ReplayProgress,
});
