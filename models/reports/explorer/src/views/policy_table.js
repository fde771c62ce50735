/** How every target is answered, a row each; a target's name shows the evidence. */

import { byId, el, numberCell, replace } from '../dom.js';
import { withInterval } from '../format.js';

export function drawPolicyTable(page) {
  const body = byId('policy-table').tBodies[0];
  replace(
    body,
    page.policy.edges.map((edge) => row(page, edge)),
  );
}

function row(page, edge) {
  const { table } = page.run;
  const quality = table.qualityOf(edge.row);
  const show = el(
    'button',
    { type: 'button', class: 'link', onclick: () => page.change({ edge: edge.target }) },
    page.run.title(edge.target),
  );
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, show, noise(page.run, edge.target)),
    el('td', {}, sourcesInWords(page.run, edge.row)),
    numberCell(withInterval(table.gain[edge.row], table.interval('gain', edge.row))),
    numberCell(withInterval(quality, intervalOf(table, edge.row))),
  );
}

const intervalOf = (table, row) =>
  table.control[row] === 'supervised' ? null : table.interval('quality', row);

export function noise(run, target) {
  const marks = run.marks(target);
  return marks.length ? el('span', { class: 'noise' }, `noise: ${marks.join(', ')}`) : null;
}

/** `Depth from Normals`, `Depth from scratch`. */
export function edgeInWords(run, target, row) {
  const way = sourcesInWords(run, row);
  return `${run.title(target)} ${run.table.control[row] === 'scratch' ? way : `from ${way}`}`;
}

export function sourcesInWords(run, row, table = run.table) {
  if (table.control[row] === 'scratch') return 'from scratch';
  if (table.control[row] === 'share') return 'its own network on a share of its labels';
  if (table.control[row]) return 'its own labels';
  return table.sources[row].map((name) => run.title(name)).join(' + ');
}
