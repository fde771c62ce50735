/** Elements made from data alone: text is text, so that no name of a run can become markup. */

const SVG = 'http://www.w3.org/2000/svg';
export const TEXT_LINE = 13; // pixels from one line of a name to the next
export const LETTER = 7.4; // pixels of a letter at 12 px, on average and a little more

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const el = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** SVG text of several lines, the middle of them at height y. */
export function textLines(words, { x, y, anchor = 'start' }) {
  const first = y + 4 - ((words.length - 1) * TEXT_LINE) / 2;
  const spans = words.map((line, i) => svg('tspan', { x, y: first + i * TEXT_LINE }, line));
  return svg('text', { 'text-anchor': anchor }, spans);
}

export const byId = (id) => document.getElementById(id);

/** Put children in the place of what `box` holds; does nothing on a page without the box. */
export function replace(box, ...children) {
  box?.replaceChildren(...children.flat().filter(Boolean));
}

/** Text into every element that carries `data-slot="name"`. */
export function fillSlot(name, ...content) {
  for (const slot of document.querySelectorAll(`[data-slot="${name}"]`)) replace(slot, ...content);
}

/** A table cell with a number, to the right. */
export const numberCell = (text) => el('td', { class: 'n' }, text);

/**
 * One tab stop for a group of things: arrow keys walk it, `columns` things a row.
 * Returns a function that moves the stop to item i.
 */
export function roving(items, columns = 1) {
  const stop = (i) => items.forEach((item, j) => item.setAttribute('tabindex', i === j ? 0 : -1));
  items.forEach((item, i) => {
    item.addEventListener('focus', () => stop(i));
    item.addEventListener('keydown', (event) => {
      const next = neighbour(event.key, i, items.length, columns);
      if (next === null) return;
      event.preventDefault();
      items[next].focus();
    });
  });
  stop(0);
  return stop;
}

function neighbour(key, i, count, columns) {
  const down = columns === 1 ? ['ArrowRight', 'ArrowDown'] : ['ArrowDown'];
  const up = columns === 1 ? ['ArrowLeft', 'ArrowUp'] : ['ArrowUp'];
  const steps = { Home: -i, End: count - 1 - i };
  for (const name of down) steps[name] = columns;
  for (const name of up) steps[name] = -columns;
  if (columns > 1) {
    steps.ArrowRight = 1;
    steps.ArrowLeft = -1;
  }
  const step = steps[key];
  if (step === undefined) return null;
  const next = i + step;
  return next < 0 || next >= count ? null : next;
}
