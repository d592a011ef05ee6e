// GET /return/{provider}: the payer's browser comes back. It is sent on to the shop with what is
// known, the provider is asked once, and whatever the address claims, only the provider moves money.
import assert from 'node:assert/strict';
import test, { after, afterEach } from 'node:test';
import { hurry, kindsOf, letRest, makeProviderProxy, statusOf, withChangedConf } from './lib/chaos.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';

const proxy = await makeProviderProxy();
after(() => proxy.end());
const shop = await startInstance({
    name: 'return',
    set: { 'payviox.api_url': `https://localhost:${proxy.port}/payviox` },
});
proxy.attach(shop);
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
const SHOP = 'https://yourapp.com/paid';

async function open(body = {}, options, user = alice) {
    const answer = await client.paiement(user, { amount: 2000, returnUrl: SHOP, ...body }, options);
    accepted(answer);
    answer.session = (await sandbox.journal({ order_id: answer.id })).sessions[0].session_id;
    // only who comes back asks, however slow the machine is: the jobs would after ten seconds
    await letRest(shop, answer.id);
    return answer;
}

// Comes back as a browser does: without a token.
const come = (query, provider = 'payviox', method = 'GET') =>
    client.request(method, `/return/${provider}?${new URLSearchParams(query)}`);
const back = (made) => come({ order_id: made.id, session_id: made.session });

// Where the browser is sent, without the two parameters that we add; and these.
function sentTo(answer) {
    assert.equal(answer.status, 303, answer.text);
    assert.equal(answer.text, '');
    assert.deepEqual(answer.all('cache-control'), ['no-store']);
    assert.equal(answer.all('x-request-id').length, 1);
    const to = new URL(answer.headers.location);
    const said = [to.searchParams.getAll('paymentId'), to.searchParams.getAll('status')];
    assert.deepEqual([said[0].length, said[1].length], [1, 1], answer.headers.location);
    return { id: said[0][0], status: said[1][0], host: to.host };
}
function isSent(answer, made, status) {
    assert.deepEqual(sentTo(answer), { id: made.id, status, host: 'yourapp.com' });
}

const reads = async (made) =>
    (await sandbox.journal({ order_id: made.id })).calls.filter((call) => call.method === 'GET').length;

// Pays, and nobody tells us.
async function payInSilence(made) {
    await sandbox.fault('webhook_dropped', { order_id: made.id });
    await sandbox.act('pay', { order_id: made.id });
}

// The provider is asked every few seconds at most: these have passed.
const later = (made) =>
    shop.rows('UPDATE payment_checks SET asked_at = NULL WHERE payment_id = ?', [made.id]);

afterEach(() => sandbox.reset());

test('from the hosted page back to the shop, as a browser goes', async () => {
    const made = await open();
    assert.equal((await client.pay(made.url)).status, 303);
    const page = await client.request('GET', made.url);
    assert.ok(page.text.includes(`/return/payviox?session_id=${made.session}&amp;order_id=${made.id}"`),
        'the page leads back');
    await client.paymentIs(alice, made.id, 'completed');
    isSent(await back(made), made, 'completed');

    const left = await open();
    const cancelled = await client.post(left.url, { action: 'cancel' });
    assert.equal(cancelled.status, 303);
    const to = new URL(cancelled.headers.location);
    assert.equal(to.origin, shop.urls.guichet);
    isSent(await client.request('GET', to.pathname + to.search), left, 'failed');
});

test('the caller\'s own query and fragment stay', async () => {
    const added = (made) => `paymentId=${made.id}&status=pending`;
    for (const [url, before, after] of [
        ['https://yourapp.com', 'https://yourapp.com?', ''],
        ['https://yourapp.com/', 'https://yourapp.com/?', ''],
        ['https://yourapp.com/a?b=c', 'https://yourapp.com/a?b=c&', ''],
        ['https://yourapp.com/a?b=c&', 'https://yourapp.com/a?b=c&', ''],
        ['https://yourapp.com/a?', 'https://yourapp.com/a?', ''],
        ['https://yourapp.com/a?b=%2F+x&b=2#top', 'https://yourapp.com/a?b=%2F+x&b=2&', '#top'],
        ['https://yourapp.com/#/route?x=y', 'https://yourapp.com/?', '#/route?x=y'],
        ['http://localhost:3000/done', 'http://localhost:3000/done?', ''],
        [`https://yourapp.com/${'a'.repeat(1980)}`, `https://yourapp.com/${'a'.repeat(1980)}?`, ''],
    ]) {
        const made = await open({ returnUrl: url });
        const answer = await back(made);
        assert.equal(answer.status, 303);
        assert.equal(answer.headers.location, before + added(made) + after);
    }
});

