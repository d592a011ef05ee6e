// Handlers and jobs die: at each labelled point between two steps, at random under load, and on
// request. Nothing is charged twice, and nothing that was acknowledged is lost.
import assert from 'node:assert/strict';
import test, { after, afterEach, describe } from 'node:test';
import {
    answersOf, assertBooks, assertKept, hurry, hurryUntil, kindsOf, letRest, makeCrashes, paidAndCompleted, replaceProcess, runLoad,
    statusOf, triesOf, whileKilling,
} from './lib/chaos.mjs';
import { eventually, sleep } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const crashes = makeCrashes();
after(() => crashes.end());
const shop = await startInstance({
    name: 'crash',
    env: { GUICHET_CRASH_DIR: crashes.folder },
    set: { 'jobs.idle_wait': 50 },
});
const { client, sandbox } = shop;
const { alice } = shop.users;
const TOS = { tos_timestamp: 1706745600 };

let keys = 0;
const newKey = () => `crash-${++keys}`;
const deposit = (key) => client.deposit(alice, 1500, TOS, { key });
const newest = () => shop.value('SELECT MAX(payment_id) FROM payments');
const outcomes = async (id) => (await answersOf(shop, id)).map((row) => row.outcome);
const kinds = (id) => kindsOf(shop, alice, id);

const killedAt = (point, part, fn) => crashes.killAt(shop, point, part, fn);

// The jobs end the wait for an answer: the same request gets one again.
const answered = (key) =>
    hurryUntil(
        shop,
        async () => {
            const repeat = await deposit(key);
            return repeat.status === 200 && repeat;
        },
        { ended: true },
    );

afterEach(() => sandbox.reset());

describe('F03: a handler dies within a create', () => {
    const cases = {
        create_begun: { sessions: 0, repeat: 409, late: ['pending'], what: 'the intent is stored, nothing is sent' },
        create_called: { sessions: 1, repeat: 409, late: ['unknown', 'pending'], what: 'its answer is lost' },
        create_finished: { sessions: 1, repeat: 200, late: ['pending'], what: 'only the caller knows nothing' },
    };
    for (const [point, c] of Object.entries(cases))
        test(`${point}: ${c.what}`, async () => {
            const key = newKey();
            const lost = await killedAt(point, 'guichet', () => deposit(key));
            assert.equal(lost.status, 502);
            assert.deepEqual(lost.json, { err: true, success: false, content: 'Payment outcome unknown' });
            const id = await newest();
            assert.equal((await sandbox.journal({ order_id: id })).sessions.length, c.sessions);
            const repeat = await deposit(key);
            assert.equal(repeat.status, c.repeat, repeat.text);

            const last = await answered(key);
            assert.equal(last.id, id);
            assert.deepEqual(await outcomes(id), c.late);
            await client.pay(last.url);
            await client.paymentIs(alice, id, 'completed');
            assert.equal((await sandbox.journal({ order_id: id })).sessions.length, 1);
            await assertBooks(shop);
        });
});

describe('F03: a handler dies within a webhook, and the provider sends it again', () => {
    const cases = {
        notice_proved: ['nothing is stored', 'pending'],
        notice_stored: ['stored, but not committed', 'pending'],
        notice_posted: ['posted, but not committed', 'pending'],
        notice_committed: ['committed, but not answered', 'completed'],
    };
    for (const [point, [what, status]] of Object.entries(cases))
        test(`${point}: ${what}`, async () => {
            const { id } = await deposit();
            await letRest(shop, id);
            await sandbox.fault('webhook_dropped', { order_id: id });
            await sandbox.act('pay', { order_id: id });
            // by hand: the sandbox would send its own again, and into the next of these tests
            const notify = (copies) => sandbox.webhook({ order_id: id, type: 'succeeded', copies });
            assert.deepEqual(await killedAt(point, 'guichet', () => notify(1)), [502]);
            assert.equal(await statusOf(shop, id), status);
            const stored = await shop.value('SELECT COUNT(*) FROM inbox WHERE reference = ?', [id]);
            assert.equal(stored, status === 'completed' ? 1 : 0);

            assert.deepEqual(await notify(3), [200, 200, 200]);
            assert.deepEqual(await kinds(id), ['created', 'attempt', 'completed']);
            await assertBooks(shop);
        });
});

