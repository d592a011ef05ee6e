// What happens without a request: expiry, read-backs, notices that came too early, attempts of
// the dead. Several programs may do it at once, and none need be there at the right moment.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test, { after, afterEach, describe } from 'node:test';
import {
    answersOf, assertBooks, hurry, hurryUntil, kindsOf, letRest, statusOf, triesOf,
} from './lib/chaos.mjs';
import { eventually, sleep } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const LIFETIME_S = 3;
const shop = await startInstance({
    name: 'jobs',
    set: {
        'payment.lifetime': LIFETIME_S,
        'provider.timeout': 8000,
        'jobs.idle_wait': 50,
    },
});
const { client, sandbox } = shop;
const { alice } = shop.users;
const TOS = { tos_timestamp: 1706745600 };

let keys = 0;
const newKey = () => `jobs-${++keys}`;
const deposit = (key) => client.deposit(alice, 1900, TOS, { key });
const kinds = (id) => kindsOf(shop, alice, id);
const reads = async (id) => (await sandbox.journal({ order_id: id })).calls.filter((call) => call.method === 'GET');
const isOver = (id) =>
    eventually(() => shop.value('SELECT expires_at <= UTC_TIMESTAMP(3) FROM payments WHERE payment_id = ?', [id]));
const endNow = (id) => shop.rows('UPDATE payments SET expires_at = UTC_TIMESTAMP(3) WHERE payment_id = ?', [id]);
const topics = async (id) => {
    const rows = await shop.rows('SELECT topic FROM outbox WHERE payment_id = ? ORDER BY outbox_id', [id]);
    return rows.map((row) => row.topic);
};

// A payment that is paid, and its notice, which has yet to come.
const paid = async () => {
    const { id, url } = await deposit();
    await prolong(id);
    await sandbox.fault('webhook_dropped', { order_id: id });
    await sandbox.act('pay', { order_id: id });
    return { id, notice: JSON.stringify(sandbox.notice(sessionOf(url), id, 1900)) };
};

// Gives the payment an hour, so that a test about something else need not hurry.
const prolong = (id) =>
    shop.rows('UPDATE payments SET expires_at = UTC_TIMESTAMP(3) + INTERVAL 1 HOUR WHERE payment_id = ?', [id]);

afterEach(() => sandbox.reset());

describe('expiry', () => {
    test('F24: by the database\'s clock: at once for a reader, in the books with the next check', async () => {
        await shop.stopPart('jobs');
        const { id } = await deposit();
        assert.equal((await client.payment(alice, id)).status, 'pending');
        await isOver(id);
        const read = await client.payment(alice, id);
        assert.equal(read.status, 'expired', 'nobody has expired it, but it is over');
        assert.equal(read.url, null);
        assert.equal(await statusOf(shop, id), 'pending');

        await shop.startPart('jobs');
        await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'expired');
        const { at, ...last } = (await client.payment(alice, id)).timeline.at(-1);
        assert.deepEqual(last, { kind: 'expired', detail: 'not paid in time', source: 'expiry' });
        await hurry(shop);
        await sleep(200);
        assert.deepEqual(await kinds(id), ['created', 'attempt', 'expired'], 'once');
        assert.deepEqual(await topics(id), ['payment.expired']);
        await assertBooks(shop);
    });

    test('F17: a success that arrives afterwards completes the payment all the same', async () => {
        const { id } = await deposit();
        await endNow(id);
        await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'expired');
        await sandbox.act('pay', { order_id: id });
        await client.paymentIs(alice, id, 'completed');
        assert.deepEqual(await kinds(id), ['created', 'attempt', 'expired', 'completed']);
        assert.deepEqual(await topics(id), ['payment.expired', 'payment.completed']);
        await assertBooks(shop);
    });

    test('paid in time, told by nobody, over meanwhile: the check asks before it expires', async () => {
        const { id } = await deposit();
        await sandbox.fault('webhook_dropped', { order_id: id });
        await sandbox.act('pay', { order_id: id });
        await endNow(id);
        await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'completed');
        assert.deepEqual(await kinds(id), ['created', 'attempt', 'completed']);
        await assertBooks(shop);
    });

    test('a payment that the provider is reviewing is not expired', async () => {
        const { id } = await deposit();
        await sandbox.act('pending_review', { order_id: id });
        await client.paymentIs(alice, id, 'processing');
        await endNow(id);
        await hurryUntil(shop, async () => (await reads(id)).length >= 1);
        await sleep(100);
        assert.equal((await client.payment(alice, id)).status, 'processing');
        await sandbox.act('approve', { order_id: id });
        await client.paymentIs(alice, id, 'completed');
        await assertBooks(shop);
    });
});

