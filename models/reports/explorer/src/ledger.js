/** What a policy takes in labelled pictures, seconds and money, and what it saves. */

const sum = (values) => values.reduce((a, b) => a + b, 0);

/** Labels that cost nothing, or are none, are not counted, neither in full nor the little data. */
const isPaid =
  (cost, unlabelled = []) =>
  (name) =>
    (cost[name] ?? 1) > 0 && !unlabelled.includes(name);

/** {bought, little, images, seconds}; null parts where the run does not say. */
export function ledger(run, policy, cost) {
  const { full, little, seconds, unlabelled } = run.images;
  const paid = isPaid(cost, unlabelled);
  const taught = policy.edges.filter((edge) => run.table.control[edge.row] !== 'supervised');
  const known = full !== null && little !== null;
  const bought = known ? full * policy.supervised.filter(paid).length : null;
  const rest = known ? little * taught.filter((edge) => paid(edge.target)).length : null;
  const times = policy.supervised.map((name) => seconds[name]);
  const timed = times.length > 0 && times.every((time) => time !== undefined);
  return {
    bought,
    little: rest,
    images: known ? bought + rest : null,
    seconds: timed ? sum(times) : null,
  };
}

/**
 * Share of labels saved against learning every target for itself to the same mean quality
 * (`models/taxonomy/evidence/expenses.py`): {saved, images, independent, capped}, null where not measured.
 */
export function saving(run, policy, quality, cost) {
  const { images } = ledger(run, policy, cost);
  const scratch = policy.edges.map(({ target }) => {
    const row = run.table.controlRow(target, 'supervised');
    const gain = row === undefined ? null : run.table.gain[row];
    return { target, quality: gain === null ? null : 1 - gain };
  });
  if (images === null || quality === null || scratch.some((each) => each.quality === null))
    return null;
  const points = alone(run.images, scratch, isPaid(cost));
  const independent = interpolated(points, quality);
  if (independent === 0) return null;
  return {
    saved: 1 - images / independent,
    images,
    independent,
    capped: quality > points.at(-1).quality,
  };
}

/** Labels and mean quality with 0, 1, ... targets of full labels, those first that gain most. */
function alone({ full, little }, scratch, paid) {
  const own = scratch.filter((each) => paid(each.target)).map((each) => each.quality);
  own.sort((a, b) => a - b);
  const free = 0.5 * (scratch.length - own.length);
  const most = own.filter((quality) => quality < 0.5).length;
  return Array.from({ length: most + 1 }, (_, k) => ({
    images: k * full + (own.length - k) * little,
    quality: (free + 0.5 * k + sum(own.slice(k))) / scratch.length,
  }));
}

function interpolated(points, quality) {
  if (quality <= points[0].quality) return points[0].images;
  for (let k = 1; k < points.length; k += 1) {
    const [before, after] = [points[k - 1], points[k]];
    if (quality <= after.quality) {
      const part = (quality - before.quality) / (after.quality - before.quality || 1);
      return before.images + part * (after.images - before.images);
    }
  }
  return points.at(-1).images;
}
