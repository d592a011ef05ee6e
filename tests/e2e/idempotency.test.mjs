// Idempotency-Key: whoever repeats a create gets the first answer, and makes no second payment.
import assert from 'node:assert/strict';
import test, { afterEach } from 'node:test';
import { hurryUntil, letRest } from './lib/chaos.mjs';
import { eventually, nowSeconds } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';

const shop = await startInstance({ name: 'idempotency', set: { 'provider.timeout': 5000 } });
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
const RUNNING = 'A request with this Idempotency-Key is still running';
const REUSED = 'Idempotency-Key was used with another request';

// What a test leaves open is no create of the next one's, and takes none of its faults.
afterEach(() => letRest(shop));

let number = 0;
const newKey = () => `test-${process.pid}-${number++}`;
const body = (value = 1000, more = {}) =>
    JSON.stringify({ type: 'balance', value, tos_timestamp: nowSeconds(), ...more });
const create = (key, text, user = alice, options = {}) =>
    client.request('POST', '/payment/payviox', {
        body: text,
        token: user.jwt,
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
        ...options,
    });

// The same with header lines that no client library would send.
function createRaw(headers) {
    const text = body();
    const lines = ['POST /payment/payviox HTTP/1.1', 'Host: localhost', 'Connection: close',
        `Authorization: Bearer ${alice.jwt}`, 'Content-Type: application/json',
        `Content-Length: ${text.length}`];
    return client.raw(Buffer.from(`${[...lines, ...headers].join('\r\n')}\r\n\r\n${text}`,
        'latin1'));
}

const payments = (user = alice) =>
    shop.value('SELECT COUNT(*) FROM payments WHERE user_id = ?', [user.id]);
const sessions = async () => (await sandbox.journal()).totals.sessions;

// The same answer again, byte for byte, and marked as such.
function isReplay(answer, first) {
    assert.equal(answer.status, first.status, answer.text);
    assert.deepEqual(answer.bytes, first.bytes);
    assert.equal(answer.headers.location, first.headers.location);
    assert.deepEqual(answer.all('idempotent-replayed'), ['true'], answer.text);
    assert.notEqual(answer.headers['x-request-id'], first.headers['x-request-id']);
}

// Fn makes so many payments and so many sessions at the provider.
async function makes(count, fn, atProvider = count) {
    const before = [await payments(), await sessions()];
    await fn();
    assert.deepEqual([await payments(), await sessions()],
        [before[0] + count, before[1] + atProvider]);
}

test('the first answer is made once and replayed, bare key or quoted', async () => {
    const [key, text] = [newKey(), body()];
    await makes(1, async () => {
        const first = await create(key, text);
        accepted(first);
        assert.deepEqual(first.all('idempotent-replayed'), []);
        for (const spelling of [key, `"${key}"`, ` ${key} `, key]) isReplay(await create(spelling,
            text), first);
    });
    await makes(1, async () => {
        const [quoted, other] = [newKey(), body(1100)];
        const first = await create(`"${quoted}"`, other);
        isReplay(await create(quoted, other), first);
    });
});

test('a form is replayed too', async () => {
    const form = { type: 'balance', value: '1200', tos_timestamp: String(nowSeconds()) };
    const key = newKey();
    const send = () => client.request('POST', '/payment/payviox', { form, token: alice.jwt, key });
    await makes(1, async () => {
        const first = await send();
        accepted(first);
        isReplay(await send(), first);
    });
});

test('without a key, and with another one, every request is its own', async () => {
    const text = body();
    await makes(3, async () => {
        accepted(await create(newKey(), text));
        accepted(await create(newKey(), text));
        accepted(await create(undefined, text, alice,
            { headers: { 'Content-Type': 'application/json' } }));
    });
});

test('the key with another body: 422', async () => {
    const [key, text] = [newKey(), body()];
    accepted(await create(key, text));
    await makes(0, async () => {
        for (const other of [body(1001), `${text} `, text.replace('1000', '1000 '), '', '{}', 'x',
            body(0)])
            refused(await create(key, other), 422, REUSED);
        refused(await create(`"${key}"`, body(1001)), 422, REUSED);
    });
});

test('keys differ in case, and belong to their user', async () => {
    const [key, text] = [`${newKey()}-Aa`, body()];
    const first = await create(key, text);
    await makes(1, async () => accepted(await create(key.toUpperCase(), text)));
    const before = await payments(bob);
    const other = await create(key, text, bob);
    accepted(other);
    assert.notEqual(other.headers.location, first.headers.location);
    assert.deepEqual(other.all('idempotent-replayed'), []);
    assert.equal(await payments(bob), before + 1);
    isReplay(await create(key, text, bob), other);
    accepted(await create(`${key}-2`, body(1002), bob));
    accepted(await create(`${key}-2`, body(1003)));
});

