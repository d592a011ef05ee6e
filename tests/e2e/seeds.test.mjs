// The two documents of payments that the project comes from, walked through: the literal requests,
// the literal answers (only ids, addresses and times are patterns), every row of their tables of
// errors and every word for a status. Once with 400 for refusals, once with 300 as the live Mannco
// API has it.
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { letRest, superuser } from './lib/chaos.mjs';
import { eventually, nowSeconds } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';
import { mailsThat } from './lib/mails.mjs';

const shop = await startInstance({ name: 'seeds', rates: true });
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
const NO_SECOND_FACTOR = 'Two-factor authentication required';

// --- POST /paiement/{provider}: "Create payment" ---

const PAIEMENT_REQUEST = `{
  "amount": 10000,
  "currency": "USD",
  "returnUrl": "https://yourapp.com/payment/success",
  "method": "credit_card"
}`;
const PAIEMENT_ANSWER = `{
  "err": false,
  "success": true,
  "content": {
    "paymentId": "PAY_123456789",
    "provider": "payviox",
    "amount": 10000,
    "currency": "USD",
    "status": "pending",
    "paymentUrl": "https://payment-provider.com/checkout/xyz123",
    "expiresAt": "1706835600"
  }
}`;

// --- POST /payment/{provider} ---

const BALANCE_REQUEST = `{
  "type": "balance",
  "value": 10000,
  "tos_timestamp": 1706745600,
  "payment_method": null
}`;
const ITEMS_REQUEST = `{
  "type": "items",
  "items": "987654321,987654322",
  "tos_timestamp": 1706745600
}`;
const URL_ANSWER = `{
    "err": false,
    "success": true,
    "content": {
        "url": "https://payment-provider.example/checkout/..."
    }
}`;
const MESSAGE_ANSWER = `{
    "err": false,
    "success": true,
    "content": {
        "message": "Payment processed successfully"
    }
}`;

// What stands for something that differs from answer to answer.
const PATTERNS = {
    PAY_123456789: 'PAY_[0-9A-HJKMNP-TV-Z]{26}',
    'https://payment-provider.com/checkout/xyz123': 'https://localhost:\\d+/payviox/secure/[a-z0-9]{32}',
    'https://payment-provider.example/checkout/...': 'https://localhost:\\d+/payviox/secure/[a-z0-9]{32}',
    1706835600: '\\d{10}',
};

// The answer is this document, member by member in its order, with nothing beside it.
function isAnswer(answer, document) {
    accepted(answer);
    let wanted = JSON.stringify(JSON.parse(document)).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    for (const [example, pattern] of Object.entries(PATTERNS))
        wanted = wanted.replace(`"${example.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}"`, `"${pattern}"`);
    assert.match(answer.text, new RegExp(`^${wanted}$`));
}

function isRefusal(answer, status, message) {
    refused(answer, status, message);
    assert.equal(answer.text, JSON.stringify({ err: true, success: false, content: message }));
}

const send = (address, body, options = { token: alice.jwt }) =>
    client.request('POST', address, {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
        ...options,
    });
const paiement = (changes = {}, provider = 'payviox', options) =>
    send(`/paiement/${provider}`, { ...JSON.parse(PAIEMENT_REQUEST), ...changes }, options);
const balance = (changes = {}, provider = 'payviox', options) =>
    send(`/payment/${provider}`, { ...JSON.parse(BALANCE_REQUEST), ...changes }, options);
const items = (changes = {}, provider = 'mannco', options) =>
    send(`/payment/${provider}`, { ...JSON.parse(ITEMS_REQUEST), ...changes }, options);

const idOf = (answer) => answer.headers.location.split('/').pop();
const statusOf = async (id) => (await client.payment(alice, id)).status;

