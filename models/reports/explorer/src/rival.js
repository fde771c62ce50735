/** Another run beside the page's own: its numbers, its solver, its answer to the same question. */

import { Run } from './run.js';
import { Solver } from './solver_client.js';
import { initialState, isPlain, requestOf } from './state.js';

export class Rival {
  constructor(payload, name) {
    this.name = name;
    this.run = new Run(payload);
    this.solver = new Solver(payload.table, payload.names);
  }

  /** The policy of this run under the reader's state; null if another question came meanwhile. */
  async policyOf(state) {
    const own = this.translated(state);
    const plain = isPlain(own, initialState(this.run));
    const known = plain ? this.run.answer(own.budget, own.order) : null;
    return known ?? this.solver.ask(requestOf(own));
  }

  /** The state without tasks that this run does not have. */
  translated(state) {
    const known = new Set(this.run.table.known);
    const part = (facts) =>
      Object.fromEntries(Object.entries(facts).filter(([name]) => known.has(name)));
    return {
      ...state,
      order: Math.min(state.order, this.run.orders.at(-1)),
      scratch: state.scratch && this.run.knowsScratch,
      roles: part(state.roles),
      cost: { ...this.run.default.cost, ...part(state.cost) },
      value: part(state.value),
    };
  }
}
