/** What the shown policy takes: labels, seconds, money. */

import { byId, el, numberCell, replace } from '../dom.js';
import { count, plural } from '../format.js';
import { ledger } from '../ledger.js';
import { numberBox } from '../number_box.js';

const UNSAID =
  'How many pictures are labelled is not said in this run (no ledger in evidence.json).';

export function drawLedger(page) {
  const box = byId('ledger');
  const costs = ledger(page.run, page.policy, page.policy.state.cost);
  if (costs.images === null) {
    replace(box, el('p', { class: 'missing' }, UNSAID));
    return;
  }
  const hadFocus = document.activeElement?.id === 'price';
  const time =
    costs.seconds === null
      ? ''
      : ` Training the bought tasks' networks took ${count(costs.seconds)} s.`;
  replace(
    box,
    el('p', {}, `The policy above takes ${count(costs.images)} labels.${time}`),
    el('p', { class: 'control' }, el('label', { for: 'price' }, 'Price of one label'), price(page)),
    ledgerTable(page, costs),
  );
  if (hadFocus) byId('price').focus();
}

const price = (page) =>
  numberBox(
    'price',
    { id: 'price', value: page.state.price },
    {
      current: () => page.state.price,
      change: (number) => page.change({ price: number }),
    },
  ).parts;

/** Tasks whose full labels are paid, and those beside them that cost nothing. */
function boughtWords({ supervised, state }, unlabelled = []) {
  const isFree = (name) => state.cost[name] === 0 || unlabelled.includes(name);
  const free = supervised.filter(isFree).length;
  const more = free ? ` (${free} more cost nothing)` : '';
  return `full labels of ${plural(supervised.length - free, 'task')}${more}`;
}

function ledgerTable(page, { bought, little, images }) {
  const money = (labels) =>
    (labels * page.state.price).toLocaleString('en-US', { maximumFractionDigits: 2 });
  const rows = [
    [boughtWords(page.policy, page.run.images.unlabelled), bought],
    ['a little for every other target', little],
    ['together', images],
  ].map(([name, labels]) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, name),
      numberCell(count(labels)),
      numberCell(money(labels)),
    ),
  );
  const head = ['what', 'labelled pictures', 'money'].map((word, i) =>
    el('th', { scope: 'col', class: i ? 'n' : null }, word),
  );
  const table = el('table', {}, el('thead', {}, el('tr', {}, head)), el('tbody', {}, rows));
  return el(
    'div',
    { class: 'scroll', role: 'group', tabindex: 0, 'aria-label': 'Cost ledger' },
    table,
  );
}
