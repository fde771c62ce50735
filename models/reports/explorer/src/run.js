/** The run as the page knows it: the table, titles, what was solved before, prices, marks. */

import { Table } from './table.js';

export class Run {
  constructor(payload) {
    this.payload = payload;
    this.table = new Table(payload.table, payload.names);
    this.default = payload.default;
    this.orders = this.ordersThere();
    this.solved = new Map(
      payload.taxonomies.map((entry) => [`${entry.budget}/${entry.order}`, entry]),
    );
    this.savings = new Map(payload.savings.map((row) => [`${row.budget}/${row.order}`, row]));
    this.images = payload.ledger;
    this.amounts = payload.amounts ? amountsOf(payload) : null;
  }

  /** Is training from scratch placed on the scale of the transfers, so that it can be chosen? */
  get knowsScratch() {
    return this.table.targets.some(
      (name) => this.table.affinity[this.table.controlRow(name, 'scratch')] > 0,
    );
  }

  ordersThere() {
    const lengths = this.table.sources.map((sources) => sources.length).filter(Boolean);
    const most = lengths.reduce((a, b) => Math.max(a, b), 1);
    return Array.from({ length: most }, (_, i) => i + 1);
  }

  title(name) {
    return this.payload.titles[name] ?? name;
  }

  marks(target) {
    return this.payload.marks[target] ?? [];
  }

  /** Budget and order of the run's own policy: what it was set to, else the first that it solved. */
  get own() {
    const { budget, order } = this.default;
    return this.solved.has(`${budget}/${order}`) ? { budget, order } : this.payload.taxonomies[0];
  }

  /** The run's own answer, null where it did not ask that. */
  answer(budget, order) {
    const entry = this.solved.get(`${budget}/${order}`);
    if (!entry) return null;
    const edges = entry.edges
      .map((edge) => ({
        target: edge.target,
        row: this.table.find(edge.sources, edge.target, edge.control ?? null),
      }))
      .filter((edge) => edge.row !== undefined);
    return {
      supervised: entry.supervised,
      edges,
      objective: entry.objective,
      spent: entry.spent,
      status: entry.status,
      from: 'run',
    };
  }
}

/** Amounts of labels that can be chosen among, with the table that has all of them on one scale. */
function amountsOf({ amounts, names, ledger }) {
  const table = new Table(amounts.table, names);
  const unlabelled = ledger?.unlabelled ?? [];
  return {
    ...amounts,
    table,
    names: table.known,
    columns: amounts.table,
    allNames: names,
    unlabelled,
  };
}
