/** HiGHS on a program of `program.js`, and its vector read as a policy. */

import {
  MOST_VALUES,
  costOf,
  coverRow,
  edgeCostOf,
  farValues,
  makeProgram,
  unitOfRewards,
  valueOf,
  worth,
} from './program.js';

/** The program as HiGHS takes it. */
export function modelData(highs, program) {
  const starts = [0];
  const indices = [];
  const values = [];
  for (const { entries } of program.rows) {
    for (const [column, value] of entries) {
      indices.push(column);
      values.push(value);
    }
    starts.push(indices.length);
  }
  const numCols = program.reward.length;
  const unit = unitOfRewards(program.reward);
  const numRows = program.rows.length;
  const endless = (value) => (Number.isFinite(value) ? value : Math.sign(value) * highs.infinity);
  return {
    numCols,
    numRows,
    sense: highs.constants.objectiveSense.maximize,
    colCost: Float64Array.from(program.reward, (reward) => reward * unit),
    colLower: Float64Array.from(program.low),
    colUpper: Float64Array.from(program.high),
    rowLower: Float64Array.from(program.rows, (row) => endless(row.low)),
    rowUpper: Float64Array.from(program.rows, (row) => endless(row.high)),
    matrix: { format: 'csr', numRows, numCols, starts, indices, values },
    integrality: Int32Array.from(program.whole, Number),
  };
}

/**
 * {status: "optimal" | "infeasible" | "stopped", supervised, edges, objective, spent, seconds}.
 * edges: [{row, target}] with a row number of the table.
 */
export function solve(highs, table, request, timeLimit = 30) {
  const since = Date.now();
  const program = makeProgram(table, request);
  const far = farValues(request, program.targets);
  if (far) return { status: 'stopped', reason: farReason(request, far), seconds: 0 };
  if (unreached(table, program).length) {
    // Without a way into a target there may be no variable at all, which HiGHS calls no model.
    return { status: 'infeasible', reason: reasonOf(program, request), seconds: 0 };
  }
  const codes = highs.constants.modelStatus;
  const gone = () => (Date.now() - since) / 1000;
  let found;
  for (;;) {
    found = highsAnswer(highs, program, Math.max(0.01, timeLimit - gone()));
    if (found.status !== codes.optimal) break;
    const cover = coverRow(table, program, request, boughtBy(table, program, request, found.x));
    if (!cover) break;
    // HiGHS's tolerance let it spend too much: without that answer, again.
    program.rows.push(cover);
  }
  const seconds = gone();
  if (found.status === codes.infeasible || found.status === codes.unboundedOrInfeasible) {
    return { status: 'infeasible', reason: reasonOf(program, request), seconds };
  }
  if (found.status === codes.timeLimit)
    return { status: 'stopped', reason: 'the solver ran out of time', seconds };
  if (found.status !== codes.optimal) {
    const reason = `the solver gave up (HiGHS says status ${found.status}); try numbers nearer to 1`;
    return { status: 'stopped', reason, seconds };
  }
  return { ...policyOf(table, program, request, found.x), status: 'optimal', seconds };
}

/** {status, x} of HiGHS: a rule is kept to its tolerance alone. */
const highsAnswer = (highs, program, timeLimit) =>
  highs.withModel(modelData(highs, program), (model) => {
    model.options.set({
      output_flag: false,
      mip_rel_gap: 0,
      mip_abs_gap: 1e-9,
      time_limit: timeLimit,
    });
    model.run();
    const status = model.getModelStatus();
    return { status, x: Array.from(model.getSolution().colValue) };
  });

/** What a solver's vector buys, a true or false for every variable: tasks, and edges that cost. */
function boughtBy(table, program, request, x) {
  const on = new Set(program.nodes.filter((_, i) => x[i] > 0.5));
  const chosen = chosenEdges(table, program, x, on, edgesDifferInCost(request));
  const rows = new Set(chosen.map((edge) => edge.row));
  return [
    ...program.nodes.map((name) => on.has(name)),
    ...program.edges.map((row) => rows.has(row)),
  ];
}

/** A solver's vector as a policy: given the nodes, every target takes its best edge. */
function policyOf(table, program, request, x) {
  const { nodes, targets, own } = program;
  const on = new Set(nodes.filter((_, i) => x[i] > 0.5));
  const chosen = chosenEdges(table, program, x, on, edgesDifferInCost(request));
  const used = new Set(chosen.flatMap((edge) => table.sources[edge.row]));
  const supervised = nodes.filter((name) => on.has(name) && (used.has(name) || own.has(name)));
  const objective =
    program.reward.reduce((sum, reward, j) => sum + reward * Math.round(x[j] * 1e6), 0) / 1e6;
  const labels = supervised.reduce((sum, name) => sum + costOf(request, name), 0);
  const little = chosen
    .filter((edge) => table.control[edge.row] !== 'supervised')
    .reduce((sum, edge) => sum + edgeCostOf(table, edge.row, request), 0);
  const place = new Map(targets.map((target, i) => [target, i]));
  chosen.sort((a, b) => place.get(a.target) - place.get(b.target));
  return { supervised, edges: chosen, objective, spent: labels + little };
}

const edgesDifferInCost = (request) =>
  Object.keys(request.transferCost).length > 0 || request.amountCost !== undefined;

/** One edge a target: the solver's where edges cost something, else the best that the nodes allow. */
function chosenEdges(table, program, x, on, solvers) {
  const { nodes, edges, targets, own, reward } = program;
  const best = new Map();
  edges.forEach((row, j) => {
    const target = table.target[row];
    const open = solvers
      ? x[nodes.length + j] > 0.5
      : table.sources[row].every((name) => on.has(name));
    const gain = reward[nodes.length + j];
    if (open && !(best.get(target)?.gain >= gain)) best.set(target, { row, target, gain });
  });
  return targets.flatMap((target) => {
    if (own.has(target) && on.has(target)) return [{ row: own.get(target), target }];
    const edge = best.get(target);
    return edge ? [{ row: edge.row, target }] : [];
  });
}

/** Targets that nothing on offer reaches within the budget. */
function unreached(table, program) {
  const reached = new Set(program.edges.map((row) => table.target[row]));
  return program.targets.filter((name) => !reached.has(name) && !program.own.has(name));
}

/** Why nothing fits, in a line. */
function reasonOf(program, request) {
  const { lost, allowed } = program;
  if (lost.length) return `no transfer that the roles allow reaches ${lost.join(', ')}`;
  const least = Math.min(...[...allowed].map((name) => costOf(request, name)));
  if (least > request.budget)
    return `the cheapest labels cost ${least}, the budget is ${request.budget}`;
  return `a budget of ${request.budget} buys no set of sources that reaches every target`;
}

/** Values that no solver tells apart, in a line. */
const farReason = (request, { most, least }) =>
  `the value of ${most} (${valueOf(request, most)}) is more than ${MOST_VALUES.toLocaleString('en-US')} ` +
  `times that of ${least} (${valueOf(request, least)}): bring them closer, or give 0 to what does not count`;

export { worth };
