// Mangopay: the border of every field and of every enumeration, as callers of Guichet meet it. What is
// wrong is refused in documented words before anybody is called; what is right reaches Mangopay under
// exactly the names of its documents.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { after, describe } from 'node:test';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import {
    COUNTRIES, CULTURES as WEB, DIRECT_CULTURES as DIRECT, PAYPAL_CULTURES as PAYPAL,
} from './lib/mangolists.mjs';
import { makeMangopay } from './lib/mangopay.mjs';
import { makeMangopayProxy, registerHooks } from './lib/mangoproxy.mjs';
import { ADDRESS, AUTHOR, BROWSER_INFO, WALLET, makeShop } from './lib/mangoshop.mjs';

// "The PayIn object", its table of capabilities.
const CARDS = 'EUR GBP USD CHF PLN NOK SEK DKK CAD AUD'.split(' ');
const ALL = 'AED AUD CAD CHF CZK DKK EUR GBP HKD JPY NOK PLN SEK USD ZAR'.split(' ');
const CULTURES = [...new Set([...WEB, ...DIRECT, ...PAYPAL])];

const proxy = await makeMangopayProxy();
after(() => proxy.end());
// Many at once through a proxy of Node's: however slow the machine is, nobody gives up.
const shop = await startInstance({ name: 'mangoborders', processes: 1, set: { 'mangopay.enabled': 'on',
    'jobs.silence': 600, 'mangopay.api_url': proxy.url, 'provider.timeout': 19_000, 'provider.connect_timeout': 19_000 } });
proxy.attach(shop);
const { client } = shop;
const { alice, olivia } = shop.users;
const mangopay = makeMangopay(shop);
const { deposit, paiement, referenceOf } = makeShop(shop, mangopay);
const card = await mangopay.card(AUTHOR);
const wallets = {};
for (const currency of ALL) wallets[currency] = (await mangopay.wallet(AUTHOR, currency)).Id;

const METHODS = { // what each is called there, its currencies, its cultures
    card_web: ['/payins/card/web/', CARDS, WEB, 'CB_VISA_MASTERCARD'],
    credit_card: ['/payins/card/web/', CARDS, WEB, 'CB_VISA_MASTERCARD'],
    CB_VISA_MASTERCARD: ['/payins/card/web/', CARDS, WEB, 'CB_VISA_MASTERCARD'],
    DINERS: ['/payins/card/web/', ['EUR'], WEB, 'DINERS'],
    AMEX: ['/payins/card/web/', CARDS, WEB, 'AMEX'],
    MAESTRO: ['/payins/card/web/', ['EUR'], WEB, 'MAESTRO'],
    P24: ['/payins/card/web/', ['PLN'], WEB, 'P24'],
    IDEAL: ['/payins/card/web/', ['EUR'], WEB, 'IDEAL'],
    BCMC: ['/payins/card/web/', ['EUR'], WEB, 'BCMC'],
    card_direct: ['/payins/card/direct/', CARDS, DIRECT],
    card_preauthorized: ['/payins/preauthorized/direct/', CARDS],
    deposit_preauthorized: ['/payins/deposit-preauthorized/direct/full-capture', CARDS],
    bankwire: ['/payins/bankwire/direct/', ALL],
    directdebit_web: ['/payins/directdebit/web', ['EUR'], WEB, 'SOFORT'],
    SOFORT: ['/payins/directdebit/web', ['EUR'], WEB, 'SOFORT'],
    GIROPAY: ['/payins/directdebit/web', ['EUR'], WEB, 'GIROPAY'],
    directdebit: ['/payins/directdebit/direct', ['EUR', 'GBP']],
    paypal: ['/payins/paypal/web', ALL, PAYPAL],
};
// What it is paid with. Nothing of that name exists at Mangopay: it says so, after it was asked.
const SOURCE = {
    card_direct: { card_id: 'card_m_nobody', browser_info: BROWSER_INFO }, card_preauthorized: { preauthorization_id: 'preauth_m_nobody' },
    deposit_preauthorized: { deposit_id: 'deposit_m_nobody' }, directdebit: { mandate_id: 'mdt_m_nobody' },
};
const SHIPPING = { first_name: 'Ann', last_name: 'Roe', address1: '1 Main Street', address2: 'Floor 2', city: 'Boston',
    state: 'MA', postcode: '02101', country: 'US' };

