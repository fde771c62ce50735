/**
 * The boolean integer program of a taxonomy, as `models/taxonomy/program/program.py` makes it: variables are
 * one a node (task that may be supervised), then one an edge (transfer on offer). Every target has
 * exactly one of its edges or itself; the edges into a target that use a source sum to at most that
 * source's node; node and edge costs keep to the budget. Only nodes need be whole, and the edges of
 * targets whose edges differ in cost. What alone costs more than the budget is left out. HiGHS sees
 * rewards and costs brought near 1, very small costs as coarse ones (`covers.py` says why), and the
 * covers that an answer before has overspent.
 *
 * Where amounts of labels are chosen (`amounts.js`), `request.amountCost[target][regime]` prices the
 * data that an edge learns from.
 */

const LEAST = 1e-5;
const MOST = 1;
/** Sums of costs in floating point may pass a limit that they meet; of the limit. */
const SLACK = 1e-12;
const MOST_LIMIT = 64;
/** Of a budget: with smaller costs beside it HiGHS is shown coarse ones, of `STEPS` binary digits. */
const FINE = 1e-4;
const STEPS = 10;
const NEAR = 1024;
/** A value beside another's beyond which no solver tells apart what the lesser one adds. */
export const MOST_VALUES = 1e4;

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
  // Its own network on a share of its labels, where amounts have prices: else it would cost nothing.
  for (const target of request.amountCost ? targets : []) {
    for (const row of table.controlRows(target, 'share'))
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
  const unused = new Set(request.unused);
  const allowed = new Set(nodes.filter((name) => !unused.has(name)));
  const into = offered(table, request, allowed, targets);
  const own = new Map();
  for (const target of web ? targets : []) {
    const row = table.controlRow(target, 'supervised');
    if (allowed.has(target) && row !== undefined) own.set(target, row);
  }
  // Whatever the budget: what the roles leave no way to.
  const lost = targets.filter((target) => !into.get(target).length && !own.has(target));
  const edges = targets
    .flatMap((target) => undominated(table, into.get(target), request))
    .filter((edge) => isAffordable(edge.cost, request.budget));
  const idle = web ? LEAST : 0;
  const nodeReward = nodes.map((name) =>
    own.has(name) ? worth(table, own.get(name), request) : idle,
  );
  const program = {
    nodes,
    edges: edges.map((edge) => edge.row),
    targets,
    own,
    lost,
    allowed,
    reward: [...nodeReward, ...edges.map((edge) => edge.reward)],
  };
  const prices = [...nodes.map((name) => costOf(request, name)), ...edges.map((edge) => edge.cost)];
  return { ...program, prices, ...matrices(table, program, request, prices) };
}

export const isAffordable = (cost, budget) => cost <= budget * (1 + SLACK);

/** The names of a target of most and one of least value that no solver tells apart, or null. */
export function farValues(request, targets) {
  const valued = targets.filter((name) => valueOf(request, name) > 0);
  valued.sort((a, b) => valueOf(request, a) - valueOf(request, b));
  const [least, most] = [valued[0], valued.at(-1)];
  const isFar = valued.length && valueOf(request, most) > MOST_VALUES * valueOf(request, least);
  return isFar ? { most, least } : null;
}

/** What rewards are multiplied by so that the largest is near 1: a power of two, 1 where it is. */
export function unitOfRewards(reward) {
  const largest = reward.reduce((most, each) => Math.max(most, each), 0);
  return largest === 0 || (largest >= 1 / NEAR && largest <= NEAR)
    ? 1
    : 2 ** -Math.floor(Math.log2(largest));
}

/** The budget's row as HiGHS is shown it: brought near 1, coarse where some costs are very small. */
function budgetRow(prices, budget) {
  const unit = budget >= 1 && budget <= MOST_LIMIT ? 1 : 2 ** -Math.floor(Math.log2(budget));
  const entries = prices
    .map((price, j) => [j, price * unit])
    .filter(([j, price]) => price !== 0 && isAffordable(prices[j], budget));
  const limit = budget * unit;
  if (entries.every(([, price]) => price >= FINE * limit))
    return { entries, low: -Infinity, high: limit };
  const step = 2 ** (Math.floor(Math.log2(limit)) - STEPS);
  const down = (amount) => Math.floor(amount / step) * step;
  return {
    entries: entries.map(([j, price]) => [j, down(price)]).filter(([, price]) => price !== 0),
    low: -Infinity,
    high: down(limit * (1 + SLACK)),
  };
}

/**
 * The row of a cover where `bought` (a true or false for every variable) overspends the budget, null
 * where it does not: of what is dearest, until it costs too much, not all is bought; nor of what costs
 * as much. The edges into a target, of which one is taken, count as one.
 */
export function coverRow(table, program, request, bought) {
  const { prices, nodes, edges } = program;
  const ranked = prices
    .map((price, j) => ({ price, j }))
    .filter(({ price, j }) => bought[j] && price > 0)
    .sort((a, b) => b.price - a.price || a.j - b.j);
  let spent = 0;
  const last = ranked.findIndex(({ price }) => !isAffordable((spent += price), request.budget));
  if (last < 0) return null;
  const cover = ranked.slice(0, last + 1);
  const dearest = cover[0].price;
  const inCover = new Set(cover.map(({ j }) => j));
  const targetOf = (j) => table.target[edges[j - nodes.length]];
  const least = new Map(
    cover.filter(({ j }) => j >= nodes.length).map(({ price, j }) => [targetOf(j), price]),
  );
  const counts = (price, j) =>
    j < nodes.length
      ? price >= dearest || inCover.has(j)
      : price >= (least.get(targetOf(j)) ?? dearest);
  const entries = prices.flatMap((price, j) => (counts(price, j) ? [[j, 1]] : []));
  return { entries, low: -Infinity, high: cover.length - 1 };
}

/** Rows of the constraint matrix with their limits, bounds, and which variables are whole. */
function matrices(table, program, request, prices) {
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
  rows.push(budgetRow(prices, request.budget));
  for (const target of targets) {
    const entries = into.get(target).map((j) => [j, 1]);
    if (own.has(target)) entries.push([at.get(target), 1]);
    rows.push({ entries, low: 1, high: 1 });
  }
  const isOpen = (j) => program.allowed.has(nodes[j]) && isAffordable(prices[j], request.budget);
  const high = Array.from({ length: width }, (_, j) => (j < nodes.length && !isOpen(j) ? 0 : 1));
  const whole = Array.from({ length: width }, (_, j) => j < nodes.length);
  for (const columns of into.values()) {
    // Half a dear and half a cheap edge could fit the budget.
    if (new Set(columns.map((j) => prices[j])).size > 1) for (const j of columns) whole[j] = true;
  }
  return { rows, low: new Array(width).fill(0), high, whole };
}
