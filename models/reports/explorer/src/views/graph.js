/** The policy as a layered graph: bought tasks left, what each reaches right. */

import dagre from '@dagrejs/dagre';
import { LETTER, TEXT_LINE, byId, el, replace, roving, svg, textLines } from '../dom.js';
import { lines, rate } from '../format.js';
import { sourcesInWords } from './policy_table.js';

const LINE = 24; // of a name in one line
const NARROW = 520;

export function drawGraph(page) {
  const box = byId('graph');
  const width = Math.max(280, Math.min(box.clientWidth, 720));
  const wide = width > NARROW;
  const node = { width: wide ? 190 : Math.floor(width * 0.4), height: 18 };
  node.letters = Math.floor(node.width / LETTER);
  const reached = page.policy.edges.filter((edge) => page.run.table.sources[edge.row].length);
  if (!reached.length) {
    const words = 'No target is reached by transfer: there is no line to draw.';
    replace(box, el('p', { class: 'missing' }, words));
    return;
  }
  const shown = [...page.policy.supervised, ...reached.map((edge) => edge.target)];
  const most = Math.max(...shown.map((name) => lines(page.run.title(name), node.letters).length));
  const line = LINE + (most - 1) * TEXT_LINE;
  const places = layout(page, reached, node, { width, line });
  const edges = reached.map((edge) => edgeMark(page, edge, places, node));
  const labels = [...places.values()].map((place) => label(page, place, node));
  const height = Math.max(...[...places.values()].map((place) => place.y)) + line;
  const size = { width, height, viewBox: `0 0 ${width} ${height}` };
  const title = 'Bought tasks to the left, the targets that each reaches to the right';
  replace(box, svg('svg', { ...size, role: 'group', 'aria-label': title }, edges, labels));
  const chosen = reached.findIndex((edge) => edge.target === page.state.edge);
  roving(edges)(Math.max(0, chosen));
}

/** name -> {name, side, x, y}: dagre orders the rows so that few lines cross; columns are ours. */
function layout(page, reached, node, { width, line }) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 6, ranksep: 80 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of page.policy.supervised) graph.setNode(`from ${name}`, { ...node });
  for (const edge of reached) {
    graph.setNode(`to ${edge.target}`, { ...node });
    for (const name of page.run.table.sources[edge.row])
      graph.setEdge(`from ${name}`, `to ${edge.target}`);
  }
  dagre.layout(graph);
  const byHeight = (a, b) => graph.node(a).y - graph.node(b).y;
  const right = graph
    .nodes()
    .filter((key) => key.startsWith('to '))
    .sort(byHeight);
  const left = graph
    .nodes()
    .filter((key) => key.startsWith('from '))
    .sort(byHeight);
  const rows = Math.max(left.length, right.length, 1);
  const places = new Map();
  left.forEach((key, i) => {
    const y = ((i + 0.5) / left.length) * rows * line;
    places.set(key, { name: key.slice(5), side: 'left', x: 0, y });
  });
  right.forEach((key, i) => {
    const y = ((i + 0.5) / right.length) * rows * line;
    places.set(key, { name: key.slice(3), side: 'right', x: width - node.width, y });
  });
  return places;
}

function label(page, place, node) {
  const own = page.policy.edges.some(
    (edge) => edge.target === place.name && page.run.table.control[edge.row] === 'supervised',
  );
  const words = lines(page.run.title(place.name), node.letters);
  const isLeft = place.side === 'left';
  const x = isLeft ? node.width - 6 : place.x + 6;
  return svg(
    'g',
    { class: `node ${place.side}` },
    svg('title', {}, page.run.title(place.name) + (own && isLeft ? ', a target too' : '')),
    textLines(words, { x, y: place.y, anchor: isLeft ? 'end' : 'start' }),
  );
}

/** One focusable mark a target: the lines from all its sources. */
function edgeMark(page, edge, places, node) {
  const to = places.get(`to ${edge.target}`);
  const paths = page.run.table.sources[edge.row].map((name, i) => {
    const from = places.get(`from ${name}`);
    const [x0, x1] = [node.width, to.x];
    const bend = (x1 - x0) / 2;
    const d = `M${x0},${from.y} C${x0 + bend},${from.y} ${x1 - bend},${to.y} ${x1},${to.y}`;
    return [svg('path', { class: 'touch', d }), svg('path', { class: `edge s${i % 4}`, d })];
  });
  const quality = page.run.table.qualityOf(edge.row);
  const words = `${page.run.title(edge.target)} from ${sourcesInWords(page.run, edge.row)}, quality ${rate(quality)}`;
  const choose = () => page.change({ edge: edge.target });
  return svg(
    'g',
    {
      class: 'edges',
      role: 'button',
      'aria-label': words,
      'aria-pressed': String(page.state.edge === edge.target),
      'data-target': edge.target,
      onclick: choose,
      onkeydown: (event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        choose();
      },
      onfocus: () => page.preview(edge.target),
    },
    svg('title', {}, words),
    paths.flat(),
  );
}
