/** Budget, order, presets of costs, comparison. Made once, then only told the state. */

import { byId, el, replace } from '../dom.js';
import { numberBox } from '../number_box.js';
import { sameAmounts, versusOf, versusWord } from '../state.js';

let made = null;

export function drawControls(page) {
  made ??= makeControls(page);
  const { state } = page;
  made.range.value = state.budget;
  if (document.activeElement !== made.number.input) made.number.show(state.budget);
  made.order.value = state.order;
  made.preset.value = presetOf(page);
  if (made.scratch) made.scratch.checked = state.scratch;
  made.versus.value = state.versus ? versusWord(state.versus) : '';
}

function makeControls(page) {
  const { run, start } = page;
  const most = Math.max(run.table.sourceNames.length, start.budget);
  const range = el('input', {
    type: 'range',
    id: 'budget',
    min: 1,
    max: most,
    step: 1,
    oninput: (event) => page.change({ budget: Number(event.target.value) }),
  });
  const number = numberBox(
    'budget',
    { 'aria-label': 'Budget as a number' },
    {
      current: () => page.state.budget,
      change: (value) => page.change({ budget: value }),
    },
  );
  const orders = run.orders.map((order) => el('option', { value: order }, String(order)));
  const order = el(
    'select',
    { id: 'order', onchange: (event) => page.change({ order: Number(event.target.value) }) },
    orders,
  );
  const preset = el(
    'select',
    { id: 'preset', onchange: (event) => setPreset(page, event.target.value) },
    presets(),
  );
  const versus = el(
    'select',
    { id: 'versus', onchange: (event) => setVersus(page, event.target.value) },
    others(run, page.rival),
  );
  const another = el('input', {
    type: 'file',
    id: 'another',
    accept: '.html,text/html',
    onchange: (event) => event.target.files[0] && page.meet(event.target.files[0]),
  });
  const reset = el('button', { type: 'button', onclick: () => resetAll(page) }, 'Back to the run');
  const scratch = run.knowsScratch ? scratchBox(page) : null;
  place({ range, number, order, preset, versus, another, scratch, reset });
  return { range, number, order, preset, versus, scratch };
}

const scratchBox = (page) =>
  el('input', {
    type: 'checkbox',
    id: 'scratch',
    onchange: (event) => page.change({ scratch: event.target.checked }),
  });

function place({ range, number, order, preset, versus, another, scratch, reset }) {
  const named = (id, words, ...inputs) =>
    el('div', { class: 'control' }, el('label', { for: id }, words), inputs);
  replace(
    byId('controls'),
    named('budget', 'Budget', range, ...number.parts),
    named('order', 'Most sources a transfer', order),
    named('preset', 'Costs of labels', preset),
    named('versus', 'Compare with', versus),
    named('another', 'Another run (its page)', another),
    scratch ? named('scratch', 'Offer training from scratch', scratch) : null,
    el('div', { class: 'control' }, reset),
  );
}

const presets = () => [
  el('option', { value: 'equal' }, 'all equal (the paper)'),
  el('option', { value: 'free' }, 'free where made from the picture'),
  el('option', { value: 'own' }, 'your own'),
];

function others(run, rival) {
  const answers = [...run.solved.values()].map((entry) =>
    el(
      'option',
      { value: `${entry.budget}/${entry.order}` },
      `budget ${entry.budget}, order ${entry.order}`,
    ),
  );
  return [el('option', { value: '' }, 'nothing'), ...answers, ...(rival ? [optionOf(rival)] : [])];
}

const optionOf = (rival) => el('option', { value: 'run' }, `the run ${rival.name}`);

/** The other run among what one can compare with, in the place of one before. */
export function offerRival(rival) {
  made.versus.querySelector('[value="run"]')?.remove();
  made.versus.append(optionOf(rival));
}

/** Costs of the presets. Sources from outside need no labels: they cost nothing in either. */
function costsOf(run, preset) {
  const made = Object.keys(run.payload.free);
  const outside = Object.keys(run.default.cost).filter((name) => !made.includes(name));
  const names = preset === 'free' ? [...outside, ...made] : outside;
  return Object.fromEntries(names.map((name) => [name, 0]));
}

const presetOf = ({ run, state }) =>
  ['equal', 'free'].find((preset) => sameAmounts(state.cost, costsOf(run, preset))) ?? 'own';

async function setPreset(page, name) {
  if (name === 'own') {
    byId('roles').querySelector('details').open = true;
    return;
  }
  await page.change({ cost: costsOf(page.run, name) });
  document.dispatchEvent(new CustomEvent('costs'));
}

function setVersus(page, text) {
  page.change({ versus: versusOf(text, page.run) });
}

async function resetAll(page) {
  await page.change({ ...page.start });
  document.dispatchEvent(new CustomEvent('costs'));
}
