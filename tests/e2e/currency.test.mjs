// Money in currencies of no, two and three decimal places, through the whole chain and back, always
// as whole minor units; what is no such number; a balance per currency. Where the machine has a
// German locale the programs run in it (F31).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import test from 'node:test';
import { hurryUntil, statusOf } from './lib/chaos.mjs';
import { nowSeconds } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';
import { makeLedger } from './lib/ledger.mjs';

const german = spawnSync('locale', ['-a'], { encoding: 'utf8' })
    .stdout.split('\n').find((name) => /^de_DE(\.utf-?8)?$/i.test(name));
const shop = await startInstance({ name: 'currency', env: german && { LC_ALL: german } });
const { client, sandbox } = shop;
const { alice, bob, olivia } = shop.users;

// The decimal places, and the same amount as people write it: see the alerts.
const CURRENCIES = {
    USD: [[500, '5.00'], [1005, '10.05'], [12345, '123.45'], [50000, '500.00']],
    JPY: [[500, '500'], [1005, '1005'], [12345, '12345'], [50000, '50000']],
    KWD: [[1500, '1.500'], [1505, '1.505'], [12345, '12.345'], [150000, '150.000']],
};

const balance = async (user, currency) =>
    accepted(await client.request('GET', `/user/balance?currency=${currency}`, { token: user.jwt })).balance;
const balances = async (user) => {
    const found = {};
    for (const currency of ['USD', 'EUR', 'GBP', 'JPY', 'KWD']) found[currency] = await balance(user, currency);
    return found;
};

async function open(user, amount, currency, options) {
    const made = await client.paiement(user, { amount, currency }, options);
    accepted(made);
    return made;
}

const { entries } = makeLedger(shop);

test('F31: the handlers run in a German locale', { skip: german ? false : 'this machine has none' }, () => {
    for (const part of ['guichet', 'jobs'])
        for (const pid of shop.pids(part))
            assert.ok(fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`LC_ALL=${german}`));
});

// There by the create call, back by a notice or by the read-back: the number stays what it is.
for (const [currency, amounts] of Object.entries(CURRENCIES))
    for (const way of ['notice', 'read-back'])
        test(`F29: ${currency} to the provider, and back by a ${way}`, async () => {
            for (const [i, [amount, written]] of amounts.entries()) {
                const provider = i % 2 === 0 && amount >= 3000 ? 'mannco' : 'payviox';
                const before = await balances(alice);
                const made = await open(alice, amount, currency, { provider });
                assert.deepEqual([made.json.content.amount, made.json.content.currency], [amount, currency]);
                if (way === 'read-back') await sandbox.fault('webhook_dropped', { order_id: made.id });
                await client.pay(made.url);
                if (way === 'notice') await client.paymentIs(alice, made.id, 'completed');
                else await hurryUntil(shop, async () => (await statusOf(shop, made.id)) === 'completed',
                    { id: made.id });
                const [session] = (await sandbox.journal({ order_id: made.id })).sessions;
                assert.deepEqual([session.amount, session.currency, session.charges], [amount, currency, 1]);
                assert.deepEqual(await balances(alice), { ...before, [currency]: before[currency] + amount });
                const { fees } = session;
                assert.ok(Number.isSafeInteger(fees) && fees > 0);
                assert.deepEqual((await entries(made.id)).map((e) => [e.kind, e.amount, e.currency]), [
                    ['user', amount, currency],
                    ['provider', -amount - fees, currency],
                    ['provider_fees', fees, currency],
                ]);
                const payment = await client.payment(alice, made.id);
                assert.deepEqual([payment.amount, payment.currency], [amount, currency]);
                const { alerts } = accepted(
                    await client.request('GET', '/user/notifications', { token: alice.jwt }));
                assert.equal(alerts.find(({ paymentId }) => paymentId === made.id).text,
                    `${written} ${currency} were added to your balance.`);
            }
        });