test('a key in quotes may hold spaces', async () => {
    const [key, text] = [`"${newKey()} of today"`, body()];
    const first = await create(key, text);
    accepted(first);
    isReplay(await create(key, text), first);
});

test('keys that are malformed: 400, nothing made', async () => {
    const bad = ['""', '"', 'a b', 'a"b', '"a', 'a"', 'a\\b', '"a\\"b"', '\xe9', 'a\tb',
        'x'.repeat(256), `"${'x'.repeat(256)}"`, 'x'.repeat(4000)];
    await makes(0, async () => {
        for (const key of bad) {
            const answer = await create(key, body());
            assert.equal(answer.json.content, 'Invalid Idempotency-Key',
                `${answer.text} to ${key}`);
            refused(answer, 400, 'Invalid Idempotency-Key');
        }
        refused(await create('', body()), 400, 'Invalid Idempotency-Key');
        for (const byte of ['\x01', '\x7f',
            '\x1b']) refused(await createRaw([`Idempotency-Key: a${byte}b`]), 400);
    });
});

test('keys of 255 characters, of one, and of every printable kind are taken', async () => {
    await makes(4, async () => {
        for (const key of ['x'.repeat(255), `"${'y'.repeat(255)}"`, '!',
            "#$%&'()*+,-./:;<=>?@[]^_`{|}~"]) {
            const text = body();
            const first = await create(key, text);
            accepted(first);
            isReplay(await create(key, text), first);
        }
    });
});

test('the header given twice: 400, nothing made', async () => {
    await makes(0, async () => {
        for (const [a, b] of [['k', 'k'], ['k', 'l'], ['k', '']])
            refused(await createRaw([`Idempotency-Key: ${a}`, `Idempotency-Key: ${b}`]), 400,
                'Duplicate header');
    });
});

test('on a GET the header means nothing', async () => {
    const options = { token: alice.jwt, key: newKey() };
    const first = await client.request('GET', '/user/balance', options);
    accepted(first);
    assert.deepEqual((await client.request('GET', '/user/balance',
        options)).all('idempotent-replayed'), []);
});

test('F44: while the first one runs: 409; other body 422; afterwards the replay', async () => {
    const [key, text] = [newKey(), body()];
    await sandbox.fault('slow', { ms: 3000, call: 'create' });
    await makes(1, async () => {
        const running = create(key, text);
        await eventually(() =>
            shop.value('SELECT 1 FROM idempotency_keys WHERE idempotency_key = ?', [key]));
        const started = Date.now();
        refused(await create(key, text), 409, RUNNING);
        refused(await create(key, body(1001)), 422, REUSED);
        accepted(await create(key, text, bob));
        assert.ok(Date.now() - started < 2900, 'they do not wait for the first');
        const first = await running;
        accepted(first);
        isReplay(await create(key, text), first);
    }, 2);
});

test('F44, F06: ten at once with one key: one payment and one session', async () => {
    for (let round = 0; round < 3; round++) {
        const [key, text] = [newKey(), body(1000 + round)];
        await makes(1, async () => {
            const answers = await Promise.all(Array.from({ length: 10 }, () => create(key, text)));
            const made = answers.filter((answer) => answer.status === 200);
            assert.ok(made.length >= 1);
            for (const answer of answers) {
                if (answer.status === 200) assert.deepEqual(answer.bytes, made[0].bytes);
                else refused(answer, 409, RUNNING);
            }
            assert.equal(made.filter((answer) =>
                answer.all('idempotent-replayed').length === 0).length, 1);
            isReplay(await create(key, text),
                made.find((answer) => answer.all('idempotent-replayed').length === 0));
        });
    }
});

test('ten at once with one key and ten bodies: one payment, and the others are told', async () => {
    const key = newKey();
    await makes(1, async () => {
        const answers = await Promise.all(Array.from({ length: 10 },
            (_, i) => create(key, body(1000 + i))));
        assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
        for (const answer of answers.filter(({ status }) => status !== 200)) refused(answer, 422,
            REUSED);
    });
});

test('a refusal is kept: replayed, and the corrected body needs another key', async () => {
    await makes(0, async () => {
        for (const wrong of [body(0), body(1000, { tos_timestamp: null }),
            body(1000, { type: 'x' }), 'no json']) {
            const key = newKey();
            const first = await create(key, wrong);
            refused(first, 400);
            isReplay(await create(key, wrong), first);
            refused(await create(key, body()), 422, REUSED);
        }
    });
});

test('a refusal that is not about the body is kept apart: 401 is not kept', async () => {
    const [key, text] = [newKey(), body()];
    refused(await create(key, text, { jwt: 'x.y.z' }), 401, 'Unauthorized');
    await makes(1, async () => accepted(await create(key, text)));
});

