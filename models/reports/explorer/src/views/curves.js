/** Quality and gain over the budget, one line an order, random policies as a band. */

import { extent, group } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { byId, el, replace, roving, svg } from '../dom.js';
import { rate } from '../format.js';
import { isPlain } from '../state.js';

const MARGIN = { top: 12, right: 16, bottom: 40, left: 46 };
const HEIGHT = 240;
const NAMES = {
  transferred: 'quality of transferred targets',
  quality: 'quality of all targets',
  gain: 'gain over scratch, all targets',
};

export function drawCurves(page) {
  const box = byId('curves');
  if (!box) return;
  const focused = document.activeElement?.dataset?.point;
  replace(
    box,
    Object.keys(NAMES).map((measure) => chart(page, measure, box.clientWidth)),
  );
  if (focused) box.querySelector(`[data-point="${focused}"]`)?.focus({ preventScroll: true });
}

function chart(page, measure, room) {
  const rows = page.run.payload.curves
    .map((row) => ({ ...row, transferred: row.ways?.transferred?.quality ?? null }))
    .filter((row) => row[measure] !== null && row[measure] !== undefined);
  if (!rows.length) return el('p', { class: 'missing' }, `${NAMES[measure]}: not measured.`);
  const width = Math.max(260, Math.min(room > 700 ? room / 2 - 16 : room, 560));
  const [least, most] = extent(rows, (row) => row.budget);
  const x = scaleLinear([least, Math.max(most, least + 1)], [MARGIN.left, width - MARGIN.right]);
  const y = scaleLinear([0, topOf(rows, measure)], [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const orders = [...group(rows, (row) => row.order)].sort(([a], [b]) => a - b);
  const points = pointsOf(page, measure, orders, x, y);
  if (points.length) roving(points);
  const drawn = svg(
    'svg',
    {
      width,
      height: HEIGHT,
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: 'group',
      'aria-label': NAMES[measure],
    },
    band(orders, measure, x, y),
    axes(x, y, width),
    line50(x, y, measure),
    svg('line', {
      class: 'here',
      x1: x(page.policy.state.budget),
      x2: x(page.policy.state.budget),
      y1: MARGIN.top,
      y2: HEIGHT - MARGIN.bottom,
    }),
    orders.map(([order, some]) =>
      svg('path', {
        class: `series s${(order - 1) % 4}`,
        d: line(
          (row) => x(row.budget),
          (row) => y(row[measure]),
        )(some),
      }),
    ),
    points,
  );
  return el('figure', {}, el('figcaption', {}, NAMES[measure]), drawn, legend(orders));
}

const topOf = (rows, measure) =>
  Math.min(
    1,
    Math.max(
      0.6,
      ...rows.map((row) => Math.max(row[measure], row[`random_${measure}`]?.high ?? 0) * 1.08),
    ),
  );

function band(orders, measure, x, y) {
  const [, rows] = orders.at(-1);
  const known = rows.filter((row) => row[`random_${measure}`]);
  const shape = area(
    (row) => x(row.budget),
    (row) => y(row[`random_${measure}`].low),
    (row) => y(row[`random_${measure}`].high),
  );
  return svg('path', { class: 'band', d: shape(known) ?? '' });
}

function line50(x, y) {
  const [left, right] = x.range();
  return svg('line', { class: 'half', x1: left, x2: right, y1: y(0.5), y2: y(0.5) });
}

function axes(x, y, width) {
  const ticksX = x.ticks(Math.min(8, x.domain()[1] - x.domain()[0] || 1)).filter(Number.isInteger);
  const marks = ticksX.map((tick) =>
    svg(
      'text',
      { class: 'tick', x: x(tick), y: HEIGHT - MARGIN.bottom + 18, 'text-anchor': 'middle' },
      String(tick),
    ),
  );
  const lines = y.ticks(5).map((tick) => [
    svg('line', {
      class: 'grid',
      x1: MARGIN.left,
      x2: width - MARGIN.right,
      y1: y(tick),
      y2: y(tick),
    }),
    svg(
      'text',
      { class: 'tick', x: MARGIN.left - 6, y: y(tick) + 4, 'text-anchor': 'end' },
      tick.toFixed(1),
    ),
  ]);
  const name = svg(
    'text',
    { class: 'tick', x: (MARGIN.left + width) / 2, y: HEIGHT - 4, 'text-anchor': 'middle' },
    'budget',
  );
  return svg('g', { 'aria-hidden': 'true' }, lines.flat(), marks, name);
}

/**
 * Every point a button that shows its budget and order. The one that is shown is marked, unless
 * roles, costs or values are others: no point of the run is that policy then.
 */
function pointsOf(page, measure, orders, x, y) {
  const { state } = page.policy;
  const isOfRun = isPlain(state, page.start);
  return orders.flatMap(([order, rows]) =>
    rows.map((row) => {
      const words = `budget ${row.budget}, order ${order}: ${measure} ${rate(row[measure])}`;
      const here = isOfRun && row.budget === state.budget && order === state.order;
      const show = () => page.change({ budget: row.budget, order });
      return svg(
        'g',
        {
          class: `point s${(order - 1) % 4}${here ? ' chosen' : ''}`,
          role: 'button',
          'aria-label': words,
          'data-point': `${measure}-${row.budget}-${order}`,
          onclick: show,
          onkeydown: (event) =>
            (event.key === 'Enter' || event.key === ' ') && (event.preventDefault(), show()),
        },
        svg('title', {}, words),
        svg('circle', { cx: x(row.budget), cy: y(row[measure]), r: here ? 6 : 4 }),
      );
    }),
  );
}

const legend = (orders) =>
  el(
    'ul',
    { class: 'legend' },
    orders.map(([order]) => el('li', { class: `s${(order - 1) % 4}` }, `order ${order}`)),
    el('li', { class: 'random' }, 'random policies'),
  );