// Pays so; gives the answer, and the call that Mangopay got. Those calls are all that there may be: see
// the end.
const expected = new Set();
async function send(method, extra = {}, amount = 2500) {
    const answer = await paiement(amount, { method, ...SOURCE[method], ...extra });
    const calls = proxy.calls.filter(({ method: verb, json }) => verb === 'POST' && json?.Tag?.startsWith(`${answer.id} `));
    assert.ok(calls.length <= 1, `${calls.length} calls`);
    for (const call of calls) expected.add(call);
    return { answer, call: calls[0], body: calls[0]?.json };
}
// Several at once, in the order given.
async function each(values, fn) {
    for (let i = 0; i < values.length; i += 12) await Promise.all(values.slice(i, i + 12).map(fn));
}
async function isRefused(message, method, extra, amount) {
    const { answer, call } = await send(method, extra, amount);
    assert.equal(call, undefined, `${method} ${JSON.stringify(extra)} reached Mangopay`);
    refused(answer, 400, message);
}
const at = (object, path) => path.split('.').reduce((inner, key) => inner?.[key], object);

const money = (Amount, Currency = 'EUR') => ({ Currency, Amount });

// Every currency that Mangopay knows, and one that it does not; and a page of the shop's own.
const TEMPLATE = 'https://shop.example/card';
const conf = fs.readFileSync(shop.vars.CONF, 'utf8').replace(/(\[mangopay\]\n(?:.+\n)*?)deposits = .*\n/,
    `$1deposits = ${[...ALL, 'KWD'].map((currency) => `${currency}:5-9999`).join(' ')}\nstatement_descriptor = SHOP\n`
        + `template_url = ${TEMPLATE}\n`);
assert.match(conf, /KWD:5-9999/);
fs.writeFileSync(shop.vars.CONF, conf);
await shop.restartPart('guichet');
await registerHooks(shop);

describe('currencies: as the table of capabilities has them', { concurrency: 6 }, () => {
    for (const [method, [path, currencies, , type]] of Object.entries(METHODS))
        test(`${method}: ${currencies.join(' ')}`, async () => {
            for (const currency of [...ALL, 'KWD'].filter((word) => !currencies.includes(word)))
                await isRefused('Invalid currency', method, { currency, credited_wallet_id: wallets[currency] });
            await each(currencies, async (currency) => {
                const { call, body } = await send(method, { currency, credited_wallet_id: wallets[currency] });
                assert.ok(call, `${method} in ${currency}`);
                assert.ok(call.path.endsWith(path), call.path);
                assert.deepEqual(body.DebitedFunds ?? body.DeclaredDebitedFunds, money(2500, currency));
                assert.deepEqual(body.Fees ?? body.DeclaredFees, money(0, currency));
                assert.equal(body.CreditedWalletId, wallets[currency]);
                assert.equal(body.CardType ?? body.DirectDebitType, type);
            });
            await isRefused('Invalid currency', method, { currency: 'XYZ' });
            await isRefused('Invalid currency', method, { currency: 'eur' });
        });

    test('a method that there is not', () => isRefused('Invalid method', 'VISA', {}));
    test('by the newer endpoint the currency is USD, and the message that of its contract', async () => {
        for (const payment_method of ['DINERS', 'P24', 'SOFORT', 'directdebit'])
            refused(await deposit(2500, { payment_method, mandate_id: 'mdt_m_x' }), 400, 'Invalid request parameters');
        refused(await deposit(2500, { payment_method: 'VISA' }), 400, 'Invalid request parameters');
    });
});

