import {Component, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";
import {ImportAction} from "@base_import/import_action/import_action";
import {BaseImportModel} from "@base_import/import_model";

const OPTION = "duplicate_choices";

/**
 * The model of an import keeps what the test found, and sends along what was chosen.
 */
patch(BaseImportModel.prototype, {
  async init() {
    this.duplicates = [];
    this.importOptionsValues[OPTION] = {value: {}};
    return super.init(...arguments);
  },

  async updateData() {
    this.forgetDuplicates();
    return super.updateData(...arguments);
  },

  async executeImport(isTest) {
    if (isTest) {
      this.duplicates = [];
    }
    return super.executeImport(...arguments);
  },

  async _callImport() {
    const result = await super._callImport(...arguments);
    this.duplicates.push(...(result.duplicates || []));
    return result;
  },

  forgetDuplicates() {
    this.duplicates = [];
    this.importOptionsValues[OPTION].value = {};
  },

  chooseDuplicate(line, action, match) {
    this.importOptionsValues[OPTION].value[line] = {
      action,
      id: match.id,
      probability: match.probability,
    };
  },
});

/**
 * Lines of the file that are probably there already, and what the import shall do with each:
 * beside the columns of the file, after a test.
 */
export class ImportDuplicates extends Component {
  static template = "sync_governance_dedup.ImportDuplicates";
  static props = {model: Object};

  setup() {
    this.model = useState(this.props.model);
  }

  get actions() {
    return [
      ["create", _t("Create anyway")],
      ["update", _t("Update that one")],
      ["skip", _t("Skip the line")],
    ];
  }

  get choices() {
    return this.model.importOptionsValues[OPTION].value;
  }

  row(duplicate) {
    return duplicate.line + (this.model.importOptions.has_headers ? 2 : 1);
  }

  chosen(duplicate) {
    return this.choices[duplicate.line]?.action || "create";
  }

  match(duplicate) {
    const id = this.choices[duplicate.line]?.id;
    return duplicate.matches.find((one) => one.id === id) || duplicate.matches[0];
  }

  percent(match) {
    return `${Math.floor(match.probability * 100)} %`;
  }

  choose(duplicate, action, match = this.match(duplicate)) {
    this.model.chooseDuplicate(duplicate.line, action, match);
  }

  chooseAll(action) {
    for (const duplicate of this.model.duplicates) {
      this.choose(duplicate, action);
    }
  }
}

ImportAction.components = {...ImportAction.components, ImportDuplicates};
