// Mangopay at the sandbox, apart from its fields: tokens, idempotency, lists, pages and their
// quarter of an hour, cards, what time does, hooks with their retries, and every fault.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { DESKTOP, PHONE, assertNoSideScroll, browse, makeShots } from './lib/browser.mjs';
import { eventually } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import {
    AMEX, BROWSER, CHALLENGE, DECLINED, FRICTIONLESS, MAESTRO, NOTHING_YET, eur, makeMangopay,
} from './lib/mangopay.mjs';

const shop = await startInstance({ name: 'mangosand' });
const mango = makeMangopay(shop);
const shot = makeShots(shop);
const { fault, act, advance, form, page, cardForm } = mango;

const john = await mango.user();
const purse = await mango.wallet(john.Id);
const card = await mango.card(john.Id);
const MINUTE = 60, DAY = 86_400;

const parties = () => ({
    AuthorId: john.Id, CreditedWalletId: purse.Id, DebitedFunds: eur(2000), Fees: eur(100),
    Tag: randomUUID(),
});
const webBody = (changes = {}) => ({
    ...parties(), ReturnURL: 'https://example.org/back', CardType: 'CB_VISA_MASTERCARD',
    Culture: 'EN', ...changes,
});
const directBody = (changes = {}) => ({
    ...parties(), CardId: card, SecureModeReturnURL: 'https://example.org/back',
    IpAddress: '203.0.113.9', BrowserInfo: BROWSER, ...changes,
});
const web = (changes, options) => mango.post('/payins/card/web/', webBody(changes), options);
const direct = (changes) => mango.post('/payins/card/direct/', directBody(changes));
const view = (id) => mango.get(`/payins/${id}`);
const ends = (id, code) => eventually(async () => {
    const payIn = await view(id);
    return payIn.Status !== 'CREATED' && (assert.equal(payIn.ResultCode, code), payIn);
}, 15_000);

