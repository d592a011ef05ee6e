// Notices from the provider: every genuine one is kept and counts once, no other counts at all.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';
import { makeLedger } from './lib/ledger.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const shop = await startInstance({ name: 'webhooks', processes: 4 });
const { client, sandbox } = shop;
const { alice } = shop.users;

// A new payment with its session, and the text of the notice that says it is paid.
async function open(value = 1000) {
    const made = await client.deposit(alice, value);
    accepted(made);
    const session = sessionOf(made.url);
    const notice = (changes, type = 'succeeded') =>
        JSON.stringify(sandbox.notice(session, made.id, value, type, changes));
    return { id: made.id, session, value, notice };
}

const { credits, moves } = makeLedger(shop);
const inbox = (id) =>
    shop.rows('SELECT state, copies, tries, note FROM inbox WHERE reference = ? ORDER BY inbox_id',
        [id]);
const inboxCount = () => shop.value('SELECT COUNT(*) FROM inbox');
const statuses = (answers) => answers.map((answer) => answer.status);
const times = (count, fn) => Promise.all(Array.from({ length: count }, (_, i) => fn(i)));

test('F01: a notice once, twice, twenty times in parallel, and after a restart: one credit',
    async () => {
    const payment = await open(1000);
    const body = payment.notice();
    await moves(1000, async () => {
        const first = await sandbox.notify(body);
        assert.deepEqual(accepted(first), { received: true });
        assert.equal((await sandbox.notify(body)).status, 200);
        const parallel = await times(20, () => sandbox.notify(body));
        assert.deepEqual(statuses(parallel), Array(20).fill(200));
        await shop.restartPart('guichet');
        assert.equal((await sandbox.notify(body)).status, 200);
    });
    assert.equal(await credits(payment.id), 1);
    assert.deepEqual(await inbox(payment.id), [{ state: 'done', copies: 23, tries: 0, note: '' }]);
});

test('F01, F49: twenty copies at once of a notice never seen before: all 200, one credit',
    async () => {
    for (let round = 0; round < 5; round++) {
        const payment = await open(300 + round);
        await moves(payment.value, async () => {
            const answered = await sandbox.webhook({ order_id: payment.id, type: 'succeeded',
                copies: 20 });
            assert.deepEqual(answered, Array(20).fill(200));
        });
        assert.equal(await credits(payment.id), 1);
    }
});

test('F02: other events about the same payment, one after the other: one credit', async () => {
    const payment = await open(1100);
    await moves(1100, async () => {
        for (const changes of [{}, { fees: 10 }, { event: 'evt_2' }, { provider: 'paypal' },
            { event: 'evt_3' }])
            assert.equal((await sandbox.notify(payment.notice(changes))).status, 200);
    });
    assert.equal(await credits(payment.id), 1);
    assert.deepEqual((await inbox(payment.id)).map((row) => row.state), Array(5).fill('done'));
});

test('F02, F49: twenty different events about one payment at once: all 200, one credit',
    async () => {
    for (let round = 0; round < 3; round++) {
        const payment = await open(400 + round);
        await moves(payment.value, async () => {
            const answers = await times(20,
                (i) => sandbox.notify(payment.notice({ event: `evt_${i}` })));
            assert.deepEqual(statuses(answers), Array(20).fill(200));
        });
        assert.equal(await credits(payment.id), 1);
    }
});

test('F04: a notice that comes again changes nothing that was done', async () => {
    const payment = await open(900);
    const body = payment.notice();
    await sandbox.notify(body);
    const before = await client.payment(alice, payment.id);
    const row = await inbox(payment.id);
    await moves(0, () => sandbox.notify(body));
    assert.deepEqual(await client.payment(alice, payment.id), before);
    assert.deepEqual(await inbox(payment.id), [{ ...row[0], copies: row[0].copies + 1 }]);
});

test('F48: twenty payments of one user, each paid by five parallel notices', async () => {
    const payments = await times(20, (i) => open(100 + i));
    const sum = payments.reduce((total, payment) => total + payment.value, 0);
    await moves(sum, async () => {
        const answers = await Promise.all(
            payments.flatMap((payment) => Array.from({ length: 5 }, (_, i) =>
                sandbox.notify(payment.notice(i > 2 ? { event: i } : {})))),
        );
        assert.deepEqual([...new Set(statuses(answers))], [200]);
    });
    for (const payment of payments) assert.equal(await credits(payment.id), 1);
});

