// Carts through Payviox: what may be asked for, who holds what and for how long, who gets what when
// it is paid in time, too late or twice. Bob sells; alice and the other buyers buy.
import assert from 'node:assert/strict';
import test, { afterEach, describe } from 'node:test';
import { assertBooks, hurry, kindsOf, letRest, statusOf } from './lib/chaos.mjs';
import { makeCarts } from './lib/carts.mjs';
import { eventually, nowSeconds, sleep } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import {
    addBuyers, addItems, alertsOf, changeItem, fund, itemOf, letExpire, linesOf, nameOf, snapshot,
} from './lib/market.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const shop = await startInstance({
    name: 'carts',
    set: { 'jobs.idle_wait': 50 },
});
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
const [carol, dave] = await addBuyers(shop, 2);
const TOS = { tos_timestamp: 1706745600 }; // repeats must have the same bytes

let keys = 0;
const newKey = () => `carts-${++keys}`;
const { onSale, holderOf, creates, open, pay, becomes, assertSold } = makeCarts(shop);
const countPayments = () => shop.value('SELECT COUNT(*) FROM payments');

// The payment has been paid, its items went elsewhere, and its payer knows.
async function assertCredited(user, id, amount) {
    assert.deepEqual(await linesOf(shop, id), { [`credit ${nameOf(shop, user.id)}`]: amount });
    const [text, ...more] = await alertsOf(shop, user, id);
    assert.match(text, /^\d+\.\d\d USD arrived too late .* added to your balance/);
    assert.deepEqual(more, []);
    const topic = await shop.rows(
        "SELECT topic FROM outbox JOIN deliveries USING (outbox_id) WHERE payment_id = ? AND receiver = 'mail'", [id]);
    assert.deepEqual(topic, [{ topic: 'payment.undeliverable' }], 'what the mail is about');
    assert.equal((await kindsOf(shop, user, id)).at(-1), 'undeliverable');
}

afterEach(async (context) => {
    await sandbox.reset();
    if (context.passed !== false) await assertBooks(shop);
});

describe('what may be asked for', () => {
    const good = '900000001';
    const badLists = {
        'missing': undefined, 'empty': '', 'a space': ' ', 'a comma': ',', 'a word': 'abc', 'a gap': '900000001,,900000002',
        'a last comma': '900000001,', 'twice the same': '900000001,900000001', 'twice with spaces': '900000001, 900000001 ',
        'zero': '0', 'a sign': '-900000001', 'a fraction': '1.5', 'too big': '9223372036854775808', 'semicolons': '1;2',
        'a number': 900000001, 'a list': [900000001], 'null': null, 'an object': {}, 'true': true,
        '101 of them': Array.from({ length: 101 }, (_, i) => 900000001 + i).join(','),
    };
    for (const [what, items] of Object.entries(badLists))
        test(`a list that is none: ${what}`, async () => {
            const before = await snapshot(shop);
            refused(await client.buy(alice, good, { items }), 400, 'Invalid request parameters');
            assert.deepEqual(await snapshot(shop), before);
        });

    test('items that cannot be had, alone or among others: No items found, and nothing is stored', async () => {
        const [inEuro] = await addItems(shop, bob, [1500], { currency: 'EUR' });
        const [notOnSale] = await addItems(shop, bob, [1500], { state: 0 });
        const [withdrawn] = await addItems(shop, bob, [1500], { state: 2 });
        const [reserved] = await addItems(shop, bob, [1500], { state: -1 });
        const [held] = await onSale(1500);
        await open(carol, [held]);
        const before = await snapshot(shop);
        for (const bad of [77, 987654323, 987654330, inEuro, notOnSale, withdrawn, reserved, held])
            for (const items of [`${bad}`, `${good},${bad}`, `${bad}, ${good}`])
                refused(await client.buy(alice, items), 400, 'No items found');
        const key = newKey();
        const answer = await client.buy(alice, [held], TOS, { key });
        refused(answer, 400, 'No items found');
        const again = await client.buy(alice, [held], TOS, { key });
        assert.equal(again.text, answer.text);
        assert.equal(again.headers['idempotent-replayed'], 'true');
        assert.deepEqual(await snapshot(shop), before);
    });

    test('the order of the checks: body, terms of service, items', async () => {
        const ask = (items, tos) => client.buy(alice, items, { tos_timestamp: tos });
        refused(await ask('no list', undefined), 400, 'Invalid request parameters');
        refused(await ask('77', undefined), 400, 'Tos acceptance is required');
        refused(await ask('77', 'yes'), 400, 'Invalid TOS acceptance');
        refused(await ask('77', nowSeconds() + 600), 400, 'Tos acceptance cannot be in the future');
        refused(await ask('77', nowSeconds()), 400, 'No items found');
    });

    test('a sum beyond what one payment or the provider takes', async () => {
        const [dear, dearer, cheap] = await onSale(1_250_000, 1_250_001, 99);
        const before = await snapshot(shop);
        refused(await client.buy(alice, [dear, dearer]), 400, 'Invalid request parameters');
        refused(await client.buy(alice, [cheap]), 400, 'Invalid request parameters');
        assert.deepEqual(await snapshot(shop), before);
        await open(alice, [dear, cheap]);
    });

    test('what a client says of the value counts for nothing', async () => {
        const [asset] = await onSale(1500);
        const { id } = await open(alice, [asset], { value: 1 });
        assert.equal((await client.payment(alice, id)).amount, 1500);
    });
});

