/** Numbers as the page's templates write them (`models/reports/words.py`). */

export const UNKNOWN = 'not measured';

const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

/** What rounds to nothing has no sign. */
const fixed = (value, digits) => (Number(value.toFixed(digits)) + 0).toFixed(digits);

export const rate = (value) => (known(value) ? fixed(value, 2) : UNKNOWN);
export const share = (value) => (known(value) ? `${fixed(100 * value, 0)} %` : UNKNOWN);
export const count = (value) =>
  known(value) ? (Math.round(value) + 0).toLocaleString('en-US') : UNKNOWN;
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

/** A title in lines of at most `most` letters, parted at spaces; a longer word has a line alone. */
export function lines(text, most) {
  const found = [];
  for (const word of text.split(' ')) {
    const longer = found.length ? `${found.at(-1)} ${word}` : '';
    if (longer && longer.length <= most) found[found.length - 1] = longer;
    else found.push(word);
  }
  return found;
}

/** Titles with commas and a last "and". */
export function list(words) {
  return words.length > 1
    ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
    : (words[0] ?? '');
}
