/** Why this edge: win rates with intervals, losses, pictures, the runner-up. */

import { byId, el, replace, svg } from '../dom.js';
import { number, rate, share, withInterval } from '../format.js';
import { runnerUp } from '../policy.js';
import { edgeInWords, noise, sourcesInWords } from './policy_table.js';

export function drawEvidence(page, shown = page.state.edge) {
  const box = byId('evidence');
  const edge = page.policy.edges.find((each) => each.target === shown);
  if (!edge) {
    replace(
      box,
      el(
        'p',
        { class: 'quiet' },
        'Choose a line of the graph, a target of the table, or a cell of the matrix to see what stands behind it.',
      ),
    );
    return;
  }
  replace(box, cellEvidence(page, edge.row, edge));
}

/** Evidence about any row of the table; with an edge of the policy, its runner-up too. */
export function cellEvidence(page, row, edge = null) {
  const { run } = page;
  const { table } = run;
  const target = table.target[row];
  const facts = run.payload.edge_evidence[keyOf(table, row)];
  return el(
    'div',
    { class: 'edge-facts', 'aria-live': 'polite' },
    el('h4', {}, edgeInWords(run, target, row)),
    noise(run, target),
    winRates(table, row),
    facts?.losses ? histogram(facts) : null,
    facts?.wins ? pictures(run, facts) : null,
    edge && !table.control[row] ? rival(page, edge, facts) : null,
  );
}

const keyOf = (table, row) => JSON.stringify([[...table.sources[row]].sort(), table.target[row]]);

function winRates(table, row) {
  const facts = [
    [
      'against full supervision (quality)',
      withInterval(
        table.qualityOf(row),
        table.control[row] ? null : table.interval('quality', row),
      ),
    ],
    ['against scratch (gain)', withInterval(table.gain[row], table.interval('gain', row))],
    ['mean test loss', number(table.loss[row])],
    ['affinity', number(table.affinity[row])],
  ];
  const rank = table.interval('rank', row);
  if (rank)
    facts.push(['rank among transfers of this order', `${number(rank[0])} to ${number(rank[1])}`]);
  return el(
    'dl',
    { class: 'facts' },
    facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value || 'not measured')]),
  );
}

const [WIDTH, HEIGHT] = [260, 70];

/** Test pictures by loss: this transfer as bars, the supervised network as a line. */
function histogram({ losses, supervised, edges }) {
  const most = Math.max(...losses, ...(supervised ?? []), 1);
  const step = WIDTH / losses.length;
  const bars = losses.map((some, i) => {
    const height = (some / most) * HEIGHT;
    return svg('rect', {
      class: 'bar-mark',
      x: i * step + 0.5,
      y: HEIGHT - height,
      width: step - 1,
      height,
    });
  });
  const line = (supervised ?? []).map(
    (some, i) =>
      `${i * step},${HEIGHT - (some / most) * HEIGHT} ${(i + 1) * step},${HEIGHT - (some / most) * HEIGHT}`,
  );
  const words = `Losses on test pictures, from ${number(edges[0])} to ${number(edges.at(-1))}; bars: this transfer; line: the supervised network`;
  return el(
    'figure',
    { class: 'histogram' },
    el('figcaption', {}, words),
    svg(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': words },
      bars,
      svg('polyline', { class: 'line second', points: line.join(' ') }),
    ),
  );
}

/** Test pictures where the transfer's loss is most below and most above the supervised network's. */
function pictures(run, { wins, loses }) {
  const { thumbnails } = run.payload;
  const shown = (name, views) => {
    const there = views.filter((view) => thumbnails[view.picture]);
    if (!there.length) return null;
    const images = there.map((view) =>
      el('img', { src: thumbnails[view.picture], alt: `${name}: ${view.name}`, title: view.name }),
    );
    return el('div', {}, el('p', {}, name), el('div', { class: 'strip' }, images));
  };
  return el(
    'div',
    {},
    shown('Better than full supervision, most clearly', wins),
    shown('Worse, most clearly', loses),
  );
}

function rival(page, edge, facts) {
  const { run, policy } = page;
  const row = runnerUp(run.table, policy, edge);
  if (row === null) return el('p', {}, 'No other transfer from these sources reaches this target.');
  const words = `Runner-up from the same purchase: ${sourcesInWords(run, row)}, quality ${rate(run.table.qualityOf(row))}.`;
  const chance = facts?.rivals?.[keyOf(run.table, row)];
  const sure =
    chance === undefined
      ? ' How likely it is the better one was not measured.'
      : ` On ${share(chance)} of redrawn test sets it is the better one.`;
  return el('p', {}, words + sure);
}