test('F14: success and refund at once, many times: refunded, and nothing left of the credit',
    async () => {
    for (let round = 0; round < 3; round++) {
        const payment = await open(500);
        await moves(0, async () => {
            const answers = await times(20, (i) =>
                sandbox.notify(payment.notice({ event: i }, i % 2 ? 'refunded' : 'succeeded')));
            assert.deepEqual([...new Set(statuses(answers))], [200]);
        });
        assert.equal((await client.payment(alice, payment.id)).status, 'refunded');
    }
});

test('F13: a notice about a payment that is not there yet is kept, and applied when it is',
    async () => {
    const model = await open(1300);
    const id = `${model.id.slice(0, -4)}ZZZZ`;
    const session = 'f13session00000000000000000000000';
    const body = JSON.stringify(sandbox.notice(session, id, 1300));
    accepted(await sandbox.notify(body));
    accepted(await sandbox.notify(body));
    assert.deepEqual((await inbox(id)).map(({ state, copies }) => [state, copies]),
        [['unmatched', 2]]);

    // The row appears, as if the create had been slow to commit.
    const columns = (await shop.rows('SELECT * FROM payments WHERE payment_id = ?', [model.id]))[0];
    await moves(1300, async () => {
        await shop.rows('INSERT INTO payments SET ?', [{ ...columns, payment_id: id }]);
        const { insertId } = await shop.rows(
            `INSERT INTO attempts (payment_id, number, provider, reference, deadline_at)
             VALUES (?, 1, 'payviox', ?, NOW(3))`,
            [id, id],
        );
        await shop.rows(
            `INSERT INTO attempt_answers (attempt_id, outcome, definite, provider_reference)
             VALUES (?, 'pending', 1, ?)`,
            [insertId, session],
        );
        await shop.rows('UPDATE inbox SET due_at = NOW(3) WHERE reference = ?', [id]);
        await client.paymentIs(alice, id, 'completed');
    });
    assert.equal((await inbox(id))[0].state, 'done');
    assert.equal((await client.payment(alice, id)).timeline.at(-1).source, 'webhook');
    await moves(0, () => sandbox.notify(body));
});

test('F13: a notice about a payment that never appears ends in review after its tries',
    async () => {
    const id = 'PAY_01ZZZZZZZZZZZZZZZZZZZZZZZZ';
    accepted(await sandbox.notify(JSON.stringify(sandbox.notice('nosession00000000', id, 1000))));
    const first = await shop.value(
        `SELECT TIMESTAMPDIFF(MICROSECOND, NOW(3), due_at) / 1000000 FROM inbox
         WHERE reference = ?`,
        [id],
    );
    assert.ok(first > 0 && first <= 5, `first try after ${first} s`);
    await eventually(async () => {
        await shop.rows(
            "UPDATE inbox SET due_at = NOW(3) WHERE reference = ? AND state = 'unmatched'",
            [id],
        );
        return (await inbox(id))[0].state === 'review';
    }, 20_000, 200);
    const [row] = await inbox(id);
    assert.ok(row.tries >= 5, `${row.tries} tries`);
    assert.match(row.note, /no payment of ours/);
    assert.equal(await shop.value('SELECT due_at FROM inbox WHERE reference = ?', [id]), null);
});

