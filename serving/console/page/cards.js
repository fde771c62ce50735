/** One answer as a card: its warnings, its figure, its numbers. Text is set as text, never as HTML. */

export function made(tag, fields = {}, ...inside) {
  const node = Object.assign(document.createElement(tag), fields);
  node.append(...inside);
  return node;
}

export const link = (textContent, href, download) => made('a', { textContent, href, download });

/** The figure's parts with their words as text, so that both can be read at every width. */
function panels(answer, photo) {
  const box = made('div', { className: 'panels' });
  const panel = (words, src, alt) =>
    made(
      'figure',
      {},
      ...(words ? [made('figcaption', { textContent: words })] : []),
      made('img', { src, alt }),
    );
  const alt = `${answer.title}: the answer; its numbers stand below`;
  box.append(panel('input', photo, ''));
  answer.panels.forEach(({ words, picture }, i) => box.append(panel(words, picture, i ? '' : alt)));
  return box;
}

export function card(answer, photo) {
  const box = made('article', { className: 'answer' });
  box.append(made('h3', { textContent: answer.title }));
  for (const words of answer.warnings) {
    box.append(made('p', { className: 'warning', textContent: `Take care: ${words}.` }));
  }
  if (answer.panels.length) box.append(panels(answer, photo));
  if (answer.same)
    box.append(made('p', { textContent: `Nearly the same picture as ${answer.same}.` }));
  box.append(numbers(answer), made('p', { className: 'quiet', textContent: answer.origin }));
  box.append(made('p', { className: 'quiet', textContent: `Confidence: ${answer.confidence}.` }));
  if (answer.figure) {
    const save = link('Download figure', answer.figure, `${answer.task}.png`);
    save.setAttribute('aria-label', `Download figure of ${answer.title}`);
    box.append(save);
  }
  return box;
}

function numbers(answer) {
  const rows = answer.rows.map(([name, value]) => {
    const head = made('th', { scope: 'row', textContent: name });
    return made('tr', {}, head, made('td', { textContent: value }));
  });
  const caption = made('caption', { textContent: `Numbers: ${answer.unit || 'share'}` });
  return made('table', {}, caption, made('tbody', {}, ...rows));
}
