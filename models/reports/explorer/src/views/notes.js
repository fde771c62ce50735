/** Sections that do not follow the reader say what they are about, once something else is shown. */

import { fillSlot } from '../dom.js';
import { isOwn, isPlain } from '../state.js';

export function drawNotes({ run, start, policy }) {
  const { budget, order } = run.own;
  fillSlot(
    'own-policy',
    isOwn(policy.state, run, start)
      ? ''
      : `This is about the run's own policy (budget ${budget}, order ${order}), not about the policy that is shown.`,
  );
  fillSlot(
    'own-question',
    isPlain(policy.state, start)
      ? ''
      : "This is under the run's own roles, costs and values; the policy that is shown is under others.",
  );
}