test('without a returnUrl: the configured page, and without that a few words of JSON', async () => {
    const made = await open({ returnUrl: null });
    const newer = await client.deposit(alice, 2000);
    for (const { id } of [made, newer])
        assert.equal((await come({ order_id: id })).headers.location,
            `${shop.urls.guichet}/shop?paymentId=${id}&status=pending`);
    await withChangedConf(shop, `page = ${shop.urls.guichet}/shop\n`, '\n', async () => {
        for (const { id } of [made, newer])
            assert.deepEqual(accepted(await come({ order_id: id })), { paymentId: id, status: 'pending' });
        const other = await open();
        isSent(await back(other), other, 'pending');
    });
});

test('F22: back before the webhook, the one read shows that it is paid, and credits once', async () => {
    for (const provider of ['payviox', 'mannco']) {
        const made = await open({}, { provider });
        const before = await client.balance(alice);
        await payInSilence(made);
        const read = await reads(made);
        isSent(await back(made), made, 'completed');
        assert.equal(await reads(made), read + 1);
        assert.equal(await client.balance(alice), before + 2000);
        const { timeline } = await client.payment(alice, made.id);
        assert.deepEqual([timeline.at(-1).kind, timeline.at(-1).source], ['completed', 'return']);
        // what is known already is not asked again
        isSent(await back(made), made, 'completed');
        assert.equal(await reads(made), read + 1);
        assert.deepEqual(await sandbox.webhook({ order_id: made.id, type: 'succeeded' }), [200]);
        assert.equal(await client.balance(alice), before + 2000);
    }
});

test('F22, F18: the provider shows an old state or none: pending, and a later success counts', async () => {
    const faults = [
        ['readback_404', { count: 1 }], ['readback_pending', {}], ['error_5xx', { call: 'read' }],
        ['garbage', { call: 'read' }], ['rate_limited', { call: 'read' }],
        ['connection_reset', { call: 'read', count: 2 }], // a question on a used connection is asked again
    ];
    for (const [fault, args] of faults) {
        const made = await open();
        const before = await client.balance(alice);
        await payInSilence(made);
        await sandbox.fault(fault, { order_id: made.id, ...args }); // the jobs may be asking about another
        const kinds = await kindsOf(shop, alice, made.id);
        isSent(await back(made), made, 'pending');
        assert.deepEqual(await kindsOf(shop, alice, made.id), kinds, fault);
        assert.equal(await client.balance(alice), before, fault);
        assert.deepEqual(await sandbox.webhook({ order_id: made.id, type: 'succeeded' }), [200]);
        isSent(await back(made), made, 'completed');
        assert.equal(await client.balance(alice), before + 2000, fault);
        await sandbox.reset();
    }
});

test('every state has its word', async () => {
    const words = { pending_review: 'processing', decline: 'failed', expire: 'expired' };
    for (const [action, status] of Object.entries(words)) {
        const made = await open();
        await sandbox.fault('webhook_dropped', { order_id: made.id });
        await sandbox.act(action, { order_id: made.id });
        isSent(await back(made), made, status);
        assert.equal((await client.payment(alice, made.id)).status, status);
        await sandbox.webhook({ order_id: made.id, type: 'succeeded' });
        await client.paymentIs(alice, made.id, 'completed');
        isSent(await back(made), made, 'completed');
    }
    const refunded = await open();
    await sandbox.act('pay', { order_id: refunded.id });
    await client.paymentIs(alice, refunded.id, 'completed');
    await sandbox.act('refund', { order_id: refunded.id });
    await client.paymentIs(alice, refunded.id, 'refunded');
    isSent(await back(refunded), refunded, 'refunded');

    const late = await open();
    await shop.rows(
        `UPDATE payments SET created_at = created_at - INTERVAL 2 HOUR,
         expires_at = expires_at - INTERVAL 2 HOUR WHERE payment_id = ?`, [late.id]);
    isSent(await back(late), late, 'expired');
    await payInSilence(late);
    await later(late);
    isSent(await back(late), late, 'completed');

    await sandbox.fault('refused', { call: 'create' });
    const failed = await client.paiement(alice, { amount: 2000, returnUrl: SHOP });
    refused(failed, 502);
    isSent(await come({ order_id: failed.id }), failed, 'failed');
    assert.equal(await reads(failed), 0, 'there is no session to ask about');
});

