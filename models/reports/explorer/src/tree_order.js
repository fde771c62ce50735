/** The clusters of a linkage, and the order of its leaves. */

/** [{left, right, height, support, members}] in the order of the linkage; leaves have no left. */
export function joins(tree) {
  const clusters = tree.names.map((name) => ({ members: [name], height: 0 }));
  return tree.linkage.map(([a, b, height], i) => {
    const [left, right] = [clusters[a], clusters[b]];
    const join = {
      left,
      right,
      height,
      support: tree.support?.[i],
      members: [...left.members, ...right.members],
    };
    clusters.push(join);
    return join;
  });
}

/** `names` in the order of the tree's leaves; names that the tree lacks come last. */
export function treeOrder(run, names) {
  const { tree } = run.payload;
  if (!tree.linkage?.length) return [...names];
  const leaves = joins(tree).at(-1).members;
  const place = new Map(leaves.map((name, i) => [name, i]));
  return [...names].sort(
    (a, b) => (place.get(a) ?? leaves.length) - (place.get(b) ?? leaves.length),
  );
}
