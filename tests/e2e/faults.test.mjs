// The provider misbehaves. Whatever it does: the caller gets an honest answer, nothing is charged
// twice, and what was paid is credited exactly once.
import assert from 'node:assert/strict';
import test, { after, afterEach, describe } from 'node:test';
import {
    answersOf, assertBooks, hurry, hurryUntil, letRest, makeProviderProxy, statusOf, triesOf,
} from './lib/chaos.mjs';
import { eventually, sleep } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const proxy = await makeProviderProxy();
after(() => proxy.end());
const shop = await startInstance({
    name: 'faults',
    set: {
        'provider.timeout': 3000,
        'jobs.idle_wait': 50,
        'payviox.api_url': `https://localhost:${proxy.port}/payviox`,
    },
});
proxy.attach(shop);
const { client, sandbox } = shop;
const { alice, olivia } = shop.users;
const VALUE = 1200;
const TOS = { tos_timestamp: 1706745600 }; // repeats must have the same bytes

let keys = 0;
const newKey = () => `fault-${++keys}`;
const deposit = (key) => client.deposit(alice, VALUE, TOS, { key });
const timeline = async (id) => (await client.payment(olivia, id)).timeline; // reasons are for operators
const kinds = async (id) => (await timeline(id)).map((event) => event.kind);
const creates = (id) => sandbox.creates({ order_id: id });
const reads = async (id) =>
    (await sandbox.journal({ order_id: id })).calls.filter((call) => call.method === 'GET').length;
const unproved = async () =>
    (await shop.value("SELECT value FROM counters WHERE name = 'webhook.unproved.payviox'")) ?? 0;
const inboxOf = (id) => shop.rows('SELECT state, note, copies FROM inbox WHERE reference = ?', [id]);

// A payment that the payer has paid and of which no webhook tells.
async function paidInSilence() {
    const answer = await deposit();
    await letRest(shop, answer.id);
    await sandbox.fault('webhook_dropped', { order_id: answer.id });
    await sandbox.act('pay', { order_id: answer.id });
    return answer;
}

// What a test leaves open is asked about no more: it would take the next one's fault, or its cut.
afterEach(async () => {
    await letRest(shop);
    await sandbox.reset();
});

describe('F40, F34: what becomes of a create when the provider', () => {
    const PAYABLE = { status: 200, outcome: 'pending', payment: 'pending', repeat: 200, sessions: 1 };
    const UNKNOWN = {
        status: 504, message: 'Payment outcome unknown', outcome: 'unknown', payment: 'pending', repeat: 409,
    };
    const ERROR = {
        status: 502, message: 'Failed to process payment', outcome: 'unknown', payment: 'pending', repeat: 502,
    };
    const BUSY = {
        status: 503, message: 'Provider unavailable', retryAfter: '7', outcome: 'not_sent', payment: 'failed',
        repeat: 'new',
    };
    const cases = [
        { fault: 'slow', args: { ms: 400 }, ...PAYABLE, why: '' },
        { fault: 'payment_error', ...PAYABLE, why: 'Payment creation failed' },
        { fault: 'timeout_after_success', args: { ms: 5500 }, ...UNKNOWN, why: 'no answer in time', sessions: 1 },
        { fault: 'connection_reset', ...UNKNOWN, why: 'the connection broke', sessions: 0 },
        { fault: 'connection_reset_after_success', ...UNKNOWN, why: 'the connection broke', sessions: 1 },
        { fault: 'error_5xx', args: { status: 503 }, ...ERROR, why: /^Payviox answered 503 and nothing we/, sessions: 0 },
        { fault: 'garbage', ...ERROR, why: /^Payviox answered 201 and nothing we/, sessions: 1 },
        { fault: 'unauthorized', ...ERROR, outcome: 'refused', payment: 'failed', why: /401: Unauthorized$/, sessions: 0 },
        { fault: 'rate_limited', args: { retry_after: 7 }, ...BUSY, why: /takes no more sessions/, sessions: 0 },
    ];
    for (const c of cases) {
        test(c.fault, async () => {
            const key = newKey();
            await sandbox.fault(c.fault, { call: 'create', ...c.args });
            const answer = await deposit(key);
            assert.equal(answer.status, c.status, answer.text);
            if (c.message !== undefined)
                assert.deepEqual(answer.json, { err: true, success: false, content: c.message });
            assert.equal(answer.headers['retry-after'], c.retryAfter);
            assert.match(answer.id, /^PAY_/, 'the payment has a name');

            assert.equal(await statusOf(shop, answer.id), c.payment);
            const [attempt, ...more] = await answersOf(shop, answer.id);
            assert.deepEqual(more, []);
            assert.equal(attempt.outcome, c.outcome);
            if (c.why instanceof RegExp) assert.match(attempt.reason, c.why);
            else assert.equal(attempt.reason, c.why);
            const told = (await timeline(answer.id)).find((event) => event.kind === 'attempt');
            assert.equal(told.detail, [c.outcome, attempt.reason].filter(Boolean).join(': '));
            assert.equal((await sandbox.journal({ order_id: answer.id })).sessions.length, c.sessions);

            const again = await deposit(key);
            if (c.repeat === 'new') {
                assert.equal(again.status, 200, 'a key that was not kept starts anew');
                assert.notEqual(again.id, answer.id);
            } else {
                assert.equal(again.status, c.repeat, again.text);
                if (c.repeat !== 409) assert.equal(again.text, answer.text);
                assert.equal(await creates(answer.id), 1, 'a repeat calls nobody');
            }
            await assertBooks(shop);
        });
    }
});

