// The marketplace's own endpoints are told what became of payments: signed, at least once, under
// one id; and an endpoint that is away, slow or gone is nobody else's trouble.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import test, { after, afterEach, beforeEach, describe } from 'node:test';
import { makeCrashes } from './lib/chaos.mjs';
import { eventually, nowSeconds, sleep } from './lib/client.mjs';
import { BIN, startInstance } from './lib/instance.mjs';
import { mailsThat } from './lib/mails.mjs';
import { addItems } from './lib/market.mjs';
import { misfit } from './lib/openapi.mjs';
import { hurryEvents, newSecret, startReceiver, writeSecret } from './lib/receiver.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'guichet-secrets-'));
const secrets = { a: newSecret(), b: newSecret(), old: newSecret() };
const a = await startReceiver(secrets.a);
const b = await startReceiver(secrets.b);
const crashes = makeCrashes();
after(() => {
    a.end();
    b.end();
    crashes.end();
});
const shop = await startInstance({
    name: 'outbox',
    env: { GUICHET_CRASH_DIR: crashes.folder },
    set: {
        'jobs.idle_wait': 50,
        'receiver_2.url': a.url,
        'receiver_2.secret_file': writeSecret(folder, 'a', secrets.a),
        'receiver_3.url': b.url,
        'receiver_3.secret_file': writeSecret(folder, 'b', secrets.b),
    },
});
after(() => fs.rmSync(folder, { recursive: true })); // when nobody reads the secrets any more
const { client, sandbox } = shop;
const { alice, bob, olivia } = shop.users;
const A = 'receiver_2';
const B = 'receiver_3';

const create = async (value = 1500) => (await client.deposit(alice, value)).id;
async function paid(value) {
    const id = await create(value);
    await sandbox.act('pay', { order_id: id });
    await client.paymentIs(alice, id, 'completed');
    return id;
}
const deliveryOf = async (id, receiver, topic = 'payment.completed') =>
    (await shop.rows(
        `SELECT d.state, d.note, d.tries, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(3), d.due_at) AS due_in_s
            FROM deliveries d JOIN outbox o USING (outbox_id)
            WHERE o.payment_id = ? AND d.receiver = ? AND o.topic = ?`,
        [id, receiver, topic],
    ))[0];
const deliveryIs = (id, receiver, state) =>
    eventually(async () => {
        const found = await deliveryOf(id, receiver);
        if (found?.state === state) return found;
        throw new Error(`${receiver}: ${JSON.stringify(found)}`);
    });
const noneWaits = () =>
    eventually(async () => (await shop.rows("SELECT 1 FROM deliveries WHERE state = 'waiting' AND receiver <> 'mail'")).length === 0);
// hurryEvents() would send again what is under way, or what was sent and is not written down yet.
const othersDone = (id) =>
    eventually(async () => (await shop.rows(
        `SELECT 1 FROM deliveries JOIN outbox USING (outbox_id)
            WHERE payment_id = ? AND receiver NOT IN (?, 'mail') AND state = 'waiting'`, [id, A])).length === 0);
// No try comes by itself, however slow the machine is: the next is when hurryEvents() says so.
const putAway = (receiver = A) =>
    shop.rows("UPDATE deliveries SET due_at = due_at + INTERVAL 1 DAY WHERE state = 'waiting' AND receiver = ?", [receiver]);
// A try has come to its end: the lease of two minutes is over, the next one is written down.
const putOff = (id, receiver, tries) =>
    eventually(async () => {
        const found = await deliveryOf(id, receiver);
        return found.tries === tries && found.note !== '' && (found.due_in_s <= 60 || found.due_in_s > 120) && found;
    });
const receiverRow = async (name) => (await shop.rows('SELECT * FROM receivers WHERE name = ?', [name]))[0];
const enable = (name) =>
    shop.rows("UPDATE receivers SET disabled_at = NULL, rests_until = NULL, note = '' WHERE name = ?", [name]);
const hooks = async () => (await sandbox.request('GET', '/hooks/events')).json.events;

