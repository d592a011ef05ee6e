// A provider that fails is left alone, by all processes at once, and tried again by one call. An
// operator's switch does the same by hand. What is open with a provider goes on in either case.
import assert from 'node:assert/strict';
import test, { after, beforeEach, describe } from 'node:test';
import { assertBooks, hurryUntil, letRest, makeCrashes } from './lib/chaos.mjs';
import { eventually, sleep } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { snapshot } from './lib/market.mjs';

const MINIMUM = 6;
const COOL_DOWN = 3;
const LEASE_MS = 7000; // the longest that a request takes
const crashes = makeCrashes();
after(() => crashes.end());
const shop = await startInstance({
    name: 'breaker',
    env: { GUICHET_CRASH_DIR: crashes.folder },
    set: {
        'breaker.minimum': MINIMUM,
        'breaker.cool_down': COOL_DOWN,
        'provider.timeout': 5000,
        'http.request_budget': LEASE_MS,
    },
});
await shop.stopPart('jobs'); // they send creates too
const { client, sandbox } = shop;
const { alice } = shop.users;
const TOS = { tos_timestamp: 1706745600 };
let asset = 900000001;

const deposit = (options) => client.deposit(alice, 1000, TOS, options);
const buyFromBalance = () => client.buy(alice, [asset++], {}, { provider: 'mannco' });
const many = (count, fn) => Promise.all(Array.from({ length: count }, fn));
const breaker = async () =>
    (await shop.rows("SELECT * FROM provider_health WHERE provider = 'payviox'"))[0];
const creates = () => sandbox.creates();
const told = (state) =>
    shop.events('guichet').filter((line) => line.event === 'breaker' && line.state === state);
const statuses = async () => {
    const { providers } = accepted(await client.request('GET', '/providers'));
    return Object.fromEntries(providers.filter(({ name }) => ['payviox', 'mannco'].includes(name))
        .map(({ name, status }) => [name, status]));
};

// All processes have heard of it: what one of them has seen is too old by then (FRESH_MS of flow/breaker),
// and so many answers in a row have this status, but for the one call that may try when a slow machine
// has let the cool-down go by.
const allAnswer = (status, ask = deposit) =>
    eventually(async () => {
        await sleep(1100);
        const answers = await many(10, () => ask());
        return answers.filter((answer) => answer.status !== status).length <= (status === 503 ? 1 : 0);
    }, 20_000);

// Fails so often that it is left alone. The answers to those who met the failure.
async function open() {
    const met = [];
    await sandbox.fault('error_5xx', { call: 'create', count: 1000 });
    for (;;) {
        const answer = await deposit();
        if (answer.status === 503) break;
        met.push(answer);
        assert(met.length < 100, 'it never opens');
    }
    return met;
}
// For the database, and a little later for every process.
const hurryCoolDown = () => shop.rows('UPDATE provider_health SET open_until = UTC_TIMESTAMP(3)');
const coolDownIsOver = () =>
    eventually(() =>
        shop.value(`SELECT open_until + INTERVAL 1 SECOND < UTC_TIMESTAMP(3) FROM provider_health
            WHERE provider = 'payviox'`));

beforeEach(async () => {
    await sandbox.reset();
    await shop.rows('DELETE FROM provider_health');
    await shop.rows('DELETE FROM provider_calls');
    await shop.restartPart('guichet'); // forgets what it knew
});