describe('what Mangopay is sent, name by name', () => {
    const Address = (a) => ({ AddressLine1: a.address1, ...(a.address2 && { AddressLine2: a.address2 }), City: a.city,
        ...(a.state && { Region: a.state }), PostalCode: a.postcode, Country: a.country });
    const person = (a) => ({ FirstName: a.first_name, LastName: a.last_name, Address: Address(a) });
    const parties = { AuthorId: AUTHOR, CreditedWalletId: WALLET };
    const funds = { DebitedFunds: money(2500), Fees: money(0) };
    const page = { Culture: 'FR', StatementDescriptor: 'Order 12' };
    const back = `${shop.urls.guichet}/return/mangopay`;
    const cards = { CardType: 'CB_VISA_MASTERCARD', ReturnURL: back, TemplateURLOptions: { PaylineV2: TEMPLATE } };
    const browser = { IpAddress: '203.0.113.9', BrowserInfo: { AcceptHeader: 'text/html', JavaEnabled: false,
        Language: 'fr-FR', ColorDepth: 24, ScreenHeight: 1080, ScreenWidth: 1920, TimeZoneOffset: -60,
        UserAgent: 'Mozilla/5.0', JavascriptEnabled: true } };
    const people = { Billing: person(ADDRESS), Shipping: person(SHIPPING) };
    // every field that a caller may say, whatever the method takes of it
    const said = { culture: 'FR', secure_mode: 'FORCE', statement_descriptor: 'Order 12', tag: 'order 12', billing: ADDRESS,
        shipping: SHIPPING, customer: { ip: '203.0.113.9' }, browser_info: BROWSER_INFO };
    const ROWS = {
        card_web: { ...parties, ...funds, ...cards, ...page, SecureMode: 'FORCE', ...people },
        card_direct: { ...parties, ...funds, CardId: 'card_m_nobody', SecureModeReturnURL: back, ...page, SecureMode: 'FORCE',
            ...browser, ...people },
        card_preauthorized: { ...parties, ...funds, PreauthorizationId: 'preauth_m_nobody' },
        deposit_preauthorized: { ...parties, ...funds, DepositId: 'deposit_m_nobody' },
        bankwire: { ...parties, DeclaredDebitedFunds: money(2500), DeclaredFees: money(0) },
        SOFORT: { ...parties, ...funds, DirectDebitType: 'SOFORT', ReturnURL: back, Culture: 'FR' },
        directdebit: { ...parties, ...funds, MandateId: 'mdt_m_nobody', StatementDescriptor: 'Order 12' },
        paypal: { ...parties, ...funds, ReturnURL: back, ...page,
            ShippingAddress: { RecipientName: 'Ann Roe', Address: Address(SHIPPING) } },
    };
    for (const [method, expected] of Object.entries(ROWS))
        test(method, async () => {
            const { answer, body, call } = await send(method, said);
            assert.deepEqual(body, { Tag: `${answer.id} demo order 12`, ...expected });
            assert.equal(call.headers['idempotency-key'], answer.id.replace('_', '-'));
            assert.match(call.headers['content-type'], /^application\/json/);
            assert.match(call.headers.authorization, /^Bearer [^ ]+$/);
        });

    test('nothing that was not said, but what the settings say', async () => {
        const { answer, body } = await send('card_web');
        assert.deepEqual(body, { Tag: `${answer.id} demo`, ...parties, ...funds, ...cards, Culture: 'EN',
            StatementDescriptor: 'SHOP' });
        assert.equal((await mangopay.get(`/payins/${await referenceOf(answer.id)}`)).TemplateURL,
            `${TEMPLATE}?transactionId=${await referenceOf(answer.id)}`);
    });

    test('a registration, its payments, and a refund', async () => {
        const post = (path, body, token = alice.jwt) => client.request('POST', path, { body, token });
        let mark = proxy.calls.length;
        const made = accepted(await post('/recurring', { provider: 'mangopay', amount: 2500, currency: 'EUR', card_id: card,
            frequency: 'Monthly', fixed_next_amount: true, fractioned_payment: false, free_cycles: 0, end_date: 1893456000,
            billing: ADDRESS, shipping: SHIPPING }));
        const [registration] = proxy.since(mark, 'POST', /recurringpayinregistrations$/);
        assert.deepEqual(registration.json, { ...parties, CardId: card, FirstTransactionDebitedFunds: money(2500),
            FirstTransactionFees: money(0), Frequency: 'Monthly', FixedNextAmount: true, FractionedPayment: false, FreeCycles: 0,
            EndDate: 1893456000, ...people });
        const RecurringPayinRegistrationId = await shop.value('SELECT reference FROM recurring_registrations WHERE registration_id = ?', [made.id]);
        const cit = await send('recurring_cit', { ...said, recurring_id: made.id });
        assert.deepEqual(cit.body, { Tag: `${cit.answer.id} demo order 12`, ...funds, SecureModeReturnURL: back,
            RecurringPayinRegistrationId, StatementDescriptor: 'Order 12', ...browser });
        assert.ok(cit.call.path.endsWith('/payins/recurring/card/direct'));
        await mangopay.act('pay', { session_id: await referenceOf(cit.answer.id), challenge: 'approve' });
        await client.paymentIs(alice, cit.answer.id, 'completed');
        const mit = await send('recurring_mit', { ...said, recurring_id: made.id });
        assert.deepEqual(mit.body, { Tag: `${mit.answer.id} demo order 12`, ...funds, RecurringPayinRegistrationId,
            StatementDescriptor: 'Order 12' });
        mark = proxy.calls.length;
        const given = accepted(await post(`/payments/${mit.answer.id}/refunds`, { amount: 500 }, olivia.jwt));
        const [refund] = proxy.since(mark, 'POST', /\/refunds$/);
        assert.deepEqual(refund.json, { Tag: given.id, AuthorId: AUTHOR, DebitedFunds: money(500), Fees: money(0) });
        assert.equal(refund.headers['idempotency-key'], given.id.replace('_', '-'));
    });
});

