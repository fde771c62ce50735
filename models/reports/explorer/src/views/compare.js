/** Two policies side by side, of one run or of two, and how each target is answered in both. */

import { byId, el, numberCell, replace } from '../dom.js';
import { count, plural, rate } from '../format.js';
import { ledger } from '../ledger.js';
import { policyFigures } from '../policy.js';
import { chip } from './headline.js';
import { sourcesInWords } from './policy_table.js';

export function drawCompare(page, other) {
  const box = byId('compare');
  if (!other) {
    replace(box);
    return;
  }
  if (!other.edges) {
    replace(box, el('p', {}, `Nothing stands beside: ${other.reason ?? 'it was not solved'}.`));
    return;
  }
  const { versus } = page.state;
  const { budget, order, cost } = page.policy.state;
  const { rival } = versus;
  const here = { run: page.run, policy: page.policy, name: `budget ${budget}, order ${order}` };
  const there = {
    run: rival ? page.rival.run : page.run,
    policy: other,
    name: rival
      ? `the run ${page.rival.name}, same question`
      : `budget ${versus.budget}, order ${versus.order}`,
  };
  if (rival) here.name = `this run, ${here.name}`;
  replace(
    box,
    el('h3', { id: 'compare-title' }, 'Side by side'),
    el('div', { class: 'pair' }, column(here, cost), column(there, cost)),
    differences(here, there),
  );
}

function column({ run, policy, name }, cost) {
  const figures = policyFigures(run.table, policy);
  const labels = ledger(run, policy, cost).images;
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
      policy.supervised.flatMap((each) => [chip(run, each), ' ']),
    ),
    el(
      'dl',
      { class: 'facts' },
      facts.flatMap(([word, value]) => [el('dt', {}, word), el('dd', {}, value)]),
    ),
  );
}

/** Every target of either policy, in words and qualities; a row that differs says so. */
function differences(here, there) {
  const sides = [here, there].map(answersOf);
  const targets = [...new Set(sides.flatMap((side) => [...side.keys()]))];
  const rows = targets.map((target) => {
    const [one, two] = sides.map((side) => side.get(target));
    return { target, one, two, same: one?.words === two?.words };
  });
  const changed = rows.filter((row) => !row.same).length;
  const name = (target) =>
    (here.run.table.targets.includes(target) ? here : there).run.title(target);
  const head = ['target', here.name, 'quality', there.name, 'quality', ''];
  return el(
    'details',
    {},
    el('summary', {}, `${plural(changed, 'target')} of ${rows.length} answered differently`),
    el(
      'div',
      { class: 'scroll', role: 'group', 'aria-labelledby': 'compare-title', tabindex: 0 },
      el(
        'table',
        {},
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            head.map((word) => headCell(word)),
          ),
        ),
        el(
          'tbody',
          {},
          rows.map(({ target, one, two, same }) =>
            el(
              'tr',
              {},
              el('th', { scope: 'row' }, name(target)),
              cells(one),
              cells(two),
              el('td', {}, same ? '' : 'differs'),
            ),
          ),
        ),
      ),
    ),
  );
}

const headCell = (word) => (word ? el('th', { scope: 'col' }, word) : el('td', {}));

const cells = (answer) => [
  el('td', {}, answer?.words ?? 'not among its targets'),
  numberCell(answer ? rate(answer.quality) : ''),
];

/** target -> {words, quality}. */
const answersOf = ({ run, policy }) =>
  new Map(
    policy.edges.map((edge) => [
      edge.target,
      { words: sourcesInWords(run, edge.row), quality: run.table.qualityOf(edge.row) },
    ]),
  );