test('F28: another amount or currency than ours credits nothing and waits for review', async () => {
    const payment = await open(1500);
    const wrong = [
        { amount: 1499 }, { amount: 1501 }, { amount: 0 }, { amount: 150000 }, { currency: 'EUR' },
        { currency: 'JPY' }, { currency: 'usd' }, { currency: '' }, { currency: null },
        { currency: undefined },
        { amount: undefined }, { amount: null }, { amount: '1500' }, { amount: -1500 },
        { amount: 1500.5 },
        { amount: [1500] }, { amount: undefined, net_amount: 1500 },
        { amount: 1500, currency: 'USDT' },
    ];
    await moves(0, async () => {
        for (const changes of wrong)
            assert.equal((await sandbox.notify(payment.notice(changes))).status, 200,
                JSON.stringify(changes));
        for (const amount of ['1500.0', '15e2', '9223372036854775808', '1500000000000000000000000'])
            assert.equal((await sandbox.notify(payment.notice().replace('"amount":1500',
                `"amount":${amount}`))).status, 200);
    });
    assert.equal((await client.payment(alice, payment.id)).status, 'pending');
    const hidden = await shop.rows(
        "SELECT state, note FROM inbox WHERE body LIKE CONCAT('%', ?, '%')",
        [payment.id],
    );
    assert.equal(hidden.length, wrong.length + 4);
    for (const row of hidden) {
        assert.equal(row.state, 'review');
        assert.notEqual(row.note, '');
    }
    const { timeline } = await client.payment(alice, payment.id);
    assert.ok(timeline.some((event) =>
        event.kind === 'review' && /another amount/.test(event.detail)));
    assert.ok(timeline.some((event) =>
        event.kind === 'review' && /another currency/.test(event.detail)));

    await moves(1500, () => sandbox.notify(payment.notice()));
});

test('F28: the sandbox sends a wrong amount, a wrong currency: no credit', async () => {
    for (const fault of ['wrong_amount', 'wrong_currency']) {
        const payment = await open(1600);
        await sandbox.fault(fault, { order_id: payment.id });
        await sandbox.act('pay', { order_id: payment.id });
        await eventually(async () => (await inbox(payment.id)).length === 1);
        assert.equal((await inbox(payment.id))[0].state, 'review', fault);
        assert.equal(await credits(payment.id), 0);
    }
});

test('a notice about another session than the payment\'s waits for review', async () => {
    const [mine, other] = [await open(1700), await open(1700)];
    const sessions = [other.session, '', 'x', mine.session.toUpperCase(), `${mine.session}0`,
        mine.session.slice(1)];
    await moves(0, async () => {
        for (const session of sessions) {
            const body = sandbox.notice(session, mine.id, 1700);
            assert.equal((await sandbox.notify(JSON.stringify(body))).status, 200);
        }
        for (const metadata of [undefined, null, {}, [], 'x', { integration_session_id: 1 }])
            assert.equal((await sandbox.notify(mine.notice({ metadata }))).status, 200);
    });
    assert.equal((await client.payment(alice, mine.id)).status, 'pending');
    await moves(1700, () => sandbox.notify(mine.notice()));
});

test('genuine notices that are not as documented: 200, kept for review, no credit', async () => {
    const payment = await open(1800);
    const good = payment.notice();
    const odd = [
        '', 'null', '[]', '"x"', '{', '{}', `${good}x`, `[${good}]`,
        good.replace('"type"', '"type":"expired","type"'), payment.notice({ type: 'paid' }),
        payment.notice({ type: 'SUCCEEDED' }), payment.notice({ type: 1 }),
        payment.notice({ type: undefined }), payment.notice({ order_id: undefined }),
        payment.notice({ order_id: 7 }), payment.notice({ order_id: 'x'.repeat(300) }),
        payment.notice({ order_id: `${payment.id}\u0000` }), payment.notice({ fees: -1 }),
        payment.notice({ fees: '3' }), payment.notice({ fees: 1.5 }),
        `{"deep":${'['.repeat(60)}${']'.repeat(60)}}`,
    ];
    const before = await inboxCount();
    await moves(0, async () => {
        for (const body of odd) assert.equal((await sandbox.notify(body)).status, 200,
            body.slice(0, 80));
    });
    assert.equal(await inboxCount(), before + odd.length);
    const unread = await shop.value(
        "SELECT COUNT(*) FROM inbox WHERE state <> 'review' AND reference = ''",
    );
    assert.equal(unread, 0);
    // Not ours, but right in form: kept as unmatched.
    for (const order_id of [payment.id.toLowerCase(), 'order_12345', '', '\u{1f600}', 'PAY_%',
        "PAY_' OR '1'='1"])
        assert.equal((await sandbox.notify(payment.notice({ order_id }))).status, 200, order_id);
    assert.equal(await credits(payment.id), 0);
});