test('what the provider refused is kept: 502, replayed without asking again', async () => {
    for (const [fault, status] of [['unauthorized', 'failed'], ['error_5xx', 'pending'],
        ['garbage', 'pending']]) {
        const [key, text] = [newKey(), body()];
        await sandbox.fault(fault, { call: 'create' });
        const first = await create(key, text);
        refused(first, 502, 'Failed to process payment');
        const id = first.headers.location.split('/').pop();
        assert.equal((await client.payment(alice, id)).status, status, fault);
        const calls = await sandbox.creates();
        isReplay(await create(key, text), first);
        assert.equal(await sandbox.creates(), calls, fault);
    }
});

test('503 is not kept: the same key makes a new payment', async () => {
    const [key, text] = [newKey(), body()];
    await sandbox.fault('rate_limited', { retry_after: 7, call: 'create' });
    const first = await create(key, text);
    refused(first, 503, 'Provider unavailable');
    assert.equal(first.headers['retry-after'], '7');
    const id = first.headers.location.split('/').pop();
    assert.equal((await client.payment(alice, id)).status, 'failed');
    await makes(1, async () => {
        const second = await create(key, text);
        accepted(second);
        assert.notEqual(second.headers.location, first.headers.location);
        isReplay(await create(key, text), second);
    });
});

test('F46: the client goes away; its repeat finds the payment', async () => {
    const [key, text] = [newKey(), body()];
    await sandbox.fault('slow', { ms: 3000, call: 'create' });
    await makes(1, async () => {
        const abort = new AbortController();
        const gone = create(key, text, alice,
            { signal: abort.signal }).catch((error) => error.name);
        await eventually(() =>
            shop.value('SELECT 1 FROM idempotency_keys WHERE idempotency_key = ?', [key]));
        abort.abort();
        assert.equal(await gone, 'AbortError');
        refused(await create(key, text), 409, RUNNING);
        const repeat = await eventually(async () => {
            const answer = await create(key, text);
            return answer.status === 200 && answer;
        });
        assert.deepEqual(repeat.all('idempotent-replayed'), ['true']);
        accepted(repeat);
    });
});

test('F40, F06: no answer in time: 504, then 409 while nobody knows, then an answer that stays',
    async () => {
    const [key, text] = [newKey(), body(3300)];
    await sandbox.fault('timeout_after_success', { ms: 10_000 });
    const before = await payments();
    const first = await create(key, text);
    refused(first, 504, 'Payment outcome unknown');
    const id = first.headers.location.split('/').pop();
    const repeated = await create(key, text);
    refused(repeated, 409, RUNNING);
    assert.equal(repeated.headers.location, `/payments/${id}`, 'who lost the 504 can ask for it');
    assert.equal((await client.payment(alice, id)).status, 'pending');
    const found = await hurryUntil(shop, async () => {
        const answer = await create(key, text);
        return answer.status !== 409 && answer;
    }, { id, ended: true });
    assert.deepEqual(found.all('idempotent-replayed'), ['true']);
    assert.equal(found.headers.location, `/payments/${id}`);
    isReplay(await create(key, text), found);
    assert.equal(await payments(), before + 1);
    assert.equal((await sandbox.journal({ order_id: id })).sessions.length, 1);
});

test('kept answers outlive the handlers', async () => {
    const [key, text] = [newKey(), body()];
    const first = await create(key, text);
    await shop.restartPart('guichet');
    isReplay(await create(key, text), first);
});

test('kept for 30 days: younger keys are replayed, older ones forgotten', async () => {
    const text = body();
    const [young, old] = [newKey(), newKey()];
    const first = await create(young, text);
    accepted(await create(old, text));
    const age = (key, hours) =>
        shop.rows(
            `UPDATE idempotency_keys SET created_at = NOW(3) - INTERVAL ? HOUR
             WHERE idempotency_key = ?`,
            [hours, key],
        );
    await age(young, 30 * 24 - 1);
    await age(old, 30 * 24 + 1);
    await shop.restartPart('jobs'); // it looks when it starts, then every minute
    await eventually(async () =>
        !(await shop.value('SELECT 1 FROM idempotency_keys WHERE idempotency_key = ?', [old])));
    isReplay(await create(young, text), first);
    await makes(1, async () => accepted(await create(old, text)));
});

test('every session at the provider belongs to exactly one payment, and the other way round',
    async () => {
    const { sessions: all } = await sandbox.journal();
    const orders = all.map((session) => session.order_id);
    assert.equal(new Set(orders).size, orders.length);
    const rows = await shop.rows(
        "SELECT payment_id FROM payments WHERE user_id IN (?) AND status <> 'failed'",
        [[IDS.alice, IDS.bob]],
    );
    // a lost create may have been replaced by another attempt of the same payment: PAY_…-2
    for (const order of orders) assert.ok(rows.some((row) => row.payment_id === order.replace(/-\d$/, '')), order);
});
