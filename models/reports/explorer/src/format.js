/** Numbers as the page's templates write them (`models/reports/words.py`). */

export const UNKNOWN = 'not measured';

const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

export const rate = (value) => (known(value) ? value.toFixed(2) : UNKNOWN);
export const share = (value) => (known(value) ? `${(100 * value).toFixed(0)} %` : UNKNOWN);
export const count = (value) =>
  known(value) ? Math.round(value).toLocaleString('en-US') : UNKNOWN;
export const plural = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** Three digits of a small number, nothing for one that is not there. */
export function number(value) {
  if (!known(value)) return '';
  return Math.abs(value) >= 1000 ? count(value) : String(Number(value.toPrecision(3)));
}

/** `0.31 [0.22, 0.40]`. */
export const withInterval = (value, interval) =>
  interval && known(value)
    ? `${rate(value)} [${rate(interval[0])}, ${rate(interval[1])}]`
    : rate(value);

/** Titles with commas and a last "and". */
export function list(words) {
  return words.length > 1
    ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
    : (words[0] ?? '');
}
