// The shelf and the cart. The cart outlasts the way to the provider's page and back; what was bought
// is remembered for as long as this demo's data lives.
import { call } from './api.js';
import { find, icon, make } from './dom.js';
import { formatMoney } from './money.js';

const CURRENCY = 'USD';
const ICONS = [[/key/i, 'key'], [/captain|hat/i, 'hat'], [/./, 'crate']];

let items = [];
let instance = '';
let cart = new Set(JSON.parse(sessionStorage.getItem('cart') ?? '[]'));
let bought = new Set();
let tosTime = null;

function keep() {
  sessionStorage.setItem('cart', JSON.stringify([...cart]));
  localStorage.setItem(`bought ${instance}`, JSON.stringify([...bought]));
}

const inCart = () => items.filter((item) => cart.has(item.assetId));

function toggle(item) {
  if (!cart.delete(item.assetId)) cart.add(item.assetId);
  keep();
  show();
}

function shelfCard(item) {
  const taken = bought.has(item.assetId);
  const chosen = cart.has(item.assetId);
  const action = taken ? 'Bought' : chosen ? 'Take out' : 'Add to cart';
  const button = make('button', { type: 'button', textContent: action, disabled: taken });
  button.className = chosen ? 'secondary' : 'tint';
  button.setAttribute('aria-label', `${action}: ${item.name}`);
  button.addEventListener('click', () => toggle(item));
  const art = make('div', { className: `art hue${Number(item.assetId.at(-1)) % 5}` },
    icon(ICONS.find(([pattern]) => pattern.test(item.name))[1]));
  return make('li', { className: chosen ? 'item chosen' : 'item' }, art,
    make('h3', { textContent: item.name }),
    make('p', { className: 'price', textContent: formatMoney(item.price, CURRENCY) }), button);
}

function cartLine(item) {
  const button = make('button', { type: 'button', className: 'link', textContent: 'Remove' });
  button.setAttribute('aria-label', `Remove: ${item.name}`);
  button.addEventListener('click', () => toggle(item));
  return make('li', {}, make('span', { className: 'grow', textContent: item.name }),
    make('span', { className: 'price', textContent: formatMoney(item.price, CURRENCY) }), button);
}

function show() {
  const focused = document.activeElement?.getAttribute('aria-label')?.split(': ')[1];
  const lines = inCart();
  const total = lines.reduce((sum, item) => sum + item.price, 0);
  find('#items').replaceChildren(...items.map(shelfCard));
  find('#cart-lines').replaceChildren(...lines.map(cartLine));
  find('#cart-total').textContent = formatMoney(total, CURRENCY);
  find('#cart-count').textContent = lines.length;
  find('#cart').hidden = lines.length === 0;
  find('#cart-empty').hidden = lines.length > 0;
  // the button that was pressed has been made anew
  if (focused !== undefined)
    [...document.querySelectorAll('#items button')]
      .find((button) => button.getAttribute('aria-label').endsWith(`: ${focused}`))?.focus();
}

// Buys what is in the cart. Returns the provider's address to go to, or the id of a payment that
// has been made at once.
export async function buy(provider) {
  const assetIds = inCart().map((item) => item.assetId);
  const content = await call('POST', `/payment/${provider}`, {
    type: 'items',
    items: assetIds.join(','),
    tos_timestamp: tosTime,
  });
  const id = content.location?.split('/').pop();
  sessionStorage.setItem(`items of ${id}`, JSON.stringify(assetIds));
  return { url: content.url, message: content.message, id };
}

// A payment has completed: what it bought leaves cart and shelf.
export function markBought(id) {
  const assetIds = JSON.parse(sessionStorage.getItem(`items of ${id}`) ?? '[]');
  if (assetIds.every((assetId) => bought.has(assetId))) return;
  for (const assetId of assetIds) {
    cart.delete(assetId);
    bought.add(assetId);
  }
  keep();
  show();
}

// name: of the instance, another one when its data was made anew.
export function startCart(list, name) {
  items = list;
  instance = name;
  bought = new Set(JSON.parse(localStorage.getItem(`bought ${instance}`) ?? '[]'));
  // the moment of acceptance is the one at which the box was ticked
  find('#tos').addEventListener('change', (event) => {
    tosTime = event.target.checked ? Math.floor(Date.now() / 1000) : null;
  });
  show();
}
