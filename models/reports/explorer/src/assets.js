/** What travels inside the page, compressed: the run's numbers, the solver, its engine. */

/** Bytes of the <script type="application/octet-stream"> called `id`. */
export const unpacked = (id) => unpackedText(document.getElementById(id).textContent);

async function unpackedText(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

export const unpackedJson = (id) => jsonOf(document.getElementById(id));

/** The run inside a page of this kind that the reader chose; rejects with a reason in words. */
export async function runOfPage(file) {
  const page = new DOMParser().parseFromString(await file.text(), 'text/html');
  const element = page.getElementById('payload');
  if (!element) throw new Error(`${file.name} is no report of a run (its index.html)`);
  return jsonOf(element);
}

async function jsonOf(element) {
  return JSON.parse(new TextDecoder().decode(await unpackedText(element.textContent)));
}