// A signed token of anybody's.
function tokenFor(sub) {
    const now = nowSeconds();
    const parts = [{ alg: 'HS256', typ: 'JWT' },
        { iss: 'API', sub, iat: now, exp: now + 600, jti: 'seeds', ip: '127.0.0.1', API: true }];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${createHmac('sha256', shop.secret('token')).update(text).digest('base64url')}`;
}

// The shop as the documents expect it: the items on sale, and money enough to buy them.
const restock = () =>
    shop.rows(
        `UPDATE items SET owner_id = ?, state = 1, held_by = NULL
         WHERE asset_id IN (987654321, 987654322)`, [IDS.bob]);

// Each is [what, fn(the status of refusals)].
const WALK = [
    ['the older request, as it is written, and its answer', async () => {
        isAnswer(await send('/paiement/payviox', PAIEMENT_REQUEST), PAIEMENT_ANSWER);
    }],

    ['the older flow: create, redirect, process, webhook, credit, notification', async () => {
        const before = await client.balance(alice);
        const made = await send('/paiement/payviox', PAIEMENT_REQUEST);
        const { paymentId, paymentUrl, expiresAt } = made.json.content;
        assert.ok(Math.abs(Number(expiresAt) - nowSeconds() - 3600) <= 5, 'links expire after one hour');
        assert.equal((await client.request('GET', paymentUrl)).status, 200);
        assert.equal((await client.pay(paymentUrl)).status, 303);
        await client.paymentIs(alice, paymentId, 'completed');
        const [webhook] = await eventually(async () => { // noted once its answer has been heard
            const { webhooks } = await sandbox.journal({ order_id: paymentId });
            return webhooks.length > 0 && webhooks;
        });
        assert.equal(webhook.status, 200);
        assert.equal(await client.balance(alice), before + 10000);
        const { alerts } = accepted(await client.request('GET', '/user/notifications', { token: alice.jwt }));
        assert.equal(alerts[0].paymentId, paymentId);
        const [mail] = await mailsThat(shop, ({ text }) => text.includes(paymentId));
        assert.match(mail.to, /alice@example\.test/);
        const back = await client.request('GET', `/return/payviox?order_id=${paymentId}`);
        assert.equal(back.status, 303);
        assert.equal(back.headers.location,
            `https://yourapp.com/payment/success?paymentId=${paymentId}&status=completed`);
    }],

    ['Invalid amount: below minimum or above maximum, of each provider', async (status) => {
        for (const [provider, minimum, maximum] of [['payviox', 500, 50000], ['mannco', 1000, 100000]]) {
            for (const amount of [minimum - 1, maximum + 1, 0, -1])
                isRefusal(await paiement({ amount }, provider), status, 'Invalid amount');
            for (const amount of [minimum, maximum]) {
                const content = accepted(await paiement({ amount }, provider));
                assert.deepEqual([content.provider, content.amount], [provider, amount]);
            }
        }
    }],

    ['Invalid provider: unknown or unsupported', async (status) => {
        isRefusal(await paiement({}, 'stripe'), status, 'Invalid provider');
        isRefusal(await balance({}, 'stripe'), status, 'Invalid provider');
        isRefusal(await items({}, 'Mannco'), status, 'Invalid provider');
    }],

    ['Provider unavailable: temporarily', async () => {
        for (const provider of ['payviox', 'mannco']) {
            await sandbox.fault('rate_limited', { call: 'create', retry_after: 30 });
            const answer = await paiement({}, provider);
            isRefusal(answer, 503, 'Provider unavailable');
            assert.equal(answer.headers['retry-after'], '30');
        }
    }],

    ['Invalid currency: not supported by the provider', async (status) => {
        for (const currency of ['CHF', 'XYZ', 'usd'])
            isRefusal(await paiement({ currency }), status, 'Invalid currency');
    }],

    ['supported providers: credit card and PayPal', async () => {
        for (const provider of ['payviox', 'mannco']) {
            const { paymentUrl } = accepted(await paiement({ method: 'paypal' }, provider));
            assert.match(paymentUrl, /\/payviox\/redirect\/paypal\//);
            isAnswer(await paiement({ method: 'credit_card' }, provider),
                PAIEMENT_ANSWER.replace('"payviox"', `"${provider}"`));
        }
    }],

    ['the words for a status, as GET /payments/{id} and the older answer say them', async () => {
        const words = {
            processing: 'pending_review', completed: 'succeeded', failed: 'declined', expired: 'expired',
        };
        const pending = await paiement();
        assert.equal(pending.json.content.status, 'pending');
        assert.equal(await statusOf(idOf(pending)), 'pending');
        // each notice comes while the provider still thinks about its answer
        await sandbox.fault('slow', { call: 'create', ms: 3000, count: 4 });
        await Promise.all(Object.entries(words).map(async ([word, type], i) => {
            const amount = 2345 + i;
            const request = paiement({ amount });
            const id = await eventually(() =>
                shop.value("SELECT payment_id FROM payments WHERE amount = ? AND status = 'pending'", [amount]));
            const notice = { order_id: id, session_id: `early-${i}`, type, amount };
            assert.deepEqual(await sandbox.webhook(notice), [200]);
            const answer = await request;
            assert.equal(idOf(answer), id);
            isAnswer(answer, PAIEMENT_ANSWER.replace('10000', amount).replace('"pending"', `"${word}"`));
            assert.equal(await statusOf(id), word);
        }));
    }],

    ['expired without completion: by the clock', async () => {
        const id = idOf(await paiement());
        await shop.rows(
            `UPDATE payments SET created_at = created_at - INTERVAL 2 HOUR,
             expires_at = expires_at - INTERVAL 2 HOUR WHERE payment_id = ?`, [id]);
        assert.equal(await statusOf(id), 'expired');
    }],

    ['failed: cancelled on the provider\'s page', async () => {
        const made = await paiement();
        await client.post(made.json.content.paymentUrl, { action: 'cancel' });
        const back = await client.request('GET', `/return/payviox?order_id=${idOf(made)}`);
        assert.match(back.headers.location, /&status=failed$/);
        assert.equal(await statusOf(idOf(made)), 'failed');
    }],

    ['the balance deposit, as it is written: an address', async () => {
        const before = await client.balance(alice);
        const answer = await send('/payment/payviox', BALANCE_REQUEST);
        isAnswer(answer, URL_ANSWER);
        await client.pay(answer.json.content.url);
        await client.paymentIs(alice, idOf(answer), 'completed');
        assert.equal(await client.balance(alice), before + 10000);
    }],

    ['the cart, as it is written: an address with payviox', async () => {
        await restock();
        const answer = await send('/payment/payviox', ITEMS_REQUEST);
        isAnswer(answer, URL_ANSWER);
        await client.pay(answer.json.content.url);
        await client.paymentIs(alice, idOf(answer), 'completed');
    }],

    ['the cart, as it is written: a message with mannco, paid from the balance', async () => {
        await restock();
        const before = await client.balance(alice);
        const answer = await send('/payment/mannco', ITEMS_REQUEST);
        isAnswer(answer, MESSAGE_ANSWER);
        assert.equal(await client.balance(alice), before - 4000);
        assert.equal(await statusOf(idOf(answer)), 'completed');
    }],

    ['Provider is required', async (status) => {
        for (const address of ['/payment', '/payment/', '/paiement', '/paiement/'])
            isRefusal(await send(address, BALANCE_REQUEST), status, 'Provider is required');
    }],

    ['Invalid user: missing or banned', async () => {
        const stranger = { token: tokenFor('76561198999999999') };
        isRefusal(await balance({}, 'payviox', stranger), 403, 'Invalid user');
        isRefusal(await paiement({}, 'payviox', stranger), 403, 'Invalid user');
        assert.equal(shop.ctl('user', 'ban', '--id', IDS.bob).status, 0);
        try {
            isRefusal(await balance({}, 'payviox', { token: bob.jwt }), 403, 'Invalid user');
            isRefusal(await items({}, 'mannco', { token: bob.jwt }), 403, 'Invalid user');
            isRefusal(await paiement({}, 'payviox', { token: bob.jwt }), 403, 'Invalid user');
        } finally {
            assert.equal(shop.ctl('user', 'unban', '--id', IDS.bob).status, 0);
        }
    }],

    ['Invalid request parameters: wrong type, missing value or items, more than the cap', async (status) => {
        for (const changes of [{ type: 'gift' }, { type: undefined }, { type: null }, { type: 1 },
            { value: undefined }, { value: null }, { value: '10000' }, { value: 0 }, { value: 2500001 },
            { value: 100.5 }])
            isRefusal(await balance(changes), status, 'Invalid request parameters');
        accepted(await balance({ value: 2500000 }));
        for (const changes of [{ items: undefined }, { items: null }, { items: '' }, { items: 987654321 },
            { items: ['987654321'] }, { items: '987654321,' }, { items: 'key' }])
            isRefusal(await items(changes), status, 'Invalid request parameters');
        // mannco only supports type: items, not balance top-up
        isRefusal(await balance({}, 'mannco'), status, 'Invalid request parameters');
    }],

    ['Tos acceptance is required', async (status) => {
        for (const tos_timestamp of [undefined, null]) {
            isRefusal(await balance({ tos_timestamp }), status, 'Tos acceptance is required');
            isRefusal(await items({ tos_timestamp }), status, 'Tos acceptance is required');
        }
    }],

    ['Invalid TOS acceptance: bad timestamp format', async (status) => {
        for (const tos_timestamp of ['yesterday', true, {}, [1706745600], 1706745600.5, '2024-02-01', '1e9'])
            isRefusal(await balance({ tos_timestamp }), status, 'Invalid TOS acceptance');
        for (const tos_timestamp of ['1706745600', 1706745600, '2024-02-01T00:00:00Z'])
            accepted(await balance({ tos_timestamp }));
    }],

    ['Tos acceptance cannot be in the future', async (status) => {
        for (const tos_timestamp of [nowSeconds() + 60, String(nowSeconds() + 3600), '2199-01-01T00:00:00Z'])
            isRefusal(await balance({ tos_timestamp }), status, 'Tos acceptance cannot be in the future');
    }],

    ['No items found: not there, not on sale, the payer\'s own', async (status) => {
        await restock();
        const lists = ['1', '987654323', '987654330', '987654321,1', '987654321,987654323',
            '987654330,987654321'];
        for (const provider of ['payviox', 'mannco'])
            for (const list of lists)
                isRefusal(await items({ items: list }, provider), status, 'No items found');
    }],

    ['Failed to save transaction: the database takes no rows', async () => {
        const rows = () => shop.value('SELECT COUNT(*) FROM payments');
        const before = await rows();
        superuser(shop, 'SET GLOBAL read_only = 1');
        try {
            isRefusal(await balance(), 503, 'Failed to save transaction');
            isRefusal(await paiement(), 503, 'Failed to save transaction');
            isRefusal(await items({ items: '900000005' }), 503, 'Failed to save transaction');
        } finally {
            superuser(shop, 'SET GLOBAL read_only = 0');
        }
        assert.equal(await rows(), before);
    }],

    ['Failed to process payment: the provider\'s error', async () => {
        for (const fault of ['refused', 'error_5xx']) {
            await sandbox.fault(fault, { call: 'create', count: 20 }); // the jobs may call meanwhile
            isRefusal(await balance(), 502, 'Failed to process payment');
            isRefusal(await paiement(), 502, 'Failed to process payment');
            await sandbox.reset();
        }
        isRefusal(await balance({ payment_method: 'seashells' }), 502, 'Failed to process payment');
    }],

    ['the optional audit field may be there', async () => {
        accepted(await balance({ checkout_create_timestamp: 1706745000 }));
        accepted(await balance({ checkout_create_timestamp: '2024-01-31T23:50:00Z' }));
    }],
];