test('our reference, the provider\'s, or both; the rest of the address says nothing', async () => {
    const made = await open();
    const other = await open({}, {}, bob);
    const before = await client.balance(alice);
    for (const query of [
        { order_id: made.id }, { session_id: made.session }, { session_id: made.session, order_id: made.id },
        { order_id: made.id, session_id: other.session }, { order_id: made.id, session_id: 'x' },
        { order_id: made.id, status: 'completed', paymentId: other.id, amount: '1', type: 'succeeded' },
        { order_id: made.id, returnUrl: 'https://evil.example', url: 'https://evil.example' },
    ])
        isSent(await come(query), made, 'pending');
    assert.equal(await client.balance(alice), before);
    assert.equal(await client.balance(bob), 0);
});

test('F36: guessed ids, and what is no reference at all: 404, and nothing moves', async () => {
    const made = await open();
    const state = async () => [await client.balance(alice), await kindsOf(shop, alice, made.id),
        await shop.value('SELECT COUNT(*) FROM ledger_entries'), await reads(made)];
    const before = await state();
    const orders = ['', `PAY_${'0'.repeat(26)}`, made.id.toLowerCase(), made.id.slice(0, -1), `${made.id} `,
        `${made.id}'--`, '%', '_'.repeat(30), 'PAY_%'];
    const sessions = ['', 'a'.repeat(32), made.session.slice(1), made.session.toUpperCase(), 'x'.repeat(4000)];
    const queries = [{}, { ORDER_ID: made.id }, { paymentId: made.id },
        { order_id: 'nothing', session_id: made.session },
        ...orders.map((order_id) => ({ order_id })), ...sessions.map((session_id) => ({ session_id }))];
    for (const query of queries) refused(await come(query), 404, 'Not found');
    for (const query of [`order_id=${made.id}&order_id=${made.id}`, 'order_id=%', 'order_id=%00', 'order_id=%ff'])
        refused(await client.request('GET', `/return/payviox?${query}`), 404, 'Not found');
    for (const provider of ['mannco', 'nobody', 'Payviox', 'payviox/x', '', 'payviox%00'])
        refused(await come({ order_id: made.id }, provider), provider === 'payviox%00' ? 400 : 404);
    assert.deepEqual(await state(), before);
});

test('only GET, and HEAD like it', async () => {
    const made = await open();
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        const answer = await come({ order_id: made.id }, 'payviox', method);
        refused(answer, 405, 'Method not allowed');
        assert.equal(answer.headers.allow, 'GET');
    }
    isSent(await come({ order_id: made.id }, 'payviox', 'HEAD'), made, 'pending');
});

test('a session that was never learnt of cannot be asked about; the payer goes on nevertheless', async () => {
    await sandbox.fault('connection_reset_after_success', { call: 'create' });
    const lost = await client.paiement(alice, { amount: 2000, returnUrl: SHOP });
    refused(lost, 504, 'Payment outcome unknown');
    isSent(await come({ order_id: lost.id }), lost, 'pending');
    assert.deepEqual(await sandbox.webhook({ order_id: lost.id, type: 'succeeded' }), [200]);
    isSent(await come({ order_id: lost.id }), lost, 'completed');
});

