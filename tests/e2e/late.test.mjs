// Carts that run late: time that is over with and without the jobs, payments that arrive afterwards,
// items that are gone by then, handlers that die and commits whose answer is lost on the way.
import assert from 'node:assert/strict';
import test, { after, afterEach, describe } from 'node:test';
import {
    assertBooks, hurry, hurryUntil, kindsOf, letRest, makeCrashes, makeDatabaseProxy, statusOf, whileKilling, withChangedConf,
} from './lib/chaos.mjs';
import { makeCarts } from './lib/carts.mjs';
import { eventually, sleep } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import {
    addBuyers, alertsOf, changeItem, itemOf, letExpire, linesOf, nameOf,
} from './lib/market.mjs';
import { mailsThat } from './lib/mails.mjs';

const crashes = makeCrashes();
after(() => crashes.end());
const shop = await startInstance({
    name: 'late',
    env: { GUICHET_CRASH_DIR: crashes.folder },
    set: { 'jobs.idle_wait': 50 },
});
const { client, sandbox } = shop;
const { bob } = shop.users;
const [carol, dave] = await addBuyers(shop, 2);
const TOS = { tos_timestamp: 1706745600 };

let keys = 0;
const newKey = () => `late-${++keys}`;
const { onSale, holderOf, creates, open, pay, becomes, assertSold } = makeCarts(shop);
const kinds = (user, { id }) => kindsOf(shop, user, id);

// Paid, but its items were gone: the money is the payer's, who has been told once.
async function assertCredited(user, { id }, amount) {
    assert.deepEqual(await linesOf(shop, id), { [`credit ${nameOf(shop, user.id)}`]: amount });
    assert.equal((await alertsOf(shop, user, id)).length, 1);
    const { json } = await client.request('GET', '/user/getBalanceHistory', { token: user.jwt });
    const movement = json.content.values.find((one) => one.paymentId === id);
    assert.deepEqual([movement.type, movement.value], ['refund', amount]);
    const last = (await client.payment(user, id)).timeline.slice(-2);
    assert.deepEqual(last.map(({ kind, detail }) => [kind, detail]), [
        ['completed', 'payviox says succeeded'],
        ['undeliverable', "the money went to the payer's balance"],
    ]);
}

async function withoutJobs(fn) {
    await shop.stopPart('jobs');
    try {
        await fn();
    } finally {
        await shop.startPart('jobs');
    }
}

afterEach(async (context) => {
    await sandbox.reset();
    if (context.passed !== false) await assertBooks(shop);
});