test('F53: payviox fails: its callers are told at once, it is not called, and nobody else suffers', async () => {
    const [byWebhook, byReturn] = await many(2, () => deposit());
    const lines = told('open').length;
    const met = await open();
    // however long this takes: the cool-down is longer
    await shop.rows("UPDATE provider_health SET open_until = UTC_TIMESTAMP(3) + INTERVAL 120 SECOND");
    assert(met.length >= MINIMUM - 2, `after ${met.length} failures`);
    for (const answer of met) refused(answer, 502, 'Failed to process payment');
    await allAnswer(503);

    const row = await breaker();
    assert.match(row.reason, /^\d+ of \d+ calls failed within 60 s$/);
    const [line, ...more] = told('open').slice(lines);
    assert.deepEqual(more, [], 'one process says so, once');
    assert.equal(line.level, 'warn');
    assert.equal(line.provider, 'payviox');
    assert.equal(line.seconds, COOL_DOWN);
    assert(line.calls >= MINIMUM && line.failures * 2 >= line.calls, JSON.stringify(line));

    await eventually(async () => {
        const answers = await many(10, () => deposit());
        return answers.every((answer) => Number(answer.headers['retry-after']) > COOL_DOWN);
    });
    const before = await snapshot(shop);
    const called = await creates();
    const refusals = await many(20, (_, i) => deposit({ key: `open-${i % 5}` }));
    for (const answer of refusals) {
        refused(answer, 503, 'Provider unavailable');
        assert(Number(answer.headers['retry-after']) <= 120, answer.headers['retry-after']);
        assert.equal(answer.headers.location, undefined);
        assert.equal(answer.headers['idempotent-replayed'], undefined);
    }
    refused(await client.paiement(alice, { amount: 1000 }), 503, 'Provider unavailable');
    refused(await client.paiement(alice, { amount: 1000 }, { provider: 'mannco' }), 503, 'Provider unavailable');
    refused(await client.deposit(alice, 0, TOS), 400, 'Invalid request parameters');
    assert.equal(await creates(), called, 'nobody called');
    assert.deepEqual(await snapshot(shop), before, 'nothing stored');
    assert.deepEqual(await statuses(), { payviox: 'down', mannco: 'down' });

    accepted(await buyFromBalance());
    await client.pay(byWebhook.url);
    await client.paymentIs(alice, byWebhook.id, 'completed');
    await sandbox.fault('webhook_dropped', { order_id: byReturn.id });
    await sandbox.act('pay', { order_id: byReturn.id });
    const returned = await client.request('GET', `/return/payviox?order_id=${byReturn.id}`);
    assert.match(returned.headers.location, /status=completed/);

    await sandbox.reset();
    await shop.rows("UPDATE provider_health SET open_until = UTC_TIMESTAMP(3)");
    await allAnswer(200);
    accepted(await deposit({ key: 'open-0' })); // no refusal was kept
    assert.deepEqual(await statuses(), { payviox: 'up', mannco: 'up' });
    await assertBooks(shop);
});

test('F53: payviox hangs: a purchase from the balance does not wait for it', async () => {
    await sandbox.fault('slow', { call: 'create', ms: 8000, count: 1000 });
    let hanging = 10;
    const deposits = many(hanging, () => deposit().finally(() => hanging--));
    await eventually(async () => (await creates()) === 10);
    const spent = [];
    for (let i = 0; i < 5; i++) {
        const start = Date.now();
        accepted(await buyFromBalance());
        spent.push(Date.now() - start);
    }
    assert.equal(hanging, 10, 'all the while');
    assert(Math.min(...spent) < 500, `a purchase took ${spent} ms`);
    for (const answer of await deposits) refused(answer, 504, 'Payment outcome unknown');
    await allAnswer(503);
});

describe('after the cool-down', () => {
    test('exactly one of 20 calls in all processes tries, and its success closes', async () => {
        await open();
        await allAnswer(503);
        await sandbox.reset();
        await hurryCoolDown();
        await coolDownIsOver();
        const lines = told('closed').length;
        await sandbox.fault('slow', { call: 'create', ms: 4000 }); // all of them have asked by then
        const answers = await many(20, () => deposit());
        const [tried, ...more] = answers.filter((answer) => answer.status !== 503);
        assert.deepEqual(more, []);
        accepted(tried);
        for (const answer of answers)
            if (answer !== tried) refused(answer, 503, 'Provider unavailable');
        assert.equal(await creates(), 1);
        await allAnswer(200);
        const [line, ...others] = told('closed').slice(lines);
        assert.deepEqual(others, []);
        assert.deepEqual([line.level, line.provider], ['warn', 'payviox']);
        const row = await breaker();
        assert.deepEqual([row.open_until, row.probe_until, row.reason], [null, null, '']);
        await assertBooks(shop);
    });

    test('a failure opens again', async () => {
        await open();
        await coolDownIsOver();
        const called = await creates();
        const first = (await breaker()).open_until;
        await eventually(async () => (await deposit()).status === 502);
        assert.equal(await creates(), called + 1);
        const row = await breaker();
        assert(row.open_until > first);
        assert.match(row.reason, /^the call after the cool-down failed: Payviox answered 500/);
        const answer = await deposit();
        refused(answer, 503, 'Provider unavailable');
        assert.equal(told('open').at(-1).note, row.reason);
    });

    for (const point of ['create_begun', 'create_called'])
        test(`who tries is killed (${point}): another one tries when his time is over`, async () => {
            await open();
            await sandbox.reset();
            await hurryCoolDown();
            await coolDownIsOver();
            const before = await shop.value('SELECT UTC_TIMESTAMP(3)');
            const lost = await crashes.killAt(shop, point, 'guichet', () =>
                eventually(async () => {
                    const answer = await deposit();
                    return answer.status === 502 && answer;
                }));
            assert.equal(lost.json.content, 'Payment outcome unknown');
            const { probe_until: whole } = await breaker();
            const left = (lease, from = null) =>
                shop.value('SELECT TIMESTAMPDIFF(MICROSECOND, COALESCE(?, UTC_TIMESTAMP(3)), ?)', [from, lease]);
            assert((await left(whole, before)) >= LEASE_MS * 1000, 'as long as a request may take');
            assert((await left(whole)) <= LEASE_MS * 1000);
            await shop.rows('UPDATE provider_health SET probe_until = UTC_TIMESTAMP(3) + INTERVAL 1 SECOND');
            const { probe_until: lease } = await breaker();
            await eventually(async () => {
                const answer = await deposit();
                if (answer.status === 200) return true;
                refused(answer, 503, 'Provider unavailable');
                return false;
            }, 20_000);
            assert((await left(lease)) <= 0, 'not before');
            await allAnswer(200);
        });
});