for (const status of [400, 300])
    test(`the documents, with ${status} for a refusal`, async (t) => {
        const walk = async () => {
            for (const [what, fn] of WALK)
                await t.test(what, async () => {
                    await sandbox.reset();
                    // nor are lost creates sent again: those calls would meet what is armed now
                    await letRest(shop);
                    await fn(status);
                });
        };
        if (status === 400) await walk();
        else await shop.withSettings({ 'http.business_error_status': status }, walk);
    });

test('a provider may require a second factor: an API token passes, a session only with its own', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const file = path.join(shop.home, 'session.pem');
    fs.writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }));
    const session = (changes) => {
        const now = nowSeconds();
        const claims = {
            iss: 'API', sub: IDS.alice, iat: now, exp: now + 600, jti: 's', ip: '127.0.0.1', ...changes,
        };
        const text = [{ alg: 'EdDSA' }, claims]
            .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
        return { token: `${text}.${sign(null, text, privateKey).toString('base64url')}` };
    };
    const set = { 'token.public_key_file': file, 'mannco.requires_2fa': 'on' };
    await shop.withSettings(set, async () => {
        await restock();
        for (const options of [undefined, session({ '2fa': true })]) {
            accepted(await paiement({}, 'mannco', options));
            accepted(await items({ items: options ? '900000006' : '900000007' }, 'mannco', options));
        }
        for (const changes of [{}, { '2fa': false }]) {
            isRefusal(await paiement({}, 'mannco', session(changes)), 403, NO_SECOND_FACTOR);
            isRefusal(await items({}, 'mannco', session(changes)), 403, NO_SECOND_FACTOR);
            accepted(await paiement({}, 'payviox', session(changes))); // asks for none
        }
        // who is refused for the second factor has not been heard on anything else
        isRefusal(await paiement({ amount: 0 }, 'mannco', session({})), 403, NO_SECOND_FACTOR);
    });
});

test('Rate limit exceeded: too many payment requests in a short period', async () => {
    let limited = 0;
    for (let round = 0; round < 100 && limited === 0; round++) {
        const answers = await Promise.all(Array.from({ length: 60 }, () => paiement({ amount: 1 })));
        for (const answer of answers.filter(({ status }) => status === 429)) {
            isRefusal(answer, 429, 'Rate limit exceeded');
            limited++;
        }
    }
    assert.ok(limited > 0);
    accepted(await paiement({}, 'payviox', { token: bob.jwt }));
});