describe('a cart that is paid', () => {
    test('held with the payment, one line each at the provider, then to the buyer and to the seller', async () => {
        const assets = await onSale(999, 1001, 333);
        const list = ` ${assets[2]} ,${assets[0]},  ${assets[1]}`;
        const { id, url } = await open(carol, list);
        for (const asset of assets)
            assert.deepEqual(await itemOf(shop, asset), { owner: bob.id, state: 1, holder: id });
        const seen = await client.payment(carol, id);
        assert.deepEqual([seen.type, seen.amount, seen.status], ['items', 2333, 'pending']);
        assert.deepEqual(seen.items.map(({ assetId, price }) => [Number(assetId), price]),
            [[assets[0], 999], [assets[1], 1001], [assets[2], 333]]);

        const { sessions } = await sandbox.journal({ order_id: id });
        assert.deepEqual(sessions.map((session) => [session.amount, session.currency]), [[2333, 'USD']]);
        const told = await sandbox.request('GET', `/payviox/payment/${sessions[0].session_id}`, { token: shop.secret('payviox') });
        assert.deepEqual(told.json.items, assets.map((asset, i) => ({
            name: `Item ${asset}`, quantity: 1, price: [999, 1001, 333][i],
        })));

        const before = await client.balance(bob);
        await client.pay(url);
        await client.paymentIs(carol, id, 'completed');
        for (const asset of assets) await assertSold(asset, carol);
        // 5 %, rounded down for each item: 49 + 50 + 16
        assert.equal(await client.balance(bob), before + 2333 - 115);
        assert.equal(await client.balance(carol), 0);
        assert.deepEqual(await linesOf(shop, id), { 'credit bob': 2218, 'credit house': 115 });
        assert.deepEqual(await alertsOf(shop, carol, id),
            ['23.33 USD were paid for your items; they are in your inventory.']);
        assert.deepEqual(await kindsOf(shop, carol, id), ['created', 'attempt', 'completed']);
    });

    test('by form fields; sold once, it is not on sale any more', async () => {
        const [asset] = await onSale(1500);
        const made = await client.request('POST', '/payment/payviox', {
            token: carol.jwt, form: { type: 'items', items: String(asset), tos_timestamp: '1706745600' },
        });
        await client.pay(accepted(made).url);
        await eventually(async () => (await itemOf(shop, asset)).owner === carol.id);
        for (const user of [carol, dave]) refused(await client.buy(user, [asset]), 400, 'No items found');
        await changeItem(shop, asset, { state: 1, price: 2000 });
        refused(await client.buy(carol, [asset]), 400, 'No items found');
        await pay(bob, await open(bob, [asset]));
        await assertSold(asset, bob);
    });

    test('a hundred items of many sellers: one posting, one line for each of them', async () => {
        const sellers = await addBuyers(shop, 3);
        const assets = [];
        for (let i = 0; i < 100; i++) assets.push(...(await addItems(shop, sellers[i % 3], [100 + i])));
        const made = await open(carol, assets.reverse());
        const { sessions: [session] } = await sandbox.journal({ order_id: made.id });
        const told = await sandbox.request('GET', `/payviox/payment/${session.session_id}`, { token: shop.secret('payviox') });
        assert.equal(told.json.items.length, 100);
        assert.equal(told.json.items.reduce((sum, item) => sum + item.price, 0), session.amount);
        await pay(carol, made);
        assert.equal(Object.keys(await linesOf(shop, made.id)).length, 4);
        await assertSold(assets[50], carol);
    });

    test('a hundred items with the longest names that there are', async () => {
        const name = '\u{1F3A9}'.repeat(128);
        const made = await open(carol, await addItems(shop, bob, Array(100).fill(100), { name }));
        await pay(carol, made);
        assert.equal((await client.payment(carol, made.id)).items[99].name, name);
    });

    test('the fee is what the settings say when the payment is made', async () => {
        const [first, second] = await onSale(1999, 1999);
        const fee = 'payment.seller_fee_bps';
        let made;
        await shop.withSettings({ [fee]: 0 }, async () => (made = await open(carol, [first])));
        await shop.withSettings({ [fee]: 1234 }, async () => {
            await pay(carol, made);
            assert.deepEqual(await linesOf(shop, made.id), { 'credit bob': 1999 });
            const other = await open(carol, [second]);
            await pay(carol, other);
            assert.deepEqual(await linesOf(shop, other.id), { 'credit bob': 1999 - 246, 'credit house': 246 });
        });
    });

    test('F21: nobody comes back to the return page, and the notice is enough', async () => {
        const [asset] = await onSale(1500);
        const made = await open(carol, [asset]);
        await sandbox.act('pay', { order_id: made.id }); // no browser at all
        await client.paymentIs(carol, made.id, 'completed');
        await assertSold(asset, carol);
    });

    test('F20: the notice is lost too, and the jobs find out', async () => {
        const [asset] = await onSale(1500);
        const { id } = await open(carol, [asset]);
        await sandbox.fault('webhook_dropped', { order_id: id });
        await sandbox.act('pay', { order_id: id });
        await becomes(id, 'completed');
        await assertSold(asset, carol);
    });

    test('F05: notice, return page and jobs at once: one hand-over', async () => {
        for (let round = 0; round < 10; round++) {
            const [asset] = await onSale(1500);
            const { id, url } = await open(carol, [asset]);
            await sandbox.fault('webhook_dropped', { order_id: id });
            await sandbox.act('pay', { order_id: id });
            const notice = (changes) =>
                sandbox.notify(JSON.stringify(sandbox.notice(sessionOf(url), id, 1500, 'succeeded', changes)));
            await Promise.all([
                notice({}), notice({ provider: 'other' }), notice({}), hurry(shop, { id }),
                client.request('GET', `/return/payviox?order_id=${id}`, { undescribed: true }),
            ]);
            await client.paymentIs(carol, id, 'completed');
            await assertSold(asset, carol);
        }
    });
});

