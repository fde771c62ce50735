/** The page's start: unpack the run, follow the reader's state, draw what depends on it. */

import { runOfPage, unpackedJson } from './assets.js';
import { byId, fillSlot } from './dom.js';
import { plural } from './format.js';
import { Rival } from './rival.js';
import { Run } from './run.js';
import { Solver } from './solver_client.js';
import { decode, encode, initialState, isOwn, isPlain, questionWords, requestOf } from './state.js';
import { drawAmounts } from './views/amounts.js';
import { drawCompare } from './views/compare.js';
import { drawControls, offerRival } from './views/controls.js';
import { drawCurves } from './views/curves.js';
import { drawEvidence } from './views/evidence.js';
import { drawExport } from './views/export.js';
import { drawGraph } from './views/graph.js';
import { drawHeadline } from './views/headline.js';
import { drawLedger } from './views/ledger.js';
import { drawMatrix } from './views/matrix.js';
import { drawNotes } from './views/notes.js';
import { drawPolicyTable } from './views/policy_table.js';
import { drawRoles } from './views/roles.js';
import { drawTree } from './views/tree.js';

/** Parts of the state that one view alone shows: nothing else is drawn again, focus stays. */
const LOCAL = {
  edge: showEdge,
  measure: drawMatrix,
  price: drawLedger,
  labels: drawAmounts,
  next: drawAmounts,
};

function showEdge(page) {
  drawEvidence(page);
  for (const mark of document.querySelectorAll('[data-target]')) {
    mark.setAttribute('aria-pressed', String(mark.dataset.target === page.state.edge));
  }
}

class Page {
  constructor(run, rival) {
    this.run = run;
    this.rival = rival;
    this.solver = new Solver(run.payload.table, run.payload.names);
    this.start = initialState(run);
    this.state = decode(location.hash, run);
    if (rival) this.state.versus ??= { rival: true };
    // The answer that is shown, with the question that it answers: the reader may be ahead of it.
    this.policy = null;
    this.answered = false;
    this.solving = false;
    this.asked = 0;
    this.ending = [];
  }

  /** Change the state, write it to the URL, and show what follows. */
  async change(part) {
    this.state = { ...this.state, ...part };
    this.remember();
    const names = Object.keys(part);
    const alone = names.length === 1 ? LOCAL[names[0]] : undefined;
    if (alone && this.policy) alone(this);
    else await this.follow();
  }

  /** The state into the URL; a frame that has no address of its own goes on without. */
  remember() {
    try {
      history.replaceState(null, '', encode(this.state, this.start) || location.pathname);
    } catch (error) {
      if (error.name !== 'SecurityError') throw error;
    }
  }

  /** Evidence of an edge while it has the focus; the state stays. */
  preview(target) {
    drawEvidence(this, target);
  }

  /** The policy of a budget and order under the state's roles, costs and values. */
  async policyOf(state) {
    const known = isPlain(state, this.start) ? this.run.answer(state.budget, state.order) : null;
    if (known) return known;
    fillSlot('state', 'Solving in this page …');
    const answer = await this.solver.ask(requestOf(state));
    return answer && { ...answer, from: 'page' };
  }

  async follow() {
    this.asked += 1;
    this.answered = false;
    this.solving = true;
    const { asked, state } = this;
    drawControls(this);
    drawAmounts(this);
    if (this.policy) drawExport(this);
    let policy;
    try {
      policy = await this.policyOf(state);
      // An answer that is there at once may have overtaken this one.
      if (asked !== this.asked || policy === null) return;
    } catch (error) {
      if (asked !== this.asked) return;
      this.keep(`Not solved: ${error.message}.`);
      return;
    }
    if (policy.status === 'infeasible' || policy.status === 'stopped') {
      this.keep(`No policy: ${policy.reason}.`);
      return;
    }
    this.answered = true;
    this.policy = { ...policy, state };
    fillSlot('state', this.origin(this.policy));
    this.settle();
    this.draw();
    await this.compare(asked);
    document.documentElement.dataset.ready = 'true';
  }