describe('several programs at once', () => {
    const extra = [];
    after(() => extra.forEach((child) => child.kill('SIGKILL')));

    // More guichet-jobs beside the demo's own, with the same configuration and into the same log.
    async function startMore(count) {
        const program = fs.readlinkSync(`/proc/${shop.pids('jobs')[0]}/exe`);
        const starts = () => shop.events('jobs').filter((line) => line.event === 'start').length;
        const before = starts();
        const log = fs.openSync(path.join(shop.home, 'log/jobs.log'), 'a');
        for (let i = 0; i < count; i++) {
            const child = spawn(program, ['-c', shop.vars.CONF], { env: shop.env, stdio: ['ignore', log, log] });
            await once(child, 'spawn');
            extra.push(child);
        }
        fs.closeSync(log);
        await eventually(() => starts() === before + count, 30_000);
    }

    test('each check is made by one of them, each effect comes once; asked to end, they do', async () => {
        await startMore(3);
        const ids = [];
        for (let i = 0; i < 12; i++) {
            const { id } = await deposit();
            ids.push(id);
            await prolong(id);
            await sandbox.fault('webhook_dropped', { order_id: id });
            await sandbox.act('pay', { order_id: id });
        }
        await letRest(shop);
        await sandbox.fault('slow', { call: 'read', ms: 300, count: 12 });
        await hurry(shop);
        for (const id of ids) await client.paymentIs(alice, id, 'completed');
        for (const id of ids) {
            assert.equal((await reads(id)).length, 1, `${id} was asked about once`);
            assert.deepEqual(await kinds(id), ['created', 'attempt', 'completed']);
            assert.equal(await triesOf(shop, id), undefined);
        }
        await assertBooks(shop);

        const ends = () => shop.events('jobs').filter((line) => line.event === 'end');
        const before = ends().length;
        const started = Date.now();
        const exits = Promise.all(extra.map((child) => once(child, 'exit')));
        for (const child of extra) child.kill('SIGTERM');
        for (const [code] of await exits) assert.equal(code, 0);
        const times = ends().slice(before).map((line) => Date.parse(line.time)); // a sanitizer's work comes afterwards
        assert.equal(times.length, 3);
        assert(Math.max(...times) - started < 5000, `${Math.max(...times) - started} ms`);
        extra.length = 0;
    });

    test('F05: the webhook and the check come at the same moment: one effect', async () => {
        const ids = [];
        for (let i = 0; i < 20; i++) ids.push(await paid());
        const notices = ids.flatMap(({ notice }) => [sandbox.notify(notice), sandbox.notify(notice)]);
        await hurry(shop);
        for (const answer of await Promise.all(notices)) assert.equal(answer.status, 200, answer.text);
        for (const { id } of ids) {
            await client.paymentIs(alice, id, 'completed');
            assert.deepEqual(await kinds(id), ['created', 'attempt', 'completed']);
        }
        await assertBooks(shop);
    });

    test('one that waits for a slow provider ends after the call, and keeps its result', async () => {
        const { id } = await deposit();
        await prolong(id);
        await sandbox.fault('webhook_dropped', { order_id: id });
        await sandbox.act('pay', { order_id: id });
        await sandbox.fault('slow', { call: 'read', ms: 2500, order_id: id });
        await hurryUntil(shop, async () => (await reads(id)).length === 1, { id });
        const [pid] = shop.pids('jobs');
        process.kill(pid, 'SIGTERM');
        await eventually(() => !shop.pids('jobs').includes(pid));
        assert.equal(await statusOf(shop, id), 'completed');
        await eventually(() => shop.pids('jobs').length === 1);
        await assertBooks(shop);
    });
});

