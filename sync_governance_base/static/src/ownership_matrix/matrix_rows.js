/** What the matrix shows, as a flat list of rows: pure, no component. */

/** Rows of all levels in order, the parents before their children. */
export function flatten(domains) {
  const rows = [];
  for (const domain of domains) {
    const key = `domain:${domain.id}`;
    const parent = {key, level: 1, label: domain.name, parents: [], data: domain};
    rows.push(parent);
    for (const model of domain.models) {
      rows.push(...modelRows(model, parent));
    }
    parent.count = domain.models.length;
  }
  return rows;
}

/** The row of a model and those of its fields. */
export function modelRows(model, parent) {
  const row = {
    key: `model:${model.model}`,
    level: 2,
    label: model.name,
    parents: [parent.key],
    data: model,
    model,
    domain: parent,
    count: model.fields.length,
  };
  const fields = model.fields.map((field) => ({
    key: `field:${model.model}:${field.name}`,
    level: 3,
    label: field.label,
    parents: [parent.key, row.key],
    data: field,
    model,
    domain: parent,
  }));
  return [row, ...fields];
}

/** Rank of a system among the owners: 0 owns, null has no part in it. */
export function rankOf(owners, systemId) {
  const rank = owners.indexOf(systemId);
  return rank < 0 ? null : rank;
}

/** The fields of a row for which the test holds: its own, or those below it. */
export function fieldsBelow(row) {
  if (row.level === 3) {
    return [row.data];
  }
  const models = row.level === 2 ? [row.model] : row.data.models;
  return models.flatMap((model) => model.fields);
}

/**
 * The rows to show: those that match, with their parents, and with the children of a parent
 * whose name matches. Without a filter, those in closed groups are left out.
 */
export function visibleRows(rows, {text, only, closed}) {
  const wanted = text.trim().toLowerCase();
  if (!wanted && !only) {
    return rows.filter((row) => !row.parents.some((key) => closed.has(key)));
  }
  const named = (row) =>
    !wanted ||
    row.label.toLowerCase().includes(wanted) ||
    (row.level === 3 && row.data.name.includes(wanted));
  const hits = new Set(rows.filter(named).map((row) => row.key));
  const shown = new Set();
  for (const row of rows) {
    const matches = hits.has(row.key) || row.parents.some((key) => hits.has(key));
    const fits =
      !only ||
      (row.level === 3 && only === "unowned" && !row.data.owned) ||
      (row.level === 3 && only === "pending" && row.data.pending);
    if (matches && fits) {
      [row.key, ...row.parents].forEach((key) => shown.add(key));
    }
  }
  return rows.filter((row) => shown.has(row.key));
}
