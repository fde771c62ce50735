/** What a policy takes in labelled pictures, seconds and money, and what it saves. */

/** {images, seconds, bought, little}; null parts where the run does not say. */
export function ledger(run, policy) {
  const { full, little, seconds } = run.images;
  const transfers = policy.edges.filter((edge) => run.table.control[edge.row] !== 'supervised');
  const priced = full !== null && little !== null;
  const times = policy.supervised.map((name) => seconds[name]);
  const timed = times.length > 0 && times.every((time) => time !== undefined);
  return {
    bought: full === null ? null : full * policy.supervised.length,
    little: little === null ? null : little * transfers.length,
    images: priced ? full * policy.supervised.length + little * transfers.length : null,
    seconds: timed ? times.reduce((a, b) => a + b, 0) : null,
  };
}

/**
 * Share of labels saved against learning every target for itself to the same mean quality
 * (`models/taxonomy/expenses.py`): {saved, images, independent}, null where not measured.
 */
export function saving(run, policy, quality) {
  const { full, little } = run.images;
  const own = ledger(run, policy).images;
  if (own === null || quality === null) return null;
  const scratch = [];
  for (const target of run.table.targets) {
    const row = run.table.controlRow(target, 'supervised');
    if (row === undefined || run.table.gain[row] === null) return null;
    scratch.push(1 - run.table.gain[row]);
  }
  scratch.sort((a, b) => a - b);
  const total = scratch.length;
  let tail = scratch.reduce((a, b) => a + b, 0);
  const points = [];
  for (let k = 0; k <= total; k += 1) {
    points.push({ images: k * full + (total - k) * little, quality: (0.5 * k + tail) / total });
    tail -= scratch[k] ?? 0;
  }
  const independent = interpolated(points, quality);
  return { saved: 1 - own / independent, images: own, independent };
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
