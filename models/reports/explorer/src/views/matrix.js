/** Who helps whom: an HTML table of buttons, one tab stop, arrow keys. */

import { byId, el, replace, roving } from '../dom.js';
import { number, rate } from '../format.js';
import { treeOrder } from '../tree_order.js';
import { cellEvidence } from './evidence.js';

const SHADES = 7;
const MEASURES = {
  affinity: 'after: affinity, in thousandths',
  quality: 'before: win rate against full supervision',
  gain: 'before: win rate against scratch',
  loss: 'before: mean test loss',
};

let drawn = null;

export function drawMatrix(page) {
  const box = byId('matrix-box');
  if (drawn?.measure === page.state.measure) return;
  const measure = MEASURES[page.state.measure] ? page.state.measure : 'affinity';
  drawn = { measure: page.state.measure };
  const cells = firstOrder(page.run.table);
  const sources = treeOrder(page.run, page.run.table.sourceNames);
  const targets = treeOrder(page.run, page.run.table.targets);
  const choice = el(
    'select',
    { id: 'measure', onchange: (event) => page.change({ measure: event.target.value }) },
    Object.entries(MEASURES).map(([name, words]) =>
      el('option', { value: name, selected: name === measure }, words),
    ),
  );
  const facts = el('div', { id: 'cell', class: 'evidence', 'aria-live': 'polite' });
  const rows = targets.map((target) => matrixRow(page, target, sources, cells, measure, facts));
  const table = el('table', { class: 'matrix' }, head(page.run, sources), el('tbody', {}, rows));
  replace(
    box,
    el('p', { class: 'control' }, el('label', { for: 'measure' }, 'Show'), choice),
    el(
      'div',
      {
        class: 'scroll',
        role: 'group',
        tabindex: 0,
        'aria-label': 'Matrix of first-order transfers',
      },
      table,
    ),
    facts,
  );
  const buttons = [...table.querySelectorAll('button')];
  if (buttons.length) roving(buttons, sources.length);
}

/** "target/source" -> row of the first-order transfer. */
function firstOrder(table) {
  const cells = new Map();
  for (let row = 0; row < table.length; row += 1) {
    if (table.sources[row].length === 1)
      cells.set(`${table.target[row]}/${table.sources[row][0]}`, row);
  }
  return cells;
}

const head = (run, sources) =>
  el(
    'thead',
    {},
    el(
      'tr',
      {},
      el('th', { scope: 'col' }, 'target'),
      sources.map((name) =>
        el('th', { scope: 'col', class: 'turned' }, el('span', {}, run.title(name))),
      ),
    ),
  );

function matrixRow(page, target, sources, cells, measure, facts) {
  const { run } = page;
  const rows = sources.map((source) => cells.get(`${target}/${source}`));
  const values = rows.map((row) => (row === undefined ? null : run.table[measure][row]));
  const shades = shadesOf(values, measure === 'loss');
  const show = (row) => replace(facts, cellEvidence(page, row));
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, run.title(target), shortNoise(run, target)),
    rows.map((row, i) =>
      cell(run, row, values[i], shades[i], { source: sources[i], target, measure, show }),
    ),
  );
}

function cell(run, row, value, shade, { source, target, measure, show }) {
  const own = source === target ? ' own' : '';
  const short = value === null ? '·' : shortest(value, measure);
  const interval = row === undefined ? null : run.table.interval(measure, row);
  const range = interval ? `, ${rate(interval[0])} to ${rate(interval[1])}` : '';
  const words = `${run.title(target)} from ${run.title(source)}: ${value === null ? 'not measured' : number(value) + range}`;
  const button = el(
    'button',
    {
      type: 'button',
      class: `cell h${shade}${own}`,
      title: words,
      'aria-label': `${short}: ${words}`,
      onclick: () => row !== undefined && show(row),
    },
    short,
  );
  return el('td', {}, button);
}

/** Four letters at most, so that they fit a cell; affinities in thousandths. */
function shortest(value, measure) {
  if (measure === 'affinity')
    return (1000 * value).toFixed(value < 0.001 ? 2 : value < 0.01 ? 1 : 0);
  return measure === 'loss' ? number(Number(value.toPrecision(2))) : rate(value);
}

/** The word alone: the rules that hold stand in its title, the table stays dense. */
function shortNoise(run, target) {
  const marks = run.marks(target);
  return marks.length ? el('span', { class: 'noise', title: marks.join(', ') }, 'noise') : null;
}

/** 0 to 6 by rank within the row; lower is better where `reversed`. */
function shadesOf(values, reversed) {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return values.map((value) => {
    if (value === null || known.length < 2) return 0;
    const place = known.indexOf(value) / (known.length - 1);
    return Math.round((reversed ? 1 - place : place) * (SHADES - 1));
  });
}