beforeEach(() => {
    a.answer = b.answer = 204;
});
// Nothing may ever come that its receiver cannot prove, or under one id with two contents.
afterEach(async () => {
    for (const receiver of [a, b]) {
        const bodies = new Map();
        for (const { id, body, proved, time, at, event } of receiver.deliveries) {
            assert.notDeepEqual(proved, [], `${id} is not proved`);
            assert.equal(bodies.get(id) ?? body, body, `${id} has two contents`);
            assert(Math.abs(time - at / 1000) < 30, `${id} was signed at its own time`);
            assert.match(id, /^PAY_\w{26}-[a-z_]+-\d+$/);
            assert.equal(id.split('-')[0], event.data.id);
            assert(body.length < 20_000);
            assert.equal(misfit('#/components/schemas/PaymentEvent', event), '', body);
            bodies.set(id, body);
        }
    }
    await sandbox.reset();
});

describe('what is told', () => {
    test('payment.completed: the payment as GET /payments/{id} has it, and whose it is', async () => {
        const id = await paid(1234);
        const [delivery] = await a.told(id);
        const payment = await client.payment(alice, id);
        const { type, timestamp, data } = delivery.event;
        assert.equal(delivery.method, 'POST');
        assert.equal(delivery.url, '/payments?from=guichet');
        assert.equal(delivery.headers['content-type'], 'application/json');
        assert.equal(delivery.id, `${id}-completed-1`);
        assert.equal(delivery.signatures, 1);
        assert.equal(type, 'payment.completed');
        assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert(Math.abs(Date.parse(timestamp) - delivery.at) < 30_000, timestamp);
        assert.equal(data.user, alice.id);
        assert.equal(data.status, 'completed');
        for (const [name, value] of Object.entries(data))
            if (name !== 'user') assert.deepEqual(value, payment[name], name);
        for (const name of Object.keys(payment))
            assert(name in data || ['url', 'bankwire', 'card', 'items', 'refunds', 'timeline'].includes(name), `${name} is missing`);
        const [same] = await b.told(id);
        assert.equal(same.body, delivery.body);
        assert.equal(same.id, delivery.id);
        await deliveryIs(id, A, 'done');
    });

    for (const [status, action] of [['failed', 'decline'], ['expired', 'expire']])
        test(`payment.${status}`, async () => {
            const id = await create();
            await sandbox.act(action, { order_id: id });
            await client.paymentIs(alice, id, status);
            const [{ event }] = await a.told(id);
            assert.equal(event.type, `payment.${status}`);
            assert.equal(event.data.status, status);
            assert.equal(a.of(id).length, 1);
        });

    test('payment.refunded, once for each part', async () => {
        const id = await paid(2500);
        await a.told(id);
        for (const [amount, refunded, status] of [[1000, 1000, 'partially_refunded'], [1500, 2500, 'refunded']]) {
            const answer = await client.request('POST', `/payments/${id}/refunds`, { token: olivia.jwt, body: { amount } });
            assert.equal(answer.status, 200, answer.text);
            const { event } = (await a.told(id, refunded === 1000 ? 2 : 3)).at(-1);
            assert.equal(event.type, 'payment.refunded');
            assert.deepEqual([event.data.status, event.data.refunded], [status, refunded]);
        }
        assert.deepEqual(a.of(id).map((delivery) => delivery.id), ['completed-1', 'refunded-1', 'refunded-2'].map((end) => `${id}-${end}`));
    });

    test('payment.refunded by the provider, after payment.completed', async () => {
        const id = await paid();
        await a.told(id);
        await sandbox.act('refund', { order_id: id });
        const [first, second] = await a.told(id, 2);
        assert.deepEqual([first, second].map(({ event }) => event.type), ['payment.completed', 'payment.refunded']);
        assert.notEqual(first.id, second.id);
        assert.equal(second.event.data.status, 'refunded');
    });

    test('a purchase from the balance', async () => {
        const [asset] = await addItems(shop, bob, [300]);
        const { id } = await client.buy(alice, [asset], {}, { provider: 'mannco' });
        const [{ event }] = await a.told(id);
        assert.equal(event.type, 'payment.completed');
        assert.equal(event.data.type, 'items');
    });

    test('copies of a notice tell it once', async () => {
        const id = await paid();
        await sandbox.webhook({ order_id: id, type: 'succeeded', copies: 10 });
        await a.told(id);
        await deliveryIs(id, A, 'done');
        await othersDone(id);
        await hurryEvents(shop);
        await sleep(300);
        assert.equal(a.of(id).length, 1);
        assert.equal(b.of(id).length, 1);
    });

    test('a payment that is rolled back tells nothing', async () => {
        const answer = await client.request('POST', '/payment/mannco', {
            token: alice.jwt,
            body: { type: 'items', items: '900000999,900000998,900000997,900000996,900000995,900000994,900000993,'
                + '900000992,900000991,900000990,900000989,900000988,900000987,900000986,900000985,900000984,900000983,'
                + '900000982,900000981,900000980,900000979,900000978,900000977,900000976,900000975,900000974,900000973',
                tos_timestamp: nowSeconds() },
        });
        assert.equal(answer.status, 402, answer.text);
        const orphans = "SELECT COUNT(*) FROM outbox o LEFT JOIN payments p USING (payment_id) WHERE p.payment_id IS NULL";
        assert.equal(await shop.value(orphans), 0);
    });
});

