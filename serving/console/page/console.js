/** The live page: photos in, answers out. Everything from a server is set as text, never as HTML. */

import { card, link, made } from './cards.js';

const MOST = 3;
const LARGEST = 68 << 20; // bytes of all photos; base64 makes four of three
const at = (id) => document.getElementById(id);
const chosen = []; // {file, address}
let offered = [];
let answered = []; // photos of `chosen` that the shown answers are about

async function asked(address, options) {
  let reply;
  try {
    reply = await fetch(address, options);
  } catch {
    throw new Error('This page has lost its own program: start python -m serving console again.');
  }
  const said = await reply.json();
  if (!reply.ok) throw new Error(said.error);
  return said;
}

function complain(words) {
  at('trouble').textContent = words;
}

function showFacts(facts, more = {}) {
  const rows = {
    model: facts.model,
    version: facts.version,
    server: facts.server,
    ...facts.lineage,
    ...more,
  };
  at('facts').replaceChildren(
    ...Object.entries(rows).flatMap(([name, value]) => [
      made('dt', { textContent: name }),
      made('dd', { textContent: String(value) }),
    ]),
  );
  if (!Object.keys(facts.lineage).length) {
    at('facts').append(
      made('dt', { textContent: 'lineage' }),
      made('dd', { textContent: 'not at hand: start this page with --model_base_path FOLDER' }),
    );
  }
}

async function loadModel() {
  try {
    const facts = await asked('model');
    const unchecked = new Set(
      boxes()
        .filter((box) => !box.checked)
        .map((box) => box.value),
    );
    offered = facts.tasks;
    at('tasks').replaceChildren(...offered.map((task) => taskBox(task, !unchecked.has(task.name))));
    showFacts(facts);
    complain('');
  } catch (error) {
    complain(error.message);
  }
  follow();
}

function taskBox(task, checked) {
  const box = made('input', { type: 'checkbox', value: task.name, checked });
  box.dataset.photos = task.photos;
  box.addEventListener('change', follow);
  const need = task.photos > 1 ? ` (${task.photos} photos)` : '';
  return made('label', {}, box, made('span', { textContent: task.title + need }));
}

const boxes = () => [...at('tasks').querySelectorAll('input')];
const wanted = () => boxes().filter((box) => box.checked && !box.disabled);

/** Boxes and the button follow the number of photos. */
function follow() {
  for (const box of boxes()) box.disabled = chosen.length > 0 && box.dataset.photos > chosen.length;
  at('send').disabled = !chosen.length || (offered.length > 0 && !wanted().length);
}

function take(files) {
  complain('');
  for (const file of files) {
    if (chosen.length === MOST) {
      complain(`At most ${MOST} photos are asked about together; ${file.name} was left out.`);
      break;
    }
    chosen.push({ file, address: URL.createObjectURL(file) });
  }
  at('photos').value = '';
  showChosen();
}

function drop(photo) {
  URL.revokeObjectURL(photo.address);
  chosen.splice(chosen.indexOf(photo), 1);
  if (answered.includes(photo)) forget();
  showChosen();
  at('photos').focus();
}

/** Answers leave with a photo that they are about: another one would seem to have given them. */
function forget() {
  answered = [];
  for (const name of ['cards', 'downloads']) at(name).replaceChildren();
  at('downloads').hidden = true;
  at('summary').textContent = 'The photo of the last answers was removed.';
  at('state').textContent = '';
}

function showChosen() {
  at('chosen').replaceChildren(
    ...chosen.map((photo) => {
      const image = made('img', { src: photo.address, alt: '' });
      image.addEventListener('error', () => image.remove()); // TIFF and others: the name alone
      const button = made('button', { type: 'button', textContent: 'Remove' });
      button.setAttribute('aria-label', `Remove ${photo.file.name}`);
      button.addEventListener('click', () => drop(photo));
      return made('li', {}, image, made('p', { textContent: photo.file.name }), button);
    }),
  );
  follow();
}

function content(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(reader.result.split(',')[1] ?? ''));
    reader.addEventListener('error', () => reject(new Error(`${file.name} cannot be read.`)));
    reader.readAsDataURL(file);
  });
}

async function send() {
  complain('');
  const bytes = chosen.reduce((sum, photo) => sum + photo.file.size, 0);
  if (bytes > LARGEST) {
    complain(
      `The photos have ${bytes >> 20} MiB; at most ${LARGEST >> 20} are sent. Scale them down.`,
    );
    return;
  }
  at('send').disabled = true;
  at('state').textContent = 'Asking ...';
  const about = [...chosen];
  try {
    if (!offered.length) await loadModel();
    const photos = await Promise.all(
      about.map(async ({ file }) => ({ name: file.name, content: await content(file) })),
    );
    const tasks = wanted().map((box) => box.value);
    const said = await asked('answer', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ photos, tasks }),
    });
    answered = about.every((photo) => chosen.includes(photo)) ? about : [];
    if (answered.length) showAnswers(said);
    else forget();
  } catch (error) {
    at('state').textContent = '';
    complain(error.message);
  }
  follow();
}

function showAnswers(said) {
  const seconds = Object.entries(said.seconds).map(([name, s]) => `${name} ${s.toFixed(2)} s`);
  const notes = said.notes.length ? ` Changed before asking: ${said.notes.join('; ')}.` : '';
  const doubtful = said.answers.filter((answer) => answer.warnings.length).length;
  at('summary').textContent =
    `${said.answers.length} answers of version ${said.version}; ${seconds.join(', ')}. ` +
    `${doubtful} with a warning.${notes}`;
  at('cards').replaceChildren(...said.answers.map((answer) => card(answer, said.photo)));
  showDownloads(said);
  at('state').textContent = `${said.answers.length} answers below.`;
  at('answers').focus();
}

function showDownloads(said) {
  const words = Object.fromEntries(said.answers.map((answer) => [answer.task, answer.said]));
  const json = new Blob([JSON.stringify({ version: said.version, answers: words }, null, 1)], {
    type: 'application/json',
  });
  const links = [link('Download answers.json', URL.createObjectURL(json), 'answers.json')];
  if (said.sheet) links.unshift(link('Download all figures', said.sheet, 'sheet.png'), ' ');
  at('downloads').replaceChildren(...links);
  at('downloads').hidden = false;
}

function setAll(checked) {
  for (const box of boxes()) box.checked = checked;
  follow();
}

const zone = at('drop');
at('photos').addEventListener('change', (event) => take(event.target.files));
for (const name of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(name, (event) => {
    event.preventDefault(); // a photo dropped beside the zone must not replace the page
    zone.classList.toggle('over', name === 'dragover');
    if (name === 'drop') take(event.dataTransfer.files);
  });
}
at('all').addEventListener('click', () => setAll(true));
at('none').addEventListener('click', () => setAll(false));
at('send').addEventListener('click', send);
loadModel().then(() => document.documentElement.setAttribute('data-ready', ''));