describe('enumerations', { concurrency: 6 }, () => {
    for (const [method, [, , cultures]] of Object.entries(METHODS).filter(([, [, , cultures]]) => cultures))
        test(`${method}: ${cultures.length} cultures, and no other`, async () => {
            const currency = method === 'P24' ? 'PLN' : 'EUR';
            for (const culture of [...CULTURES, 'XX', 'en', 'EN ', 'EN FR', 'EN-GB', 'E'].filter((word) => !cultures.includes(word)))
                await isRefused('Invalid request parameters', method, { currency, culture });
            // a row each, but what all cards have in common is looked at once
        const others = ['credit_card', 'DINERS', 'AMEX', 'MAESTRO', 'P24', 'IDEAL', 'BCMC', 'directdebit_web', 'GIROPAY'];
        const some = others.includes(method) ? [cultures[0], cultures.at(-1)] : cultures;
        await each(some, async (culture) =>
                assert.equal((await send(method, { currency, culture })).body?.Culture, culture));
        });

    for (const method of ['card_web', 'card_direct'])
        test(`${method}: secure modes`, async () => {
            for (const secure_mode of ['DEFAULT', 'FORCE', 'NO_CHOICE'])
                assert.equal((await send(method, { secure_mode })).body.SecureMode, secure_mode);
            for (const secure_mode of ['force', 'NEVER', 'NO CHOICE', 'DEFAULT FORCE'])
                await isRefused('Invalid request parameters', method, { secure_mode });
        });

    test(`${COUNTRIES.length} countries, and no other`, async () => {
        const pairs = COUNTRIES.map((country, i) => [country, COUNTRIES.at(i - 1)]).filter((pair, i) => i % 2 === 0);
        await each(pairs, async (pair) => {
            const [billing, shipping] = pair.map((country) => ({ ...ADDRESS, state: 'X', country }));
            const { body } = await send('card_web', { billing, shipping });
            assert.deepEqual([body?.Billing.Address.Country, body?.Shipping.Address.Country], pair);
        });
        for (const country of ['XX', 'fr', 'FRA', 'F', 'UK', 'F ', 'D A', ' D']) {
            await isRefused('Invalid billing', 'card_web', { billing: { ...ADDRESS, country } });
            await isRefused('Invalid shipping', 'paypal', { shipping: { ...ADDRESS, country } });
        }
    });

    test('frequencies of a registration', async () => {
        for (const [frequency, fine] of [...'Daily Weekly TwiceAMonth Monthly Bimonthly Quarterly Semiannual Annual Biannual'
            .split(' ').map((word) => [word, true]), ['Hourly', false], ['daily', false], ['Daily Weekly', false]]) {
            const mark = proxy.calls.length;
            const answer = await client.request('POST', '/recurring', { token: alice.jwt, body: { provider: 'mangopay', amount: 2500,
                currency: 'EUR', card_id: card, frequency, billing: ADDRESS } });
            const calls = proxy.since(mark, 'POST', /registrations$/);
            if (fine) assert.equal(calls[0]?.json.Frequency, frequency);
            else refused(answer, 400, 'Invalid request parameters');
            assert.equal(calls.length, fine ? 1 : 0, frequency);
        }
    });
});