test('F29: a notice that is a factor of 10, 100 or 1000 off credits nothing', async () => {
    for (const [currency, amounts] of Object.entries(CURRENCIES)) {
        const before = await balances(alice);
        const amount = amounts[1][0] * 10; // divisible by ten
        for (const wrong of [amount * 10, amount * 100, amount * 1000, amount / 10, amount + 1, amount - 1, 0]) {
            const made = await open(alice, amount, currency);
            assert.deepEqual(
                await sandbox.webhook({ order_id: made.id, type: 'succeeded', amount: wrong }), [200]);
            assert.equal((await client.payment(alice, made.id)).status, 'pending', `${currency} ${wrong}`);
            const inbox = await shop.rows('SELECT state FROM inbox WHERE reference = ?', [made.id]);
            assert.deepEqual(inbox, [{ state: 'review' }]);
        }
        assert.deepEqual(await balances(alice), before);
    }
});

test('F28: the same number in another currency credits nothing', async () => {
    const before = await balances(alice);
    for (const currency of ['USD', 'JPY', 'KWD'])
        for (const other of ['USD', 'JPY', 'KWD', 'EUR', 'IDR', 'XTS'].filter((code) => code !== currency)) {
            const made = await open(alice, 2000, currency);
            await sandbox.webhook({ order_id: made.id, type: 'succeeded', currency: other });
            assert.equal((await client.payment(alice, made.id)).status, 'pending', `${currency} ${other}`);
        }
    assert.deepEqual(await balances(alice), before);
});

test('a refund takes back what was credited, in its currency', async () => {
    for (const currency of Object.keys(CURRENCIES)) {
        const before = await balances(bob);
        const made = await open(bob, 5001, currency);
        await sandbox.act('pay', { order_id: made.id });
        await client.paymentIs(bob, made.id, 'completed');
        assert.equal(await balance(bob, currency), before[currency] + 5001);
        await sandbox.act('refund', { order_id: made.id });
        await client.paymentIs(bob, made.id, 'refunded');
        assert.deepEqual(await balances(bob), before);
        const back = (await entries(made.id)).filter(({ effect }) => effect === 'refund');
        assert.deepEqual(back.map((e) => [e.kind, e.amount, e.currency]),
            [['user', -5001, currency], ['provider', 5001, currency]]);
    }
});

test('every posting is of one currency and sums to zero in it', async () => {
    const wrong = await shop.rows(
        `SELECT posting_id, COUNT(DISTINCT currency) AS currencies, SUM(amount) AS off
         FROM ledger_entries GROUP BY posting_id HAVING currencies <> 1 OR off <> 0`);
    assert.deepEqual(wrong, []);
    const mixed = await shop.rows(
        `SELECT e.entry_id FROM ledger_entries e JOIN ledger_accounts a USING (account_id)
         WHERE e.currency <> a.currency`);
    assert.deepEqual(mixed, []);
});

test('the history runs per currency', async () => {
    const { values } = accepted(
        await client.request('GET', '/user/getBalanceHistory?limit=50', { token: alice.jwt }));
    const running = {};
    for (const { currency, value, balance: after, type } of values.reverse()) {
        running[currency] = (running[currency] ?? 0) + value;
        assert.equal(after, running[currency], `${currency} ${type}`);
    }
    for (const [currency, total] of Object.entries(running)) assert.equal(await balance(alice, currency), total);
});