describe('F13: notices of payments that we do not know', () => {
    const inbox = (id) =>
        shop.rows('SELECT state, tries, due_at IS NULL AS rests, note FROM inbox WHERE reference = ?', [id]);
    const stranger = () => `PAY_01HZZZZZZZ${String(Date.now()).padStart(16, '0')}`;

    test('are taken, kept, and applied when the payment appears', async () => {
        const id = stranger();
        const session = {
            amount: 2100, currency: 'USD', customer: alice.id, order_id: id,
            items: [{ name: 'Balance deposit', quantity: 1, price: 2100 }],
        };
        const headers = { Authorization: `Bearer ${shop.secret('payviox')}` };
        const created = await sandbox.request('POST', '/payviox/session', { headers, body: session });
        assert.equal(created.status, 201, created.text);
        await sandbox.act('pay', { order_id: id });
        const webhooks = await eventually(async () => {
            const journal = await sandbox.journal({ order_id: id });
            return journal.webhooks.length > 0 && journal.webhooks;
        });
        assert.deepEqual(webhooks.map((w) => w.status), [200]);
        await hurryUntil(shop, async () => (await inbox(id))[0].tries >= 1);
        assert.equal((await inbox(id))[0].state, 'unmatched');

        const connection = await shop.db.getConnection(); // one transaction, as a request has it
        await connection.beginTransaction();
        await connection.query(
            `INSERT INTO payments (payment_id, user_id, provider, type, amount, currency, tos_accepted_at,
                client_ip, request_id, created_at, expires_at)
                VALUES (?, ?, 'payviox', 'balance', 2100, 'USD', UTC_TIMESTAMP(3), '127.0.0.1', 'test',
                UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 1 HOUR)`,
            [id, alice.id],
        );
        await connection.query(
            `INSERT INTO attempts (payment_id, number, provider, reference, deadline_at)
                VALUES (?, 1, 'payviox', ?, UTC_TIMESTAMP(3))`,
            [id, id],
        );
        await connection.commit();
        connection.release();
        await hurryUntil(shop, async () => (await inbox(id))[0].state === 'done');
        assert.deepEqual(await sandbox.webhook({ order_id: id, type: 'succeeded', copies: 2 }), [200, 200]);
        assert.deepEqual(await kinds(id), ['created', 'completed']);
        await assertBooks(shop);
    });

    test('go to review after ten tries, and are not tried again', async () => {
        const id = stranger();
        const notice = JSON.stringify(sandbox.notice('strangersession1', id, 2200));
        assert.equal((await sandbox.notify(notice)).status, 200);
        for (let tries = 1; tries <= 10; tries++) {
            await hurryUntil(shop, async () => (await inbox(id))[0].tries >= tries);
        }
        const [row] = await eventually(async () => (await inbox(id))[0].state === 'review' && inbox(id));
        const note = 'no payment of ours has this reference';
        const { tries } = row; // one more when it was hurried while it was under way
        assert(tries === 10 || tries === 11, `${tries} tries`);
        assert.deepEqual({ ...row }, { state: 'review', tries, rests: 1, note });
        await hurry(shop);
        await sleep(200);
        assert.equal((await inbox(id))[0].tries, tries);
    });
});

