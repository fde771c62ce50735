/**
 * The affinity table of the page: columns of equal length, one row a transfer or control.
 * sources[row]: names; target[row]: name; control[row]: null, "supervised", "share", "scratch" or "average";
 * affinity, gain, quality, loss: numbers or null; `spread[name][row]`: ends of 95 % intervals.
 * regime[row]: name of the amount of data, "" where there is one. What a table does not carry is null.
 * known: numbers of its tasks where it has more than its rows name.
 */

export class Table {
  constructor(columns, names) {
    this.length = columns.target.length;
    this.target = columns.target.map((i) => names[i]);
    this.sources = columns.sources.map((list) => list.map((i) => names[i]));
    this.control = columns.control;
    this.affinity = columns.affinity;
    const unknown = new Array(this.length).fill(null);
    this.regime = columns.regime ?? new Array(this.length).fill('');
    this.gain = columns.gain ?? unknown;
    this.quality = columns.quality;
    this.loss = columns.loss ?? unknown;
    this.spread = columns.spread ?? {};
    this.targets = [...new Set(this.target)];
    const sources = this.sources.flat();
    this.sourceNames = [...new Set(sources)];
    this.known = columns.known
      ? columns.known.map((i) => names[i])
      : [...new Set([...sources, ...this.target])].sort();
    this.controls = new Map();
    for (let row = 0; row < this.length; row += 1) {
      if (!this.control[row]) continue;
      const key = keyOf([this.control[row]], this.target[row]);
      if (!this.controls.has(key)) this.controls.set(key, []);
      this.controls.get(key).push(row);
    }
  }

  /** Rows of a target's control, one an amount of data with which it was measured. */
  controlRows(target, control) {
    return this.controls.get(keyOf([control], target)) ?? [];
  }

  /** The first of them, undefined where it was not measured. */
  controlRow(target, control) {
    return this.controlRows(target, control)[0];
  }

  /** Row of a transfer by its sources in any order, undefined for one that is not there. */
  find(sources, target, control = null) {
    if (control) return this.controlRow(target, control);
    this.index ??= new Map(
      Array.from({ length: this.length }, (_, row) => row)
        .filter((row) => !this.control[row])
        .map((row) => [keyOf(this.sources[row], this.target[row]), row]),
    );
    return this.index.get(keyOf(sources, target));
  }

  /** Quality of a row: a supervised network ties with itself. */
  qualityOf(row) {
    return this.control[row] === 'supervised' ? 0.5 : this.quality[row];
  }

  /** [low, high] of `measure` in a row, null where it was not measured. */
  interval(measure, row) {
    const low = this.spread[`${measure}_low`]?.[row];
    const high = this.spread[`${measure}_high`]?.[row];
    return low === undefined || low === null ? null : [low, high];
  }
}

const keyOf = (sources, target) => JSON.stringify([[...sources].sort(), target]);
