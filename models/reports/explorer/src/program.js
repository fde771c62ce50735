/**
 * The boolean integer program of a taxonomy, as `models/taxonomy/program.py` makes it: variables are
 * one a node (task that may be supervised), then one an edge (transfer on offer). Every target has
 * exactly one of its edges or itself; the edges into a target that use a source sum to at most that
 * source's node; node and edge costs keep to the budget. Only nodes need be whole, and the edges of
 * targets whose edges differ in cost.
 *
 * Where amounts of labels are chosen (`amounts.js`), `request.amountCost[target][regime]` prices the
 * data that an edge learns from.
 */

const LEAST = 1e-5;
const MOST = 1;

/** Reward of a row: sqrt(affinity) as the authors' solver, or the affinity; times the target's value. */
export function worth(table, row, request) {
  const affinity = table.affinity[row];
  const reward =
    request.variant === 'web' ? Math.min(Math.max(Math.sqrt(affinity), LEAST), MOST) : affinity;
  return valueOf(request, table.target[row]) * reward;
}

export const valueOf = (request, name) => request.value[name] ?? 1;
export const costOf = (request, name) => request.cost[name] ?? 1;

/** Labels that a row's target needs beside its sources, in the budget's unit. */
export function edgeCostOf(table, row, request) {
  const target = table.target[row];
  const amount = request.amountCost?.[target]?.[table.regime[row]] ?? 0;
  return (request.transferCost[target] ?? 0) + amount;
}

/**
 * Rows on offer into `target`, without those that no optimum needs: another row whose sources are
 * among its own, with at least its reward and at most its cost. Returns [{row, reward, cost}].
 */
function undominated(table, rows, request) {
  const sorted = rows
    .map((row) => ({
      row,
      reward: worth(table, row, request),
      cost: edgeCostOf(table, row, request),
    }))
    .sort((a, b) => b.reward - a.reward || a.cost - b.cost || order(table, a.row, b.row));
  const kept = [];
  for (const entry of sorted) {
    const own = new Set(table.sources[entry.row]);
    const dominated = kept.some(
      (other) =>
        other.cost <= entry.cost && table.sources[other.row].every((name) => own.has(name)),
    );
    if (!dominated) kept.push(entry);
  }
  return kept;
}

function order(table, a, b) {
  const left = table.sources[a];
  const right = table.sources[b];
  return left.length - right.length || (left.join() < right.join() ? -1 : 1);
}

/** Rows of transfers that the request allows, by target. */
function offered(table, request, allowed, targets) {
  const web = request.variant === 'web';
  const rows = new Map(targets.map((target) => [target, []]));
  for (let row = 0; row < table.length; row += 1) {
    const sources = table.sources[row];
    const into = rows.get(table.target[row]);
    const isTransfer = table.control[row] === null && sources.length > 0;
    if (!into || !isTransfer || sources.length > request.order) continue;
    if (web && sources.includes(table.target[row])) continue;
    if (sources.every((name) => allowed.has(name))) into.push(row);
  }
  // A target that is answered without a source (from scratch on the little data), where it is offered.
  for (const target of request.scratch ? targets : []) {
    for (const row of table.controlRows(target, 'scratch'))
      if (table.affinity[row] > 0) rows.get(target).push(row);
  }
  return rows;
}

/** The program of a request on a table: {nodes, edges (row numbers), targets, own, ...matrices}. */
export function makeProgram(table, request) {
  const sourceOnly = new Set([...request.sourceOnly, ...request.unused]);
  const targetOnly = new Set(request.targetOnly);
  const targets = table.targets.filter((name) => !sourceOnly.has(name));
  const nodes = table.known.filter((name) => !targetOnly.has(name));
  const web = request.variant === 'web';
  const allowed = new Set(nodes);
  const into = offered(table, request, allowed, targets);
  const edges = targets.flatMap((target) => undominated(table, into.get(target), request));
  const own = new Map();
  for (const target of web ? targets : []) {
    const row = table.controlRow(target, 'supervised');
    if (allowed.has(target) && row !== undefined) own.set(target, row);
  }
  const idle = web ? LEAST : 0;
  const nodeReward = nodes.map((name) =>
    own.has(name) ? worth(table, own.get(name), request) : idle,
  );
  const program = {
    nodes,
    edges: edges.map((edge) => edge.row),
    targets,
    own,
    reward: [...nodeReward, ...edges.map((edge) => edge.reward)],
  };
  return { ...program, ...matrices(table, program, request) };
}

/** Rows of the constraint matrix with their limits, bounds, and which variables are whole. */
function matrices(table, program, request) {
  const { nodes, edges, targets, own } = program;
  const at = new Map(nodes.map((name, i) => [name, i]));
  const width = nodes.length + edges.length;
  const into = new Map(targets.map((target) => [target, []]));
  const using = new Map();
  edges.forEach((row, j) => {
    const column = nodes.length + j;
    into.get(table.target[row]).push(column);
    for (const source of table.sources[row]) {
      const key = JSON.stringify([table.target[row], source]);
      if (!using.has(key)) using.set(key, { source, columns: [] });
      using.get(key).columns.push(column);
    }
  });
  const rows = [];
  for (const { source, columns } of using.values()) {
    rows.push({
      entries: [...columns.map((j) => [j, 1]), [at.get(source), -1]],
      low: -Infinity,
      high: 0,
    });
  }
  const prices = [
    ...nodes.map((name) => costOf(request, name)),
    ...edges.map((row) => edgeCostOf(table, row, request)),
  ];
  const priced = prices.map((price, j) => [j, price]).filter(([, price]) => price !== 0);
  rows.push({ entries: priced, low: -Infinity, high: request.budget });
  for (const target of targets) {
    const entries = into.get(target).map((j) => [j, 1]);
    if (own.has(target)) entries.push([at.get(target), 1]);
    rows.push({ entries, low: 1, high: 1 });
  }
  const forbidden = new Set(request.unused);
  const high = Array.from({ length: width }, (_, j) =>
    j < nodes.length && forbidden.has(nodes[j]) ? 0 : 1,
  );
  const whole = Array.from({ length: width }, (_, j) => j < nodes.length);
  for (const columns of into.values()) {
    // Half a dear and half a cheap edge could fit the budget.
    if (new Set(columns.map((j) => prices[j])).size > 1) for (const j of columns) whole[j] = true;
  }
  return { rows, low: new Array(width).fill(0), high, whole };
}
