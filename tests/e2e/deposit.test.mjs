// A deposit through Payviox from end to end, from the plain way to the odd ones.
import assert from 'node:assert/strict';
import test from 'node:test';
import { letRest } from './lib/chaos.mjs';
import { CARDS, eventually, nowSeconds } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';
import { makeLedger } from './lib/ledger.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const shop = await startInstance({ name: 'deposit' });
const { client, sandbox } = shop;
const { alice, bob } = shop.users;

// Creates a payment that must succeed in being created.
async function open(user, value, extra) {
    const answer = await client.deposit(user, value, extra);
    accepted(answer);
    return answer;
}

// Creates one, pays it and waits for the credit.
async function paid(user, value) {
    const made = await open(user, value);
    await client.pay(made.url);
    await client.paymentIs(user, made.id, 'completed');
    return made;
}

// Lets the jobs program look at a payment now instead of at its next appointment.
const checkNow = (id) =>
    shop.rows('UPDATE payment_checks SET due_at = NOW(3) WHERE payment_id = ?', [id]);

const { entries } = makeLedger(shop);

test('health: live, and ready, which means able to take payments', async () => {
    assert.deepEqual(accepted(await client.request('GET', '/health/live')), { status: 'live' });
    assert.deepEqual(accepted(await client.request('GET', '/health/ready')), { status: 'ready' });
});

test('login gives a token for an API key, by JSON and by form', async () => {
    for (const options of [{ body: { apiKey: alice.key } }, { form: { apiKey: alice.key } }]) {
        const content = accepted(await client.request('POST', '/user/login', options));
        assert.deepEqual(Object.keys(content), ['jwt']);
        const claims = JSON.parse(Buffer.from(content.jwt.split('.')[1], 'base64url'));
        assert.equal(claims.iss, 'API');
        assert.equal(claims.sub, IDS.alice);
        assert.equal(claims.ip, '127.0.0.1');
        assert.equal(claims.API, true);
        assert.equal(claims.exp - claims.iat, 31 * 24 * 3600);
        assert.ok(Math.abs(claims.iat - nowSeconds()) <= 5);
        assert.match(claims.jti, /^\w{20,}$/);
    }
});

test('login refuses a wrong key, a missing one and one that is no text', async () => {
    const login = (body) => client.request('POST', '/user/login', { body });
    refused(await login({ apiKey: 'f'.repeat(64) }), 403, 'Invalid API key');
    for (const body of [{}, { apiKey: '' }, { apiKey: 1 }, { apiKey: null },
        { apiKey: [alice.key] }, []])
        refused(await login(body), 400, 'Missing required parameter: apiKey');
});

test('a deposit: create, pay on the hosted page, balance credited once', async () => {
    const made = await open(alice, 2500);
    assert.match(made.headers.location, /^\/payments\/PAY_[0-9A-HJKMNP-TV-Z]{26}$/);
    assert.ok(made.url.startsWith(`${shop.urls.sandbox}/payviox/secure/`), made.url);
    const before = await client.payment(alice, made.id);
    assert.equal(before.status, 'pending');
    assert.equal(before.url, made.url);
    assert.equal(await client.balance(alice), 5000);

    const page = await client.request('GET', made.url);
    assert.equal(page.status, 200);
    assert.match(page.text, /name="card_number"/);
    assert.equal((await client.pay(made.url)).status, 303);
    await client.paymentIs(alice, made.id, 'completed');
    assert.equal(await client.balance(alice), 7500);
});

test('a deposit by form fields does the same', async () => {
    const made = await client.request('POST', '/payment/payviox', {
        token: alice.jwt,
        form: { type: 'balance', value: '1000', tos_timestamp: String(nowSeconds()),
            payment_method: '' },
    });
    const { url } = accepted(made);
    const before = await client.balance(alice);
    await client.pay(url);
    await client.paymentIs(alice, made.headers.location.split('/').pop(), 'completed');
    assert.equal(await client.balance(alice), before + 1000);
});