test('fees that cannot be added still leave a sound ledger and the right credit', async () => {
    const payment = await open(1900);
    const body = payment.notice().replace('"fees":0', '"fees":9223372036854775807');
    await moves(1900, () => sandbox.notify(body));
    assert.equal(shop.ctl('ledger', 'verify').status, 0);
});

test('F36: unsigned and wrongly signed notices: 401, no credit, nothing kept but a count',
    async () => {
    const payment = await open(2000);
    const body = payment.notice();
    const right = sandbox.sign(body);
    const token = shop.secret('payviox_webhook');
    const wrong = [
        '', '0', 'x', right.slice(0, -1), `${right}0`, `${right.slice(0, -1)}g`, `0x${right}`,
        `sha256=${right}`,
        right.split('').reverse().join(''), '0'.repeat(64), sandbox.sign(`${body} `),
            sandbox.sign(''),
        sandbox.sign(body, ''), sandbox.sign(body, shop.secret('payviox')),
        sandbox.sign(body, shop.secret('payviox_public')), sandbox.sign(body, `${token}\n`),
        createHmac('sha1', token).update(body).digest('hex'),
        createHmac('sha512', token).update(body).digest('hex'),
        createHmac('sha256', token).update(body).digest('base64'), `${right},${right}`,
        `${right} ${right}`,
    ];
    const unproved = () =>
        shop.value("SELECT value FROM counters WHERE name = 'webhook.unproved.payviox'");
    const [rows, counted] = [await inboxCount(), (await unproved()) ?? 0];
    await moves(0, async () => {
        for (const signature of wrong) refused(await sandbox.notify(body, { Signature: signature }),
            401, 'Invalid signature');
        const none = await client.request('POST', '/webhook/payviox', { body: JSON.parse(body) });
        refused(none, 401, 'Invalid signature');
        for (const name of ['X-Signature', 'Signatur', 'Stripe-Signature', 'Authorization'])
            refused(await client.request('POST', '/webhook/payviox',
                { body, headers: { [name]: right } }), 401);
        refused(await client.request('POST', `/webhook/payviox?Signature=${right}`, { body }), 401);
        const query = `order_id=${payment.id}&session_id=${payment.session}&status=succeeded`;
        for (const path of ['/return/payviox', '/return/payviox/success'])
            await client.request('GET', `${path}?${query}`);
    });
    assert.equal(await inboxCount(), rows);
    assert.equal(await unproved(), counted + wrong.length + 6);
    assert.equal((await client.payment(alice, payment.id)).status, 'pending');
    assert.equal((await client.payment(alice, payment.id)).timeline.length, 2);
});

test('F36: the signature header given twice is none', async () => {
    const payment = await open(2000);
    const body = payment.notice();
    const lines = ['POST /webhook/payviox HTTP/1.1', 'Host: localhost', 'Connection: close',
        `Content-Length: ${body.length}`];
    const right = `Signature: ${sandbox.sign(body)}`;
    for (const two of [[right, right], [right, 'Signature: 00'], ['Signature: 00', right]]) {
        const answer = await client.raw(`${[...lines, ...two].join('\r\n')}\r\n\r\n${body}`);
        assert.ok([400, 401].includes(answer.status), answer.text);
        refused(answer, answer.status);
    }
    assert.equal(await credits(payment.id), 0);
});

test('F37: the signature is over the raw bytes, however they are written', async () => {
    const spell = {
        escapes: (body) => body.replace('PAY_', '\\u0050\\u0041Y\\u005f').replace('"type"',
            '"\\u0074ype"').replace('USD', 'US\\u0044'),
        spaces: (body) => `\t\n ${body.replaceAll(',', ' ,\r\n  ').replaceAll('":', '" \t: ')} `,
        newline: (body) => `${body}\n`,
        crlf: (body) => `${body}\r\n\r\n`,
        order: (body) =>
            JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(body)).reverse())),
        utf8: (body) => body.replace('Balance deposit', 'Dépôt \u{1f4b6} \\ud83d\\ude00 \\/'),
        large: (body) => body.padEnd(65536, ' '),
    };
    for (const [name, write] of Object.entries(spell)) {
        const payment = await open(2100);
        const body = write(payment.notice());
        const other = JSON.stringify(JSON.parse(body));
        await moves(2100, async () => {
            if (other !== body) refused(await sandbox.notify(other,
                { Signature: sandbox.sign(body) }), 401);
            const answer = await sandbox.notify(body);
            assert.equal(answer.status, 200, name);
        });
        assert.equal((await client.payment(alice, payment.id)).status, 'completed', name);
    }
});