describe('lengths and characters', { concurrency: 6 }, () => {
    const PARAMETERS = 'Invalid request parameters', long = (length, letter = 'x') => letter.repeat(length);
    const ids = { right: ['a', 'card_m_01-B', long(255)], wrong: [long(256), 'a b', 'a/b', 'é', 'a"b', 'a\u0000b', '../x'] };
    const line = (max) => ({ right: [long(max), long(max, 'é'), long(max, '漢'), "O'Neil & Sons, 1/2"], wrong: [long(max + 1), long(max + 1, 'é'), 'a\nb', 'a\u007fb'] });
    const inside = (name, object, member) => (value) => ({ [name]: { ...object, [member]: value } });
    const ours = { address1: 'AddressLine1', address2: 'AddressLine2', city: 'City', state: 'Region', postcode: 'PostalCode' };
    const addresses = (name, method, to, base) => [
        ...Object.entries(ours).map(([member, key]) => [method, inside(name, base, member), `${to}.Address.${key}`,
            line(member === 'postcode' ? 50 : 255), `Invalid ${name}`]),
        ...['address1', 'city', 'postcode', 'country'].map((member) => [method, inside(name, base, member), '',
            { right: [], wrong: ['', null, 5, {}] }, `Invalid ${name}`]),
    ];
    const names = (name, method, to, max) => [['first_name', 'FirstName'], ['last_name', 'LastName']].map(([member, key]) =>
        [method, inside(name, ADDRESS, member), `${to}.${key}`,
            { right: line(max).right, wrong: [...line(max).wrong, ''] }, `Invalid ${name}`]);
    const browser = (member) => inside('browser_info', BROWSER_INFO, member);
    // method, how a value is said, where it arrives, which are right and wrong, how the wrong ones are refused
    const FIELDS = [
        ...[['card_direct', 'card_id', 'CardId'], ['card_preauthorized', 'preauthorization_id', 'PreauthorizationId'],
            ['deposit_preauthorized', 'deposit_id', 'DepositId'], ['directdebit', 'mandate_id', 'MandateId']].map(
            ([method, name, path]) => [method, (value) => ({ [name]: value }), path, { ...ids, wrong: [...ids.wrong, '', null, 5] }, PARAMETERS]),
        ...[['author_id', 'AuthorId'], ['credited_wallet_id', 'CreditedWalletId']].map(([name, path]) =>
            ['card_web', (value) => ({ [name]: value }), path, { ...ids, wrong: [...ids.wrong, 5] }, PARAMETERS]),
        ...['card_web', 'card_direct', 'directdebit', 'paypal'].map((method) =>
            [method, (statement_descriptor) => ({ statement_descriptor }), 'StatementDescriptor',
                { right: ['A', 'Mar2016 x9', '          '], wrong: ['Mar2016 x9z', 'a-b', 'a.b', 'é', 'a\tb', 7] }, PARAMETERS]),
        ['card_web', (tag) => ({ tag }), 'Tag', { ...line(150), contains: true }, PARAMETERS],
        ['bankwire', (tag) => ({ tag }), 'Tag', { ...line(150), contains: true }, PARAMETERS],
        ...addresses('billing', 'card_web', 'Billing', ADDRESS), ...addresses('billing', 'card_direct', 'Billing', ADDRESS),
        ...addresses('shipping', 'card_web', 'Shipping', ADDRESS), ...addresses('shipping', 'paypal', 'ShippingAddress', ADDRESS),
        ...names('billing', 'card_web', 'Billing', 255), ...names('shipping', 'card_web', 'Shipping', 100),
        ...['US', 'CA', 'MX'].flatMap((country) => [
            ['card_web', inside('billing', { ...ADDRESS, country }, 'state'), 'Billing.Address.Region', { right: ['NY'], wrong: ['', null] }, 'Invalid billing'],
            ['paypal', inside('shipping', { ...ADDRESS, country }, 'state'), 'ShippingAddress.Address.Region', { right: ['NY'], wrong: [''] }, 'Invalid shipping'],
        ]),
        ...[['accept_header', 'AcceptHeader'], ['language', 'Language'], ['user_agent', 'UserAgent']].map(([member, key]) =>
            ['card_direct', browser(member), `BrowserInfo.${key}`, { right: line(255).right, wrong: [...line(255).wrong, '', null, 5] }, 'Invalid browser_info']),
        ...[['color_depth', 'ColorDepth'], ['screen_height', 'ScreenHeight'], ['screen_width', 'ScreenWidth'], ['time_zone_offset', 'TimeZoneOffset']].map(
            ([member, key]) => ['card_direct', browser(member), `BrowserInfo.${key}`,
                { right: [0, 1, 100000, -100000], wrong: [100001, -100001, 1.5, '24', null, true] }, 'Invalid browser_info']),
        ...[['java_enabled', 'JavaEnabled'], ['javascript_enabled', 'JavascriptEnabled']].map(([member, key]) =>
            ['card_direct', browser(member), `BrowserInfo.${key}`, { right: [true, false], wrong: [1, 'true', null] }, 'Invalid browser_info']),
        ['card_direct', (browser_info) => ({ browser_info }), 'BrowserInfo', { right: [], wrong: [null, [], 'x', {}] }, 'Invalid browser_info'],
        ['card_direct', (ip) => ({ customer: { ip } }), 'IpAddress',
            { right: ['203.0.113.9', '2001:db8::1'], wrong: ['x', '203.0.113', '203.0.113.256', '203.0.113.9 ', '::g', '127.1'] }, 'Invalid customer'],
        ['card_web', (fees) => ({ fees }), 'Fees.Amount', { right: [0, 1, 2499], wrong: [2500, 2501, -1, 1.5, 'x', true] }, PARAMETERS],
    ];
    for (const [i, [method, say, path, { right, wrong, contains }, message]] of FIELDS.entries())
        test(`${i}: ${method} ${JSON.stringify(say('?')).replace(/"(?:accept|first|address1).*/, '…')} ${path}`, async () => {
            for (const value of wrong) await isRefused(message, method, say(value));
            for (const value of right) {
                const found = at((await send(method, say(value))).body, path);
                if (contains) assert.ok(found?.endsWith(` ${value}`), `${found}`);
                else assert.deepEqual(found, value);
            }
        });

    test('amounts, as the settings and Mangopay have them', async () => {
        for (const [amount, fine] of [[4, false], [5, true], [9999, true], [10000, false], [0, false], [-1, false], [1.5, false]]) {
            if (fine) assert.deepEqual((await send('card_web', {}, amount)).body.DebitedFunds, money(amount));
            else await isRefused('Invalid amount', 'card_web', {}, amount);
        }
    });

    test('a name in one is two for Mangopay; of one word it is none', async () => {
        const { first_name, last_name, ...rest } = ADDRESS;
        assert.equal(`${first_name} ${last_name}`, 'Jo Doe');
        const { body } = await send('card_web', { customer: { name: 'Mary Ann Roe' }, billing: rest });
        assert.deepEqual([body.Billing.FirstName, body.Billing.LastName], ['Mary Ann', 'Roe']);
        await isRefused('Invalid billing', 'card_web', { customer: { name: 'Mary' }, billing: rest });
    });

    test('who may pay with a card in hand: nobody', () =>
        isRefused('Invalid card', 'card_web', { card: { number: '4970107111111119', expiry: '12/39', cvc: '123', holder: 'Jo' } }));
});

test('nothing else has reached Mangopay', () => {
    const made = proxy.calls.filter(({ method, path }) => method === 'POST' && /\/payins\//.test(path) && !path.endsWith('/refunds'));
    assert.ok(made.length > 500, `${made.length}`);
    for (const call of made) assert.ok(expected.has(call), `${call.path} ${call.body}`);
});
