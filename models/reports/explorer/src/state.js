/**
 * What the reader asks, and its form in the URL's fragment:
 * #?budget=6&order=2&unused=a,b&source-only=c&target-only=d&cost.normal=0&value.depth=2&vs=4/2&edge=normal
 * labels and next (of how many labels to choose the amounts) only where a run has several amounts.
 */

import { MOST_VALUES, farValues } from './program.js';

const NUMBERS = ['budget', 'order', 'labels', 'next'];
const LISTS = { unused: 'unused', 'source-only': 'sourceOnly', 'target-only': 'targetOnly' };

/** Largest numbers that are taken: far above any question, far below what a solver loses. */
const MOST = { budget: 1e6, cost: 1e6, value: 1e6, price: 1e6, labels: 1e12, next: 1e12 };
const MAY_BE_NONE = new Set(['cost', 'value']);

/** The number of a text, null where it is none or out of the range of its kind. */
export function numberOf(kind, text) {
  const number = Number(text);
  const isLarge = MAY_BE_NONE.has(kind) ? number >= 0 : number > 0;
  return String(text ?? '').trim() !== '' && isLarge && number <= MOST[kind] ? number : null;
}

/** What `numberOf` takes, in words. */
export function rangeWords(kind) {
  const least = MAY_BE_NONE.has(kind) ? 'from 0 to' : 'above 0, at most';
  return `${least} ${MOST[kind].toLocaleString('en-US')}`;
}

/** Why a state's values cannot be taken, in words that stand after "Expected"; "" if they can. */
export function valuesRefused(state, run) {
  const request = requestOf(state);
  const apart = new Set([...request.unused, ...request.sourceOnly]);
  const targets = run.table.targets.filter((name) => !apart.has(name));
  const most = MOST_VALUES.toLocaleString('en-US');
  return farValues(request, targets)
    ? `0, or a number within ${most} times the values of the other targets`
    : '';
}

export const ROLES = [
  ['', 'source and target'],
  ['source-only', 'source only'],
  ['target-only', 'target only'],
  ['unused', 'unused'],
];

export function initialState(run) {
  return {
    budget: run.default.budget,
    order: run.default.order,
    scratch: run.default.scratch,
    roles: {},
    cost: { ...run.default.cost },
    value: {},
    versus: null,
    edge: null,
    measure: 'affinity',
    price: 0.1,
    labels: run.amounts?.budget ?? null,
    next: 1000,
  };
}

export function encode(state, start) {
  const words = new URLSearchParams();
  for (const name of NUMBERS) if (state[name] !== start[name]) words.set(name, state[name]);
  for (const role of Object.keys(LISTS)) {
    const names = Object.keys(state.roles).filter((name) => state.roles[name] === role);
    if (names.length) words.set(role, names.sort().join(','));
  }
  for (const kind of ['cost', 'value']) {
    for (const name of Object.keys({ ...state[kind], ...start[kind] }).sort()) {
      const amount = state[kind][name] ?? 1;
      if (amount !== (start[kind][name] ?? 1)) words.set(`${kind}.${name}`, amount);
    }
  }
  if (state.scratch !== start.scratch) words.set('scratch', state.scratch ? 'on' : 'off');
  if (state.versus) words.set('vs', versusWord(state.versus));
  if (state.edge) words.set('edge', state.edge);
  if (state.measure !== start.measure) words.set('measure', state.measure);
  if (state.price !== start.price) words.set('price', state.price);
  const text = words.toString();
  return text ? `#?${text}` : '';
}

/** What stands beside the policy: 'run' for the other run, else a budget and order of this one. */
export const versusWord = (versus) => (versus.rival ? 'run' : `${versus.budget}/${versus.order}`);

export function versusOf(word, run) {
  if (word === 'run') return { rival: true };
  const [budget, order] = word.split('/').map(Number);
  return budget > 0 && run.orders.includes(order) ? { budget, order } : null;
}

/** The state of a fragment; whatever the run does not know is left out. */
export function decode(fragment, run) {
  const state = initialState(run);
  if (!fragment.startsWith('#?')) return state;
  const words = new URLSearchParams(fragment.slice(2));
  const known = new Set(run.table.known);
  state.budget = numberOf('budget', words.get('budget')) ?? state.budget;
  if (run.orders.includes(Number(words.get('order')))) state.order = Number(words.get('order'));
  for (const role of Object.keys(LISTS)) {
    for (const name of (words.get(role) ?? '').split(',')) {
      if (known.has(name)) state.roles[name] = role;
    }
  }
  for (const [word, text] of words) {
    const [, kind, name] = /^(cost|value)\.(.*)$/.exec(word) ?? [];
    if (!known.has(name) || numberOf(kind, text) === null) continue;
    if (Number(text) === 1) delete state[kind][name];
    else state[kind][name] = Number(text);
  }
  // No proof would hold for the lesser ones.
  if (valuesRefused(state, run)) state.value = initialState(run).value;
  if (words.has('scratch')) state.scratch = words.get('scratch') === 'on';
  state.versus = versusOf(words.get('vs') ?? '', run);
  if (run.table.targets.includes(words.get('edge'))) state.edge = words.get('edge');
  state.measure = words.get('measure') ?? state.measure;
  state.price = numberOf('price', words.get('price')) ?? state.price;
  if (run.amounts) {
    state.labels = numberOf('labels', words.get('labels')) ?? state.labels;
    state.next = numberOf('next', words.get('next')) ?? state.next;
  }
  return state;
}

/** What the solver is asked: `models.taxonomy.program.request.Request` in the page's words. */
export function requestOf(state) {
  const named = (role) => Object.keys(state.roles).filter((name) => state.roles[name] === role);
  return {
    budget: state.budget,
    order: state.order,
    variant: 'web',
    value: state.value,
    cost: state.cost,
    transferCost: {},
    unused: named('unused'),
    sourceOnly: named('source-only'),
    targetOnly: named('target-only'),
    scratch: state.scratch,
  };
}

/** True where only budget and order were chosen, so that the run's own answers may serve. */
export function isPlain(state, start) {
  const own = ['roles', 'cost', 'value'].every((part) => sameAmounts(state[part], start[part]));
  return own && state.scratch === start.scratch;
}

/** True where what is asked is what the run's own policy answers. */
export const isOwn = (state, run, start) =>
  isPlain(state, start) && state.budget === run.own.budget && state.order === run.own.order;

/** A question in a few words. */
export function questionWords(state, start) {
  const others = isPlain(state, start) ? '' : ' under the roles, costs and values asked then';
  return `budget ${state.budget}, order ${state.order}${others}`;
}

/** Do two objects say the same of the same names? */
export const sameAmounts = (one, other) =>
  JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
