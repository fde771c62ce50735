/** A box for a number: what cannot be taken is said beside it, and the state stays as it was. */

import { el, replace } from './dom.js';
import { numberOf, rangeWords } from './state.js';

let boxes = 0;

/**
 * {input, parts, show}: parts are the box and the place of its refusal; show(value) writes a number
 * of the state. kind: as `numberOf` knows it; current: what counts now; change: takes a number.
 */
export function numberBox(kind, attributes, { current, change }) {
  boxes += 1;
  const refusal = el('span', { class: 'refusal', role: 'alert', id: `refusal-${boxes}` });
  const input = el('input', {
    type: 'number',
    min: 0,
    step: 'any',
    ...attributes,
    onchange: () => {
      const number = numberOf(kind, input.value);
      const words = `Expected a number ${rangeWords(kind)}; ${current()} still counts.`;
      tell(number === null ? words : '');
      if (number !== null) change(number);
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
