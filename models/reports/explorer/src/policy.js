/** A policy in numbers, as `models/reports/policy_figures.py` has them. */

const mean = (values) =>
  values.length && values.every((value) => value !== null && value !== undefined)
    ? values.reduce((a, b) => a + b, 0) / values.length
    : null;

/** Quality of learning `target` from scratch: measured, or one less the supervised network's gain. */
export function scratchQuality(table, target) {
  const own = table.controlRow(target, 'scratch');
  if (own !== undefined && table.quality[own] !== null) return table.quality[own];
  const supervised = table.controlRow(target, 'supervised');
  const gain = supervised === undefined ? null : table.gain[supervised];
  return gain === null ? null : 1 - gain;
}

export function policyFigures(table, policy) {
  const transferred = policy.edges.filter((edge) => table.sources[edge.row].length > 0);
  const scratch = policy.edges.filter((edge) => table.control[edge.row] === 'scratch');
  const feeds = new Map(policy.supervised.map((name) => [name, 0]));
  for (const edge of transferred) {
    for (const name of table.sources[edge.row]) feeds.set(name, (feeds.get(name) ?? 0) + 1);
  }
  const qualities = (edges) => edges.map((edge) => table.qualityOf(edge.row));
  return {
    targets: policy.edges.length,
    transferred: transferred.length,
    scratch: scratch.length,
    supervised: policy.edges.length - transferred.length - scratch.length,
    quality: mean(qualities(policy.edges)),
    qualityTransferred: mean(qualities(transferred)),
    scratchQuality: mean(transferred.map((edge) => scratchQuality(table, edge.target))),
    gainTransferred: mean(transferred.map((edge) => table.gain[edge.row])),
    feeds,
    // bought for their own answer, they feed no other
    alone: new Set(
      policy.edges.map(({ target }) => target).filter((name) => feeds.get(name) === 0),
    ),
  };
}

/** The best row into a target that the policy's sources allow and that it does not take. */
export function runnerUp(table, policy, edge) {
  const on = new Set(policy.supervised);
  let best = null;
  for (let row = 0; row < table.length; row += 1) {
    if (row === edge.row || table.target[row] !== edge.target || table.control[row]) continue;
    if (table.sources[row].includes(edge.target)) continue;
    if (!table.sources[row].every((name) => on.has(name))) continue;
    if (best === null || table.affinity[row] > table.affinity[best]) best = row;
  }
  return best;
}