test('F27: a receiver that fails for an hour delays no other; restarts in between; each event once, under one id', async () => {
    a.answer = 500;
    const first = await paid(2001);
    await b.told(first);
    await othersDone(first);
    await putOff(first, A, 1);
    await putAway();
    const ids = [first];
    for (let round = 2; round <= 4; round++) { // as many tries as an hour has: 5 s, 5 m, 30 m
        const id = await paid(2000 + round);
        ids.push(id);
        await b.told(id, 1, 5000);
        await othersDone(id);
        await putOff(id, A, 1);
        if (round === 3) await shop.restartPart('jobs');
        if (round === 4) {
            await shop.killPart('jobs');
            await shop.startPart('jobs');
        }
        await hurryEvents(shop);
        await putOff(first, A, round);
    }
    assert.equal((await deliveryOf(first, A)).note, 'it answered 500');
    assert.equal((await deliveryOf(first, A)).state, 'waiting');
    a.answer = 204;
    for (const id of ids) {
        await eventually(async () => { // a try that was under way sets its next one
            await hurryEvents(shop);
            return (await deliveryOf(id, A)).state === 'done';
        }, 10_000, 300);
        assert.equal(new Set(a.of(id).map((delivery) => delivery.id)).size, 1);
        assert(a.of(id).length >= 2);
        assert(new Set(a.of(id).map((delivery) => delivery.time)).size <= a.of(id).length);
        assert.equal(b.of(id).length, 1, 'nothing was sent twice to who had taken it');
    }
});

test('F27: a receiver that never answers delays no event of another, no mail and no check', async () => {
    const held = [];
    a.answer = (delivery, response) => held.push(response);
    const stuck = [await paid(2101), await paid(2102), await paid(2103)];
    await eventually(() => held.length >= 2); // every thread that its queue has
    const start = Date.now();
    const id = await create(2104);
    await sandbox.fault('webhook_dropped', { order_id: id });
    await sandbox.act('pay', { order_id: id });
    await shop.rows('UPDATE payment_checks SET due_at = UTC_TIMESTAMP(3)');
    await b.told(id);
    await mailsThat(shop, ({ text }) => text.includes(id));
    assert(Date.now() - start < 14_000, 'within less than the time-out of the first');
    assert(held.length >= 2 && a.of(id).length === 0, 'it hangs still');
    a.answer = 204;
    for (const response of held) response.destroy();
    for (const one of stuck) await Promise.any([putOff(one, A, 1), deliveryIs(one, A, 'done')]);
    await hurryEvents(shop);
    for (const one of [...stuck, id]) await deliveryIs(one, A, 'done');
});

