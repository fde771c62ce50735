/** A budget of labels or money: how many labels of each task, and of what the next ones. */

import { gainOf, holdings, meanQuality, pricedRequest, waysOf } from '../amounts.js';
import { byId, el, numberCell, replace } from '../dom.js';
import { count, list, plural, rate } from '../format.js';
import { numberBox } from '../number_box.js';
import { Solver } from '../solver_client.js';
import { flagsOf, word } from './export.js';
import { noise, sourcesInWords } from './policy_table.js';

const STEPS = 200; // of the slider, from its least to its most

let made = null;

/** Shown once it comes into view: what nobody looks at is not solved. */
export function drawAmounts(page) {
  const box = byId('amounts-box');
  if (!box || !page.run.amounts) return;
  made ??= makePanel(page, box);
  made.range.value = page.state.labels;
  for (const [name, box] of Object.entries(made.boxes))
    if (document.activeElement !== box.input) box.show(page.state[name]);
  if (made.seen) follow(page);
}

function makePanel(page, box) {
  const { amounts } = page.run;
  const most = amounts.full * amounts.table.targets.length;
  const step = Math.max(1, Math.round(most / STEPS));
  const numbers = (name, attributes) =>
    numberBox(name, attributes, {
      current: () => count(page.state[name]),
      change: (number) => page.change({ [name]: number }),
    });
  const range = el('input', {
    type: 'range',
    id: 'labels',
    min: step,
    max: step * STEPS,
    step,
    // Dragging shows the number; where it stops is solved.
    oninput: (event) => labels.show(event.target.value),
    onchange: (event) => page.change({ labels: Number(event.target.value) }),
  });
  const labels = numbers('labels', { 'aria-label': 'Labels as a number' });
  const next = numbers('next', { id: 'next' });
  const said = el('p', { class: 'state', role: 'status', id: 'amounts-state' });
  const result = el('div', { id: 'amounts-result' });
  replace(
    box,
    el(
      'div',
      { class: 'controls' },
      control('labels', 'Labels (or money) to spend', range, ...labels.parts),
      control('next', 'Then, of the next', ...next.parts),
    ),
    said,
    result,
  );
  const panel = { said, result, range, boxes: { labels, next } };
  panel.solver = new Solver(amounts.columns, amounts.allNames);
  panel.seen = false;
  panel.asked = 0;
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    panel.seen = true;
    follow(page);
  }).observe(box);
  return panel;
}

const control = (id, words, ...inputs) =>
  el('div', { class: 'control' }, el('label', { for: id }, words), inputs);

/** Solve what the state asks, then what the next labels should be; a later question takes over. */
async function follow(page) {
  const { state } = page;
  const { amounts } = page.run;
  made.asked += 1;
  const { asked } = made;
  const overtaken = (answer) => answer === null || asked !== made.asked;
  replace(made.said, 'Choosing amounts in this page …');
  try {
    const policy = await made.solver.ask(pricedRequest(amounts, state, state.labels));
    if (overtaken(policy)) return;
    if (policy.status !== 'optimal') {
      nothing(`No policy: ${reasonOf(policy, state)}.`);
      return;
    }
    const owned = holdings(amounts, policy);
    show(page, policy, owned, el('p', {}, 'Of what the next labels should be is being solved …'));
    const after = await made.solver.ask(pricedRequest(amounts, state, state.next, owned));
    if (overtaken(after)) return;
    const said =
      after.status === 'optimal'
        ? nextWords(page, gainOf(amounts, policy, after, owned))
        : el('p', {}, 'Of what the next labels should be was not solved in time.');
    show(page, policy, owned, said);
  } catch (error) {
    nothing(`Not solved: ${error.message}.`);
  }
}

/** No answer, and none of an earlier question below it. */
function nothing(words) {
  replace(made.said, words);
  replace(made.result);
}

/** The solver's own reason counts tasks; this budget counts labels. */
const reasonOf = (answer, state) =>
  answer.status === 'infeasible'
    ? `${count(state.labels)} to spend do not reach every target, under these roles and costs`
    : answer.reason;