test('money of one currency does not buy what another one prices', async () => {
    const made = await open(olivia, 50000, 'EUR');
    await sandbox.act('pay', { order_id: made.id });
    await client.paymentIs(olivia, made.id, 'completed');
    const buy = () => client.request('POST', '/payment/mannco', {
        token: olivia.jwt,
        body: { type: 'items', items: '900000010', tos_timestamp: nowSeconds() },
    });
    refused(await buy(), 402, 'Insufficient balance');
    assert.deepEqual(await balances(olivia), { USD: 0, EUR: 50000, GBP: 0, JPY: 0, KWD: 0 });
    const dollars = await open(olivia, 1000, 'USD');
    await sandbox.act('pay', { order_id: dollars.id });
    await client.paymentIs(olivia, dollars.id, 'completed');
    accepted(await buy());
    const price = await shop.value('SELECT price FROM payment_items WHERE asset_id = 900000010');
    assert.deepEqual(await balances(olivia), { USD: 1000 - price, EUR: 50000, GBP: 0, JPY: 0, KWD: 0 });
});

// As they stand in a body of JSON.
const NO_AMOUNTS = ['10.5', '1000.0', '"1000"', '1e3', '1E3', '1e30', '-1', '-0', '0', '2147483648',
    '4294967297', '9223372036854775807', '9223372036854775808', `1${'0'.repeat(30)}`, '""', '"NaN"', '"10,00"',
    '"1.000"', 'null', 'true', '[1000]', '{"amount":1000}'];
const NO_JSON = ['NaN', 'Infinity', '-Infinity', '+1000', '1,000', '1.000,00', '0x3e8', '1000.', '.5', '01000',
    "'1000'"];
const NO_FORM = ['10.5', '10,5', '1.000', '1,000', '1e3', '-1', '+1', '0', '', ' ', '١٠٠٠', 'NaN', '0x3e8',
    '2147483648', '9223372036854775808', `1${'0'.repeat(30)}`];

test('F32: what is no amount, on both endpoints: a documented refusal, and no row', async () => {
    const count = () => shop.value('SELECT COUNT(*) FROM payments');
    const before = await count();
    const send = (path, type, body) =>
        client.request('POST', path, { token: alice.jwt, body, headers: { 'Content-Type': type } });
    const older = (text, type = 'application/json') => send('/paiement/payviox', type, text);
    const newer = (text, type = 'application/json') => send('/payment/payviox', type, text);
    const form = 'application/x-www-form-urlencoded';
    for (const amount of NO_AMOUNTS) {
        for (const currency of ['USD', 'JPY', 'KWD'])
            refused(await older(`{"amount":${amount},"currency":"${currency}"}`), 400, 'Invalid amount');
        refused(await newer(`{"type":"balance","value":${amount},"tos_timestamp":1706745600}`), 400,
            'Invalid request parameters');
    }
    for (const amount of NO_JSON) {
        refused(await older(`{"amount":${amount}}`), 400, 'Invalid request parameters');
        refused(await newer(`{"type":"balance","value":${amount},"tos_timestamp":1706745600}`), 400,
            'Invalid request parameters');
    }
    for (const amount of NO_FORM.map(encodeURIComponent)) {
        refused(await older(`amount=${amount}`, form), 400, 'Invalid amount');
        refused(await newer(`type=balance&value=${amount}&tos_timestamp=1706745600`, form), 400,
            'Invalid request parameters');
    }
    assert.equal(await count(), before);
    assert.equal(await shop.value('SELECT COUNT(*) FROM idempotency_keys'), 0);
});

test('F32: notices with a number that is none credit nothing', async () => {
    const before = await balances(alice);
    for (const amount of ['20.0', '2e3', '-2000', '"2000"', '9223372036854775808', 'null', 'true']) {
        const made = await open(alice, 2000, 'USD');
        const [session] = (await sandbox.journal({ order_id: made.id })).sessions;
        const body = JSON.stringify(sandbox.notice(session.session_id, made.id, 2000))
            .replace('"amount":2000', `"amount":${amount}`);
        assert.equal((await sandbox.notify(body)).status, 200);
        assert.equal((await client.payment(alice, made.id)).status, 'pending', amount);
    }
    assert.deepEqual(await balances(alice), before);
    assert.equal(await shop.value("SELECT COUNT(*) FROM ledger_accounts WHERE owner = ? AND kind = 'user'",
        [IDS.alice]), 3);
});
