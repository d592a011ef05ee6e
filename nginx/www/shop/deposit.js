// The form for money in: which provider has which methods, currencies and limits.
import { call } from './api.js';
import { find, make } from './dom.js';
import { formatMoney, moneyPattern, moneyTitle, parseMoney } from './money.js';

const EXAMPLES = { JPY: '2500', KWD: '7.500' };
const METHODS = { credit_card: 'credit card', paypal: 'PayPal', crypto: 'crypto' };

// These need more than the form asks for: a card, a mandate, an authorization, a registration.
const OTHERS = ['card_direct', 'card_preauthorized', 'deposit_preauthorized', 'directdebit',
  'recurring_cit', 'recurring_mit'];

let providers = [];

const chosen = () => providers.find((provider) => provider.name === find('#provider').value);

function showMethods() {
  const methods = (chosen()?.methods ?? []).filter((name) => !OTHERS.includes(name))
    .map((name) => new Option(METHODS[name] ?? name, name));
  find('#method').replaceChildren(new Option('any', ''), ...methods);
}

function showCurrencies() {
  const before = find('#currency').value;
  const currencies = chosen()?.currencies ?? ['USD'];
  find('#currency').replaceChildren(...currencies.map((currency) => new Option(currency)));
  if (currencies.includes(before)) find('#currency').value = before;
}

function showAmount() {
  const currency = find('#currency').value;
  const limit = chosen()?.limits?.find((row) => row.currency === currency);
  find('#amount').value = EXAMPLES[currency] ?? '25.00';
  find('#amount').pattern = moneyPattern(currency);
  find('#amount').title = moneyTitle(currency);
  find('#deposit-hint').textContent = limit === undefined ? ''
    : `From ${formatMoney(limit.minimum, currency)} to ${formatMoney(limit.maximum, currency)}.`;
}

function showProvider() {
  showMethods();
  showCurrencies();
  showAmount();
}

// Returns the provider's page to go to, if there is one, and the payment's id.
export async function deposit() {
  const currency = find('#currency').value;
  const amount = parseMoney(find('#amount').value, currency);
  if (amount === null) throw new Error(`This is no amount of ${currency}: ${moneyTitle(currency)}`);
  const body = { amount, currency, returnUrl: location.origin + location.pathname };
  if (find('#method').value !== '') body.method = find('#method').value;
  const { paymentUrl, paymentId } = await call('POST', `/paiement/${find('#provider').value}`, body);
  return { url: paymentUrl, id: paymentId };
}

export async function startDeposit() {
  find('#provider').addEventListener('change', showProvider);
  find('#currency').addEventListener('change', showAmount);
  showProvider();
  providers = (await call('GET', '/providers')).providers;
  find('#provider').replaceChildren(...providers.map(({ name, status }) =>
    make('option', {
      value: name,
      textContent: status === 'up' ? name : `${name} (down)`,
      disabled: status !== 'up',
    })));
  find('#provider').value = 'payviox';
  showProvider();
}
