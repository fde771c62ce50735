/** What is shown, to take along: JSON, CSV, and the commands that solve and build it. */

import { byId, el, replace } from '../dom.js';
import { policyFigures } from '../policy.js';
import { requestOf } from '../state.js';

let made = null;

/**
 * The nodes are made once and stay: a click that takes the focus from a box of numbers asks a new
 * question between its press and its release, and must still meet the button that was pressed.
 * Nothing can be taken along while the question on the page is known to have no answer.
 */
export function drawExport(page) {
  made ??= makeExport(page);
  for (const each of made.buttons) each.disabled = !page.answered && !page.solving;
  replace(made.copied);
  replace(made.commands, wordsOf(page));
}

function wordsOf(page) {
  if (page.answered) return commandsOf(page);
  return page.solving
    ? '# being solved'
    : '# what is asked has no answer: there is nothing to take along';
}

function makeExport(page) {
  const copied = el('span', { role: 'status' });
  const commands = el('pre', { class: 'command', tabindex: 0, id: 'commands' });
  const buttons = [
    button(page, 'JSON', () => save('policy.json', 'application/json', jsonOf(page))),
    button(page, 'CSV', () => save('policy.csv', 'text/csv', csvOf(page))),
    button(page, 'Copy commands', async () => replace(copied, await copiedWords(commandsOf(page)))),
  ];
  replace(
    byId('export'),
    el(
      'details',
      {},
      el('summary', {}, 'Take it along'),
      el('p', { class: 'buttons' }, buttons, copied),
      commands,
    ),
  );
  return { buttons, copied, commands };
}

/** A button that waits for the answer to what is asked, and takes that along. */
const button = (page, name, take) =>
  el(
    'button',
    {
      type: 'button',
      // What the page says meanwhile may move the button away from under the pointer.
      onpointerdown: (event) => event.currentTarget.setPointerCapture(event.pointerId),
      onclick: async () => {
        await page.settled();
        if (page.answered) await take();
      },
    },
    name,
  );

/** Copy, and say so; a page that may not copy says what to do. */
async function copiedWords(text) {
  try {
    await navigator.clipboard.writeText(text);
    return 'copied';
  } catch {
    return 'select the text and copy it';
  }
}

function save(name, type, text) {
  const link = el('a', { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
  link.click();
  URL.revokeObjectURL(link.href);
}

/** The policy as `Taxonomy.to_json` writes it, with the question that it answers. */
export function jsonOf({ run, policy }) {
  const { table } = run;
  const { state } = policy;
  const edges = policy.edges.map(({ row, target }) => ({
    sources: table.sources[row],
    target,
    control: table.control[row],
    regime: '',
    affinity: table.affinity[row],
    gain: table.gain[row],
    quality: table.qualityOf(row),
  }));
  const { quality, qualityTransferred } = policyFigures(table, policy);
  return JSON.stringify(
    {
      budget: state.budget,
      order: state.order,
      status: policy.status,
      objective: policy.objective,
      supervised: [...policy.supervised].sort(),
      edges,
      quality,
      quality_transferred: qualityTransferred,
      spent: policy.spent,
      request: requestOf(state),
    },
    null,
    1,
  );
}

export function csvOf({ run, policy }) {
  const { table } = run;
  const quoted = (value) => `"${String(value ?? '').replaceAll('"', '""')}"`;
  const rows = policy.edges.map(({ row, target }) => [
    target,
    table.sources[row].join('|'),
    table.control[row],
    table.affinity[row],
    table.gain[row],
    table.qualityOf(row),
  ]);
  const head = ['target', 'sources', 'control', 'affinity', 'gain', 'quality'];
  return [head, ...rows].map((row) => row.map(quoted).join(',')).join('\r\n');
}

/** A name as one word of a shell. */
export const word = (text) =>
  /^[\w.,=/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** The question as options of `models.taxonomy solve`; `costs` names the one that prices a task. */
export function flagsOf({ run, state }, { budget = state.budget, costs = 'cost' } = {}) {
  const request = requestOf(state);
  const flags = [`--budget ${budget}`, `--order ${state.order}`];
  const excluded = [...request.unused].sort();
  const sourceOnly = [...request.sourceOnly, ...request.unused]
    .filter((name) => run.table.targets.includes(name))
    .sort();
  flags.push(`--scratch ${state.scratch ? 'on' : 'off'}`);
  const lists = {
    '--exclude': excluded,
    '--source-only': sourceOnly,
    '--target-only': [...request.targetOnly].sort(),
  };
  for (const [flag, names] of Object.entries(lists))
    if (names.length) flags.push(`${flag} ${word(names.join(','))}`);
  for (const kind of ['cost', 'value']) {
    for (const [name, amount] of Object.entries(state[kind]))
      flags.push(`--${kind === 'cost' ? costs : kind} ${word(`${name}=${amount}`)}`);
  }
  return flags;
}

export function commandsOf({ run, policy }) {
  const { state } = policy;
  const flags = flagsOf({ run, state });
  const solve = `python -m models.taxonomy solve --affinities ${word(run.payload.affinities)} ${flags.join(' ')}`;
  return `# the same policy, solved on the command line\n${solve}\n\n${runWords(run, state)}`;
}

/** The command of a run, which builds what is among the budgets and orders that it solves. */
function runWords(run, { budget, order }) {
  if (run.solved.has(`${budget}/${order}`))
    return (
      '# networks, bundle and report of this budget and order\n' +
      `python -m tfx_pipeline run --data DIR --run RUN --set default_budget=${budget} --set default_order=${order}`
    );
  const budgets = [...new Set(run.payload.taxonomies.map((entry) => entry.budget))];
  const orders = [...new Set(run.payload.taxonomies.map((entry) => entry.order))];
  return (
    `# no command builds networks for budget ${budget}, order ${order}: a run builds one of those\n` +
    `# that it solves; this one solved budgets ${spans(budgets)} and orders ${spans(orders)}`
  );
}

/** Whole numbers as text, neighbours as spans: 1 to 4, 6. */
function spans(numbers) {
  const found = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? from : `${from} to ${to}`)).join(', ');
}
