/** Ward's tree of sources with the bootstrap's support at every fork. */

import { LETTER, TEXT_LINE, byId, replace, svg, textLines } from '../dom.js';
import { lines } from '../format.js';
import { joins, treeOrder } from '../tree_order.js';

const LINE = 20; // of a name in one line

export function drawTree(page) {
  const box = byId('tree-box');
  const { tree } = page.run.payload;
  if (!box || !tree.linkage?.length) return;
  const width = Math.max(280, Math.min(box.clientWidth, 820));
  const room = Math.min(210, width * 0.5);
  const names = treeOrder(page.run, tree.names);
  const words = names.map((name) => lines(page.run.title(name), Math.floor(room / LETTER)));
  const line = LINE + (Math.max(...words.map((some) => some.length)) - 1) * TEXT_LINE;
  const place = new Map(names.map((name, i) => [name, (i + 0.5) * line]));
  const most = Math.max(...tree.linkage.map((row) => row[2])) || 1;
  const x = (height) => width - room - 10 - (height / most) * (width - room - 24);
  const marks = joins(tree).map((join) => fork(join, place, x));
  const labels = names.map((name, i) =>
    textLines(words[i], { x: width - room, y: place.get(name) }),
  );
  const height = names.length * line + 6;
  const title = `Similarity tree of ${names.length} sources; neighbours help the same targets`;
  replace(
    box,
    svg(
      'svg',
      { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title },
      marks,
      labels,
    ),
  );
}

function fork(join, place, x) {
  const y = centre(join.left, place);
  const below = centre(join.right, place);
  const d = `M${x(join.left.height)},${y} H${x(join.height)} V${below} H${x(join.right.height)}`;
  const support =
    join.support === undefined || join.support < 0.7
      ? null
      : svg(
          'text',
          { class: 'support', x: x(join.height) + 3, y: (y + below) / 2 + 4 },
          `${Math.round(100 * join.support)}`,
        );
  return svg('g', {}, svg('path', { class: 'branch', d }), support);
}

/** Height of a cluster's line: half-way between its parts. */
function centre(cluster, place) {
  if (!cluster.left) return place.get(cluster.members[0]);
  return (centre(cluster.left, place) + centre(cluster.right, place)) / 2;
}