describe('the time of an abandoned cart is over', () => {
    test('F23: by the jobs: others may buy; the first, paid late, is credited to its payer', async () => {
        const [a, b] = await onSale(1500, 2500);
        const first = await open(carol, [a, b]);
        await letExpire(shop, first.id);
        await becomes(first.id, 'expired');
        for (const asset of [a, b]) assert.equal(await holderOf(asset), null);
        const second = await open(dave, [b]);
        await pay(dave, second);
        const before = await client.balance(carol);
        await pay(carol, first);
        await assertCredited(carol, first, 4000);
        assert.equal(await client.balance(carol), before + 4000);
        assert.deepEqual(await kinds(carol, first), ['created', 'attempt', 'expired', 'completed', 'undeliverable']);
        const [mail, ...more] = await mailsThat(shop, ({ text }) => text.includes(first.id));
        assert.match(mail.text, /no longer available\. Their price is on your balance instead/);
        assert.equal(mail.to.includes('buyer3@example.test'), true, mail.to);
        assert.deepEqual(more, []);
        await assertSold(b, dave);
        assert.deepEqual(await itemOf(shop, a), { owner: bob.id, state: 1, holder: null }, 'all or none');
    });

    test('F23: and paid late while another only holds an item: that one keeps it', async () => {
        const [asset] = await onSale(1500);
        const first = await open(carol, [asset]);
        await letExpire(shop, first.id);
        await becomes(first.id, 'expired');
        const second = await open(dave, [asset]);
        await pay(carol, first);
        await assertCredited(carol, first, 1500);
        assert.equal(await holderOf(asset), second.id);
        await pay(dave, second);
        await assertSold(asset, dave);
    });

    test('paid late, and nobody took the items: delivered', async () => {
        const assets = await onSale(1500, 2500);
        const first = await open(carol, assets);
        await letExpire(shop, first.id);
        await becomes(first.id, 'expired');
        await pay(carol, first);
        for (const asset of assets) await assertSold(asset, carol);
        assert.deepEqual(await kinds(carol, first), ['created', 'attempt', 'expired', 'completed']);
    });

    test('paid late, and the price has changed meanwhile: credited', async () => {
        const [asset] = await onSale(1500);
        const first = await open(carol, [asset]);
        await letExpire(shop, first.id);
        await becomes(first.id, 'expired');
        await changeItem(shop, asset, { price: 1499 });
        await pay(carol, first);
        await assertCredited(carol, first, 1500);
    });

    test('F24: no jobs program runs: the next buyer\'s request ends it', async () => {
        const assets = await onSale(1500, 2500);
        const first = await open(carol, assets);
        await withoutJobs(async () => {
            refused(await client.buy(dave, [assets[0]]), 400, 'No items found');
            await letExpire(shop, first.id);
            assert.equal(await statusOf(shop, first.id), 'pending');
            const second = await open(dave, [assets[0]]);
            assert.equal(await statusOf(shop, first.id), 'expired');
            assert.deepEqual(await kinds(carol, first), ['created', 'attempt', 'expired']);
            assert.equal(await holderOf(assets[0]), second.id);
            assert.equal(await holderOf(assets[1]), null, 'all of it is released');
            await pay(dave, second);
        });
        await assertSold(assets[0], dave);
    });

    test('F24: a wish held by a hundred such payments: one request ends them all', async () => {
        const assets = await onSale(...Array(100).fill(1500));
        await withoutJobs(async () => {
            const stale = [];
            for (const asset of assets) stale.push(await open(carol, [asset]));
            await Promise.all(stale.map(({ id }) => letExpire(shop, id)));
            const made = await open(dave, assets);
            assert.equal(await shop.value('SELECT COUNT(*) FROM items WHERE held_by = ?', [made.id]), 100);
        });
    });

    test('F24: a real end of time, with a lifetime of one second and no jobs program', async () => {
        await shop.withSettings({ 'payment.lifetime': 1 }, () =>
            withoutJobs(async () => {
                const [asset] = await onSale(1500);
                const first = await open(carol, [asset]);
                await eventually(async () => (await client.payment(carol, first.id)).status === 'expired');
                const second = await open(dave, [asset]);
                await pay(dave, second);
                await pay(carol, first);
                await assertSold(asset, dave);
                await assertCredited(carol, first, 1500);
            }));
    });

    test('the payer\'s own, over: the same cart becomes a new payment', async () => {
        const [asset] = await onSale(1500);
        const first = await open(carol, [asset]);
        await letExpire(shop, first.id);
        const second = await open(carol, [asset]);
        assert.notEqual(second.id, first.id);
        assert.equal(await holderOf(asset), second.id);
        await becomes(first.id, 'expired');
        assert.equal(await holderOf(asset), second.id, 'the end of the first releases nothing of the second');
        await pay(carol, second);
        await assertSold(asset, carol);
    });

    test('jobs, a notice and two buyers at that very moment: one owner', async () => {
        for (let round = 0; round < 15; round++) {
            const [asset] = await onSale(1500);
            const first = await open(carol, [asset]);
            await letExpire(shop, first.id);
            const [, , one, other] = await Promise.all([
                sandbox.act('pay', { order_id: first.id }),
                hurry(shop, { id: first.id }),
                client.buy(dave, [asset]),
                client.buy(bob, [asset]),
            ]);
            refused(other, 400, 'No items found');
            await client.paymentIs(carol, first.id, 'completed');
            if (one.status === 200) await pay(dave, one);
            else refused(one, 400, 'No items found');
            await assertBooks(shop);
        }
    });
});

describe('an item is withdrawn while it is held', () => {
    test('the payer gets the money back onto the balance, the other items go free', async () => {
        const [a, b] = await onSale(1500, 2500);
        const made = await open(carol, [a, b]);
        await changeItem(shop, a, { state: 2, held_by: null });
        await pay(carol, made);
        await assertCredited(carol, made, 4000);
        assert.deepEqual(await itemOf(shop, a), { owner: bob.id, state: 2, holder: null });
        assert.deepEqual(await itemOf(shop, b), { owner: bob.id, state: 1, holder: null });
        await pay(dave, await open(dave, [b]));
    });

    test('a price that rises while the item is held does not matter', async () => {
        const [asset] = await onSale(1500);
        const made = await open(carol, [asset]);
        await changeItem(shop, asset, { price: 9900 });
        await pay(carol, made);
        await assertSold(asset, carol);
        assert.deepEqual(await linesOf(shop, made.id), { 'credit bob': 1425, 'credit house': 75 });
    });
});