test('the provider is sent exactly what it documents', async () => {
    const made = await open(alice, 1234);
    const { sessions } = await sandbox.journal({ order_id: made.id });
    assert.equal(sessions.length, 1);
    const [session] = sessions;
    assert.equal(session.amount, 1234);
    assert.equal(session.currency, 'USD');
    assert.equal(session.session_id, sessionOf(made.url));
    assert.deepEqual(session.metadata, { payment_id: made.id, user_id: IDS.alice, environment: 'demo' });
});

test('one payment: all its members, and a timeline from creation to credit', async () => {
    const started = Date.now();
    const made = await paid(alice, 700);
    const payment = await client.payment(alice, made.id);
    assert.deepEqual(Object.keys(payment), [
        'id', 'provider', 'type', 'amount', 'currency', 'method', 'status', 'refunded', 'dispute',
        'createdAt', 'expiresAt', 'url', 'bankwire', 'card', 'items', 'refunds', 'timeline',
    ]);
    assert.equal(payment.id, made.id);
    assert.equal(payment.provider, 'payviox');
    assert.equal(payment.type, 'balance');
    assert.equal(payment.amount, 700);
    assert.equal(payment.currency, 'USD');
    assert.equal(payment.method, null);
    assert.equal(payment.url, null, 'a paid payment has nothing to open');
    assert.equal(Date.parse(payment.expiresAt) - Date.parse(payment.createdAt), 3600_000);
    assert.deepEqual(
        payment.timeline.map(({ kind, detail, source }) => [kind, detail, source]),
        [
            ['created', 'payviox', 'request'],
            ['attempt', 'pending', 'request'],
            ['completed', 'payviox says succeeded', 'webhook'],
        ],
    );
    for (const event of payment.timeline)
        assert.ok(Date.parse(event.at) >= started && Date.parse(event.at) <= Date.now(), event.at);
});

test('the list of payments: newest first, by pages, each payment once', async () => {
    for (let i = 0; i < 3; i++) await open(alice, 300 + i);
    const expected = await shop.rows(
        'SELECT payment_id FROM payments WHERE user_id = ? ORDER BY payment_id DESC',
        [IDS.alice],
    );
    const found = [];
    let cursor = '';
    do {
        const query = cursor === '' ? '?limit=2' : `?limit=2&cursor=${cursor}`;
        const page = accepted(await client.request('GET', `/payments${query}`,
            { token: alice.jwt }));
        assert.ok(page.payments.length <= 2);
        found.push(...page.payments.map((payment) => payment.id));
        cursor = page.cursor;
    } while (cursor !== null);
    assert.deepEqual(found, expected.map((row) => row.payment_id));
    const whole = accepted(await client.request('GET', '/payments', { token: alice.jwt }));
    assert.deepEqual(whole.payments.map((payment) => payment.id), found);
});

test('the list refuses limits and cursors that it did not give out', async () => {
    const list = (query) => client.request('GET', `/payments?${query}`, { token: alice.jwt });
    for (const query of ['limit=0', 'limit=101', 'limit=-1', 'limit=2x', 'limit=', 'limit=1e1',
        'cursor=x', 'cursor=', 'limit=1&limit=2', `cursor=PAY_${'U'.repeat(26)}`, 'limit=%zz',
        "cursor=PAY_'--"])
        refused(await list(query), 400, 'Invalid request parameters');
    assert.equal(accepted(await list('limit=100')).cursor, null);
});

test('two users do not see each other', async () => {
    const made = await open(alice, 400);
    refused(await client.request('GET', `/payments/${made.id}`, { token: bob.jwt }), 404,
        'Not found');
    const list = accepted(await client.request('GET', '/payments', { token: bob.jwt }));
    assert.deepEqual(list.payments, []);
    const mine = await open(bob, 500);
    await client.pay(mine.url);
    await client.paymentIs(bob, mine.id, 'completed');
    assert.equal(await client.balance(bob), 500);
    refused(await client.request('GET', `/payments/${mine.id}`, { token: alice.jwt }), 404);
    refused(await client.request('GET', `/payments/PAY_${'0'.repeat(26)}`, { token: alice.jwt }),
        404);
});