describe('the payer asks again', () => {
    test('for the same cart: the open payment, under whatever key, in whatever order', async () => {
        const assets = await onSale(1500, 2500);
        const first = await open(carol, assets, TOS);
        const payments = await countPayments();
        const key = newKey();
        const list = `${assets[1]}, ${assets[0]}`;
        for (const [items, options] of [[assets, {}], [assets, { key }], [list, {}], [list, { key: newKey() }]]) {
            const again = await open(carol, items, TOS, options);
            assert.equal(again.text, first.text);
            assert.equal(again.headers.location, first.headers.location);
            assert.equal(again.headers['idempotent-replayed'], undefined);
        }
        assert.equal(await countPayments(), payments);
        assert.equal(await creates(first.id), 1);
        await pay(carol, first);
        const late = await client.buy(carol, assets, TOS, { key });
        assert.equal(late.text, first.text, 'a key keeps what it was answered');
        assert.equal(late.headers['idempotent-replayed'], 'true');
        refused(await client.buy(carol, assets), 400, 'No items found');
    });

    test('F06: while the first is still being created: 409, and one session at the provider', async () => {
        const [asset] = await onSale(1500);
        const key = newKey();
        await sandbox.fault('slow', { call: 'create', ms: 3500 });
        const slow = client.buy(carol, [asset], TOS, { key });
        const id = await eventually(() => holderOf(asset));
        const running = 'A payment for these items is still being created';
        refused(await client.buy(carol, [asset], TOS), 409, running);
        const other = newKey();
        refused(await client.buy(carol, [asset], TOS, { key: other }), 409, running);
        refused(await client.buy(carol, [asset], TOS, { key }), 409, 'A request with this Idempotency-Key is still running');
        const first = await slow;
        assert.equal(first.id, id);
        const again = await open(carol, [asset], TOS, { key: other });
        assert.equal(again.text, first.text, 'what was refused for now is not kept');
        assert.equal(again.id, id);
        assert.equal(await sandbox.creates(), 1);
        await pay(carol, first);
        await assertSold(asset, carol);
    });

    test('F06: twenty times at once: one payment and one session', async () => {
        const [asset] = await onSale(1500);
        const payments = await countPayments();
        await sandbox.fault('slow', { call: 'create', ms: 300 });
        const answers = await Promise.all(Array.from({ length: 20 }, (_, i) =>
            client.buy(carol, [asset], TOS, { key: i % 2 === 0 ? newKey() : undefined })));
        const made = answers.filter((answer) => answer.status === 200);
        assert(made.length > 0);
        for (const answer of answers) {
            assert.equal(answer.id, made[0].id);
            if (answer.status === 200) assert.equal(answer.url, made[0].url);
            else refused(answer, 409, 'A payment for these items is still being created');
        }
        assert.equal(await countPayments(), payments + 1);
        assert.equal(await creates(made[0].id), 1);
        await pay(carol, made[0]);
    });

    test('F07: the outcome of the first is unknown: 409 until it is known, then the open payment', async () => {
        const [asset] = await onSale(1500);
        await sandbox.fault('connection_reset_after_success', { call: 'create' });
        const lost = await client.buy(carol, [asset]);
        refused(lost, 504, 'Payment outcome unknown');
        refused(await client.buy(carol, [asset]), 409);
        await sandbox.act('pay', { order_id: lost.id });
        await client.paymentIs(carol, lost.id, 'completed');
        await assertSold(asset, carol);
        assert.equal(await sandbox.creates(), 1);
    });

    test('for a part, or for more: the items move to the new payment; the old one, paid after all, ends as credit', async () => {
        const [a, b, c] = await onSale(1500, 2500, 3500);
        const first = await open(carol, [a, b]);
        const part = await open(carol, [a]);
        const more = await open(carol, [b, c]);
        assert.equal(new Set([first.id, part.id, more.id]).size, 3);
        assert.deepEqual([await holderOf(a), await holderOf(b), await holderOf(c)], [part.id, more.id, more.id]);
        refused(await client.buy(dave, [a]), 400, 'No items found');
        await pay(carol, part);
        const before = await client.balance(carol);
        await pay(carol, first);
        await assertCredited(carol, first.id, 4000);
        assert.equal(await client.balance(carol), before + 4000);
        assert.equal(await holderOf(b), more.id, 'the end of the old payment releases nothing of the new one');
        await pay(carol, more);
        for (const asset of [a, b, c]) await assertSold(asset, carol);
    });

    test('by another method or another provider: the items move', async () => {
        const [asset] = await onSale(1000);
        const hosted = await open(carol, [asset]);
        const direct = await open(carol, [asset], { payment_method: 'paypal' });
        assert.notEqual(direct.id, hosted.id);
        assert.equal(await holderOf(asset), direct.id);
        const before = await client.balance(carol);
        const bought = await open(carol, [asset], {}, { provider: 'mannco' });
        assert.equal(bought.json.content.message, 'Payment processed successfully');
        await assertSold(asset, carol);
        await pay(carol, direct);
        await assertCredited(carol, direct.id, 1000);
        assert.equal(await client.balance(carol), before);
        assert.equal(await statusOf(shop, hosted.id), 'pending');
    });

    test('F42: after a decline: a new payment', async () => {
        const [asset] = await onSale(1500);
        const first = await open(carol, [asset]);
        await sandbox.act('pending_review', { order_id: first.id });
        await client.paymentIs(carol, first.id, 'processing');
        await sandbox.act('decline', { order_id: first.id });
        await client.paymentIs(carol, first.id, 'failed');
        assert.equal(await holderOf(asset), null);
        const second = await open(carol, [asset]);
        assert.notEqual(second.id, first.id);
        await pay(carol, second);
        await assertSold(asset, carol);
    });
});