describe('the provider is still reviewing when the time is over', () => {
    async function underReview() {
        const [asset] = await onSale(1500);
        const made = await open(carol, [asset]);
        await sandbox.act('pending_review', { order_id: made.id });
        await client.paymentIs(carol, made.id, 'processing');
        return { ...made, asset };
    }
    const released = (made) =>
        hurryUntil(shop, async () => (await holderOf(made.asset)) === null, { id: made.id });

    test('the items are released, the payment stays; success later: delivered if they are free', async () => {
        const made = await underReview();
        await hurry(shop, { id: made.id });
        await sleep(200);
        assert.equal(await holderOf(made.asset), made.id, 'not before its time');
        await letExpire(shop, made.id);
        await released(made);
        assert.equal((await client.payment(carol, made.id)).status, 'processing');
        await hurry(shop, { id: made.id });
        await sleep(200);
        assert.deepEqual(await kinds(carol, made), ['created', 'attempt', 'processing', 'released'], 'once');
        await sandbox.act('approve', { order_id: made.id });
        await client.paymentIs(carol, made.id, 'completed');
        await assertSold(made.asset, carol);
    });

    test('and credited if they are not', async () => {
        const made = await underReview();
        await letExpire(shop, made.id);
        await released(made);
        await pay(dave, await open(dave, [made.asset]));
        await sandbox.act('approve', { order_id: made.id });
        await client.paymentIs(carol, made.id, 'completed');
        await assertSold(made.asset, dave);
        assert.deepEqual(await linesOf(shop, made.id), { 'credit buyer3': 1500 });
        assert.equal((await alertsOf(shop, carol, made.id)).length, 1);
    });

    test('F24: without jobs, the next buyer\'s request releases them', async () => {
        const made = await underReview();
        await withoutJobs(async () => {
            refused(await client.buy(dave, [made.asset]), 400, 'No items found');
            await letExpire(shop, made.id);
            await pay(dave, await open(dave, [made.asset]));
        });
        assert.equal(await statusOf(shop, made.id), 'processing');
        await sandbox.act('decline', { order_id: made.id });
        await client.paymentIs(carol, made.id, 'failed');
        await assertSold(made.asset, dave);
    });
});

describe('F03: a handler dies', () => {
    test('create_held: between the hold and the commit: nothing is held, nothing stored', async () => {
        const [asset] = await onSale(1500);
        const key = newKey();
        const lost = await crashes.killAt(shop, 'create_held', 'guichet', () => client.buy(carol, [asset], TOS, { key }));
        refused(lost, 502, 'Payment outcome unknown');
        await eventually(async () => (await holderOf(asset)) === null);
        assert.equal(await shop.value('SELECT COUNT(*) FROM payment_items WHERE asset_id = ?', [asset]), 0);
        const again = await open(carol, [asset], TOS, { key });
        assert.equal(again.headers['idempotent-replayed'], undefined);
        await pay(carol, again);
        await assertSold(asset, carol);
    });

    for (const point of ['create_begun', 'create_called'])
        test(`${point}: the cart is held until the jobs have finished the create`, async () => {
            const [asset] = await onSale(1500);
            const key = newKey();
            await crashes.killAt(shop, point, 'guichet', () => client.buy(carol, [asset], TOS, { key }));
            const id = await holderOf(asset);
            refused(await client.buy(carol, [asset], TOS), 409, 'A payment for these items is still being created');
            refused(await client.buy(dave, [asset], TOS), 400, 'No items found');
            if (point === 'create_called') {
                await sandbox.act('pay', { order_id: id });
                await client.paymentIs(carol, id, 'completed');
            }
            const answer = await hurryUntil(shop, async () => {
                const repeat = await client.buy(carol, [asset], TOS, { key });
                return repeat.status === 200 && repeat;
            }, { ended: true });
            assert.equal(answer.id, id);
            assert.equal((await sandbox.journal({ order_id: id })).sessions.length, 1);
            if (point === 'create_begun') await pay(carol, answer);
            await assertSold(asset, carol);
        });

    for (const [point, sold] of [['cart_delivered', false], ['notice_posted', false], ['notice_committed', true]])
        test(`${point}: within the notice of its success: sent again, one hand-over`, async () => {
            const [asset] = await onSale(1500);
            const { id } = await open(carol, [asset]);
            await letRest(shop, id);
            await sandbox.fault('webhook_dropped', { order_id: id });
            await sandbox.act('pay', { order_id: id });
            // by hand: the sandbox would send its own again, and into the next of these tests
            const notify = (copies) => sandbox.webhook({ order_id: id, type: 'succeeded', copies });
            assert.deepEqual(await crashes.killAt(shop, point, 'guichet', () => notify(1)), [502]);
            assert.equal((await itemOf(shop, asset)).owner, sold ? carol.id : bob.id);
            assert.deepEqual(await notify(3), [200, 200, 200]);
            await client.paymentIs(carol, id, 'completed');
            await assertSold(asset, carol);
        });

    test('the jobs, while they expire a cart: the next look does it', async () => {
        const [asset] = await onSale(1500);
        const { id } = await open(carol, [asset]);
        await letExpire(shop, id);
        await letRest(shop); // the point is for the check that is hurried
        await crashes.killAt(shop, 'check_taken', 'jobs', () => hurry(shop, { id }));
        await becomes(id, 'expired');
        assert.equal(await holderOf(asset), null);
    });
});

