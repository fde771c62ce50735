/** A box for a number: what cannot be taken is said beside it, and the state stays as it was. */

import { el, replace } from './dom.js';
import { numberOf, rangeWords } from './state.js';

let boxes = 0;

/**
 * {input, parts, show}: parts are the box and the place of its refusal; show(value) writes a number
 * of the state. kind: as `numberOf` knows it; current: what counts now; change: takes a number;
 * refused: what is expected of a number in its range that cannot be taken either, "" where it can.
 */
export function numberBox(kind, attributes, { current, change, refused = () => '' }) {
  boxes += 1;
  const refusal = el('span', { class: 'refusal', role: 'alert', id: `refusal-${boxes}` });
  const input = el('input', {
    type: 'number',
    min: 0,
    step: 'any',
    ...attributes,
    onchange: () => {
      const number = numberOf(kind, input.value);
      const expected = number === null ? `a number ${rangeWords(kind)}` : refused(number);
      tell(expected ? `Expected ${expected}; ${current()} still counts.` : '');
      if (!expected) change(number);
    },
  });
  const tell = (words) => {
    replace(refusal, words);
    input.removeAttribute('aria-invalid');
    input.removeAttribute('aria-describedby');
    if (!words) return;
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', refusal.id);
  };
  const show = (value) => {
    input.value = value;
    tell('');
  };
  return { input, parts: [input, refusal], show };
}