describe('what a receiver answers', () => {
    for (const status of [200, 201, 202, 204, 299])
        test(`${status} is a success`, async () => {
            a.answer = status;
            const id = await paid();
            await deliveryIs(id, A, 'done');
            assert.equal(a.of(id).length, 1);
        });

    for (const status of [301, 302, 307, 400, 401, 404, 500, 503])
        test(`${status} is a failure, tried again after about 5 s, then 5 min`, async () => {
            a.answer = (delivery, response) => response.writeHead(status, { Location: b.url }).end();
            await noneWaits();
            const before = b.deliveries.length;
            const id = await paid();
            const waiting = await putOff(id, A, 1);
            assert.equal(waiting.note, `it answered ${status}`);
            assert(waiting.due_in_s <= 5, JSON.stringify(waiting));
            await putAway();
            await othersDone(id);
            await hurryEvents(shop);
            const later = await putOff(id, A, 2);
            assert(later.due_in_s > 280 && later.due_in_s <= 330, JSON.stringify(later));
            await b.told(id);
            assert.equal(b.deliveries.length, before + 1, 'no redirect is followed');
            assert.equal((await receiverRow(A)).rests_until, null);
            a.answer = 204;
            await hurryEvents(shop);
            await deliveryIs(id, A, 'done');
        });

    test('no answer at all is a failure', async () => {
        a.answer = null;
        const id = await paid();
        assert.equal((await putOff(id, A, 1)).state, 'waiting');
        a.answer = 204;
        await hurryEvents(shop);
        await deliveryIs(id, A, 'done');
    });

    test('the tenth try is the last', async () => {
        a.answer = 500;
        const id = await paid();
        await putOff(id, A, 1);
        await putAway();
        for (let tries = 2; tries <= 10; tries++) {
            await hurryEvents(shop);
            await putOff(id, A, tries);
            assert.equal(a.of(id).length, tries);
        }
        const dead = await deliveryIs(id, A, 'dead');
        assert.equal(dead.note, 'it answered 500');
        assert.equal(dead.tries, 10);
        await hurryEvents(shop);
        await sleep(300);
        assert.equal(a.of(id).length, 10);
    });

    for (const [status, header, from, to] of [[429, '120', 110, 135], [503, '60', 50, 70], [429, 'date', 80, 105],
        [502, undefined, 20, 35], [504, undefined, 20, 35], [429, '99999999', 86_000, 95_100]])
        test(`${status}${header ? ` with Retry-After: ${header}` : ''}: the receiver is left alone, the others are not`, async () => {
            a.answer = (delivery, response) => {
                const value = header === 'date' ? new Date(Date.now() + 90_000).toUTCString() : header;
                response.writeHead(status, value ? { 'Retry-After': value } : {}).end();
            };
            const id = await paid();
            const waiting = await eventually(async () => {
                const found = await deliveryOf(id, A);
                return found.note === `it answered ${status}` && found;
            });
            assert(waiting.due_in_s >= from && waiting.due_in_s <= to, JSON.stringify(waiting));
            const rest = await shop.value(
                'SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(3), rests_until) FROM receivers WHERE name = ?', [A]);
            assert(rest >= from && rest <= to, String(rest));
            a.answer = 204;
            const next = await paid();
            await b.told(next);
            await hurryEvents(shop);
            await sleep(500);
            assert.deepEqual([a.of(id).length, a.of(next).length], [1, 0], 'it rests');
            await shop.rows('UPDATE receivers SET rests_until = UTC_TIMESTAMP(3) WHERE name = ?', [A]);
            await deliveryIs(id, A, 'done');
            await deliveryIs(next, A, 'done');
        });
});

test('410 disables the receiver, for all programs and over a restart, until it is enabled', async () => {
    a.answer = 410;
    const id = await paid();
    const dead = await deliveryIs(id, A, 'dead');
    assert.equal(dead.note, 'it answered 410');
    const row = await receiverRow(A);
    assert.notEqual(row.disabled_at, null);
    assert.equal(row.note, 'it answered 410');
    await eventually(() => // it is told after the commit
        shop.events('jobs').some((line) => line.event === 'receiver' && line.level === 'error' && line.receiver === A));
    a.answer = 204;
    const second = await paid();
    assert.equal((await deliveryIs(second, A, 'dead')).note, 'the receiver is disabled');
    await b.told(second);
    await shop.restartPart('jobs');
    const third = await paid();
    await deliveryIs(third, A, 'dead');
    assert.deepEqual([a.of(second).length, a.of(third).length], [0, 0]);
    assert.equal((await receiverRow(B)).disabled_at, null);
    await enable(A);
    const fourth = await paid();
    await a.told(fourth);
    // what was missed is there to be sent again
    await shop.rows(`UPDATE deliveries SET state = 'waiting', due_at = UTC_TIMESTAMP(3)
        WHERE state = 'dead' AND receiver = ? AND note = 'the receiver is disabled'`, [A]);
    await a.told(second);
    await a.told(third);
});