describe('F40, F41: an unknown outcome is settled by the jobs', () => {
    test('nothing had happened: the create is sent again under the same order_id', async () => {
        const key = newKey();
        await sandbox.fault('connection_reset', { call: 'create' });
        const { id } = await deposit(key);
        const again = await hurryUntil(shop, async () => {
            const repeat = await deposit(key);
            return repeat.status === 200 && repeat;
        }, { ended: true, id });
        assert.equal(again.id, id);
        assert.equal(again.headers['idempotent-replayed'], 'true');
        assert.equal(await creates(id), 2);
        assert.deepEqual((await answersOf(shop, id)).map((row) => row.outcome), ['unknown', 'pending']);
        await client.pay(again.url);
        await client.paymentIs(alice, id, 'completed');
        await assertBooks(shop);
    });

    test('it had happened: the late payment of a session we never saw is credited once', async () => {
        const key = newKey();
        await sandbox.fault('timeout_after_success', { ms: 5500 });
        const { id } = await deposit(key);
        assert.equal((await deposit(key)).status, 409);
        await sandbox.act('pay', { order_id: id });
        await client.paymentIs(alice, id, 'completed');
        const last = await hurryUntil(shop, async () => {
            const repeat = await deposit(key);
            return repeat.status === 200 && repeat;
        }, { ended: true, id });
        assert.deepEqual(last.json.content, { message: 'Payment processed successfully' });
        assert.equal(await creates(id), 1);
        assert.equal((await sandbox.journal({ order_id: id })).sessions.length, 1);
        await assertBooks(shop);
    });

    test('it had happened, and nobody knows where to pay: another session, and what is paid counts', async () => {
        const key = newKey();
        await sandbox.fault('timeout_after_success', { ms: 5500 });
        const { id } = await deposit(key);
        const again = await hurryUntil(shop, async () => {
            const repeat = await deposit(key);
            return repeat.status === 200 && repeat;
        }, { ended: true, id });
        assert.equal(await creates(id), 2, 'a refused repeat proves nothing');
        assert.equal(await creates(`${id}-2`), 1);
        assert.equal(await statusOf(shop, id), 'pending');
        await client.pay(again.url);
        await client.paymentIs(alice, id, 'completed');
        await assertBooks(shop);
    });

    test('the provider works on after our time-out: still one session', async () => {
        const key = newKey();
        await sandbox.fault('slow', { call: 'create', ms: 5500 });
        const { id, status } = await deposit(key);
        assert.equal(status, 504);
        await hurryUntil(shop, async () => {
            const { sessions, calls } = await sandbox.journal({ order_id: id });
            return sessions.length === 1 && calls.length > 1 && calls.every((call) => call.ended);
        }, { ended: true, id });
        await sandbox.act('pay', { order_id: id });
        await client.paymentIs(alice, id, 'completed');
        await assertBooks(shop);
    });
});

