/** The first screen's numbers for the policy that is shown. */

import { el, fillSlot } from '../dom.js';
import { count, plural, rate, share } from '../format.js';
import { saving } from '../ledger.js';
import { policyFigures } from '../policy.js';
import { isPlain } from '../state.js';

export function drawHeadline(page) {
  const { run, policy } = page;
  const figures = policyFigures(run.table, policy);
  const isBare = (name) => run.images.unlabelled?.includes(name);
  const chips = policy.supervised
    .filter((name) => !isBare(name))
    .flatMap((name) => [chip(run, name), ' ']);
  const bare = policy.supervised.filter(isBare).map((name) => run.title(name));
  fillSlot('budget', String(policy.state.budget));
  fillSlot('buy', ...(chips.length ? chips : ['no task']));
  fillSlot('take', bare.length ? `, take ${bare.join(' and ')} (no labels)` : '');
  fillSlot('transferred', plural(figures.transferred, 'target'));
  fillSlot('from-scratch', scratchWords(figures));
  fillSlot('quality-transferred', figures.transferred ? rate(figures.qualityTransferred) : 'none');
  fillSlot('quality', figures.targets ? rate(figures.quality) : 'none');
  fillSlot('supervised', String(figures.supervised));
  fillSlot('quality-words', qualityWords(figures));
  const feeds = [...figures.feeds].map(([name, fed]) =>
    el(
      'li',
      {},
      `${run.title(name)}: ${figures.alone.has(name) ? 'itself alone' : plural(fed, 'target')}`,
    ),
  );
  fillSlot('feeds', ...(feeds.length ? feeds : [el('li', {}, 'Nothing is bought.')]));
  drawSaving(page, figures);
}

export const chip = (run, name) => el('span', { class: 'chip' }, run.title(name));

/** What the policy leaves to training from scratch, after those that it reaches by transfer. */
export const scratchWords = ({ scratch }) => (scratch ? `, ${scratch} more from scratch` : '');

export function qualityWords(figures) {
  if (!figures.transferred || figures.qualityTransferred === null) return '';
  if (figures.scratchQuality === null) {
    return 'Learning from scratch was not measured on these targets.';
  }
  const difference = figures.qualityTransferred - figures.scratchQuality;
  const beside = `Learning the same targets from scratch reaches ${rate(figures.scratchQuality)}`;
  if (difference > 0.02) return `${beside}: the transfers are better.`;
  if (difference < -0.02) return `${beside}: on average the transfers are worse.`;
  return `${beside}: no difference to speak of.`;
}

function drawSaving({ run, start, policy }, figures) {
  const { state } = policy;
  const plain = isPlain(state, start);
  const own = plain ? run.savings.get(`${state.budget}/${state.order}`) : undefined;
  const row = own ?? saving(run, policy, figures.quality, state.cost);
  const apart = row?.not_bought
    ? ` Counted without the tasks that are bought, and without their labels: ${share(row.not_bought.saved)}.`
    : '';
  fillSlot('saved', row ? share(row.saved) : '?');
  fillSlot('saving-words', savingWords(row) + apart);
}

export function savingWords(row) {
  if (!row) return 'What it saves was not computed in this run.';
  const [taken, alone] = [count(row.images), count(row.independent)];
  if (row.saved > 0) {
    const capped = row.capped ? ' (more than that was not measured)' : '';
    return `It takes ${taken} labels where learning every task for itself to the same mean quality takes ${alone}${capped}.`;
  }
  return `It saves nothing: it takes ${taken} labels, and learning every task for itself reaches the same mean quality with ${alone}.`;
}