describe('F54: twenty buyers for one item', () => {
    test('one hold; it is released once, and then again there is one', async () => {
        const buyers = await addBuyers(shop, 18);
        const everybody = [carol, dave, ...buyers];
        const [asset] = await onSale(1500);
        let last = null;
        for (let round = 0; round < 3; round++) {
            const users = everybody.filter((user) => user !== last?.user);
            const answers = await Promise.all(users.map((user) => client.buy(user, [asset])));
            const winners = answers.filter((answer) => answer.status === 200);
            assert.equal(winners.length, 1, answers.map((answer) => answer.text).join('\n'));
            for (const answer of answers)
                if (answer !== winners[0]) refused(answer, 400, 'No items found');
            assert.notEqual(winners[0].id, last?.id);
            last = { id: winners[0].id, user: users[answers.indexOf(winners[0])] };
            assert.equal(await holderOf(asset), last.id);
            await letRest(shop, last.id); // the next buyer is to end it, or the payment to be in time
            await letExpire(shop, last.id);
        }
        // The last one is over, and nobody took the item: paid all the same, it is delivered.
        await pay(last.user, last);
        await assertSold(asset, last.user);
        const released = await shop.value(
            "SELECT COUNT(*) FROM events JOIN payment_items USING (payment_id) WHERE asset_id = ? AND kind = 'expired'", [asset]);
        assert.equal(released, 2);
    });
});