test('what is no fault of the provider does not open', async () => {
    for (const fault of ['refused', 'rate_limited', 'unauthorized', 'payment_error']) {
        await sandbox.fault(fault, { call: 'create', count: MINIMUM * 2 });
        await many(MINIMUM * 2, () => deposit());
    }
    await allAnswer(200);
    const sum = async (column) => Number(await shop.value(`SELECT SUM(${column}) FROM provider_calls`));
    await eventually(async () => {
        await deposit(); // successes are told once a second, with the next call
        return (await sum('calls')) >= MINIMUM * 8;
    });
    assert.equal(await sum('failures'), 0);
    assert.equal(await breaker(), undefined);
});

describe('the switch', () => {
    const turn = (provider, disabled) =>
        shop.rows(
            `INSERT INTO provider_health (provider, disabled, switched_by, switch_note, switched_at)
                VALUES (?, ?, 'olivia', 'a test', UTC_TIMESTAMP(3))
                ON DUPLICATE KEY UPDATE disabled = VALUES(disabled)`,
            [provider, disabled],
        );

    test('ends new payments with a provider in all processes, and leaves its others alone', async () => {
        const [byWebhook, byReturn, byCheck] = await many(3, () => deposit());
        const kept = await deposit({ key: 'before' });
        await turn('payviox', 1);
        await allAnswer(503);
        const called = await creates();
        const before = await snapshot(shop);
        const answer = await deposit({ key: 'off' });
        refused(answer, 503, 'Provider unavailable');
        assert.equal(answer.headers['retry-after'], '60');
        for (const provider of ['payviox', 'mannco'])
            refused(await client.paiement(alice, { amount: 1000 }, { provider }), 503, 'Provider unavailable');
        refused(await client.buy(alice, [asset]), 503, 'Provider unavailable');
        assert.equal(await creates(), called);
        assert.deepEqual(await snapshot(shop), before);
        assert.deepEqual(await statuses(), { payviox: 'down', mannco: 'down' });
        const again = await deposit({ key: 'before' });
        assert.deepEqual([again.text, again.headers['idempotent-replayed']], [kept.text, 'true']);

        accepted(await buyFromBalance());
        await client.pay(byWebhook.url);
        await client.paymentIs(alice, byWebhook.id, 'completed');
        for (const { id } of [byReturn, byCheck]) {
            await sandbox.fault('webhook_dropped', { order_id: id });
            await sandbox.act('pay', { order_id: id });
        }
        const returned = await client.request('GET', `/return/payviox?order_id=${byReturn.id}`);
        assert.match(returned.headers.location, /status=completed/);
        await letRest(shop); // what the tests before have left open would come first
        await shop.startPart('jobs');
        const isPaid = async () => (await client.payment(alice, byCheck.id)).status === 'completed';
        await hurryUntil(shop, isPaid, { id: byCheck.id });
        await shop.stopPart('jobs');

        await turn('payviox', 0);
        await allAnswer(200);
        accepted(await deposit({ key: 'off' }));
        await assertBooks(shop);
    });

    test('of the house brand ends what is asked of it, and nothing else', async () => {
        await turn('mannco', 1);
        await eventually(async () => (await statuses()).mannco === 'down');
        await allAnswer(503, () => client.paiement(alice, { amount: 1000 }, { provider: 'mannco' }));
        refused(await buyFromBalance(), 503, 'Provider unavailable');
        accepted(await deposit());
        await turn('mannco', 0);
        await eventually(async () => (await statuses()).mannco === 'up');
        await eventually(async () => accepted(await buyFromBalance()));
    });
});
