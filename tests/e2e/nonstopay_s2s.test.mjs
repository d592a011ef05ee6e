// Cards that callers hand over: charged, declined, asked for by their bank; and then the search for
// what must not be left of them, in every log, row and file. CARD_SCAN sets how many are paid.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { describe } from 'node:test';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { BIN, startInstance } from './lib/instance.mjs';
import { makeLedger } from './lib/ledger.mjs';
import { BILLING, CUSTOMER, card, makeNonstopay } from './lib/nonstopay.mjs';

const shop = await startInstance({
    name: 's2s',
    processes: 3,
    set: { 'nonstopay.enabled': 'on', 'nonstopay.s2s': 'on' },
});
const { client, sandbox } = shop;
const { alice } = shop.users;
const nonstopay = makeNonstopay(shop);

const DECLINED = '4000000000000002';
const NO_FUNDS = '4000000000009995';
const CHALLENGE = '4000002760003184';

const payWith = (given, extra = {}, options = {}) =>
    nonstopay.deposit(alice, 1504, { customer: CUSTOMER, billing: BILLING, card: given, ...extra },
        options);

const { credits, moves } = makeLedger(shop);

describe('a card that came along', () => {
    test('is charged at once: read back, credited, and nobody has to go anywhere', () =>
        moves(1504, async () => {
            await nonstopay.fault('webhook_dropped'); // or its reading might be faster
            const paid = await payWith(card());
            assert.deepEqual(accepted(paid), { message: 'Payment processed successfully' });
            const payment = await client.payment(alice, paid.id);
            assert.equal(payment.status, 'completed');
            assert.equal(payment.timeline.at(-1).source, 'request');
            const { calls } = await nonstopay.journal(paid.id);
            assert.deepEqual(calls.slice(0, 2).map((call) => call.path),
                ['/api/btn-create-invoice/get/', '/api/client-invoice-info/get/']);
        }));

    test('what NonStopPay is told: every field of its documentation', async () => {
        const paid = await payWith(card('4242 4242 4242 4242'));
        accepted(paid);
        const [session] = (await nonstopay.journal(paid.id)).sessions;
        const kept = fs.readFileSync(path.join(shop.home, 'sandbox-sessions.jsonl'), 'utf8')
            .split('\n').filter((line) => line.includes(`"id":"${session.session_id}"`));
        const body = JSON.parse(JSON.parse(kept[0]).body);
        assert.deepEqual(Object.fromEntries(Object.entries(body)
            .filter(([key]) => !/_url$|callbackJson/.test(key))), {
            email: 'payer@example.com', amount: '15.04', devise: 'USD', name: 'John Smith',
            address1: '1000 Lombard St', address2: '1000 Lombard St', city: 'San Francisco',
            country: 'US', state: 'CA', postcode: '90210', date_of_birth: '1990-12-31',
            phone: '020 7946 0018', customer_ip: '203.0.113.9',
        });
    });

    test('the address of the caller is the payer\'s if none is given', async () => {
        const { ip, ...customer } = CUSTOMER;
        assert.ok(ip);
        accepted(await payWith(card(), { customer }));
    });

    for (const [what, number] of [['is declined', DECLINED], ['lacks funds', NO_FUNDS]])
        test(`${what}: Payment declined, nothing credited`, () =>
            moves(0, async () => {
                const answer = await payWith(card(number));
                refused(answer, 402, 'Payment declined');
                assert.equal((await client.payment(alice, answer.id)).status, 'failed');
            }));

    for (const [answer, status, amount] of [['approve', 'completed', 1504], ['deny', 'failed', 0]])
        test(`3-D Secure: the payer goes to the bank's page, and ${answer}s: ${status}`, () =>
            moves(amount, async () => {
                const asked = await payWith(card(CHALLENGE));
                assert.match(accepted(asked).url, /\/nonstopay\/widget/);
                assert.equal((await client.payment(alice, asked.id)).status, 'pending');
                const back = await client.post(asked.url, { challenge: answer });
                assert.match(back.headers.location, /\/return\/nonstopay/);
                await client.paymentIs(alice, asked.id, status);
            }));

    test('what was charged but cannot be read yet: being processed, then completed', () =>
        moves(1504, async () => {
            await nonstopay.fault('webhook_dropped'); // its reading would not fail, and might be faster
            await nonstopay.fault('error_5xx', { call: 'read' });
            const paid = await payWith(card());
            assert.deepEqual(accepted(paid), { message: 'Payment is being processed' });
            await nonstopay.webhook({ order_id: paid.id, type: 'invoice:paid' });
            await client.paymentIs(alice, paid.id, 'completed');
        }));

    test('F28: charged another amount than asked for: not credited, in the review list', () =>
        moves(0, async () => {
            await nonstopay.fault('webhook_dropped', { count: 1 });
            await nonstopay.fault('wrong_amount', { delta: -4, call: 'read' });
            const paid = await payWith(card());
            assert.deepEqual(accepted(paid), { message: 'Payment is being processed' });
            assert.equal(await credits(paid.id), 0);
            assert.equal(await shop.value('SELECT kind FROM reviews WHERE payment_id = ?', [paid.id]),
                'mismatch');
            await sandbox.reset();
            await shop.rows('DELETE FROM payment_checks WHERE payment_id = ?', [paid.id]);
        }));

    test('the older endpoint and the house brand take it too', async () => {
        const body = { amount: 2000, customer: CUSTOMER, billing: BILLING, card: card() };
        const paid = await client.paiement(alice, body, { provider: 'nonstopay' });
        const content = accepted(paid);
        assert.deepEqual([content.status, content.paymentUrl], ['completed', null]);
        const house = await client.paiement(alice, body, { provider: 'mannco' });
        assert.equal(accepted(house).status, 'completed');
        assert.equal((await sandbox.journal({ order_id: house.id })).sessions[0].provider,
            'nonstopay');
    });

    for (const [what, change, message] of [
        ['a wrong check digit', { number: '4242424242424241' }, 'Invalid card'],
        ['a month that is over', { expiry: '01/2020' }, 'Invalid card'],
        ['an expiry date of two digits', { expiry: '12/40' }, 'Invalid card'],
        ['a security code of two digits', { cvc: '12' }, 'Invalid card'],
        ['no holder', { holder: '' }, 'Invalid card'],
        ['a number that is a number', { number: 4242424242424242 }, 'Invalid card'],
    ])
        test(`${what}: refused, and nothing of the payment is stored`, async () => {
            const before = await shop.value('SELECT COUNT(*) FROM payments');
            refused(await payWith({ ...card(), ...change }), 400, message);
            assert.equal(await shop.value('SELECT COUNT(*) FROM payments'), before);
        });

    test('without an address, a birthday or a phone: refused', async () => {
        refused(await payWith(card(), { billing: {} }), 400, 'Invalid billing');
        refused(await payWith(card(), { customer: { ...CUSTOMER, date_of_birth: null } }), 400,
            'Invalid customer');
        refused(await payWith(card(), { customer: { ...CUSTOMER, phone: undefined } }), 400,
            'Invalid customer');
    });

    test('the same key replays the answer; another card under it is another request', () =>
        moves(1504, async () => {
            const first = await payWith(card(), {}, { key: 'card-1' });
            accepted(first);
            const again = await payWith(card(), {}, { key: 'card-1' });
            assert.equal(again.headers['idempotent-replayed'], 'true');
            assert.equal(again.text, first.text);
            refused(await payWith(card(CHALLENGE), {}, { key: 'card-1' }), 422);
        }));

    test('the memory of the handlers is locked, and they leave no core', () => {
        for (const pid of shop.pids('guichet')) {
            const limits = fs.readFileSync(`/proc/${pid}/limits`, 'utf8');
            assert.match(limits, /Max core file size +1 +1 /);
            const [, locked] = fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmLck:\s+(\d+)/);
            // the sanitizers do not let memory be locked
            if (!/\/(asan|tsan)$/.test(BIN)) assert.ok(Number(locked) > 0, `VmLck of ${pid}`);
        }
    });
});