describe('a payment that fails lets go of its items', () => {
    for (const [fault, status, args] of [
        ['unauthorized', 502, {}],
        ['rate_limited', 503, { retry_after: 3 }],
    ])
        test(`at once, when the provider refuses: ${fault}`, async () => {
            const [asset] = await onSale(1500);
            await sandbox.fault(fault, { call: 'create', ...args });
            refused(await client.buy(carol, [asset]), status);
            assert.equal(await holderOf(asset), null);
            await pay(dave, await open(dave, [asset]));
            await assertSold(asset, dave);
        });

    test('with the notice that the session is over', async () => {
        const [asset] = await onSale(1500);
        const { id } = await open(carol, [asset]);
        await sandbox.act('expire', { order_id: id });
        await client.paymentIs(carol, id, 'expired');
        assert.equal(await holderOf(asset), null);
    });

    test('a failed try of the payer does not: the session can still be paid', async () => {
        const [asset] = await onSale(1500);
        const made = await open(carol, [asset]);
        await sandbox.act('pay', { order_id: made.id, card: '4000000000000002' });
        await sleep(200);
        assert.equal(await statusOf(shop, made.id), 'pending');
        assert.equal(await holderOf(asset), made.id);
        await pay(carol, made);
        await assertSold(asset, carol);
    });
});

describe('F10: money given back', () => {
    const refund = ({ id, url }, amount, changes) =>
        sandbox.notify(JSON.stringify(sandbox.notice(sessionOf(url), id, amount, 'refunded', { amount_remaining: 0, ...changes })));

    for (const what of ['deposit', 'cart'])
        test(`a completed ${what}, told eight times at once in eight spellings: one reversal`, async () => {
            const [asset] = await onSale(2600);
            const made = what === 'cart' ? await open(dave, [asset]) : await client.deposit(dave, 2600);
            await pay(dave, made);
            const before = await client.balance(dave);
            const spellings = Array.from({ length: 8 }, (_, i) => refund(made, 2600, { provider: `card${i >> 1}` }));
            for (const answer of await Promise.all(spellings)) assert.equal(answer.status, 200, answer.text);
            await client.paymentIs(dave, made.id, 'refunded');
            const lines = await linesOf(shop, made.id);
            assert.equal(lines[`refund ${nameOf(shop, dave.id)}`], -2600);
            assert.equal(await client.balance(dave), before - 2600);
            if (what === 'cart') await assertSold(asset, dave);
            await fund(shop, dave, 2600); // what he owes the house again
        });
});
