/** A thread of its own: HiGHS compiled to WebAssembly, asked by messages. */

import loadHighs from 'highs';
import { solve } from './solve.js';
import { Table } from './table.js';

let engine = null;
let table = null;

self.onmessage = async ({ data }) => {
  try {
    if (data.start) {
      engine = await loadHighs({ wasmBinary: data.start.engine, locateFile: (file) => file });
      table = new Table(data.start.columns, data.start.names);
      self.postMessage({ ready: true });
      return;
    }
    self.postMessage({ number: data.number, answer: solve(engine, table, data.request) });
  } catch (error) {
    self.postMessage({ number: data.number, error: String(error?.message ?? error) });
  }
};