  /** Resolved once the newest question has its answer, or is known to have none. */
  settled() {
    if (!this.solving) return Promise.resolve();
    return new Promise((resolve) => this.ending.push(resolve));
  }

  settle() {
    this.solving = false;
    for (const resolve of this.ending.splice(0)) resolve();
  }

  /** Why there is no answer; what was shown before (at first the run's own) stays and is named. */
  keep(reason) {
    this.policy ??= this.ownPolicy();
    this.settle();
    this.draw();
    drawCompare(this, null);
    const still = questionWords(this.policy.state, this.start);
    fillSlot('state', `${reason} What is shown below still answers ${still}.`);
    document.documentElement.dataset.ready = 'true';
  }

  ownPolicy() {
    const { budget, order } = this.run.own;
    const state = { ...this.start, budget, order };
    return { ...this.run.answer(budget, order), state };
  }

  origin(policy) {
    const { state } = policy;
    const changed = !isPlain(state, this.start);
    if (policy.from === 'run') {
      return isOwn(state, this.run, this.start)
        ? ''
        : `The run's own answer at budget ${state.budget}.`;
    }
    const edges = plural(policy.edges.length, 'target');
    const why = changed ? 'your roles, costs and values' : 'this budget';
    return `Solved in this page for ${why}: ${edges}, proven best in ${policy.seconds.toFixed(1)} s.`;
  }

  /** Take the run of a page that the reader chose, and put it beside this one. */
  async meet(file) {
    try {
      this.rival = new Rival(await runOfPage(file), file.name);
    } catch (error) {
      fillSlot('state', `Not compared: ${error.message}.`);
      return;
    }
    offerRival(this.rival);
    await this.change({ versus: { rival: true } });
  }

  draw() {
    drawHeadline(this);
    drawNotes(this);
    drawPolicyTable(this);
    drawGraph(this);
    drawEvidence(this);
    drawLedger(this);
    drawCurves(this);
    drawExport(this);
    drawMatrix(this);
  }

  /** The second policy beside the first, where one is asked for. */
  async compare(asked) {
    const { versus } = this.state;
    if (!versus || (versus.rival && !this.rival)) return drawCompare(this, null);
    try {
      const other = versus.rival
        ? await this.rival.policyOf(this.state)
        : await this.policyOf({ ...this.state, ...versus });
      if (asked !== this.asked) return undefined;
      fillSlot('state', this.origin(this.policy));
      return drawCompare(this, other);
    } catch (error) {
      fillSlot('state', `Not compared: ${error.message}.`);
      return undefined;
    }
  }
}

/** Links inside the page move the view and leave the state in the URL. */
function followLinks() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    const place = link && byId(link.getAttribute('href').slice(1));
    if (!place) return;
    event.preventDefault();
    for (const old of document.querySelectorAll('.pointed')) old.classList.remove('pointed');
    place.classList.add('pointed');
    if (!place.hasAttribute('tabindex')) place.setAttribute('tabindex', '-1');
    place.focus({ preventScroll: true });
    place.scrollIntoView();
  });
}

async function begin() {
  const run = new Run(await unpackedJson('payload'));
  const beside = byId('rival');
  const rival = beside && new Rival(await unpackedJson('rival'), beside.dataset.name);
  const page = new Page(run, rival);
  followLinks();
  drawTree(page);
  if (run.payload.taxonomies.length === 0) {
    drawMatrix(page);
    document.documentElement.dataset.ready = 'true';
    return;
  }
  drawRoles(page);
  drawMatrix(page);
  await page.follow();
  window.addEventListener('hashchange', () => {
    if (!location.hash.startsWith('#?')) return;
    page.state = decode(location.hash, run);
    drawRoles(page);
    page.follow();
  });
  let width = window.innerWidth;
  window.addEventListener('resize', () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    if (page.policy) page.draw();
    drawTree(page);
  });
}

// After the first paint: the text is there to read while the run is unpacked.
requestAnimationFrame(() => setTimeout(begin));