test('F35: a genuine notice of another environment: stored, waits for a person, moves nothing', async () => {
    const payment = await open(1300);
    const reviews = () => shop.rows("SELECT kind, fact, note FROM reviews WHERE kind = 'stranger' ORDER BY review_id");
    const foreign = (id) => {
        const notice = sandbox.notice(payment.session, id, 1300, 'succeeded');
        return JSON.stringify({ ...notice, metadata: { ...notice.metadata, environment: 'staging' } });
    };
    await moves(0, async () => {
        for (const id of [payment.id, payment.id, 'PAY_01M7WP5AWKD4KG5TY09QNPVXWS'])
            assert.equal((await sandbox.notify(foreign(id))).status, 200);
    });
    const [ours, unknown] = await reviews();
    assert.deepEqual(ours, { kind: 'stranger', fact: 'succeeded', note: 'succeeded: of another environment (13.00 USD)' });
    assert.deepEqual(unknown, { kind: 'stranger', fact: 'succeeded', note: 'of another environment' });
    assert.equal((await reviews()).length, 2);
    await moves(1300, () => sandbox.notify(payment.notice()));
});

test('F37: a chunked notice is the same notice', async () => {
    const payment = await open(2200);
    const body = payment.notice();
    const lines = ['POST /webhook/payviox HTTP/1.1', 'Host: localhost', 'Connection: close',
        'Transfer-Encoding: chunked', `Signature: ${sandbox.sign(body)}`];
    const chunks = [];
    for (let at = 0; at < body.length; at += 7) {
        const piece = body.slice(at, at + 7);
        chunks.push(`${piece.length.toString(16)}\r\n${piece}\r\n`, ...(at === 70 ? [50] : []));
    }
    await moves(2200, async () => accepted(await client.raw([`${lines.join('\r\n')}\r\n\r\n`,
        ...chunks, '0\r\n\r\n'])));
});

test('the signature alone proves: the content type and other headers mean nothing', async () => {
    const payment = await open(2300);
    const body = payment.notice();
    await moves(2300, async () => {
        const headers = { 'Content-Type': 'text/plain; charset=x', Authorization: 'Bearer x' };
        accepted(await sandbox.notify(body, headers));
    });
});

test('other methods, other providers, bodies that are too large', async () => {
    const body = (await open()).notice();
    const headers = { Signature: sandbox.sign(body) };
    for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await client.request(method, '/webhook/payviox', { headers });
        refused(answer, 405, 'Method not allowed');
        assert.equal(answer.headers.allow, 'POST');
    }
    for (const provider of ['nobody', 'PAYVIOX', 'payviox2', 'mangopay2'])
        refused(await client.request('POST', `/webhook/${provider}`, { body, headers }), 404,
            'Not found');
    const before = await inboxCount();
    const large = body.padEnd(65537, ' ');
    refused(await sandbox.notify(large), 413, 'Request body too large');
    assert.equal(await inboxCount(), before);
});

test('no notice of the whole file was lost or posted twice', async () => {
    const twice = await shop.rows(
        `SELECT document_id, effect, COUNT(*) AS posted FROM ledger_postings
         GROUP BY document_id, effect HAVING posted > 1`,
    );
    assert.deepEqual(twice, []);
    const { sessions } = await sandbox.journal();
    const rows = await shop.rows('SELECT payment_id FROM payments WHERE user_id = ?', [IDS.alice]);
    const ours = new Set(rows.map((row) => row.payment_id));
    for (const session of sessions) assert.ok(ours.has(session.order_id), session.order_id);
});