test('payment_method paypal leads straight to its own page, an unknown one fails', async () => {
    const made = await open(alice, 1500, { payment_method: 'paypal' });
    assert.match(made.url, /\/payviox\/redirect\/paypal\//);
    assert.equal((await client.payment(alice, made.id)).method, 'paypal');
    await client.post(made.url, { email: 'payer@example.test' });
    await client.paymentIs(alice, made.id, 'completed');

    const unknown = await client.deposit(alice, 1500, { payment_method: 'seashells' });
    refused(unknown, 502, 'Failed to process payment');
    const payment = await client.payment(alice, unknown.id);
    assert.equal(payment.status, 'failed');
    assert.deepEqual(payment.timeline.slice(1).map(({ kind, detail }) => [kind, detail]), [['attempt', 'refused'], ['failed', '']]);
    const told = await client.payment(shop.users.olivia, unknown.id); // why is for operators
    assert.match(told.timeline.at(-1).detail, /Payviox answered 400: Payment method not found/);
});

test('a declined card leaves the payment open; another card then pays it', async () => {
    const made = await open(alice, 800);
    await letRest(shop, made.id); // who asks meanwhile is told that it has failed
    const before = await client.balance(alice);
    for (const card of [CARDS.declined, CARDS.noFunds]) await client.pay(made.url, card);
    assert.equal((await client.payment(alice, made.id)).status, 'pending');
    assert.equal(await client.balance(alice), before);
    await client.pay(made.url);
    await client.paymentIs(alice, made.id, 'completed');
    assert.equal(await client.balance(alice), before + 800);
});

test('a cancelled payment is found to have failed; paid later, it completes', async () => {
    const made = await open(alice, 850);
    const before = await client.balance(alice);
    await client.post(made.url, { action: 'cancel' });
    await checkNow(made.id);
    await client.paymentIs(alice, made.id, 'failed');
    assert.equal((await client.payment(alice, made.id)).url, null);
    await client.pay(made.url);
    await client.paymentIs(alice, made.id, 'completed');
    assert.equal(await client.balance(alice), before + 850);
});

test('3-D Secure: nothing before the bank confirms, credited after it, nothing when it denies',
    async () => {
    const before = await client.balance(alice);
    const made = await open(alice, 900);
    await client.pay(made.url, CARDS.challenge);
    assert.equal((await client.payment(alice, made.id)).status, 'pending');
    await client.post(made.url, { challenge: 'approve' });
    await client.paymentIs(alice, made.id, 'completed');
    assert.equal(await client.balance(alice), before + 900);

    const denied = await open(alice, 900);
    await client.pay(denied.url, CARDS.challenge);
    await client.post(denied.url, { challenge: 'deny' });
    await checkNow(denied.id);
    await client.paymentIs(alice, denied.id, 'failed');
    assert.equal(await client.balance(alice), before + 900);
});

test('every word of a notice, of today and of older versions, has its status', async () => {
    const words = {
        succeeded: 'completed',
        pending_review: 'processing',
        declined: 'failed',
        expired: 'expired',
        incomplete: 'processing',
        processing: 'processing',
        canceled: 'failed',
        requires_payment_method: 'pending',
        requires_confirmation: 'pending',
        requires_action: 'pending',
    };
    const before = await client.balance(alice);
    for (const [type, status] of Object.entries(words)) {
        const made = await open(alice, 600);
        const more = type === 'incomplete' ? { amount_remaining: 300 } : {};
        assert.deepEqual(await sandbox.webhook({ order_id: made.id, type, ...more }), [200], type);
        assert.equal((await client.payment(alice, made.id)).status, status, type);
        const inbox = await shop.rows('SELECT state FROM inbox WHERE reference = ?', [made.id]);
        assert.deepEqual(inbox, [{ state: 'done' }], type);
    }
    assert.equal(await client.balance(alice), before + 600);
});

test('the words of a read-back have the same meaning', async () => {
    const before = await client.balance(alice);
    for (const [action, status] of [
        ['pending_review', 'processing'], ['decline', 'failed'], ['expire', 'expired'],
        ['pay', 'completed'],
    ]) {
        const made = await open(alice, 650);
        await letRest(shop, made.id);
        await sandbox.fault('webhook_dropped', { order_id: made.id });
        await sandbox.act(action, { order_id: made.id });
        assert.equal((await client.payment(alice, made.id)).status, 'pending', action);
        await checkNow(made.id);
        const payment = await client.paymentIs(alice, made.id, status);
        assert.equal(payment.timeline.at(-1).source, 'check', action);
    }
    assert.equal(await client.balance(alice), before + 650);
});

test('F14: the order of notices does not matter, nor do their copies', async () => {
    const before = await client.balance(alice);
    const send = async (order, types) => {
        for (const type of types) assert.deepEqual(await sandbox.webhook({ order_id: order, type }),
            [200]);
    };
    const orders = [
        ['pending_review', 'declined', 'expired', 'succeeded'],
        ['succeeded', 'expired', 'declined', 'pending_review'],
        ['expired', 'succeeded', 'declined', 'succeeded'],
        ['declined', 'incomplete', 'succeeded', 'canceled', 'expired'],
    ];
    for (const types of orders) {
        const made = await open(alice, 210);
        await send(made.id, types);
        assert.equal((await client.payment(alice, made.id)).status, 'completed', types.join());
    }
    assert.equal(await client.balance(alice), before + orders.length * 210);
    const failed = [await open(alice, 210), await open(alice, 210)];
    await send(failed[0].id, ['declined', 'expired', 'pending_review']);
    await send(failed[1].id, ['pending_review', 'expired', 'declined']);
    for (const made of failed) assert.equal((await client.payment(alice, made.id)).status,
        'failed');
    assert.equal(await client.balance(alice), before + orders.length * 210);
});

test('F14: a refund takes the credit back once, also when it is heard of first', async () => {
    const before = await client.balance(alice);
    const made = await paid(alice, 1100);
    assert.equal(await client.balance(alice), before + 1100);
    await sandbox.act('refund', { order_id: made.id });
    await client.paymentIs(alice, made.id, 'refunded');
    await sandbox.webhook({ order_id: made.id, type: 'refunded', copies: 3, fees: 1 });
    await sandbox.webhook({ order_id: made.id, type: 'succeeded', fees: 2 });
    assert.equal((await client.payment(alice, made.id)).status, 'refunded');
    assert.equal(await client.balance(alice), before);

    const early = await open(alice, 1200);
    await sandbox.webhook({ order_id: early.id, type: 'refunded' });
    await sandbox.webhook({ order_id: early.id, type: 'succeeded' });
    assert.equal((await client.payment(alice, early.id)).status, 'refunded');
    assert.equal(await client.balance(alice), before);
});

test('a refund of spent money leaves a negative balance', async () => {
    const made = await paid(bob, 1000);
    const before = await client.balance(bob);
    const account = await shop.value(
        "SELECT account_id FROM ledger_accounts WHERE kind = 'user' AND owner = ?",
        [IDS.bob],
    );
    const house = await shop.value("SELECT account_id FROM ledger_accounts WHERE kind = 'equity'");
    const { insertId } = await shop.rows(
        "INSERT INTO ledger_postings (document_id, effect) VALUES ('OPENING_spent', 'opening')",
    );
    await shop.rows('INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency) VALUES ?', [
        [[insertId, 1, account, -before, 'USD'], [insertId, 2, house, before, 'USD']],
    ]);
    await shop.rows('UPDATE balances SET balance = 0 WHERE account_id = ?', [account]);
    await sandbox.act('refund', { order_id: made.id });
    await client.paymentIs(bob, made.id, 'refunded');
    assert.equal(await client.balance(bob), -1000);
});

test('F17: a success after expiry still credits', async () => {
    const before = await client.balance(alice);
    const made = await open(alice, 750);
    await sandbox.act('expire', { order_id: made.id });
    await client.paymentIs(alice, made.id, 'expired');
    await sandbox.act('pay', { order_id: made.id });
    await client.paymentIs(alice, made.id, 'completed');
    assert.equal(await client.balance(alice), before + 750);
});

test('F24: expiry is read off the clock at once, and stored by the jobs program', async () => {
    const made = await open(alice, 760);
    await letRest(shop, made.id);
    await shop.rows(
        `UPDATE payments SET created_at = created_at - INTERVAL 2 HOUR,
         expires_at = expires_at - INTERVAL 2 HOUR WHERE payment_id = ?`,
        [made.id],
    );
    const read = await client.payment(alice, made.id);
    assert.equal(read.status, 'expired');
    assert.equal(read.url, null);
    assert.equal(await shop.value('SELECT status FROM payments WHERE payment_id = ?', [made.id]),
        'pending');
    await checkNow(made.id);
    await eventually(async () =>
        (await shop.value('SELECT status FROM payments WHERE payment_id = ?',
            [made.id])) === 'expired');
    await sandbox.act('pay', { order_id: made.id });
    await client.paymentIs(alice, made.id, 'completed');
});

test('F33: fees are a line of the ledger of their own; the credit is what was ordered',
    async () => {
    const made = await open(alice, 10000);
    await client.pay(made.url);
    await client.paymentIs(alice, made.id, 'completed');
    const { fees } = (await sandbox.journal({ order_id: made.id })).sessions[0];
    assert.ok(fees > 0);
    assert.deepEqual(await entries(made.id), [
        { kind: 'user', owner: IDS.alice, effect: 'credit', amount: 10000, currency: 'USD' },
        { kind: 'provider', owner: 'payviox', effect: 'credit', amount: -10000 - fees,
        currency: 'USD' },
        { kind: 'provider_fees', owner: 'payviox', effect: 'credit', amount: fees,
        currency: 'USD' },
    ]);
});

test('F33: read back with fees on top of the amount, the credit is the same', async () => {
    const made = await open(alice, 9000);
    const before = await client.balance(alice);
    await sandbox.fault('webhook_dropped', { order_id: made.id });
    await client.pay(made.url);
    await checkNow(made.id);
    await client.paymentIs(alice, made.id, 'completed');
    const { fees } = (await sandbox.journal({ order_id: made.id })).sessions[0];
    assert.equal(await client.balance(alice), before + 9000);
    assert.equal((await entries(made.id))[1].amount, -9000 - fees);
});

test('every completed payment is told to the outbox once', async () => {
    const strange = await shop.rows(
        `SELECT p.payment_id, COUNT(o.outbox_id) AS told FROM payments p LEFT JOIN outbox o
         ON o.payment_id = p.payment_id AND o.topic = 'payment.completed'
         WHERE p.status = 'completed' GROUP BY p.payment_id HAVING told <> 1`,
    );
    assert.deepEqual(strange, []);
});

test('a banned user: Invalid user at login, and with a token from before the ban', async () => {
    refused(
        await client.request('POST', '/user/login', { body: { apiKey: shop.keys.mallory } }),
        403,
        'Invalid user',
    );
    assert.equal(shop.ctl('user', 'ban', '--id', IDS.bob).status, 0);
    const banned = await shop.value('SELECT UTC_TIMESTAMP(3)');
    try {
        refused(await client.request('POST', '/user/login', { body: { apiKey: bob.key } }), 403,
            'Invalid user');
        refused(await client.request('GET', '/user/balance', { token: bob.jwt }), 403,
            'Invalid user');
        // whatever else is wrong, and with a key as without one
        for (const key of [undefined, 'of-a-banned-user'])
            for (const [value, more] of [[1000, {}], [0, {}], [1000, { tos_timestamp: 'never' }]])
                refused(await client.deposit(bob, value, more, { key }), 403, 'Invalid user');
        refused(await client.deposit(bob, 1000, {}, { key: 'not a key' }), 403, 'Invalid user');
        refused(await client.request('GET', '/payments', { token: bob.jwt }), 403, 'Invalid user');
        // many at once share a transaction; alice's are not in the way of his, nor his of hers
        const answers = await Promise.all(
            Array.from({ length: 40 }, (_, i) => client.deposit(i % 2 ? bob : alice, 1000)));
        answers.forEach((answer, i) =>
            i % 2 ? refused(answer, 403, 'Invalid user') : accepted(answer));
        assert.equal(await shop.value('SELECT COUNT(*) FROM payments WHERE user_id = ? AND created_at > ?',
            [IDS.bob, banned]), 0);
    } finally {
        assert.equal(shop.ctl('user', 'unban', '--id', IDS.bob).status, 0);
    }
    accepted(await client.request('GET', '/user/balance', { token: bob.jwt }));
});

test('a revoked API key logs in no longer, a new one does', async () => {
    const file = `${shop.home}/secrets/bob_key`;
    assert.equal(shop.ctl('key', 'revoke', '--key-file', file).status, 0);
    refused(await client.request('POST', '/user/login', { body: { apiKey: bob.key } }), 403,
        'Invalid API key');
});

test('the log: one line per request, with id, user, payment, route, status and times', async () => {
    const made = await open(alice, 555);
    const line = await eventually(() =>
        shop.events('guichet').find((entry) => entry.request === made.headers['x-request-id']));
    assert.equal(line.event, 'request');
    assert.equal(String(line.user).slice(0, 15), IDS.alice.slice(0, 15)); // beyond a JS number
    assert.equal(line.payment, made.id);
    assert.equal(line.method, 'POST');
    assert.equal(line.route, '/payment/*');
    assert.equal(line.status, 200);
    for (const part of ['total_ms', 'database_ms', 'provider_ms']) assert.ok(line[part] >= 0, part);
    const stored = await shop.value('SELECT request_id FROM payments WHERE payment_id = ?',
        [made.id]);
    assert.equal(stored, line.request);
});

test('business_error_status = 300 turns the refusals of a create into 300, and only those',
    async () => {
    await shop.withSettings({ 'http.business_error_status': 300 }, async () => {
        refused(await client.deposit(alice, 0), 300, 'Invalid request parameters');
        refused(await client.deposit(alice, 1000, { tos_timestamp: undefined }), 300,
            'Tos acceptance is required');
        refused(await client.deposit(alice, 1000, { tos_timestamp: 'x' }), 300,
            'Invalid TOS acceptance');
        refused(await client.request('POST', '/payment/', { token: alice.jwt }), 300,
            'Provider is required');
        refused(await client.request('POST', '/payment/nobody', { token: alice.jwt }), 300,
            'Invalid provider');
        refused(await client.request('POST', '/user/login', { body: {} }), 400,
            'Missing required parameter: apiKey');
        refused(await client.deposit({ jwt: 'x' }, 1000), 401, 'Unauthorized');
        refused(await client.request('GET', '/nowhere'), 404, 'Not found');
        accepted(await client.deposit(alice, 1000));
    });
    refused(await client.deposit(alice, 0), 400, 'Invalid request parameters');
});

test('the demo stops its handlers by asking: they finish and say so', async () => {
    const drained = () => shop.events('guichet').filter((entry) => entry.note === 'drained').length;
    const started = () => shop.events('guichet').filter((entry) => entry.event === 'start').length;
    const handlers = await eventually(() => { // the tests before have restarted them
        const pids = shop.pids('guichet');
        return pids.length === 2 && pids;
    });
    await eventually(() => started() - drained() >= handlers.length); // one that is not up yet just dies
    const before = drained();
    process.kill(shop.leader('guichet'), 'SIGTERM'); // what demo down and systemd send
    await eventually(() => shop.pids('guichet').length === 0, 15_000);
    assert.equal(drained() - before, handlers.length, 'handlers that ended by themselves');
    await shop.startPart('guichet');
});
