/** What is shown, to take along: JSON, CSV, and the commands that solve and build it. */

import { byId, el, replace } from '../dom.js';
import { policyFigures } from '../policy.js';
import { requestOf } from '../state.js';

/** Nothing can be taken along while the question on the page has no answer. */
export function drawExport(page) {
  const disabled = !page.answered;
  const commands = disabled ? NOTHING : commandsOf(page);
  const copied = el('span', { role: 'status' });
  const copy = () =>
    navigator.clipboard.writeText(commands).then(
      () => copied.replaceChildren('copied'),
      () => copied.replaceChildren('select the text and copy it'),
    );
  const open = byId('export').querySelector('details')?.open;
  replace(
    byId('export'),
    el(
      'details',
      { open },
      el('summary', {}, 'Take it along'),
      el(
        'p',
        { class: 'buttons' },
        button('JSON', disabled, () => save('policy.json', 'application/json', jsonOf(page))),
        button('CSV', disabled, () => save('policy.csv', 'text/csv', csvOf(page))),
        button('Copy commands', disabled, copy),
        copied,
      ),
      el('pre', { class: 'command', tabindex: 0, id: 'commands' }, commands),
    ),
  );
}

const NOTHING = '# what is asked has no answer: there is nothing to take along';

const button = (name, disabled, onclick) =>
  el('button', { type: 'button', disabled, onclick }, name);

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
  const build = `python -m tfx_pipeline run --data DIR --run RUN --set default_budget=${state.budget} --set default_order=${state.order}`;
  return `# the same policy, solved on the command line\n${solve}\n\n# networks, bundle and report of this budget and order\n${build}`;
}