describe('handlers are killed every 300 ms', () => {
    test('six buyers want the same things, pay at once, late or never: the books agree', async (t) => {
        const buyers = [carol, dave, ...(await addBuyers(shop, 4))];
        const assets = await onSale(...Array(120).fill(700));
        const end = Date.now() + 4000;
        const [statuses, payers] = [{}, []];
        const goesOn = () => Date.now() < end || (payers.length < 22 && Date.now() < end + 60_000); // on a slow machine
        const any = (list) => list[Math.floor(Math.random() * list.length)];
        async function shopper(user) {
            while (goesOn()) {
                const items = new Set([any(assets), any(assets), any(assets)].slice(0, any([1, 2, 3])));
                const answer = await client.buy(user, [...items], {}, { key: newKey() });
                statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
                assert([200, 400, 409, 502, 503, 504].includes(answer.status), answer.text);
                if (answer.status !== 200) continue;
                const [over, paid] = any([[false, true], [true, true], [true, false], [false, false]]);
                if (over) await letExpire(shop, answer.id);
                const pause = any([0, 100, 900]);
                if (paid) payers.push(sleep(pause).then(() => sandbox.act('pay', { order_id: answer.id })).catch(() => {}));
            }
        }
        const kills = await whileKilling(shop, () => Promise.all(buyers.map(shopper)));
        await Promise.all(payers);
        const unsettled = async () => {
            const ids = (await sandbox.sessions()).filter((session) => session.charges > 0).map((session) => session.order_id);
            return shop.value("SELECT COUNT(*) FROM payments WHERE status <> 'completed' AND payment_id IN (?)", [ids]);
        };
        await hurryUntil(shop, async () => (await unsettled()) === 0, { ended: true });
        const sold = await shop.value('SELECT COUNT(*) FROM items WHERE owner_id <> ? AND asset_id IN (?)', [bob.id, assets]);
        const late = await shop.value("SELECT COUNT(*) FROM outbox WHERE topic = 'payment.undeliverable'");
        t.diagnostic(`${kills} kills, ${JSON.stringify(statuses)}, ${sold} items sold, ${late} payments too late`);
        assert(kills >= 6 && sold > 20);
    });
});

describe('F47: the connection ends around COMMIT', () => {
    for (const when of ['before', 'after'])
        for (const keyed of [true, false])
            test(`${when} it is carried out, ${keyed ? 'a' : 'no'} key: create and notice have happened once`, async () => {
                const proxy = await makeDatabaseProxy(shop);
                const key = keyed ? newKey() : undefined;
                const [asset] = await onSale(1500);
                const socket = `socket = ${shop.vars.DB_SOCKET}`;
                await withChangedConf(shop, socket, `socket = ${proxy.file}`, async () => {
                    const cut = proxy.cutAt('INSERT INTO payment_items ', when);
                    const made = await client.buy(carol, [asset], TOS, { key });
                    await cut;
                    accepted(made);
                    assert.equal(await holderOf(asset), made.id);
                    assert.equal(await creates(made.id), 1);
                    assert.deepEqual(await kinds(carol, made), ['created', 'attempt']);
                    if (keyed) assert.equal((await client.buy(carol, [asset], TOS, { key })).text, made.text);
                    const paid = proxy.cutAt('INSERT INTO ledger_entries ', when);
                    await sandbox.act('pay', { order_id: made.id });
                    await paid;
                    await client.paymentIs(carol, made.id, 'completed');
                });
                await assertSold(asset, carol);
                proxy.end();
            });
});
