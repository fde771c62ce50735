/** What the page embeds, made from src/ and the locked packages: `npm ci && npm run build`. */

import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const built = new URL(process.argv[2] ?? 'built/', import.meta.url);
mkdirSync(built, { recursive: true });

async function bundled(entry, options = {}) {
  const made = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    absWorkingDir: import.meta.dirname,
    ...options,
  });
  return made.outputFiles[0].contents;
}

const save = (name, bytes) => writeFileSync(new URL(name, built), bytes);
const packed = (bytes) => gzipSync(bytes, { level: 9 });

/** The packages' own notices travel with what is made of them. */
function licences(names) {
  const text = (name) =>
    readFileSync(new URL(`node_modules/${name}/LICENSE`, import.meta.url), 'utf8');
  return names.map((name) => `== ${name}\n${text(name).trim()}\n`).join('\n');
}

save('page.js', await bundled('src/main.js'));
save('page.css', await bundled('src/page.css'));
// The CommonJS form: the module form asks for its own address, which a blob does not have.
const highs = {
  alias: { highs: './node_modules/highs/build/highs.js' },
  platform: 'browser',
  external: ['node:*', 'fs', 'path', 'crypto', 'url'],
};
save('solver.js.gz', packed(await bundled('src/worker.js', highs)));
save(
  'highs.wasm.gz',
  packed(readFileSync(new URL('node_modules/highs/build/highs.wasm', import.meta.url))),
);
// For the tests in a browser alone; its licence stands in its first lines.
const axe = new URL('../../../tests/models/reports/explorer/axe.min.js.gz', import.meta.url);
if (!process.argv[2]) {
  writeFileSync(
    axe,
    packed(readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url))),
  );
}
save('LICENSES.txt', licences(['@dagrejs/dagre', 'd3-array', 'd3-scale', 'd3-shape', 'highs']));