for (const [point, copies] of [['event_taken', 1], ['event_sent', 2]])
    test(`jobs die at ${point}: the event comes all the same, under one id`, async () => {
        // The others' queues would take the same point: theirs are empty, and stay alone.
        await noneWaits();
        await shop.rows('UPDATE receivers SET rests_until = UTC_TIMESTAMP(3) + INTERVAL 1 HOUR WHERE name <> ?', [A]);
        let id;
        try {
            const before = shop.pids('jobs');
            crashes.arm(point);
            id = await paid();
            await eventually(() => crashes.happened(point));
            await eventually(() => shop.pids('jobs').some((pid) => !before.includes(pid)));
            assert.equal((await deliveryOf(id, A)).state, 'waiting');
            assert.equal((await deliveryOf(id, A)).tries, 1);
        } finally {
            await shop.rows('UPDATE receivers SET rests_until = NULL');
        }
        await hurryEvents(shop); // the lease of the dead
        await deliveryIs(id, A, 'done');
        await deliveryIs(id, B, 'done');
        assert.equal(a.of(id).length, copies);
        assert.equal(new Set(a.of(id).map((delivery) => delivery.id + delivery.body)).size, 1);
    });

test('two jobs programs share a queue: each event is sent once', async () => {
    const jobs = spawnJobs();
    try {
        await eventually(() => jobs.text().includes('"event":"start"'));
        const ids = [];
        for (let i = 0; i < 12; i++) ids.push(await paid(3000 + i));
        for (const id of ids) {
            await deliveryIs(id, A, 'done');
            assert.equal(a.of(id).length, 1);
        }
    } finally {
        await jobs.end();
    }
});

