/** Two policies side by side, and the targets that change their source. */

import { byId, el, replace } from '../dom.js';
import { count, rate } from '../format.js';
import { ledger } from '../ledger.js';
import { policyFigures } from '../policy.js';
import { chip } from './headline.js';
import { sourcesInWords } from './policy_table.js';

export function drawCompare(page, other) {
  const box = byId('compare');
  if (!other || !other.edges) {
    replace(box);
    return;
  }
  const { versus, budget, order } = page.state;
  const columns = [
    column(page, page.policy, `budget ${budget}, order ${order}`),
    column(page, other, `budget ${versus.budget}, order ${versus.order}`),
  ];
  const others = new Map(other.edges.map((edge) => [edge.target, edge.row]));
  const changed = page.policy.edges.filter((edge) => others.get(edge.target) !== edge.row);
  const changes = changed.map((edge) =>
    el(
      'li',
      {},
      `${page.run.title(edge.target)}: ${sourcesInWords(page.run, edge.row)} beside ${others.has(edge.target) ? sourcesInWords(page.run, others.get(edge.target)) : 'nothing'}`,
    ),
  );
  replace(
    box,
    el('h3', {}, 'Side by side'),
    el('div', { class: 'pair' }, columns),
    el(
      'details',
      {},
      el('summary', {}, `${changes.length} targets are answered differently`),
      el('ul', {}, changes),
    ),
  );
}

function column(page, policy, name) {
  const figures = policyFigures(page.run.table, policy);
  const labels = ledger(page.run, policy, page.state.cost).images;
  const facts = [
    ['quality of transferred targets', rate(figures.qualityTransferred)],
    ['quality of all targets', rate(figures.quality)],
    ['targets by transfer', String(figures.transferred)],
    ['labels', labels === null ? 'not known' : count(labels)],
  ];
  return el(
    'div',
    { class: 'card' },
    el('h4', {}, name),
    el(
      'p',
      {},
      policy.supervised.flatMap((each) => [chip(page.run, each), ' ']),
    ),
    el(
      'dl',
      { class: 'facts' },
      facts.flatMap(([word, value]) => [el('dt', {}, word), el('dd', {}, value)]),
    ),
  );
}
