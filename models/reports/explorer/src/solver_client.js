/**
 * The page's side of the solver of one table: started when first asked, one question at a time, the
 * last counts.
 */

import { unpacked } from './assets.js';

export class Solver {
  constructor(columns, names) {
    this.columns = columns;
    this.names = names;
    this.known = new Map();
    this.number = 0;
    this.waiting = new Map();
  }

  /** The answer to a request; null if another question came meanwhile. Rejects with a reason in words. */
  async ask(request) {
    const key = JSON.stringify(request);
    if (this.known.has(key)) return this.known.get(key);
    this.number += 1;
    const number = this.number;
    await this.started();
    if (number !== this.number) return null;
    const answer = await new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.worker.postMessage({ number, request });
    });
    this.known.set(key, answer);
    return number === this.number ? answer : null;
  }

  started() {
    this.starting ??= this.start();
    return this.starting;
  }

  async start() {
    if (typeof WebAssembly === 'undefined' || typeof Worker === 'undefined') {
      throw new Error('this browser has no WebAssembly: only the budgets of the run can be shown');
    }
    const [script, engine] = await Promise.all([unpacked('solver'), unpacked('engine')]);
    const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    this.worker = new Worker(address);
    await new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data }) => {
        if (data.ready) resolve();
        else if (data.number === undefined) reject(new Error(data.error));
        else this.settle(data);
      };
      this.worker.onerror = () => reject(new Error('the solver could not be started here'));
      const { columns, names } = this;
      this.worker.postMessage({ start: { engine, columns, names } }, [engine]);
    });
  }

  settle({ number, answer, error }) {
    const { resolve, reject } = this.waiting.get(number);
    this.waiting.delete(number);
    if (error) reject(new Error(error));
    else resolve(answer);
  }
}
