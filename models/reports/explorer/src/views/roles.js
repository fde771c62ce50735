/** Role, cost and value of every task. */

import { byId, el, replace } from '../dom.js';
import { numberBox } from '../number_box.js';
import { ROLES, valuesRefused } from '../state.js';

let listening = false;

export function drawRoles(page) {
  const box = byId('roles');
  if (!box) return;
  const open = box.querySelector('details')?.open;
  const rows = page.run.table.known.map((name) => row(page, name));
  const head = ['task', 'role', 'cost of its labels', 'value of its answer'];
  const table = el(
    'table',
    {},
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        head.map((word) => el('th', { scope: 'col' }, word)),
      ),
    ),
    el('tbody', {}, rows),
  );
  const scroll = el(
    'div',
    { class: 'scroll tall', role: 'group', tabindex: 0, 'aria-label': 'Roles, costs and values' },
    table,
  );
  const details = el(
    'details',
    { open },
    el('summary', {}, 'Roles, costs and values of tasks'),
    scroll,
  );
  replace(box, details);
  if (!listening) document.addEventListener('costs', () => drawRoles(page));
  listening = true;
}

function row(page, name) {
  const { run, state } = page;
  const options = allowedRoles(run, name).map(([role, words]) =>
    el('option', { value: role, selected: (state.roles[name] ?? '') === role }, words),
  );
  const role = el(
    'select',
    {
      'aria-label': `Role of ${run.title(name)}`,
      onchange: (event) => setRole(page, name, event.target.value),
    },
    options,
  );
  const reason = run.payload.free[name];
  return el(
    'tr',
    {},
    el(
      'th',
      { scope: 'row' },
      run.title(name),
      reason ? el('span', { class: 'quiet block' }, reason) : null,
    ),
    el('td', {}, role),
    el('td', {}, amount(page, 'cost', name)),
    el('td', {}, run.table.targets.includes(name) ? amount(page, 'value', name) : 'no target'),
  );
}

/** A task that nothing was measured into is no target, one that nothing starts from no source. */
function allowedRoles(run, name) {
  const isTarget = run.table.targets.includes(name);
  const isSource = run.table.sourceNames.includes(name);
  if (isTarget && isSource) return ROLES;
  const words = isTarget ? 'target' : 'source';
  return [['', words], ROLES.at(-1)];
}

function amount(page, kind, name) {
  const current = () => page.state[kind][name] ?? 1;
  const label = `${kind === 'cost' ? 'Cost' : 'Value'} of ${page.run.title(name)}`;
  const attributes = { value: current(), 'aria-label': label };
  const change = (number) => page.change(withAmount(page, kind, name, number));
  const refused = (number) =>
    valuesRefused({ ...page.state, ...withAmount(page, kind, name, number) }, page.run);
  const takes = kind === 'value' ? { current, change, refused } : { current, change };
  return numberBox(kind, attributes, takes).parts;
}

function setRole(page, name, role) {
  const roles = { ...page.state.roles };
  if (role) roles[name] = role;
  else delete roles[name];
  page.change({ roles });
}

/** The part of the state in which a task has this cost or value. */
function withAmount(page, kind, name, number) {
  const amounts = { ...page.state[kind] };
  if (number === 1) delete amounts[name];
  else amounts[name] = number;
  return { [kind]: amounts };
}