describe('F03: the jobs die within a check', () => {
    for (const [point, what] of [
        ['check_taken', 'the check is leased, nobody was asked'],
        ['check_read', 'the provider has answered, nothing is applied'],
    ])
        test(`${point}: ${what}`, async () => {
            const { id } = await deposit();
            await letRest(shop); // the point is for the check that is hurried
            await sandbox.fault('webhook_dropped', { order_id: id });
            await sandbox.act('pay', { order_id: id });
            await killedAt(point, 'jobs', () => hurry(shop, { id }));
            assert.equal(await statusOf(shop, id), 'pending');
            const leased = 'SELECT due_at > UTC_TIMESTAMP(3) FROM payment_checks WHERE payment_id = ?';
            assert.equal(await shop.value(leased, [id]), 1, 'the lease outlives its holder');
            await hurryUntil(shop, async () => (await triesOf(shop, id)) === undefined, { id });
            assert.equal(await statusOf(shop, id), 'completed');
            await assertBooks(shop);
        });

    test('check_taken, while a create is open: the next one sends it again', async () => {
        const key = newKey();
        await sandbox.fault('connection_reset', { call: 'create' });
        const { id, status } = await deposit(key);
        assert.equal(status, 504);
        await letRest(shop);
        await killedAt('check_taken', 'jobs', () => hurry(shop, { ended: true, id }));
        assert.equal((await answered(key)).id, id);
        await assertBooks(shop);
    });
});

describe('handlers are killed every 300 ms under load', () => {
    test('creates: no double charge, no lost answer', async (t) => {
        let seen;
        const kills = await whileKilling(shop, async () => {
            seen = await runLoad(shop, alice, { clients: 8, ms: 4000, least: 51 });
        });
        t.diagnostic(`${kills} kills, ${seen.requests} requests, ${JSON.stringify(seen.statuses)}`);
        assert(kills >= 6, `${kills} kills`);
        assert(seen.acknowledged.size > 50, `${seen.acknowledged.size} acknowledged`);
        assert.equal(seen.broken, 0, 'nginx always answers');
        assert(Object.keys(seen.statuses).every((status) => ['200', '409', '502', '503', '504'].includes(status)));
        await assertKept(shop, alice, seen);
        await paidAndCompleted(shop);
        await assertBooks(shop);
    });

    test('F01: webhooks, one to five copies of each, shuffled: as many credits as payments', async (t) => {
        const notices = [];
        for (let i = 0; i < 80; i++) {
            const { id, url } = await deposit();
            await sandbox.fault('webhook_dropped', { order_id: id });
            await sandbox.act('pay', { order_id: id });
            const notice = JSON.stringify(sandbox.notice(sessionOf(url), id, 1500));
            for (let copy = 0; copy <= i % 5; copy++) notices.push({ notice, order: Math.random() });
        }
        notices.sort((a, b) => a.order - b.order);
        let sent = 0;
        const send = async () => {
            for (let next; (next = notices.pop()) !== undefined; ) {
                sent++;
                const answer = await sandbox.notify(next.notice);
                if (answer.status !== 200) notices.unshift(next); // as the provider would, later
                await sleep(20);
            }
        };
        const kills = await whileKilling(shop, () => Promise.all(Array.from({ length: 6 }, send)));
        t.diagnostic(`${kills} kills, ${sent} notices sent`);
        await paidAndCompleted(shop);
        await assertBooks(shop);
    });
});

describe('handlers end when they are asked', () => {
    test('TERM drains: the requests in flight are answered', async () => {
        await letRest(shop); // creates that the load before has lost are sent again otherwise
        await sandbox.fault('slow', { call: 'create', ms: 2500, count: 6 });
        const before = shop.pids('guichet');
        const inFlight = Promise.all(Array.from({ length: 6 }, () => deposit()));
        await eventually(async () => (await sandbox.creates()) === 6);
        for (const pid of before) process.kill(pid, 'SIGTERM');
        const answers = await inFlight;
        assert.deepEqual(answers.map((answer) => answer.status), Array(6).fill(200));
        await eventually(() => !before.some((pid) => shop.pids('guichet').includes(pid)));
        const ended = shop.events('guichet').filter((line) => line.event === 'end').slice(-2);
        assert.deepEqual(ended.map((line) => line.note), ['drained', 'drained']);
        await shop.ready();
        await assertBooks(shop);
    });

    // Every answer while act() is under way has one of these statuses; nothing is lost.
    async function underLoad(t, statuses, act) {
        const load = runLoad(shop, alice, { clients: 4, ms: 3000, pays: 0.1 });
        await act();
        const seen = await load;
        t.diagnostic(`${seen.requests} requests, ${JSON.stringify(seen.statuses)}`);
        assert(Object.keys(seen.statuses).every((status) => statuses.includes(status)), JSON.stringify(seen.statuses));
        assert.equal(seen.broken, 0);
        await assertKept(shop, alice, seen);
        await paidAndCompleted(shop);
        await assertBooks(shop);
    }

    test('a rolling restart under load fails no request', (t) =>
        underLoad(t, ['200'], async () => {
            for (let round = 0; round < 2; round++)
                for (const pid of shop.pids('guichet')) await replaceProcess(shop, 'guichet', pid, 'SIGTERM');
        }));

    // The sandbox is behind the same nginx, which ends kept connections: what is on its way to it at that moment is unknown.
    test('a reload of nginx under load fails no request of ours', (t) =>
        underLoad(t, ['200', '504'], () => shop.reloadNginx()));
});