describe('F40: the connection to the provider is cut', () => {
    const NOT_SENT = {
        status: 503, message: 'Provider unavailable', outcome: 'not_sent', payment: 'failed', sessions: 0,
        title: 'not sent, and at the provider never',
    };
    const UNKNOWN = {
        status: 504, message: 'Payment outcome unknown', outcome: 'unknown', payment: 'pending', sessions: 1,
        title: 'unknown, and at the provider once',
    };
    const cases = {
        refused: NOT_SENT,
        accepted: NOT_SENT,
        half_request: { ...UNKNOWN, sessions: 0 },
        full_request: UNKNOWN,
        half_header: UNKNOWN,
        half_body: UNKNOWN,
    };
    for (const [point, c] of Object.entries(cases)) {
        test(`${point}: ${c.title}`, async () => {
            const key = newKey();
            const answer = await proxy.cut(point, () => deposit(key));
            const { id } = answer;
            assert.equal(answer.status, c.status, answer.text);
            assert.equal(answer.json.content, c.message);
            assert.equal((await answersOf(shop, id))[0].outcome, c.outcome);
            assert.equal(await statusOf(shop, id), c.payment);
            const sessions = async () => (await sandbox.journal({ order_id: id })).sessions.length;
            assert.equal(await sessions(), c.sessions);

            await hurry(shop, { ended: true, id });
            if (c.outcome === 'unknown') {
                await eventually(async () => (await answersOf(shop, id)).length >= 2);
                assert.equal(await sessions(), 1);
                await sandbox.act('pay', { order_id: id });
                await client.paymentIs(alice, id, 'completed');
            } else {
                await sleep(200);
                assert.equal(await sessions(), 0);
                const again = await deposit(key);
                assert.equal(again.status, 200, 'the key is free again');
                assert.notEqual(again.id, id);
            }
            await assertBooks(shop);
        });
    }
});

describe('F34: an answer that is no session is never taken for one', () => {
    const http = (first, body, type = 'application/json') =>
        [`HTTP/1.1 ${first}`, `Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`,
            'Connection: close', '', body].join('\r\n');
    const headers = (...lines) => [...lines, 'Connection: close', '', ''].join('\r\n');
    const httpPage = '{"session_id":"abcdefghij","redirect_url":"http://evil.test/"}';
    const long = `{"session_id":"abcdefghij","x":"${'x'.repeat(300_000)}"}`;
    const cases = {
        '200 with an error inside': [http('200 OK', '{"error":"insufficient_scope"}'), 502, 'unknown'],
        '201 without a session': [http('201 Created', '{}'), 502, 'unknown'],
        '201 with a session of the wrong type': [http('201 Created', '{"session_id":12345678901}'), 502, 'unknown'],
        '201 that leads the payer to http': [http('201 Created', httpPage), 502, 'unknown'],
        '202 accepted': [http('202 Accepted', '{"session_id":"abcdefghij"}'), 502, 'unknown'],
        '204 without a body': [headers('HTTP/1.1 204 No Content'), 502, 'unknown'],
        '302 to somewhere': [headers('HTTP/1.1 302 Found', 'Location: https://localhost/'), 502, 'unknown'],
        'a page of HTML': [http('200 OK', '<html>maintenance</html>', 'text/html'), 502, 'unknown'],
        '400 with the reason': [http('400 Bad Request', '{"amount":["It is required."]}'), 502, 'refused'],
        'more than 256 KiB': [http('201 Created', long), 504, 'unknown'],
        'no HTTP at all': ['SSH-2.0-OpenSSH_9.2\r\n', 504, 'unknown'],
    };
    for (const [name, [bytes, status, outcome]] of Object.entries(cases)) {
        test(name, async () => {
            const answer = await proxy.cut({ answer: bytes }, () => deposit());
            assert.equal(answer.status, status, answer.text);
            assert.equal((await answersOf(shop, answer.id))[0].outcome, outcome);
            assert.equal(await statusOf(shop, answer.id), outcome === 'refused' ? 'failed' : 'pending');
            assert.equal(answer.url, undefined);
        });
    }
    after(() => assertBooks(shop));
});

