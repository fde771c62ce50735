/**
 * One budget of labels or money: how many labels of which task, as `models/taxonomy/program/labels.py` asks
 * it. `amounts`: {full, labels: regime -> number, budget, table, columns, names}, of `Run.amounts`.
 * A price is what one label of a task costs (1 if not named); `owned`: task -> labels that are there.
 */

import { requestOf } from './state.js';

const LEAST = 1e-9;

/** The request in which every cost is the price of the labels that are lacking. */
export function pricedRequest(amounts, state, budget, owned = {}) {
  const { full, labels, names, unlabelled } = amounts;
  // What learns nothing has no labels to buy.
  const lacking = (name, amount) =>
    unlabelled.includes(name) ? 0 : Math.max(0, amount - (owned[name] ?? 0));
  const cost = (name, amount) => (state.cost[name] ?? 1) * lacking(name, amount);
  const each = (name) =>
    Object.fromEntries(Object.entries(labels).map(([regime, n]) => [regime, cost(name, n)]));
  return {
    ...requestOf(state),
    budget: Math.max(budget, LEAST),
    cost: Object.fromEntries(names.map((name) => [name, cost(name, full)])),
    transferCost: {},
    amountCost: Object.fromEntries(amounts.table.targets.map((name) => [name, each(name)])),
  };
}

/** How many labels of every task a policy stands on: task -> number, 0 for most. */
export function holdings(amounts, policy) {
  const { table, full, labels, names, unlabelled } = amounts;
  const held = Object.fromEntries(names.map((name) => [name, 0]));
  for (const { row, target } of policy.edges)
    if (table.control[row] !== 'supervised') held[target] = labels[table.regime[row]];
  // Last: full labels hold every smaller amount.
  for (const name of policy.supervised) held[name] = unlabelled.includes(name) ? 0 : full;
  return held;
}

const mean = (values) =>
  values.length && values.every((value) => value !== null)
    ? values.reduce((a, b) => a + b, 0) / values.length
    : null;

export const meanQuality = (table, policy) =>
  mean(policy.edges.map(({ row }) => table.qualityOf(row)));

/** Targets by the way they are answered: [{words, targets, quality}], ways of none left out. */
export function waysOf(table, policy) {
  const words = {
    supervised: 'by their own labels',
    share: 'by a share of their own labels',
    null: 'by transfer',
    scratch: 'from scratch',
  };
  return Object.entries(words)
    .map(([control, way]) => {
      const edges = policy.edges.filter(({ row }) => String(table.control[row]) === control);
      return { words: way, targets: edges.length, quality: meanQuality(table, { edges }) };
    })
    .filter((way) => way.targets > 0);
}

/**
 * What `next` more is worth once `policy` is bought, and of which tasks it is: {rows: [{task, labels,
 * amount}], objective, quality, spent}. What is owned reaches what the policy reaches, and no more:
 * whatever owned labels allow was within its budget.
 */
export function gainOf(amounts, policy, after, owned) {
  const then = holdings(amounts, after);
  const rows = Object.keys(then)
    .filter((task) => then[task] > owned[task])
    .map((task) => ({ task, labels: then[task] - owned[task], amount: then[task] }))
    .sort((a, b) => b.labels - a.labels || (a.task < b.task ? -1 : 1));
  const [before, later] = [policy, after].map((each) => meanQuality(amounts.table, each));
  return {
    rows,
    objective: after.objective - policy.objective,
    quality: before === null || later === null ? null : later - before,
    spent: after.spent,
  };
}