test('the provider is down, or silent: the payer is sent on within seconds', async () => {
    const timed = async (fn) => {
        const start = Date.now();
        const answer = await fn();
        return [answer, Date.now() - start];
    };
    const made = await open();
    const [refusedThere, soon] = await timed(() => proxy.cut('refused', () => back(made)));
    isSent(refusedThere, made, 'pending');
    assert.ok(soon < 3500, `${soon} ms`);
    await later(made);
    await sandbox.fault('slow', { ms: 9000, order_id: made.id });
    const [silent, late] = await timed(() => back(made));
    isSent(silent, made, 'pending');
    assert.ok(late >= 4000 && late < 8500, `${late} ms`);
    const known = await open();
    await sandbox.act('pay', { order_id: known.id });
    await client.paymentIs(alice, known.id, 'completed');
    isSent(await proxy.cut('refused', () => back(known)), known, 'completed');
});

test('a provider that is switched off still has its payers come back', async () => {
    const made = await open();
    await payInSilence(made);
    const on = 'enabled = on\ndeposits = USD:500-';
    await withChangedConf(shop, on, on.replace('on', 'off'), async () =>
        isSent(await back(made), made, 'completed'));
});

test('an answer of the provider that does not fit: nothing is credited, a person is told once', async () => {
    const before = await client.balance(alice);
    const changes = [
        { amount: 1999, fees: 0 }, { currency: 'EUR' }, { session_id: 'a'.repeat(32) },
        { order_id: 'PAY_other' }, { amount: 20.00001 }, { amount: '2000' }, { status: 'paid' },
    ];
    for (const change of changes) {
        const made = await open();
        const body = JSON.stringify({
            session_id: made.session, order_id: made.id, status: 'succeeded', amount: 2000,
            currency: 'USD', fees: 0, ...change,
        });
        const head = ['HTTP/1.1 200 OK', 'Content-Type: application/json', `Content-Length: ${body.length}`];
        const answer = `${head.join('\r\n')}\r\n\r\n${body}`;
        for (let i = 0; i < 3; i++) {
            await later(made);
            isSent(await proxy.cut({ answer }, () => back(made)), made, 'pending');
        }
        const reviews = (await kindsOf(shop, alice, made.id)).filter((kind) => kind === 'review');
        assert.equal(reviews.length, change.amount === 1999 || change.currency ? 1 : 0, JSON.stringify(change));
    }
    assert.equal(await client.balance(alice), before);
});

test('F05: return, webhook and check at one moment credit once', async () => {
    const before = await client.balance(alice);
    for (let round = 0; round < 10; round++) {
        const made = await open();
        await payInSilence(made);
        const done = await Promise.all([
            ...Array.from({ length: 5 }, () => back(made)),
            sandbox.webhook({ order_id: made.id, type: 'succeeded', copies: 3 }),
            hurry(shop, { id: made.id }),
        ]);
        for (const answer of done.slice(0, 5))
            assert.ok(['completed', 'pending'].includes(sentTo(answer).status));
        await client.paymentIs(alice, made.id, 'completed');
        const kinds = await kindsOf(shop, alice, made.id);
        assert.equal(kinds.filter((kind) => kind === 'completed').length, 1, kinds.join());
        assert.equal(await client.balance(alice), before + (round + 1) * 2000);
    }
});

test('hammering does no harm: others are served, nothing piles up', async () => {
    const made = await open();
    const before = await client.balance(alice);
    const kinds = await kindsOf(shop, alice, made.id);
    const answers = [];
    await Promise.all(Array.from({ length: 60 }, async () => { // more at once would be late with their first words
        while (answers.length < 300) {
            const i = answers.push(null) - 1;
            answers[i] = await (i % 3 === 0 ? client.request('GET', '/user/balance', { token: alice.jwt }) : back(made));
        }
    }));
    answers.forEach((answer, i) =>
        i % 3 === 0 ? assert.equal(accepted(answer).balance, before) : isSent(answer, made, 'pending'));
    assert.deepEqual(await kindsOf(shop, alice, made.id), kinds);
    assert.equal(await statusOf(shop, made.id), 'pending');
    await sandbox.act('pay', { order_id: made.id });
    await client.paymentIs(alice, made.id, 'completed');
    assert.equal(await client.balance(alice), before + 2000);
});

test('the database is away: the payer learns that, and comes through when it is back', async () => {
    const made = await open();
    await shop.killPart('mariadb');
    refused(await back(made), 503, 'Service unavailable');
    await shop.startPart('mariadb');
    isSent(await back(made), made, 'pending');
});