describe('access', () => {
    test('a wrong key, a wrong client, a wrong grant', async () => {
        for (const wrong of [{ secret: 'not the key' }, { id: 'somebody' }]) {
            const answer = await mango.authorize(wrong);
            assert.equal(answer.status, 401);
            assert.equal(answer.json.error, 'invalid_client');
        }
        const answer = await mango.authorize({ body: 'grant_type=password' });
        assert.equal(answer.status, 400);
        assert.equal(answer.json.error, 'unsupported_grant_type');
    });

    test('a token is good for 20 minutes', async () => {
        const { json } = await mango.authorize();
        assert.deepEqual({ ...json, access_token: '' },
            { access_token: '', token_type: 'bearer', expires_in: 1200 });
        const call = () => mango.api('GET', '/hooks', undefined, { token: json.access_token });
        assert.equal((await call()).status, 200);
        await advance(1195);
        assert.equal((await call()).status, 200);
        await advance(6);
        const late = await call();
        assert.equal(late.status, 401);
        assert.equal(late.json.Type, 'unauthorized');
        await act('forget_tokens');
        mango.renew();
        assert.equal((await mango.api('GET', '/hooks')).status, 200);
    });

    test('no token, another client, another method, another type of body', async () => {
        assert.equal((await mango.api('GET', '/hooks', undefined, { token: 'x' })).status, 401);
        const other = await mango.api('GET', '/hooks', undefined, { client: 'somebody' });
        assert.equal(other.status, 403);
        assert.equal(other.json.Type, 'forbidden_ressource');
        assert.equal((await mango.api('DELETE', '/hooks')).status, 405);
        assert.equal((await mango.api('POST', '/wallets', 'a=b',
            { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).status, 415);
        assert.equal((await mango.api('POST', '/wallets', '{"a":')).status, 400);
    });

    test('the rate limits are four lines each', async () => {
        const { all } = await mango.api('GET', '/hooks');
        for (const name of ['X-RateLimit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset']) {
            assert.equal(all(name).length, 4, name);
            assert.ok(all(name).every((value) => /^\d+$/.test(value)));
        }
    });
});

describe('idempotency', () => {
    const keyed = (key) => ({ headers: { 'Idempotency-Key': key } });

    test('a second call is refused for a day, then the key is free', async () => {
        const key = randomUUID();
        const payIn = await web({}, keyed(key));
        const again = await mango.api('POST', '/payins/card/web', webBody(), keyed(key));
        assert.equal(again.status, 409);
        assert.equal(again.json.Type, 'idempotent_creation_conflict');
        assert.equal((await mango.get(`/responses/${key}`)).Resource.Id, payIn.Id);
        await advance(DAY + 1);
        mango.renew();
        assert.equal((await mango.api('GET', `/responses/${key}`)).status, 404);
        assert.equal((await mango.api('POST', '/payins/card/web', webBody(), keyed(key))).status,
            200);
    });

    test('a key has 16 to 36 letters, digits and dashes', async () => {
        for (const [key, status] of [
            ['x'.repeat(15), 400], ['x'.repeat(16), 200], ['y'.repeat(36), 200],
            ['y'.repeat(37), 400], ['0123456789abcde_', 400],
        ])
            assert.equal((await mango.api('POST', '/payins/card/web', webBody(), keyed(key)))
                .status, status, key);
    });

    test('20 calls with one key at the same time make one payment', async () => {
        const key = randomUUID(), body = webBody();
        const answers = await Promise.all(Array.from({ length: 20 },
            () => mango.api('POST', '/payins/card/web', body, keyed(key))));
        assert.deepEqual(answers.map((answer) => answer.status).sort(),
            [200, ...Array(19).fill(409)]);
        assert.equal((await mango.journal(body.Tag)).sessions.length, 1);
    });
});

describe('cards', () => {
    const register = () => mango.post('/cardregistrations', { UserId: john.Id, Currency: 'EUR' });

    test('what the payer typed wrong has its code', async () => {
        const registration = await register();
        for (const [changes, code] of [
            [{ cardNumber: '4970107111111118' }, '105202'], [{ cardExpirationDate: '1299x' }, '105203'],
            [{ cardExpirationDate: '0120' }, '105203'], [{ cardCvx: '12' }, '105204'],
            [{ data: 'something' }, '105206'], [{ accessKeyRef: 'x' }, '105206'],
        ])
            assert.equal(await mango.tokenize(registration, FRICTIONLESS, changes),
                `errorCode=${code}`);
        const failed = await mango.put(`/cardregistrations/${registration.Id}`,
            { RegistrationData: 'errorCode=105202' });
        assert.equal(failed.Status, 'ERROR');
        assert.equal(failed.ResultCode, '105202');
        assert.equal(failed.ResultMessage, 'Card number: invalid format');
        const other = await register();
        const wrong = await mango.put(`/cardregistrations/${other.Id}`, { RegistrationData: 'x' });
        assert.equal(wrong.Status, 'ERROR');
    });

    test('no number is kept, only its alias', async () => {
        const seen = await mango.get(`/cards/${card}`);
        assert.equal(seen.Alias, '497010XXXXXX1119');
        assert.ok(!JSON.stringify(seen).includes('7111'));
    });

    for (const [name, number, SecureMode, asks] of [
        ['frictionless', FRICTIONLESS, 'DEFAULT', false],
        ['frictionless', FRICTIONLESS, 'NO_CHOICE', false],
        ['frictionless', FRICTIONLESS, 'FORCE', true],
        ['challenge', CHALLENGE, 'NO_CHOICE', true],
        ['challenge', CHALLENGE, 'FORCE', true],
        ['the demo’s own 3-D Secure', '4000002760003184', 'DEFAULT', true],
        ['Maestro', MAESTRO, 'DEFAULT', true],
        ['American Express', AMEX, 'DEFAULT', true],
    ])
        test(`${name}, ${SecureMode}: ${asks ? 'asks' : 'pays'}`, async () => {
            const payIn = await direct({ CardId: await mango.card(john.Id, number), SecureMode });
            assert.equal(payIn.SecureModeNeeded, asks);
            assert.equal(payIn.Status, asks ? 'CREATED' : 'SUCCEEDED');
        });

    test('an inactive card pays nothing', async () => {
        const CardId = await mango.card(john.Id);
        await mango.put(`/cards/${CardId}`, { Active: false });
        assert.equal((await direct({ CardId })).ResultCode, '101410');
    });
});

describe('pages', () => {
    const path = (payIn) => payIn.RedirectURL;

    test('declined, cancelled, denied: a code, and the payer goes back', async () => {
        for (const [fields, code] of [
            [cardForm(DECLINED), '101101'], [cardForm('4000000000009995'), '101102'],
            [{ action: 'cancel' }, '101002'],
        ]) {
            const payIn = await web();
            const done = await form(path(payIn), fields);
            assert.equal(done.status, 303);
            assert.equal(done.location, `https://example.org/back?transactionId=${payIn.Id}`);
            assert.equal((await view(payIn.Id)).ResultCode, code);
        }
        const payIn = await web({ SecureMode: 'FORCE' });
        const asked = await form(path(payIn), cardForm());
        assert.match(asked.location, new RegExp(payIn.Id));
        await form(path(payIn), { challenge: 'deny' });
        assert.equal((await view(payIn.Id)).ResultCode, '101301');
    });

    test('a mistyped card is asked for again', async () => {
        const payIn = await web();
        const again = await form(path(payIn), { ...cardForm(), cvc: '1' });
        assert.equal(again.status, 422);
        assert.match(again.text, /security code has 3 digits/);
        assert.equal((await view(payIn.Id)).Status, 'CREATED');
    });

    test('a page of somebody else’s making is none', async () => {
        const payIn = await web();
        const url = new URL(payIn.RedirectURL);
        url.searchParams.set('client-token', 'hpp_00000000000000000000000000000000');
        assert.equal((await page(url)).status, 404);
    });

    test('the page lives for 15 minutes', async () => {
        const payIn = await web();
        await advance(15 * MINUTE - 30);
        assert.equal((await view(payIn.Id)).Status, 'CREATED');
        await advance(31);
        const ended = await ends(payIn.Id, '101109');
        assert.equal(ended.Status, 'FAILED');
        const late = await form(path(payIn), cardForm());
        assert.equal(late.location, `https://example.org/back?transactionId=${payIn.Id}`);
        assert.equal((await view(payIn.Id)).Status, 'FAILED');
    });

    test('20 clicks at the same time charge once', async () => {
        const payIn = await web();
        await Promise.all(Array.from({ length: 20 }, () => form(path(payIn), cardForm())));
        const { sessions } = await mango.journal(payIn.Tag);
        assert.equal(sessions[0].charges, 1);
        assert.equal((await view(payIn.Id)).Status, 'SUCCEEDED');
    });

    test('P24 is confirmed without a card', async () => {
        const zloty = await mango.wallet(john.Id, 'PLN');
        const payIn = await web({ CardType: 'P24', CreditedWalletId: zloty.Id,
            DebitedFunds: { Currency: 'PLN', Amount: 2000 }, Fees: { Currency: 'PLN', Amount: 0 } });
        await form(path(payIn), { action: 'pay' });
        assert.equal((await view(payIn.Id)).Status, 'SUCCEEDED');
        assert.equal((await mango.api('GET', `/payins/card/web/${payIn.Id}/extended`)).status, 404);
    });

    for (const [name, screen] of [['phone', PHONE], ['desktop', DESKTOP]])
        test(`in a browser: ${name}`, () => browse(screen, async (tab) => {
            const payIn = await web({ ReturnURL: `${shop.urls.sandbox}/`, SecureMode: 'FORCE' });
            await tab.goto(payIn.RedirectURL);
            await shot(tab, `mangopay-page-${name}`);
            await assertNoSideScroll(tab);
            await tab.fill('[name=card_number]', FRICTIONLESS);
            await tab.fill('[name=expiry]', '12/39');
            await tab.fill('[name=cvc]', '123');
            await tab.click('text=Pay >> nth=-1');
            await tab.click('button[value=approve]');
            await tab.waitForURL(`**/?transactionId=${payIn.Id}`);
            assert.equal((await view(payIn.Id)).Status, 'SUCCEEDED');
        }));
});

describe('time', () => {
    test('a wire ends after a month', async () => {
        const wire = await mango.post('/payins/bankwire/direct', {
            AuthorId: john.Id, CreditedWalletId: purse.Id, DeclaredDebitedFunds: eur(2000),
            DeclaredFees: eur(100) });
        await advance(30 * DAY);
        mango.renew();
        assert.equal((await view(wire.Id)).Status, 'CREATED');
        await advance(DAY + 1);
        mango.renew();
        const ended = await ends(wire.Id, '101109');
        assert.deepEqual(ended.DebitedFunds, NOTHING_YET);
    });

    test('more than was declared may come by wire', async () => {
        const wire = await mango.post('/payins/bankwire/direct', {
            AuthorId: john.Id, CreditedWalletId: purse.Id, DeclaredDebitedFunds: eur(2000),
            DeclaredFees: eur(100) });
        await act('wire', { session_id: wire.Id, amount: 2500 });
        const paid = await view(wire.Id);
        assert.deepEqual(paid.DebitedFunds, eur(2500));
        assert.deepEqual(paid.CreditedFunds, eur(2400));
        assert.deepEqual(paid.DeclaredDebitedFunds, eur(2000));
    });

    for (const [FirstName, code] of
        [['Successful', '000000'], ['Penniless', '001830'], ['Invalid', '001802']])
        test(`a direct debit of ${FirstName} settles after days`, async () => {
            const user = await mango.user({ FirstName });
            const wallet = await mango.wallet(user.Id);
            const { Id } = await mango.post('/payins/directdebit/direct', {
                AuthorId: user.Id, CreditedWalletId: wallet.Id, DebitedFunds: eur(2000),
                Fees: eur(0), MandateId: (await mango.mandate(user.Id)).Id });
            await advance(4 * DAY + 1);
            mango.renew();
            await ends(Id, code);
        });

    test('a direct debit of Fickle is disputed', async () => {
        const user = await mango.user({ FirstName: 'Fickle' });
        const wallet = await mango.wallet(user.Id);
        const { Id } = await mango.post('/payins/directdebit/direct', {
            AuthorId: user.Id, CreditedWalletId: wallet.Id, DebitedFunds: eur(2000),
            Fees: eur(0), MandateId: (await mango.mandate(user.Id)).Id });
        await act('pay', { session_id: Id });
        const disputes = await mango.get(`/payins/${Id}/disputes`);
        assert.equal(disputes[0].Status, 'PENDING_CLIENT_ACTION');
    });

    test('mandates: an hour to confirm, a user who is Invalid, a cancellation', async () => {
        const late = await mango.mandate(john.Id, 'CREATED');
        await advance(3601);
        mango.renew();
        await eventually(async () =>
            (await mango.get(`/mandates/${late.Id}`)).ResultCode === '001807');
        const user = await mango.user({ FirstName: 'Invalid' });
        const bad = await mango.mandate(user.Id, 'CREATED');
        await form(bad.RedirectURL, { action: 'pay' });
        assert.equal((await mango.get(`/mandates/${bad.Id}`)).ResultCode, '001802');
        const early = await mango.api('PUT', `/mandates/${bad.Id}/cancel`, {});
        assert.equal(early.status, 400);
        assert.equal(early.json.Type, 'mandate_cannot_be_cancelled');
        const good = await mango.mandate(john.Id);
        const ended = await mango.put(`/mandates/${good.Id}/cancel`, {});
        assert.equal(ended.Status, 'FAILED');
        assert.equal(ended.ResultCode, '001806');
    });

    test('an authorization waits 7 days, a deposit 30', async () => {
        const body = {
            AuthorId: john.Id, DebitedFunds: eur(2000), CardId: card, BrowserInfo: BROWSER,
            SecureModeReturnURL: 'https://example.org/back', IpAddress: '203.0.113.9',
        };
        for (const [path, days] of [['/preauthorizations', 7], ['/deposit-preauthorizations', 30]]) {
            const { Id } = await mango.post(`${path}/card/direct`, body);
            await advance(days * DAY - 60);
            mango.renew();
            assert.equal((await mango.get(`${path}/${Id}`)).PaymentStatus, 'WAITING');
            await advance(61);
            await eventually(async () =>
                (await mango.get(`${path}/${Id}`)).PaymentStatus === 'EXPIRED');
        }
    });
});

describe('lists', () => {
    test('pages, their headers, the order, the dates', async () => {
        const user = await mango.user();
        const ids = [];
        for (let i = 0; i < 5; i++) {
            ids.push((await mango.wallet(user.Id)).Id);
            await advance(1);
        }
        const list = (query) => mango.api('GET', `/users/${user.Id}/wallets${query}`);
        const first = await list('?page=1&per_page=2');
        assert.deepEqual(first.json.map((row) => row.Id), ids.slice(0, 2));
        assert.equal(first.headers['x-number-of-pages'], '3');
        assert.equal(first.headers['x-number-of-items'], '5');
        assert.match(first.headers.link, /rel="last"/);
        const last = await list('?page=3&per_page=2&sort=CreationDate:DESC');
        assert.deepEqual(last.json.map((row) => row.Id), ids.slice(0, 1));
        const all = (await list('')).json;
        const after = await list(`?AfterDate=${all[1].CreationDate}&BeforeDate=${all[4].CreationDate}`);
        assert.deepEqual(after.json.map((row) => row.Id), ids.slice(2, 4));
        assert.deepEqual((await list('?page=9')).json, []);
        for (const query of ['?page=0', '?per_page=101', '?per_page=x', '?sort=Id:ASC'])
            assert.equal((await list(query)).status, 400, query);
        assert.equal((await list('?per_page=100')).status, 200);
    });

    test('events by their type', async () => {
        const payIn = await web();
        const created = await mango.get(
            '/events?EventType=PAYIN_NORMAL_CREATED&per_page=100&sort=Date:DESC');
        assert.equal(created[0].ResourceId, payIn.Id);
        assert.ok(created.every((row) => row.EventType === 'PAYIN_NORMAL_CREATED'));
        assert.equal((await mango.api('GET', '/events?EventType=NOTHING')).status, 400);
    });
});

describe('hooks', () => {
    test('their fields', async () => {
        const body = { EventType: 'KYC_CREATED', Url: 'https://example.org/hook' };
        assert.deepEqual(await mango.wrong('/hooks', { ...body, EventType: undefined }),
            { EventType: 'The EventType field is required.' });
        for (const changes of [{ EventType: 'NOTHING' }, { Url: 'example.org' }, { Url: '' },
            { Url: `https://example.org/${'x'.repeat(236)}` }])
            assert.equal(Object.keys(await mango.wrong('/hooks', { ...body, ...changes })).length, 1);
        assert.deepEqual(await mango.wrong('/hooks',
            { ...body, Url: `https://example.org/${'x'.repeat(235)}` }), {});
    });

    test('every step of a payment, a refund and a dispute is told', async () => {
        const receiver = await mango.receiver();
        for (const type of ['PAYIN_NORMAL_CREATED', 'PAYIN_NORMAL_SUCCEEDED', 'PAYIN_NORMAL_FAILED',
            'PAYIN_REFUND_SUCCEEDED', 'PAYIN_REPUDIATION_SUCCEEDED', 'DISPUTE_CREATED'])
            await mango.hook(type, receiver.url);
        const paid = await direct();
        await receiver.heard('PAYIN_NORMAL_CREATED', paid.Id);
        await receiver.heard('PAYIN_NORMAL_SUCCEEDED', paid.Id);
        const refund = await mango.post(`/payins/${paid.Id}/refunds`, { AuthorId: john.Id });
        await receiver.heard('PAYIN_REFUND_SUCCEEDED', refund.Id);
        const failed = await web();
        await act('decline', { session_id: failed.Id });
        await receiver.heard('PAYIN_NORMAL_FAILED', failed.Id);
        const back = await direct();
        await act('chargeback', { session_id: back.Id });
        const [dispute] = await mango.get(`/payins/${back.Id}/disputes`);
        await receiver.heard('DISPUTE_CREATED', dispute.Id);
        await receiver.heard('PAYIN_REPUDIATION_SUCCEEDED', dispute.RepudiationId);
        await receiver.close();
    });

    test('an answer that is not 200, or late, is asked for again; 100 make the hook invalid', async () => {
        await act('retry_every', { ms: 5 });
        let slow = true;
        const receiver = await mango.receiver(async () => {
            const waits = slow;
            slow = false;
            if (waits) await new Promise((done) => setTimeout(done, 2500));
            return 503;
        });
        const hook = await mango.hook('PAYIN_NORMAL_FAILED', receiver.url);
        const payIn = await web();
        await act('decline', { session_id: payIn.Id });
        await eventually(async () =>
            (await mango.get(`/hooks/${hook.Id}`)).Validity === 'INVALID', 30_000);
        assert.ok(receiver.told.length >= 100, `${receiver.told.length}`);
        const webhooks = (await mango.journal(payIn.Tag)).webhooks.filter((row) =>
            row.type === 'PAYIN_NORMAL_FAILED');
        assert.equal(webhooks[0].status, 0); // nothing within two seconds
        assert.equal(webhooks[1].status, 503);
        await act('retry_every');
        const again = await mango.put(`/hooks/${hook.Id}`, { Validity: 'VALID' });
        assert.equal(again.Validity, 'VALID');
        await receiver.close();
    });
});

describe('faults', () => {
    const heard = async (type) => {
        const receiver = await mango.receiver();
        await mango.hook(type, receiver.url);
        return receiver;
    };
    const create = (body) => mango.api('POST', '/payins/card/web', body,
        { headers: { 'Idempotency-Key': randomUUID() } });
    const lost = (promise) => promise.then(() => assert.fail('it was answered'), () => {});

    test('slow', async () => {
        await fault('slow', { ms: 400, call: 'create' });
        const started = Date.now();
        await web();
        assert.ok(Date.now() - started >= 400);
    });

    for (const [name, args] of [
        ['connection_reset', {}], ['connection_reset_after_success', {}],
        ['timeout_after_success', { ms: 300 }],
    ])
        test(name, async () => {
            const body = webBody(), key = randomUUID();
            await fault(name, { ...args, call: 'create' });
            await lost(mango.api('POST', '/payins/card/web', body,
                { headers: { 'Idempotency-Key': key } }));
            const done = name !== 'connection_reset';
            assert.equal((await mango.journal(body.Tag)).sessions.length, done ? 1 : 0);
            const kept = await mango.api('GET', `/responses/${key}`);
            assert.equal(kept.status, done ? 200 : 404);
            if (done) assert.equal(kept.json.Resource.Tag, body.Tag);
        });

    test('error_5xx, rate_limited, unauthorized: nothing is done', async () => {
        for (const [name, args, status] of [['error_5xx', { status: 503 }, 503],
            ['rate_limited', { retry_after: 7 }, 429], ['unauthorized', {}, 401]]) {
            const body = webBody();
            await fault(name, { ...args, call: 'create' });
            const answer = await create(body);
            assert.equal(answer.status, status);
            const told = answer.all('x-ratelimit-reset')[0] - (await act('advance', { ms: 1 })).now;
            if (status === 429) assert.ok(answer.json.Type === 'rate_limit' && told > 2 && told < 9, `${told}`);
            assert.equal((await mango.journal(body.Tag)).sessions.length, 0);
        }
    });

    test('garbage: the payment is there', async () => {
        const body = webBody();
        await fault('garbage', { call: 'create' });
        assert.match((await create(body)).text, /<!DOCTYPE/);
        assert.equal((await mango.journal(body.Tag)).sessions.length, 1);
    });

    test('error_code and refused: the payment or refund fails with it', async () => {
        await fault('error_code', { code: 8500, call: 'create' });
        const blocked = await web();
        assert.equal(blocked.Status, 'FAILED');
        assert.equal(blocked.ResultCode, '008500');
        assert.equal(blocked.ResultMessage, 'Transaction blocked by Fraud Policy');
        await fault('refused');
        assert.equal((await web()).ResultCode, '001999');
        const payIn = await direct();
        await fault('error_code', { code: 5406, order_id: payIn.Tag });
        const refund = await mango.post(`/payins/${payIn.Id}/refunds`, { AuthorId: john.Id });
        assert.equal(refund.Status, 'FAILED');
        assert.equal(refund.ResultCode, '005406');
    });

    test('webhook_before_answer', async () => {
        const receiver = await heard('PAYIN_NORMAL_SUCCEEDED');
        await fault('webhook_before_answer');
        const payIn = await web();
        assert.equal(payIn.Status, 'CREATED');
        assert.ok(receiver.told.some((entry) => entry.RessourceId === payIn.Id));
        assert.equal((await view(payIn.Id)).Status, 'SUCCEEDED');
        await receiver.close();
    });

    test('webhook_duplicate, dropped, late, reordered, foreign_id', async () => {
        const receiver = await heard('PAYIN_NORMAL_SUCCEEDED');
        const times = (id) => receiver.told.filter((entry) => entry.RessourceId === id).length;
        await fault('webhook_duplicate', { copies: 5 });
        const twice = await direct();
        await eventually(() => times(twice.Id) === 5);

        await fault('webhook_dropped');
        const dropped = await direct();
        await fault('webhook_late', { ms: 300 });
        const late = await direct();
        await eventually(() => times(late.Id) === 1);
        assert.equal(times(dropped.Id), 0);

        await fault('webhook_reordered', { ms: 20_000 });
        const second = await direct(), first = await direct();
        await eventually(() => times(second.Id) === 1);
        const order = receiver.told.map((entry) => entry.RessourceId);
        assert.ok(order.indexOf(first.Id) < order.indexOf(second.Id));

        await fault('foreign_id');
        const silent = await direct();
        const [foreign] = await receiver.heard('PAYIN_NORMAL_SUCCEEDED',
            'payin_m_01HQZ0F0RE1GN0000000000000');
        assert.equal((await mango.api('GET', `/payins/${foreign.RessourceId}`)).status, 404);
        assert.equal(times(silent.Id), 0);
        await receiver.close();
    });

    test('a made-up hook goes where that hook goes', async () => {
        const receiver = await heard('PAYIN_NORMAL_SUCCEEDED');
        const { status } = await act('webhook',
            { type: 'PAYIN_NORMAL_SUCCEEDED', session_id: 'foreign', copies: 3 });
        assert.deepEqual(status, [200, 200, 200]);
        assert.equal(receiver.told.filter((entry) => entry.RessourceId === 'foreign').length, 3);
        await assert.rejects(act('webhook', { type: 'USER_KYC_LIGHT', session_id: 'x' }));
        await receiver.close();
    });

    test('reads: 404, pending, another amount, another currency', async () => {
        const payIn = await direct();
        await fault('readback_404', { count: 2 });
        for (const status of [404, 404, 200])
            assert.equal((await mango.api('GET', `/payins/${payIn.Id}`)).status, status);
        await fault('readback_404', { ms: 60_000, order_id: payIn.Tag });
        assert.equal((await mango.api('GET', `/payins/${payIn.Id}`)).status, 404);
        await shop.sandbox.reset();
        await fault('readback_pending');
        assert.equal((await view(payIn.Id)).Status, 'CREATED');
        await fault('wrong_amount', { delta: -5 });
        assert.deepEqual((await view(payIn.Id)).DebitedFunds, eur(1995));
        await fault('wrong_currency', { currency: 'USD' });
        assert.deepEqual((await view(payIn.Id)).DebitedFunds, { Currency: 'USD', Amount: 2000 });
        assert.deepEqual((await view(payIn.Id)).DebitedFunds, eur(2000));
    });

    test('hooks are not signed, so none is signed wrongly', async () => {
        await assert.rejects(fault('bad_signature'), /cannot happen there/);
    });

    test('what /control does not know of Mangopay is refused', async () => {
        for (const body of [{ action: 'advance', ms: 0 }, { action: 'advance', minutes: 1 },
            { action: 'wire', session_id: 'none' }, { action: 'external_instruction', alias: 'x' },
            { action: 'dispute', session_id: 'x', result: 'DRAW' },
            { action: 'retrieval', session_id: 'x' },
            { action: 'mandate', mandate_id: 'x', status: 'ACTIVE' }])
            await assert.rejects(shop.sandbox.control({ provider: 'mangopay', ...body }));
    });
});

test('a restart forgets tokens, and nothing else', async () => {
    const paid = await direct(), open = await web();
    const events = (await mango.api('GET', '/events?per_page=1')).headers['x-number-of-items'];
    await shop.restartPart('sandbox');
    assert.equal((await mango.api('GET', '/hooks')).status, 401);
    mango.renew();
    assert.equal((await view(paid.Id)).Status, 'SUCCEEDED');
    assert.equal((await mango.get(`/wallets/${purse.Id}`)).Id, purse.Id);
    assert.equal((await mango.api('GET', '/events?per_page=1')).headers['x-number-of-items'], events);
    await form(open.RedirectURL, cardForm());
    assert.equal((await view(open.Id)).Status, 'SUCCEEDED');
    assert.deepEqual((await mango.journal(paid.Tag)).sessions.map((row) => row.charges), [1]);
});