describe('F12, F19: the webhook comes before the answer to the create', () => {
    for (const [fault, status, outcome] of [
        [null, 200, 'pending'],
        ['payment_error', 200, 'pending'],
        ['connection_reset_after_success', 504, 'unknown'],
        ['garbage', 502, 'unknown'],
    ])
        test(`${fault ?? 'a good answer'} after it moves nothing back`, async () => {
            const key = newKey();
            await sandbox.fault('webhook_before_answer');
            if (fault !== null) await sandbox.fault(fault, { call: 'create' });
            const answer = await deposit(key);
            assert.equal(answer.status, status, answer.text);
            const payment = await client.payment(alice, answer.id);
            assert.equal(payment.status, 'completed');
            assert.deepEqual(payment.timeline.map((event) => event.kind), ['created', 'completed', 'attempt']);
            assert.equal((await answersOf(shop, answer.id))[0].outcome, outcome);
            await hurryUntil(shop, async () => (await triesOf(shop, answer.id)) === undefined,
                { ended: true, id: answer.id });
            assert.equal(await statusOf(shop, answer.id), 'completed');
            assert.equal((await deposit(key)).status, status === 504 ? 200 : status);
            assert.equal(await creates(answer.id), 1);
            await assertBooks(shop);
        });
});

describe('F01, F20: webhooks go astray', () => {
    test('F01, F49: 20 copies at once, and 20 more after a restart, credit once and are all taken', async () => {
        const { id, url } = await deposit();
        await sandbox.fault('webhook_duplicate', { copies: 20 });
        await client.pay(url);
        await client.paymentIs(alice, id, 'completed');
        const sent = await eventually(async () => {
            const { webhooks } = await sandbox.journal({ order_id: id });
            return webhooks.length === 20 && webhooks;
        });
        assert(sent.every((webhook) => webhook.status === 200), JSON.stringify(sent));
        await shop.restartPart('guichet');
        const again = await sandbox.webhook({ order_id: id, type: 'succeeded', copies: 20 });
        assert.deepEqual(again, Array(20).fill(200));
        assert.deepEqual((await inboxOf(id)).map((row) => ({ ...row })), [{ state: 'done', note: '', copies: 40 }]);
        assert.deepEqual(await kinds(id), ['created', 'attempt', 'completed']);
        await assertBooks(shop);
    });

    test('reordered: the refund is heard of before the success, and the payment ends refunded', async () => {
        const { id } = await deposit();
        await sandbox.fault('webhook_reordered', { ms: 20_000 }); // or until the next one has gone
        await sandbox.act('pay', { order_id: id });
        await sandbox.act('refund', { order_id: id });
        await eventually(async () => (await sandbox.journal({ order_id: id })).webhooks.length === 2);
        const { webhooks } = await sandbox.journal({ order_id: id });
        assert.deepEqual(webhooks.map(({ type, status }) => `${type} ${status}`), ['refunded 200', 'succeeded 200']);
        assert.equal(await statusOf(shop, id), 'refunded');
        await assertBooks(shop);
    });

    test('late: pending meanwhile, then completed', async () => {
        const { id, url } = await deposit();
        await sandbox.fault('webhook_late', { ms: 2500 });
        await client.pay(url);
        assert.equal(await statusOf(shop, id), 'pending');
        await client.paymentIs(alice, id, 'completed');
        await assertBooks(shop);
    });

    test('F20: dropped: the jobs read the payment back once, credit it, and ask no more', async () => {
        const { id } = await paidInSilence();
        await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'completed', { id });
        const payment = await client.payment(alice, id);
        assert.equal(payment.timeline.at(-1).source, 'check');
        await eventually(async () => (await triesOf(shop, id)) === undefined);
        await hurry(shop, { id });
        await sleep(300);
        assert.equal(await reads(id), 1);
        await assertBooks(shop);
    });
});

describe('F28: a genuine webhook that says something else credits nothing', () => {
    const cases = [
        ['wrong_amount', { delta: -1 }, 'succeeded: another amount than the payment\'s (11.99 USD)'],
        ['wrong_amount', { delta: 1 }, 'succeeded: another amount than the payment\'s (12.01 USD)'],
        ['wrong_currency', { currency: 'JPY' }, 'succeeded: another currency than the payment\'s (1200 JPY)'],
    ];
    for (const [fault, args, note] of cases)
        test(`${fault} ${JSON.stringify(args)} waits for review; the read-back tells the truth`, async () => {
            const before = await client.balance(alice);
            const { id, url } = await deposit();
            await letRest(shop, id);
            await sandbox.fault(fault, args);
            await client.pay(url);
            const webhooks = await eventually(async () => {
                const journal = await sandbox.journal({ order_id: id });
                return journal.webhooks.length > 0 && journal.webhooks;
            });
            assert.deepEqual(webhooks.map((w) => w.status), [200]);
            const [row] = await inboxOf(id);
            assert.deepEqual({ ...row }, { state: 'review', note, copies: 1 });
            assert.equal(await statusOf(shop, id), 'pending');
            assert.equal(await client.balance(alice), before);
            assert.deepEqual(await kinds(id), ['created', 'attempt', 'review']);
            await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'completed', { id });
            await assertBooks(shop);
        });

    test('F36: a bad signature is refused and leaves nothing but a count', async () => {
        const [counted, stored] = [await unproved(), await shop.value('SELECT COUNT(*) FROM inbox')];
        const { id, url } = await deposit();
        await letRest(shop, id);
        await sandbox.fault('bad_signature');
        await client.pay(url);
        await eventually(async () => (await unproved()) === counted + 1);
        assert.equal(await shop.value('SELECT COUNT(*) FROM inbox'), stored);
        await eventually(async () => (await sandbox.journal({ order_id: id })).webhooks[0].status === 401);
        assert.equal(await statusOf(shop, id), 'pending');
        await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'completed', { id });
        await assertBooks(shop);
    });
});