function show(page, policy, owned, next) {
  const { run, state } = page;
  const { amounts } = run;
  const bought = Object.values(owned).reduce((a, b) => a + b, 0);
  const tasks = Object.keys(owned).filter((name) => owned[name] > 0);
  const priced = Object.values(state.cost).some((price) => price !== 1);
  const spent = priced ? `, for ${count(policy.spent)} of ${count(state.labels)}` : '';
  const ways = waysOf(amounts.table, policy)
    .map((way) => `${way.targets} ${way.words} at ${rate(way.quality)}`)
    .join(', ');
  replace(
    made.said,
    `${count(bought)} labels of ${plural(tasks.length, 'task')}${spent}; expected mean quality `,
    el('b', {}, rate(meanQuality(amounts.table, policy))),
    ` of ${plural(policy.edges.length, 'target')} (${ways}). Proven best in ${policy.seconds.toFixed(1)} s.`,
  );
  const none = amounts.names.filter((name) => owned[name] === 0).map((name) => run.title(name));
  replace(
    made.result,
    el('h4', { id: 'amounts-next' }, 'The next labels'),
    next,
    el('h4', { id: 'amounts-table-title' }, 'Labels by task'),
    amountsTable(page, policy, owned),
    none.length ? el('p', { class: 'quiet' }, `No labels of ${list(none)}.`) : null,
    commandLine(page),
  );
}

function nextWords({ run, state }, gain) {
  const more = `The next ${count(state.next)}`;
  if (gain.rows.length === 0) {
    return el(
      'p',
      {},
      `${more} buy nothing that makes any target better: ask for more, or keep them.`,
    );
  }
  const parts = gain.rows.map(
    (row) =>
      `${count(row.labels)} of ${run.title(row.task)}${row.amount === run.amounts.full ? ' (then all)' : ''}`,
  );
  const quality = gain.quality === null ? '' : `, of mean quality ${signed(gain.quality)}`;
  return el(
    'p',
    {},
    `${more}: `,
    el('b', {}, list(parts)),
    `; expected change of the objective ${signed(gain.objective)}${quality}.`,
  );
}

/** What rounds to nothing has no minus. */
const signed = (value) =>
  `${Number(value.toFixed(3)) < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;

/** A row a task that has labels or is a target, those with most labels first. */
function amountsTable(page, policy, owned) {
  const { run } = page;
  const { table } = run.amounts;
  const edges = new Map(policy.edges.map((edge) => [edge.target, edge.row]));
  const names = run.amounts.names
    .filter((name) => owned[name] > 0 || edges.has(name))
    .sort((a, b) => owned[b] - owned[a] || (run.title(a) < run.title(b) ? -1 : 1));
  const rows = names.map((name) => {
    const row = edges.get(name);
    const feeds = policy.edges.filter((edge) => table.sources[edge.row].includes(name)).length;
    return el(
      'tr',
      {},
      el('th', { scope: 'row' }, run.title(name), noise(run, name)),
      numberCell(
        owned[name] === run.amounts.full ? `all ${count(owned[name])}` : count(owned[name]),
      ),
      el('td', {}, row === undefined ? 'no target' : sourcesInWords(run, row, table)),
      numberCell(row === undefined ? '' : rate(table.qualityOf(row))),
      numberCell(feeds ? String(feeds) : ''),
    );
  });
  const head = ['task', 'labels', 'answered from', 'quality', 'targets that start from it'];
  const right = new Set([1, 3, 4]);
  return el(
    'div',
    { class: 'scroll', role: 'group', tabindex: 0, 'aria-labelledby': 'amounts-table-title' },
    el(
      'table',
      { id: 'amounts-table' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          head.map((words, i) =>
            el('th', { scope: 'col', class: right.has(i) ? 'n' : null }, words),
          ),
        ),
      ),
      el('tbody', {}, rows),
    ),
  );
}

/** The same question on the command line. */
export function amountsCommand({ run, state }) {
  const { full, labels } = run.amounts;
  const sizes = Object.entries(labels).map(([name, number]) =>
    word(name ? `${name}=${number}` : String(number)),
  );
  const flags = flagsOf({ run, state }, { budget: state.labels, costs: 'price' });
  const place = run.amounts.path || 'RUN/artifacts/WriteReport/report/N/amounts.json';
  const lacks = run.amounts.path
    ? ''
    : '# the table of amounts does not travel with this page: it lies in the report of a run\n';
  return `${lacks}python -m models.taxonomy solve --affinities ${word(place)} --amounts full=${full} ${sizes.join(' ')} ${flags.join(' ')} --next ${state.next}`;
}

const commandLine = (page) =>
  el(
    'details',
    { open: made.result.querySelector('details')?.open },
    el('summary', {}, 'The same on the command line'),
    el('pre', { class: 'command', tabindex: 0, id: 'amounts-command' }, amountsCommand(page)),
  );
