// The demo shop: a frontend as a marketplace would have it, on Guichet's public API only.
// The users' API keys lie open in demo.json, which is why this page exists in the demo alone.
import { call, isLoggedIn, logIn } from './api.js';
import { buy, markBought, startCart } from './cart.js';
import { deposit, startDeposit } from './deposit.js';
import { find, make, moment, on, showError } from './dom.js';
import { formatMoney } from './money.js';
import { follow, forget, showPayments, showReturn, showTimeline, startPayments } from './payments.js';

const OTHER_CURRENCIES = ['EUR', 'GBP', 'JPY', 'KWD'];

async function showBalances() {
  const balanceIn = async (currency) => (await call('GET', `/user/balance?currency=${currency}`)).balance;
  const [dollars, ...others] = await Promise.all(['USD', ...OTHER_CURRENCIES].map(balanceIn));
  const texts = others.map((balance, i) => balance !== 0 && formatMoney(balance, OTHER_CURRENCIES[i]));
  find('#balance').textContent = formatMoney(dollars, 'USD');
  find('#other-balances').textContent = texts.filter(Boolean).join(' · ');
}

function alertLine(alert) {
  const line = make('li', {}, make('span', { textContent: alert.text }), moment(alert.time));
  if (alert.paymentId) {
    const open = make('button', { type: 'button', className: 'link', textContent: 'Timeline' });
    on(open, 'click', () => showTimeline(alert.paymentId));
    line.append(open);
  }
  return line;
}

async function showAlerts() {
  const { alertCount, alerts } = await call('GET', '/user/notifications');
  find('#alert-count').textContent = alertCount;
  find('#alert-count').hidden = alertCount === 0;
  find('#alerts ul').replaceChildren(...alerts.map(alertLine));
  find('#no-alerts').hidden = alerts.length > 0;
}

// Nobody may have followed a payment: its payer can come back by himself.
async function refresh() {
  const [payments] = await Promise.all([showPayments(), showBalances(), showAlerts()]);
  for (const { id, status } of payments) if (status === 'completed') markBought(id);
}

// A payment that is followed ends with everything on the page made new.
async function settle(payment) {
  if (payment.status === 'completed') markBought(payment.id);
  await refresh();
}

const watch = (id) => follow(id, settle).catch((error) => showError(error.message));

// The provider's page led back here: ?paymentId=…&status=…
function takeReturn() {
  const query = new URLSearchParams(location.search);
  const id = query.get('paymentId');
  if (id === null) return;
  if (!isLoggedIn()) {
    showReturn(id);
    return;
  }
  history.replaceState(null, '', location.pathname);
  watch(id);
}

async function enter() {
  const user = find('#user').selectedOptions[0].textContent;
  forget();
  await logIn(find('#user').value);
  sessionStorage.setItem('user', user);
  for (const button of document.querySelectorAll('#checkout button, #pay, #bell')) button.disabled = false;
  await refresh();
  takeReturn();
}

// What needs no page of the provider's is waited for here.
async function goOn(url, id) {
  if (url) {
    location.assign(url);
    return;
  }
  watch(id);
  await showPayments();
}

async function checkOut(event) {
  const { url, message, id } = await buy(event.submitter.value);
  find('#cart-hint').textContent = message ?? '';
  await goOn(url, id);
}

async function payIn() {
  const { url, id } = await deposit();
  await goOn(url, id);
}

function openAlerts(open) {
  find('#alerts').hidden = !open;
  find('#bell').setAttribute('aria-expanded', String(open));
}

function showLinks(sandbox) {
  for (const [id, path] of [['#mails', '/mail/'], ['#sandbox', '/']]) {
    find(id).href = sandbox + path;
    find(id).hidden = false;
  }
}

// Who was logged in before the provider's page is logged in again when the browser comes back.
async function start() {
  const { instance, users, items, sandbox } = await (await fetch('demo.json')).json();
  find('#user').replaceChildren(...users.map((user) => new Option(user.name, user.apiKey)));
  startCart(items, instance);
  startPayments();
  showLinks(sandbox);
  on(find('#login'), 'submit', enter);
  on(find('#checkout'), 'submit', checkOut);
  on(find('#deposit'), 'submit', payIn);
  on(find('#bell'), 'click', () => openAlerts(find('#alerts').hidden));
  document.addEventListener('keydown', (event) => event.key === 'Escape' && openAlerts(false));
  await startDeposit().catch((error) => showError(error.message));
  const known = [...find('#user').options].find((o) => o.textContent === sessionStorage.getItem('user'));
  if (known === undefined) {
    takeReturn();
    return;
  }
  known.selected = true;
  await enter();
}

start().catch((error) => showError(error.message));
