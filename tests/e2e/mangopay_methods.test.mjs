// Mangopay: every way to pay but the hosted page for cards, from its create to its end.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { CHALLENGE, DECLINED, FRICTIONLESS, makeMangopay } from './lib/mangopay.mjs';
import { ADDRESS, AUTHOR, BROWSER_INFO, makeShop } from './lib/mangoshop.mjs';

const shop = await startInstance({ name: 'mangoways', set: { 'mangopay.enabled': 'on', 'jobs.silence': 2 } });
const { client } = shop;
const { alice } = shop.users;
const mangopay = makeMangopay(shop);
const { paiement, deposit, payinOf, credits, reviews, referenceOf } = makeShop(shop, mangopay);
const is = (made, status) => client.paymentIs(alice, made.id, status);
const direct = async (number, extra = {}) => paiement(1000, { method: 'card_direct',
    card_id: await mangopay.card(AUTHOR, number), browser_info: BROWSER_INFO, billing: ADDRESS,
    secure_mode: number === CHALLENGE ? 'FORCE' : 'DEFAULT', ...extra });

describe('card_direct', () => {
    test('without a challenge it is paid at once', async () => {
        const made = await direct(FRICTIONLESS);
        assert.equal(accepted(made).status, 'completed', made.text);
        assert.equal(made.json.content.paymentUrl, null);
        assert.equal(await credits(made.id), 1);
        const payin = await payinOf(made);
        assert.deepEqual([payin.BrowserInfo.Language, payin.BrowserInfo.TimeZoneOffset, payin.Billing.LastName],
            ['fr-FR', -60, 'Doe']);
    });

    test('with a challenge the payer goes to his bank', async () => {
        const made = await direct(CHALLENGE);
        assert.match(accepted(made).paymentUrl, /\/3ds\//);
        const page = await mangopay.page(made.url);
        assert.equal(page.status, 200);
        await mangopay.act('pay', { session_id: await referenceOf(made.id), challenge: 'approve' });
        await is(made, 'completed');
    });

    test('a decline is an answer of its own, in words', async () => {
        const made = await direct(DECLINED);
        refused(made, 402, 'Payment declined');
        await is(made, 'failed');
        const { timeline } = await client.payment(shop.users.olivia, made.id);
        assert.match(timeline.find(({ kind }) => kind === 'attempt').detail, /^declined: Mangopay says 101\d{3}: /);
    });

    test('needs the browser, and a card that is one', async () => {
        refused(await direct(FRICTIONLESS, { browser_info: null }), 400, 'Invalid browser_info');
        refused(await direct(FRICTIONLESS, { browser_info: { ...BROWSER_INFO, color_depth: '24' } }), 400, 'Invalid browser_info');
        refused(await direct(FRICTIONLESS, { card_id: '' }), 400, 'Invalid request parameters');
        refused(await direct(FRICTIONLESS, { billing: { ...ADDRESS, city: '' } }), 400, 'Invalid billing');
        refused(await direct(FRICTIONLESS, { billing: { ...ADDRESS, country: 'US' } }), 400, 'Invalid billing');
        refused(await direct(FRICTIONLESS, { shipping: { ...ADDRESS, postcode: '' } }), 400, 'Invalid shipping');
        refused(await direct(FRICTIONLESS, { card_id: 'card_m_unknown' }), 400, 'Invalid request parameters');
        refused(await direct(FRICTIONLESS, { culture: 'SV' }), 400, 'Invalid request parameters');
        refused(await direct(FRICTIONLESS, { secure_mode: 'NEVER' }), 400, 'Invalid request parameters');
        refused(await direct(FRICTIONLESS, { statement_descriptor: 'eleven char' }), 400, 'Invalid request parameters');
    });
});

describe('preauthorizations', () => {
    const money = (Amount) => ({ Currency: 'EUR', Amount });

    test('a capture pays at once, and one above what is left is declined', async () => {
        const card = await mangopay.card(AUTHOR);
        const preauth = await mangopay.post('/preauthorizations/card/direct', { AuthorId: AUTHOR,
            DebitedFunds: money(1500), CardId: card, SecureModeReturnURL: 'https://example.org/', IpAddress: '203.0.113.4',
            BrowserInfo: { AcceptHeader: 'text/html', JavaEnabled: true, Language: 'FR', ColorDepth: 4,
                ScreenHeight: 1800, ScreenWidth: 400, TimeZoneOffset: 60, UserAgent: 'x', JavascriptEnabled: true } });
        assert.equal(preauth.Status, 'SUCCEEDED', JSON.stringify(preauth));
        const above = await paiement(1600, { method: 'card_preauthorized', preauthorization_id: preauth.Id });
        refused(above, 400, 'Invalid amount');
        const made = await paiement(1500, { method: 'card_preauthorized', preauthorization_id: preauth.Id });
        assert.equal(accepted(made).status, 'completed');
        refused(await paiement(1500, { method: 'card_preauthorized' }), 400, 'Invalid request parameters');
    });

    test('a deposit is captured as a whole', async () => {
        const card = await mangopay.card(AUTHOR);
        const hold = await mangopay.post('/deposit-preauthorizations/card/direct', { AuthorId: AUTHOR,
            DebitedFunds: money(900), CardId: card, SecureModeReturnURL: 'https://example.org/', IpAddress: '203.0.113.4',
            BrowserInfo: { AcceptHeader: 'text/html', JavaEnabled: true, Language: 'FR', ColorDepth: 4,
                ScreenHeight: 1800, ScreenWidth: 400, TimeZoneOffset: 60, UserAgent: 'x', JavascriptEnabled: true } });
        const made = await paiement(900, { method: 'deposit_preauthorized', deposit_id: hold.Id });
        assert.equal(accepted(made).status, 'completed', made.text);
    });
});

describe('bankwire', () => {
    test('the answer says whom to wire to, and stands in the payment; the money completes it', async () => {
        const made = await paiement(5000, { method: 'bankwire' });
        const { bankwire, paymentUrl, expiresAt } = accepted(made);
        assert.equal(paymentUrl, null);
        assert.match(bankwire.bankAccount.iban, /^[A-Z]{2}\d\d/);
        assert.ok(bankwire.wireReference.length > 4);
        const days = (Number(expiresAt) - Date.now() / 1000) / 86400;
        assert.ok(days > 31 && days < 33, String(days));
        const payment = await client.payment(alice, made.id);
        assert.deepEqual(payment.bankwire, bankwire);
        assert.equal(payment.url, null);
        await mangopay.act('wire', { session_id: await referenceOf(made.id) });
        await is(made, 'completed');
        assert.equal((await client.payment(alice, made.id)).bankwire, null);
    });

    test('of another amount than declared waits for a person', async () => {
        const made = await paiement(5000, { method: 'bankwire' });
        await mangopay.act('wire', { session_id: await referenceOf(made.id), amount: 4000 });
        await eventually(async () => (await reviews(made.id)).length > 0);
        assert.match((await reviews(made.id))[0].note, /another amount than the payment's/);
        await is(made, 'pending');
    });

    test('is the same word in USD by the newer endpoint, and not for items', async () => {
        const made = await deposit(5000, { payment_method: 'bankwire' });
        assert.match(accepted(made).bankwire.bankAccount.ownerName, /./);
        refused(await deposit(undefined, { type: 'items', items: '987654321', payment_method: 'bankwire' }),
            400, 'Invalid request parameters');
    });
});

describe('direct debit', () => {
    for (const method of ['SOFORT', 'GIROPAY', 'directdebit_web'])
        test(`${method} is paid on its page`, async () => {
            const made = await paiement(1200, { method });
            assert.match(accepted(made).paymentUrl, /\/mangopay\/pay\//);
            await mangopay.act('pay', { session_id: await referenceOf(made.id), card: FRICTIONLESS });
            await is(made, 'completed');
        });

    test('with a mandate it is underway until the bank has paid, days later', async () => {
        const mandate = await mangopay.mandate(AUTHOR);
        const made = await paiement(1200, { method: 'directdebit', mandate_id: mandate.Id });
        assert.equal(accepted(made).status, 'processing', made.text);
        const session_id = await referenceOf(made.id);
        await mangopay.act('pay', { session_id, card: FRICTIONLESS });
        await is(made, 'completed');
    });

    test('what fails days later fails, and what is charged back after it was credited is disputed', async () => {
        const [poor, fickle] = await Promise.all(['Penniless', 'Fickle'].map((FirstName) => mangopay.user({ FirstName })));
        for (const [user, end] of [[poor, 'failed'], [fickle, 'disputed']]) {
            const [mandate, wallet] = await Promise.all([mangopay.mandate(user.Id), mangopay.wallet(user.Id)]);
            const made = await paiement(1200, { method: 'directdebit', mandate_id: mandate.Id, author_id: user.Id,
                credited_wallet_id: wallet.Id });
            assert.equal(accepted(made).status, 'processing', made.text);
            await mangopay.act('pay', { session_id: await referenceOf(made.id), card: FRICTIONLESS });
            await is(made, end);
        }
    });

    test('needs a mandate that there is', async () => {
        refused(await paiement(1200, { method: 'directdebit', mandate_id: 'mdt_m_unknown' }), 400,
            'Invalid request parameters');
        refused(await paiement(1200, { method: 'directdebit' }), 400, 'Invalid request parameters');
    });
});

describe('paypal', () => {
    test('is paid on its page', async () => {
        const made = await paiement(1300, { method: 'paypal', shipping: ADDRESS });
        assert.match(accepted(made).paymentUrl, /^https:/);
        assert.equal((await payinOf(made)).ShippingAddress.RecipientName, 'Jo Doe');
        await mangopay.act('pay', { session_id: await referenceOf(made.id), card: FRICTIONLESS });
        await is(made, 'completed');
    });
});

describe('author, wallet and fees', () => {
    test('callers may name them where the settings say so; what is credited is the whole', async () => {
        const user = await mangopay.user();
        const wallet = await mangopay.wallet(user.Id);
        const made = await paiement(2000, { method: 'card_web', author_id: user.Id, credited_wallet_id: wallet.Id, fees: 150 });
        const payin = await payinOf({ id: made.id, ...accepted(made) && made });
        assert.deepEqual([payin.AuthorId, payin.CreditedWalletId, payin.Fees.Amount, payin.CreditedFunds.Amount],
            [user.Id, wallet.Id, 150, 1850]);
        await mangopay.form(made.url, mangopay.cardForm());
        await is(made, 'completed');
        refused(await paiement(2000, { fees: 2000 }), 400, 'Invalid request parameters');
    });
});

describe('recurring payments', () => {
    const post = (path, body, options = {}) => client.request('POST', path, { body, token: alice.jwt, ...options });
    const get = (id, user = alice) => client.request('GET', `/recurring/${id}`, { token: user.jwt });
    const register = async (extra = {}, options = {}) => post('/recurring', { provider: 'mangopay', amount: 1000,
        currency: 'EUR', card_id: await mangopay.card(AUTHOR), frequency: 'Monthly', fixed_next_amount: true,
        billing: ADDRESS, ...extra }, options);
    const cit = (recurring_id, extra = {}) => paiement(1000, { method: 'recurring_cit', recurring_id,
        browser_info: BROWSER_INFO, ...extra });

    test('a registration, its first payment with the payer, and the later ones without', async () => {
        const made = accepted(await register());
        assert.match(made.id, /^REC_/);
        assert.deepEqual([made.status, made.amount, made.payments], ['created', 1000, 0]);
        const first = await cit(made.id);
        assert.match(accepted(first).paymentUrl, /\/3ds\//, first.text);
        await mangopay.act('pay', { session_id: await referenceOf(first.id), challenge: 'approve' });
        await is(first, 'completed');
        const next = await paiement(1000, { method: 'recurring_mit', recurring_id: made.id });
        assert.equal(accepted(next).status, 'completed', next.text);
        const seen = accepted(await get(made.id));
        assert.deepEqual([seen.status, seen.payments, seen.cumulatedAmount], ['in_progress', 2, 2000]);
        // whoever pays is credited: an operator may see it, and pays with none of a payer's
        refused(await paiement(1000, { method: 'recurring_mit', recurring_id: made.id }, { token: shop.users.olivia.jwt }), 400,
            'Invalid request parameters');
    });

    test('another card is authenticated anew; an ended one pays nothing', async () => {
        const { id } = accepted(await register());
        const changed = accepted(await post(`/recurring/${id}`, { card_id: await mangopay.card(AUTHOR), billing: { ...ADDRESS, city: 'Lyon' } }));
        assert.equal(changed.status, 'authentication_needed');
        assert.equal(accepted(await post(`/recurring/${id}`, { status: 'ended' })).status, 'ended');
        refused(await cit(id), 400, 'Invalid request parameters');
    });

    test('is its owner\'s alone, and an operator\'s', async () => {
        const { id } = accepted(await register());
        refused(await get(id, shop.users.bob), 404, 'Not found');
        assert.equal(accepted(await get(id, shop.users.olivia)).id, id);
        refused(await get('REC_01M7WP5AWKD4KG5TY09QNPVXWS'), 404, 'Not found');
        refused(await paiement(1000, { method: 'recurring_mit', recurring_id: id }, { token: shop.users.bob.jwt }), 400,
            'Invalid request parameters');
        refused(await paiement(1000, { method: 'recurring_mit', recurring_id: 'recpayinreg_m_x' }), 400, 'Invalid request parameters');
    });

    test('what is wrong is told; the same Idempotency-Key is the same registration', async () => {
        refused(await register({ card_id: '' }), 400, 'Invalid request parameters');
        refused(await register({ amount: 0 }), 400, 'Invalid request parameters');
        refused(await register({ frequency: 'Hourly' }), 400, 'Invalid request parameters');
        refused(await register({ billing: { ...ADDRESS, country: 'XX' } }), 400, 'Invalid billing');
        refused(await register({ provider: 'payviox' }), 400, 'Invalid provider');
        const card_id = await mangopay.card(AUTHOR);
        const [one, two] = [await register({ card_id }, { key: 'reg-1' }), await register({ card_id }, { key: 'reg-1' })];
        assert.equal(accepted(one).id, accepted(two).id);
    });

    test('a refusal, ours or Mangopay\'s, is kept under its Idempotency-Key as those of payments are', async () => {
        const card_id = await mangopay.card(AUTHOR);
        for (const [key, wrong] of [['reg-2', { amount: 0 }], ['reg-3', { card_id: 'card_m_nobody' }]]) {
            const changes = { card_id, ...wrong };
            const [first, again] = [await register(changes, { key }), await register(changes, { key })];
            refused(first, 400, 'Invalid request parameters');
            assert.deepEqual(again.bytes, first.bytes);
            assert.equal(again.headers['idempotent-replayed'], 'true');
            refused(await register({ card_id }, { key }), 422, 'Idempotency-Key was used with another request');
        }
    });

    test('a form says the same as JSON, its switches too', async () => {
        const form = (more) => client.request('POST', '/recurring', {
            token: alice.jwt,
            headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({ provider: 'mangopay', amount: '1000', currency: 'EUR', frequency: 'Monthly', ...more }).toString(),
        });
        const card_id = await mangopay.card(AUTHOR);
        const made = accepted(await form({ card_id, fixed_next_amount: 'true', migration: 'false' }));
        assert.deepEqual([made.fixedNextAmount, made.migration], [true, false]);
        refused(await form({ card_id, fixed_next_amount: '1' }), 400, 'Invalid request parameters');
    });

    test('what Mangopay finds wrong is told in the same words, with a status of our own', () =>
        shop.withSettings({ 'http.business_error_status': 300 }, async () => {
            refused(await register({ card_id: 'card_m_nobody' }), 400, 'Invalid request parameters');
            const card_id = await mangopay.card(AUTHOR, undefined, 'GBP');
            refused(await register({ card_id }), 400, 'Invalid request parameters');
            const { id } = accepted(await register());
            refused(await post(`/recurring/${id}`, { card_id }), 400, 'Invalid request parameters');
            refused(await register({ provider: 'payviox' }), 400, 'Invalid provider');
        }));
});