function spawnJobs() {
    const file = path.join(shop.home, 'log', 'jobs.log');
    const from = fs.statSync(file).size;
    const started = spawnSync('sh', ['-c', `exec 9>&-; "${BIN}/guichet-jobs" -c "${shop.vars.CONF}" >>"${file}" 2>&1 </dev/null & echo $!`],
        { env: shop.env, cwd: shop.home, encoding: 'utf8' });
    const pid = Number(started.stdout);
    return {
        text: () => fs.readFileSync(file, 'utf8').slice(from),
        async end() {
            process.kill(pid, 'SIGTERM');
            await eventually(() => !fs.existsSync(`/proc/${pid}`) || fs.readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '));
        },
    };
}

test('while secrets are changed over, both sign', async () => {
    a.secrets = [secrets.old, secrets.a];
    const file = writeSecret(folder, 'old', secrets.old);
    const before = fs.readFileSync(shop.vars.CONF, 'utf8');
    // the old one goes on signing while the receivers change over
    fs.writeFileSync(shop.vars.CONF, `${before}\n[${A}]\nprevious_secret_file = ${file}\n`);
    await shop.restartPart('jobs');
    const during = await paid();
    const [both] = await a.told(during);
    assert.equal(both.signatures, 2);
    assert.deepEqual(both.proved, [secrets.old, secrets.a]);
    fs.writeFileSync(shop.vars.CONF, before);
    await shop.restartPart('jobs');
    const afterwards = await paid();
    const [one] = await a.told(afterwards);
    assert.deepEqual([one.signatures, one.proved], [1, [secrets.a]]);
    for (const secret of Object.values(secrets))
        for (const log of fs.readdirSync(path.join(shop.home, 'log')))
            assert(!fs.readFileSync(path.join(shop.home, 'log', log), 'utf8').includes(secret.slice(6)), `a secret in ${log}`);
});

test('a receiver that is taken out of the settings is told nothing more, and what waits is dead', async () => {
    a.answer = 500;
    const id = await paid();
    await putOff(id, A, 1);
    const before = fs.readFileSync(shop.vars.CONF, 'utf8');
    const without = before.replace(new RegExp(`\\[${A}\\]\n(.+\n)+`), '');
    assert.notEqual(without, before);
    fs.writeFileSync(shop.vars.CONF, without);
    await shop.restartPart('jobs');
    assert.equal((await deliveryIs(id, A, 'dead')).note, 'the receiver is no longer in the settings');
    const next = await paid();
    await b.told(next);
    assert.equal(await deliveryOf(next, A), undefined);
    fs.writeFileSync(shop.vars.CONF, before);
    a.answer = 204;
    await shop.restartPart('jobs');
    await eventually(() => receiverRow(A));
    await a.told(await paid());
});

describe('the demo has a receiver, played by the sandbox', () => {
    const hookOf = (id) => eventually(async () => (await hooks()).find((event) => event.payment_id === id));

    test('/hooks/ shows what came, and that it was signed rightly', async () => {
        const id = await paid();
        const event = await hookOf(id);
        assert.equal(event.type, 'payment.completed');
        assert.equal(event.id, `${id}-completed-1`);
        assert.deepEqual([event.genuine, event.repeated, event.status], [true, false, 204]);
        assert.equal(JSON.parse(event.body).data.id, id);
        const page = await sandbox.request('GET', '/hooks/');
        assert.equal(page.status, 200);
        assert(page.text.includes(id) && page.text.includes('<dd>right</dd>'));
        assert.equal((await sandbox.request('GET', '/hooks')).status, 303);
        assert.equal((await sandbox.request('GET', '/hooks/nothing')).status, 404);
        assert.equal((await sandbox.request('DELETE', '/hooks/')).status, 405);
    });

    test('what is not signed is refused, and shown as wrong', async () => {
        const body = JSON.stringify({ type: 'payment.completed', data: { id: 'PAY_1', status: '<i>' } });
        for (const headers of [{}, { 'webhook-id': 'x', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AAAA' }])
            assert.equal((await sandbox.request('POST', '/hooks/', { body, headers })).status, 401);
        const wrong = (await hooks()).filter((event) => event.payment_id === 'PAY_1');
        assert.deepEqual(wrong.map((event) => event.genuine), [false, false]);
        assert(!(await sandbox.request('GET', '/hooks/')).text.includes('<i>'));
    });

    test('it fails when it is told to, and is sent the event again', async () => {
        await noneWaits(); // what is under way would meet the fault
        await sandbox.control({ provider: 'hooks', fault: 'error_5xx', status: 503 });
        const id = await paid();
        assert.equal((await hookOf(id)).status, 503);
        await putOff(id, 'receiver_1', 1);
        await hurryEvents(shop);
        await deliveryIs(id, 'receiver_1', 'done');
        const mine = (await hooks()).filter((event) => event.payment_id === id);
        assert.deepEqual(mine.map(({ status, repeated }) => [status, repeated]), [[503, false], [204, true]]);
    });

    test('the other faults', async () => {
        await noneWaits();
        await sandbox.control({ provider: 'hooks', fault: 'connection_reset' });
        const cut = await paid();
        await putOff(cut, 'receiver_1', 1);
        await putAway('receiver_1');
        await sandbox.control({ provider: 'hooks', fault: 'rate_limited', retry_after: 300 });
        const limited = await paid();
        assert.equal((await putOff(limited, 'receiver_1', 1)).note, 'it answered 429');
        await enable('receiver_1');
        await sandbox.control({ provider: 'hooks', fault: 'gone' });
        const gone = await paid();
        await deliveryIs(gone, 'receiver_1', 'dead');
        assert.notEqual((await receiverRow('receiver_1')).disabled_at, null);
        await enable('receiver_1');
        await hurryEvents(shop);
        await deliveryIs(cut, 'receiver_1', 'done');
    });

    test('faults of providers are none of its own', async () => {
        const post = (body) => sandbox.request('POST', '/control', { body });
        assert.equal((await post({ provider: 'hooks', fault: 'webhook_late' })).status, 400);
        assert.equal((await post({ provider: 'payviox', fault: 'gone' })).status, 400);
        assert.equal((await post({ provider: 'hooks', action: 'pay' })).status, 400);
    });
});
