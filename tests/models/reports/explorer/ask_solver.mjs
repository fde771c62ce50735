// Requests on stdin, answers on stdout, by the very solver that a page embeds.
import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';

const { built, names, columns, requests } = JSON.parse(readFileSync(0, 'utf8'));
const unpacked = (name) => gunzipSync(readFileSync(`${built}/${name}`));

let arrived;
globalThis.require = createRequire(import.meta.url);
globalThis.__dirname = built;
globalThis.__filename = `${built}/solver.js`;
globalThis.self = { postMessage: (data) => arrived(data) };
runInThisContext(unpacked('solver.js.gz').toString());
const ask = (data) =>
  new Promise((resolve) => {
    arrived = resolve;
    globalThis.self.onmessage({ data });
  });

const ready = await ask({ start: { engine: new Uint8Array(unpacked('highs.wasm.gz')).buffer, columns, names } });
if (!ready.ready) throw new Error(ready.error);
const answers = [];
for (const [number, request] of requests.entries()) answers.push(await ask({ number, request }));
process.stdout.write(JSON.stringify(answers));