// --- the search ---

// Every form in which a number might have been written down.
function forms(number) {
    const groups = number.match(/.{1,4}/g);
    const spaced = [number, groups.join(' '), groups.join('-')];
    const list = [...spaced, groups.join('%20'), groups.join('+'), groups.join('\\u0020')];
    for (const text of spaced)
        for (let shift = 0; shift < 3; shift++) {
            // base64 at each of its three offsets, without the letters that neighbours change
            const coded = Buffer.from('x'.repeat(shift) + text).toString('base64');
            list.push(coded.slice(shift === 0 ? 0 : 4, -4));
            list.push(coded.slice(shift === 0 ? 0 : 4, -4).replaceAll('+', '-').replaceAll('/', '_'));
        }
    list.push(Buffer.from(number).toString('hex'), Buffer.from(number, 'utf16le').toString('latin1'));
    return list;
}

function* files(folder) {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
        const file = path.join(folder, entry.name);
        if (entry.isDirectory()) yield* files(file);
        else if (entry.isFile()) yield file;
    }
}

const NUMBERS = ['4242424242424242', DECLINED, NO_FUNDS, CHALLENGE, '4242424242424241'];
const HOLDER = 'Zebulon Cardholder';

test('F51: after payments over every path, errors and kills: no card data anywhere', async () => {
    const count = Number(process.env.CARD_SCAN ?? 60);
    const key = shop.secret('api_key_hash');
    assert.ok(key.length >= 32);
    const faults = ['error_5xx', 'garbage', 'connection_reset', 'connection_reset_after_success',
        'rate_limited', 'slow', 'refused', null, null, null];
    const seen = new Map();
    let killed = 0;
    for (let i = 0; i < count; i += 4) {
        const fault = faults[i / 4 % faults.length];
        if (fault) await nonstopay.fault(fault, { call: fault === 'refused' ? undefined : 'create', count: 2 });
        if (i % 40 === 36) {
            // a handler dies with cards in its hands
            setTimeout(() => shop.pids('guichet').slice(0, 1)
                .forEach((pid) => process.kill(pid, 'SIGKILL')), 5);
            killed++;
        }
        await Promise.all(NUMBERS.slice(0, 4).map(async (number, n) => {
            const text = (i + n) % 2 ? number.match(/.{4}/g).join(' ') : number;
            const given = { ...card(text), holder: HOLDER, cvc: '739' };
            const wrong = i % 20 === 16 ? { billing: { country: 'XX' } } : {};
            const answer = await payWith(i % 12 === 8 ? { ...given, number: NUMBERS[4] } : given,
                wrong, { key: `scan-${i}-${n}` }).catch(() => ({ status: 0, text: '' }));
            seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
            for (const form of NUMBERS.flatMap(forms))
                assert.ok(!answer.text.includes(form), answer.text);
        }));
    }
    assert.ok(seen.get(200) > 0 && seen.get(400) > 0 && seen.get(502) > 0 && seen.get(503) > 0,
        JSON.stringify([...seen]));
    assert.ok(killed > 0 || count < 40);
    await eventually(async () => (await client.request('GET', '/health/ready')).status === 200, 30_000);
    // bodies that are no JSON, or not whole, reach other code
    for (const body of [`{"card":{"number":"${NUMBERS[0]}"`, `card=${NUMBERS[0]}&type=balance`,
        `{"type":"balance","value":"${NUMBERS[0]}"}`])
        await client.request('POST', '/payment/nonstopay', { token: alice.jwt, body,
            headers: { 'Content-Type': 'application/json' } });
    const wanted = [...NUMBERS.flatMap(forms), '"739"', 'cvc":'].map((text) =>
        Buffer.from(text, 'latin1'));
    // what is surely written down is found: the search itself works
    const control = Buffer.from(await shop.value('SELECT MAX(payment_id) FROM payments'));
    const hits = [], controls = new Set();
    let bytes = 0;
    for (const file of files(shop.home)) {
        const text = fs.readFileSync(file);
        bytes += text.length;
        if (text.includes(control)) controls.add(path.relative(shop.home, file).split('/')[0]);
        for (const form of wanted) if (text.includes(form)) hits.push(`${form} in ${file}`);
        // the sandbox keeps the name on an invoice, as NonStopPay does
        if (text.includes(HOLDER) && !file.endsWith('/sandbox-sessions.jsonl'))
            hits.push(`${HOLDER} in ${file}`);
    }
    assert.ok(bytes > 1_000_000, `${bytes} bytes looked at`);
    assert.deepEqual(hits, []);
    assert.ok(controls.size >= 2, `${control} only in ${[...controls]}`); // the database, the log
    // and an idempotency fingerprint is no hash that can be tried out
    const { createHash } = await import('node:crypto');
    const body = JSON.stringify({ type: 'balance', value: 1504, tos_timestamp: 1706745600, card: card() });
    await client.request('POST', '/payment/nonstopay', { token: alice.jwt, body, key: 'plain',
        headers: { 'Content-Type': 'application/json' } });
    const plain = createHash('sha256').update(body).digest();
    const stored = await shop.value("SELECT request_hash FROM idempotency_keys WHERE idempotency_key = 'plain'");
    assert.ok(Buffer.isBuffer(stored) && !stored.equals(plain));
});
