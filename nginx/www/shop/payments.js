// The list of payments, the timeline of one, and the line about the one that is being made.
import { call } from './api.js';
import { find, make, moment, on, statusWords } from './dom.js';
import { formatMoney } from './money.js';

const PAGE = 10;
const OUTCOMES = {
  unknown: ['Welcome back', 'Log in to see what became of your payment.'],
  pending: ['Waiting for the payment', 'The provider has not said yet that it was paid.'],
  processing: ['The provider is checking the payment', 'It has come in and is being looked at.'],
  completed: ['Paid', 'The payment has completed.'],
  failed: ['Not paid', 'The payment did not go through.'],
  expired: ['Expired', 'The payment was not made in time.'],
  refunded: ['Refunded', 'The money went back.'],
  partially_refunded: ['Partly refunded', 'A part of the money went back.'],
  disputed: ['Disputed', 'The payer disputes this payment.'],
};
const isOpen = (status) => status === 'pending' || status === 'processing';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let cursor = null;
let followed = null; // the id; a newer one ends the older one's loop

const pill = (status) =>
  make('span', { className: `pill ${status}`, textContent: statusWords(status) });

function row(payment) {
  const open = make('button', { type: 'button', className: 'link id', textContent: payment.id });
  on(open, 'click', () => showTimeline(payment.id));
  const what = payment.type === 'items' ? 'Purchase' : 'Deposit';
  return make('tr', {},
    make('td', {}, moment(payment.createdAt)),
    make('td', {}, what, ' ', make('span', { className: 'soft', textContent: payment.provider })),
    make('td', { className: 'amount', textContent: formatMoney(payment.amount, payment.currency) }),
    make('td', {}, pill(payment.status)),
    make('td', {}, open));
}

function showRows(list) {
  cursor = list.cursor;
  find('#older').hidden = cursor === null;
  return list.payments.map(row);
}

export async function showPayments() {
  const list = await call('GET', `/payments?limit=${PAGE}`);
  find('#payments tbody').replaceChildren(...showRows(list));
  find('#payments').hidden = list.payments.length === 0;
  find('#no-payments').hidden = list.payments.length > 0;
  find('#no-payments').textContent = 'No payments yet.';
  return list.payments;
}

async function showOlder() {
  const list = await call('GET', `/payments?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`);
  find('#payments tbody').append(...showRows(list));
}

export async function showTimeline(id) {
  const payment = await call('GET', `/payments/${encodeURIComponent(id)}`);
  find('#timeline code').textContent = id;
  find('#timeline ol').replaceChildren(...payment.timeline.map((step) =>
    make('li', {}, moment(step.at),
      make('span', { textContent: step.detail ? `${step.kind}: ${step.detail}` : step.kind }))));
  find('#timeline').hidden = false;
  find('#timeline').scrollIntoView({ block: 'nearest' });
}

// Only what has changed is put there: a screen reader says it again, even if it is the same.
function say(selector, text) {
  if (find(selector).textContent !== text) find(selector).textContent = text;
}

function showOutcome(id, status, text, url) {
  const [title, about] = OUTCOMES[status] ?? [statusWords(status), ''];
  find('#outcome').className = `outcome wide ${status}`;
  say('#outcome-title', title);
  say('#outcome-text', text ?? about);
  find('#outcome-status').className = `pill ${status}`;
  say('#outcome-status', statusWords(status));
  say('#outcome-id', id);
  find('#outcome-url').hidden = !url;
  if (url) find('#outcome-url').href = url;
  find('#outcome').hidden = false;
}

const wireWords = ({ wireReference, bankAccount: { iban, accountNumber } }) =>
  `Wire it to the account ${iban ?? accountNumber}, with the reference ${wireReference}.`;

function words(payment) {
  const amount = formatMoney(payment.amount, payment.currency);
  const [, usual] = OUTCOMES[payment.status] ?? ['', ''];
  const about = payment.status === 'pending' && payment.bankwire !== null ? wireWords(payment.bankwire) : usual;
  return `${payment.type === 'items' ? 'Purchase' : 'Deposit'} of ${amount}. ${about}`;
}

// Null when the question got lost: it will be asked again.
const ask = (id) => call('GET', `/payments/${encodeURIComponent(id)}`).catch((error) => {
  if (error.isSettled) throw error;
  return null;
});

// Shows what is known of a payment until it is final, then calls done(payment) once.
export async function follow(id, done) {
  followed = id;
  for (let pause = 500; followed === id; pause = Math.min(pause * 1.5, 15000)) {
    const payment = await ask(id);
    if (followed !== id) return;
    if (payment === null) {
      await wait(pause);
      continue;
    }
    const appears = find('#outcome').hidden;
    showOutcome(id, payment.status, words(payment), payment.url);
    if (appears) find('#outcome').scrollIntoView({ block: 'nearest' });
    if (!isOpen(payment.status)) {
      await done(payment);
      return;
    }
    await wait(pause);
  }
}

// Somebody else is looking now.
export function forget() {
  followed = null;
  find('#outcome').hidden = true;
  find('#timeline').hidden = true;
}

// The browser is back from the provider, and nobody is logged in who could ask. What the address
// says of the payment anybody could have written.
export function showReturn(id) {
  showOutcome(id, 'unknown');
}

export function startPayments() {
  on(find('#older'), 'click', showOlder);
  on(find('#outcome-timeline'), 'click', () => showTimeline(find('#outcome-id').textContent));
  on(find('#outcome-close'), 'click', forget);
}