describe('what the dead leave behind', () => {
    test('attempts in flight are left alone until their deadline, then settled', async () => {
        const key = newKey();
        await sandbox.fault('slow', { call: 'create', ms: 2500 });
        const lost = deposit(key);
        await eventually(async () => (await sandbox.creates()) === 1);
        await shop.killPart('guichet');
        assert.equal((await lost).status, 502);
        const id = await shop.value('SELECT MAX(payment_id) FROM payments');
        await prolong(id);
        await shop.startPart('guichet');
        await hurry(shop);
        await eventually(() =>
            shop.events('jobs').some((line) => line.payment === id && line.found === 'nothing to ask'),
        );
        assert.equal((await sandbox.journal({ order_id: id })).calls.length, 1, 'the call may still be under way');
        assert.deepEqual(await answersOf(shop, id), []);

        await eventually(async () => (await sandbox.journal({ order_id: id })).calls[0].ended);
        // sent again, and taken: another attempt gets the payer an address
        await hurryUntil(shop, async () => (await answersOf(shop, id)).at(-1)?.outcome === 'pending', { ended: true });
        const { sessions, calls } = await sandbox.journal({ order_id: id });
        assert.equal(calls.length, 2);
        assert.equal(sessions.length, 1);
        await sandbox.act('pay', { order_id: id });
        await client.paymentIs(alice, id, 'completed');
        await hurryUntil(shop, async () => (await deposit(key)).status === 200, { ended: true });
        await assertBooks(shop);
    });

    test('F40: nobody ever learns what became of a create: it expires, and the key says so', async () => {
        const key = newKey();
        await sandbox.fault('connection_reset', { call: 'create', count: 100 });
        const { id, status } = await deposit(key);
        assert.equal(status, 504);
        await endNow(id);
        await hurryUntil(shop, async () => (await triesOf(shop, id)) === undefined, { ended: true });
        assert.equal(await statusOf(shop, id), 'expired');
        const again = await deposit(key);
        assert.equal(again.status, 504);
        assert.deepEqual(again.json, { err: true, success: false, content: 'Payment outcome unknown' });
        assert.equal(again.headers['idempotent-replayed'], 'true');
        await assertBooks(shop);
    });
});

describe('a request with nobody beside it', () => {
    const asked = async () => Number((await shop.rows("SHOW GLOBAL STATUS LIKE 'Questions'"))[0].Value);

    // Other things are read now and then: whether the provider is well, who has an account.
    const fewestRoundTrips = async (act) => {
        let fewest = Infinity;
        for (let i = 0; i < 12; i++) {
            const own = await asked(), before = await asked();
            await act(i);
            fewest = Math.min(fewest, await asked() - before - (before - own));
        }
        return fewest;
    };

    test('a create takes two round trips: its intent with a look at its payer, its answer', async () => {
        await shop.stopPart('jobs');
        assert.equal(await fewestRoundTrips(() => deposit()), 2);
    });

    test('a notice takes two round trips: what it is about, all that it changes', async () => {
        const notices = [];
        for (let i = 0; i < 12; i++) notices.push((await paid()).notice);
        const fewest = await fewestRoundTrips(async (i) => assert.equal((await sandbox.notify(notices[i])).status, 200));
        await shop.startPart('jobs');
        assert.equal(fewest, 2);
        await assertBooks(shop);
    });

    test('an answer that somebody else has stored meanwhile is the answer', async () => {
        await sandbox.fault('slow', { call: 'create', ms: 1500 });
        const key = newKey();
        const before = await shop.value('SELECT MAX(attempt_id) FROM attempts');
        const sent = deposit(key);
        const attempt = await eventually(() => shop.value('SELECT attempt_id FROM attempts WHERE attempt_id > ?', [before]));
        await shop.rows(`INSERT INTO attempt_answers (attempt_id, outcome, definite, reason, source)
            VALUES (?, 'declined', 1, 'learnt otherwise', 'check')`, [attempt]);
        const { id, status, json } = await sent;
        assert.deepEqual([status, json.content], [502, 'Failed to process payment']);
        assert.equal(await statusOf(shop, id), 'failed');
        assert.deepEqual(await kinds(id), ['created', 'attempt', 'failed']);
        assert.deepEqual((await deposit(key)).json, json, 'and it is kept');
        await assertBooks(shop);
    });
});

test('F20: the queue of checks runs empty, and the number of questions is bounded', async () => {
    const { id } = await deposit();
    await endNow(id);
    for (let rounds = 0; (await shop.value('SELECT COUNT(*) FROM payment_checks')) > 0; rounds++) {
        assert(rounds < 200, 'the queue does not run empty');
        const tries = await triesOf(shop, id);
        await hurry(shop, { ended: true, again: true });
        // a check that is hurried again while it is under way would be asked about twice
        if (tries === undefined) await sleep(50);
        else await eventually(async () => (await triesOf(shop, id)) !== tries);
    }
    assert.equal(await statusOf(shop, id), 'expired');
    const questions = (await reads(id)).length;
    assert(questions >= 9 && questions <= 10, `${questions} reads`);
    await assertBooks(shop);
});
