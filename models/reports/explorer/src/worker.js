/** A thread of its own: HiGHS compiled to WebAssembly, asked by messages. */

import loadHighs from 'highs';
import { solve } from './solve.js';
import { Table } from './table.js';

/** HiGHS on the bytes that travelled in the page; its own loader would look for a file. */
async function started(bytes) {
  const module = await WebAssembly.compile(bytes);
  return loadHighs({
    instantiateWasm(imports, receive) {
      WebAssembly.instantiate(module, imports).then(receive);
      return {};
    },
  });
}

let engine = null;
let table = null;

self.onmessage = async ({ data }) => {
  try {
    if (data.start) {
      engine = await started(data.start.engine);
      table = new Table(data.start.columns, data.start.names);
      self.postMessage({ ready: true });
      return;
    }
    self.postMessage({ number: data.number, answer: solve(engine, table, data.request) });
  } catch (error) {
    self.postMessage({ number: data.number, error: String(error?.message ?? error) });
  }
};
