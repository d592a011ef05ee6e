// The demo shop: a frontend as a marketplace would have it, on Guichet's public API only.
// The users' API keys lie open in demo.json, which is why this page exists in the demo alone.
'use strict';

const find = (selector) => document.querySelector(selector);
let token = null;

function showError(message) {
  find('#error').textContent = message;
  find('#error').hidden = message === '';
}

// Money is an integer of minor units. The digits are cut, never divided.
function formatMoney(minorUnits, currency) {
  const digits = String(minorUnits).replace('-', '').padStart(3, '0');
  const sign = String(minorUnits).startsWith('-') ? '-' : '';
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)} ${currency}`;
}

function parseMoney(text) {
  const match = /^(\d+)(?:\.(\d\d))?$/.exec(text.trim());
  return match === null ? null : Number(match[1] + (match[2] ?? '00'));
}

// Every answer has the envelope; an error's content is the message to show.
async function call(method, path, body) {
  const headers = {};
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method === 'POST' && token !== null) headers['Idempotency-Key'] = crypto.randomUUID();
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (answer.err) throw new Error(`${answer.content} (${response.status})`);
  return answer.content;
}

// Runs what a button or a form asks for, with its button disabled, and shows what went wrong.
function on(element, event, action) {
  element.addEventListener(event, async (happened) => {
    happened.preventDefault();
    const button = element.querySelector('button') ?? element;
    button.disabled = true;
    showError('');
    try {
      await action();
    } catch (error) {
      showError(error.message);
    } finally {
      button.disabled = false;
    }
  });
}

async function login() {
  token = null;
  sessionStorage.setItem('user', find('#user').selectedOptions[0].textContent);
  token = (await call('POST', '/user/login', { apiKey: find('#user').value })).jwt;
  await refresh();
  find('#pay').disabled = false;
}

async function deposit() {
  const value = parseMoney(find('#amount').value);
  if (value === null) throw new Error('The amount is not a sum of money');
  const body = { type: 'balance', value, tos_timestamp: Math.floor(Date.now() / 1000) };
  if (find('#method').value !== '') body.payment_method = find('#method').value;
  const content = await call('POST', '/payment/payviox', body);
  location.assign(content.url);
}

async function refresh() {
  const [account, list] = await Promise.all([call('GET', '/user/balance'), call('GET', '/payments')]);
  find('#balance').textContent = formatMoney(account.balance, 'USD');
  find('#payments tbody').replaceChildren(...list.payments.map(paymentRow));
  find('#payments').hidden = list.payments.length === 0;
  find('#none').hidden = list.payments.length > 0;
  find('#none').textContent = 'No payments yet.';
}

function cell(className, ...content) {
  const td = document.createElement('td');
  td.className = className;
  td.append(...content);
  return td;
}

function paymentRow(payment) {
  const row = document.createElement('tr');
  const status = document.createElement('span');
  status.className = `status ${payment.status}`;
  status.textContent = payment.status.replaceAll('_', ' ');
  const open = document.createElement('button');
  open.className = 'link';
  open.textContent = payment.id;
  on(open, 'click', () => showTimeline(payment.id));
  row.append(cell('', moment(payment.createdAt)),
    cell('amount', formatMoney(payment.amount, payment.currency)), cell('', status), cell('', open));
  return row;
}

// Times come as Unix seconds or as RFC 3339 text.
function moment(value) {
  const date = new Date(/^\d+$/.test(value) ? Number(value) * 1000 : value);
  const element = document.createElement('time');
  element.dateTime = date.toISOString();
  element.textContent = date.toLocaleString();
  return element;
}

async function showTimeline(id) {
  const payment = await call('GET', `/payments/${encodeURIComponent(id)}`);
  find('#timeline code').textContent = id;
  find('#timeline ol').replaceChildren(...payment.timeline.map((step) => {
    const item = document.createElement('li');
    item.append(moment(step.at), step.detail ? `${step.kind}: ${step.detail}` : step.kind);
    return item;
  }));
  find('#timeline').hidden = false;
  find('#timeline').scrollIntoView({ block: 'nearest' });
}

// Who was logged in before the provider's page is logged in again when the browser comes back.
async function start() {
  const { users } = await (await fetch('demo.json')).json();
  find('#user').replaceChildren(...users.map((user) => new Option(user.name, user.apiKey)));
  on(find('#login'), 'submit', login);
  on(find('#deposit'), 'submit', deposit);
  const known = [...find('#user').options].find((o) => o.textContent === sessionStorage.getItem('user'));
  if (known !== undefined) {
    known.selected = true;
    await login();
  }
}

start().catch((error) => showError(error.message));