describe('F18, F34: a read-back that is no use changes nothing, and the next one settles', () => {
    const cases = [
        ['readback_404', {}, 'the provider does not know it'],
        ['readback_pending', {}, 'nothing'],
        ['error_5xx', { call: 'read', status: 502 }, 'no usable answer'],
        ['garbage', { call: 'read' }, 'no usable answer'],
        ['connection_reset', { call: 'read', count: 2 }, 'no usable answer'], // curl repeats a GET by itself
        ['rate_limited', { call: 'read' }, 'no usable answer'],
        ['unauthorized', { call: 'read' }, 'no usable answer'],
        ['slow', { call: 'read', ms: 5500 }, 'no usable answer'],
    ];
    for (const [fault, args, found] of cases)
        test(fault, async () => {
            const { id } = await paidInSilence();
            const before = await kinds(id);
            await sandbox.fault(fault, { order_id: id, ...args });
            await hurry(shop, { id });
            await eventually(() =>
                shop.events('jobs').some((line) => line.payment === id && line.found === found),
            );
            assert.equal(await statusOf(shop, id), 'pending');
            assert.deepEqual(await kinds(id), before);
            await sandbox.reset();
            await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'completed', { id });
            assert.equal(await reads(id), 1);
            await assertBooks(shop);
        });
});

describe('clients in a hurry', () => {
    // With the time-out of real life: the machine, too, may take its time.
    test('F46: the client goes after 50 ms; the handler finishes, and the same key finds the payment', () =>
        shop.withSettings({ 'provider.timeout': 15000 }, async () => {
            const key = newKey();
            const pids = shop.pids('guichet');
            await sandbox.fault('slow', { call: 'create', ms: 3000 });
            const abort = new AbortController();
            const gone = client.deposit(alice, VALUE, TOS, { key, signal: abort.signal });
            await eventually(() =>
                shop.value('SELECT 1 FROM idempotency_keys WHERE idempotency_key = ?', [key])); // it has arrived
            await sleep(50);
            abort.abort();
            await assert.rejects(gone);
            const again = await eventually(async () => {
                const repeat = await deposit(key);
                return repeat.status !== 409 && repeat;
            });
            assert.equal(again.status, 200, again.text);
            assert.equal(again.headers['idempotent-replayed'], 'true');
            assert.deepEqual(shop.pids('guichet'), pids, 'no handler has died');
            assert.equal(await creates(again.id), 1);
            await client.pay(again.url);
            await client.paymentIs(alice, again.id, 'completed');
            await assertBooks(shop);
        }));

    test('F06, F44: eight requests with one key at once make one session', () =>
        shop.withSettings({ 'provider.timeout': 15000 }, async () => {
            const key = newKey();
            await sandbox.fault('slow', { call: 'create', ms: 3000 });
            const before = await shop.value('SELECT COUNT(*) FROM payments');
            const answers = await Promise.all(Array.from({ length: 8 }, () => deposit(key)));
            const statuses = answers.map((answer) => answer.status).sort();
            assert.deepEqual(statuses, [200, ...Array(7).fill(409)]);
            const first = answers.find((answer) => answer.status === 200);
            assert.equal((await deposit(key)).text, first.text);
            assert.equal(await shop.value('SELECT COUNT(*) FROM payments'), before + 1);
            assert.equal(await creates(first.id), 1);
            assert.equal(sessionOf(first.url).length, 32);
            await assertBooks(shop);
        }));
});
