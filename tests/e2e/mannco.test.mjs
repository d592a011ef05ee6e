// Carts paid from the balance: one transaction, nobody called. However many ask at once, however
// often, and whatever dies meanwhile: nobody spends what he has not, and nothing is sold twice.
import assert from 'node:assert/strict';
import test, { after, afterEach, describe } from 'node:test';
import {
    assertBooks, kindsOf, makeCrashes, makeDatabaseProxy, whileKilling, withChangedConf,
} from './lib/chaos.mjs';
import { eventually, nowSeconds, sleep } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import {
    addBuyers, addItems, alertsOf, fund, itemOf, linesOf, snapshot,
} from './lib/market.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const crashes = makeCrashes();
after(() => crashes.end());
const shop = await startInstance({ name: 'mannco', env: { GUICHET_CRASH_DIR: crashes.folder } });
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
const TOS = { tos_timestamp: 1706745600 };
const DONE = { message: 'Payment processed successfully' };
const buyers = await addBuyers(shop, 20);

let keys = 0;
const newKey = () => `mannco-${++keys}`;
const onSale = (...prices) => addItems(shop, bob, prices);
const buy = (user, items, options, extra) => client.buy(user, items, { ...TOS, ...extra }, { provider: 'mannco', ...options });
const count = (table) => shop.value(`SELECT COUNT(*) FROM ${table}`);
const ownerOf = async (asset) => (await itemOf(shop, asset)).owner;

async function assertSold(asset, to) {
    assert.deepEqual(await itemOf(shop, asset), { owner: to.id, state: 0, holder: null });
}

// Brings a balance to exactly this amount: too much is spent, for Payviox takes no less than 1 USD.
async function setBalance(user, amount) {
    let now = await client.balance(user);
    if (now < amount) await fund(shop, user, Math.max(amount - now, 100));
    now = await client.balance(user);
    if (now > amount) accepted(await buy(user, await onSale(now - amount)));
    assert.equal(await client.balance(user), amount);
}

// Every answer is the success or this refusal; returns those that are the success.
function winnersOf(answers, status, message) {
    for (const answer of answers) if (answer.status !== 200) refused(answer, status, message);
    return answers.filter((answer) => answer.status === 200);
}

afterEach(async (context) => {
    await sandbox.reset();
    if (context.passed !== false) await assertBooks(shop);
});

describe('one purchase', () => {
    test('is over with its answer: items, seller, fee, alert and history', async () => {
        const assets = await onSale(999, 1001);
        const before = await client.balance(bob);
        const answer = await buy(alice, ` ${assets[1]} , ${assets[0]}`);
        assert.deepEqual(accepted(answer), DONE);
        assert.match(answer.headers.location, /^\/payments\/PAY_[0-9A-HJKMNP-TV-Z]{26}$/);
        for (const asset of assets) await assertSold(asset, alice);
        assert.equal(await client.balance(alice), 3000);
        assert.equal(await client.balance(bob), before + 2000 - 99);
        assert.deepEqual(await linesOf(shop, answer.id), { 'credit alice': -2000, 'credit bob': 1901, 'credit house': 99 });

        const payment = await client.payment(alice, answer.id);
        assert.deepEqual([payment.provider, payment.type, payment.amount, payment.status, payment.url],
            ['mannco', 'items', 2000, 'completed', null]);
        assert.deepEqual(payment.timeline.map(({ kind, detail, source }) => [kind, detail, source]), [
            ['created', 'mannco', 'request'],
            ['completed', 'paid from the balance', 'request'],
        ]);
        assert.deepEqual(await alertsOf(shop, alice, answer.id),
            ['20.00 USD were paid for your items; they are in your inventory.']);
        const get = async (user, path) => accepted(await client.request('GET', path, { token: user.jwt }));
        // The seller is not told which payment of the buyer it was.
        for (const [user, type, value, id] of [[alice, 'purchase', -2000, answer.id], [bob, 'sale', 1901, null]]) {
            const { values: [movement] } = await get(user, '/user/getBalanceHistory');
            assert.deepEqual([movement.type, movement.value, movement.balance, movement.paymentId],
                [type, value, await client.balance(user), id]);
        }
        const { values: [transaction] } = await get(alice, '/user/getTransactionHistory');
        assert.deepEqual([transaction.id, transaction.type, transaction.totalPrice, transaction.status],
            [answer.id, 'purchase', 2000, 'completed']);
        for (const table of ['attempts', 'payment_checks'])
            assert.equal(await shop.value(`SELECT COUNT(*) FROM ${table} WHERE payment_id = ?`, [answer.id]), 0);
        assert.deepEqual((await sandbox.journal({ order_id: answer.id })).calls, [], 'nobody was called');
    });

    test('by form fields', async () => {
        const [asset] = await onSale(100);
        const form = { type: 'items', items: String(asset), tos_timestamp: '1706745600' };
        assert.deepEqual(accepted(await client.request('POST', '/payment/mannco', { token: alice.jwt, form })), DONE);
        await assertSold(asset, alice);
    });

    test('has no minimum, and may take the last cent', async () => {
        const [asset] = await onSale(1);
        await setBalance(buyers[0], 1);
        accepted(await buy(buyers[0], [asset]));
        await assertSold(asset, buyers[0]);
        assert.equal(await client.balance(buyers[0]), 0);
    });

    test('of a hundred items', async () => {
        const assets = await onSale(...Array(100).fill(101));
        await setBalance(buyers[0], 10100);
        const answer = await buy(buyers[0], assets);
        accepted(answer);
        assert.deepEqual(await linesOf(shop, answer.id), { 'credit bob': 9600, 'credit buyer3': -10100, 'credit house': 500 });
    });

    test('the money it brings can be spent at once', async () => {
        await setBalance(alice, 1000);
        await setBalance(buyers[0], 0);
        const [first] = await addItems(shop, buyers[0], [1000]);
        const [second] = await onSale(950);
        refused(await buy(buyers[0], [second]), 402, 'Insufficient balance');
        accepted(await buy(alice, [first]));
        accepted(await buy(buyers[0], [second]));
        assert.deepEqual([await client.balance(alice), await client.balance(buyers[0])], [0, 0]);
    });
});

describe('what is refused leaves nothing', () => {
    test('a deposit, a list that is none, terms not accepted, items that cannot be had', async () => {
        const [asset, euro] = [...(await onSale(100)), ...(await addItems(shop, bob, [100], { currency: 'EUR' }))];
        await setBalance(alice, 1000);
        const before = await snapshot(shop);
        const cases = [
            [{ type: 'balance', value: 1000 }, 'Invalid request parameters'],
            [{ type: 'balance', value: 1000, items: undefined }, 'Invalid request parameters'],
            [{ items: undefined }, 'Invalid request parameters'],
            [{ items: `${asset},${asset}` }, 'Invalid request parameters'],
            [{ items: '77', tos_timestamp: undefined }, 'Tos acceptance is required'],
            [{ items: '77', tos_timestamp: nowSeconds() + 900 }, 'Tos acceptance cannot be in the future'],
            [{ items: '77' }, 'No items found'],
            [{ items: `${asset},77` }, 'No items found'],
            [{ items: `${asset},${euro}` }, 'No items found'],
            [{ items: `${asset},987654323` }, 'No items found'],
            [{ items: `${asset},987654330` }, 'No items found'],
        ];
        for (const [extra, message] of cases) refused(await buy(alice, [asset], {}, extra), 400, message);
        assert.deepEqual(await snapshot(shop), before);
    });

    test('too little money, by one cent or all of it: 402, kept under its key alone', async () => {
        const [asset] = await onSale(1500);
        for (const [user, balance] of [[alice, 1499], [buyers[1], 0]]) {
            await setBalance(user, balance);
            const before = { ...(await snapshot(shop)), keys: await count('idempotency_keys') };
            refused(await buy(user, [asset]), 402, 'Insufficient balance');
            assert.deepEqual({ ...(await snapshot(shop)), keys: await count('idempotency_keys') }, before);
            const key = newKey();
            const first = await buy(user, [asset], { key });
            refused(first, 402, 'Insufficient balance');
            assert.equal(first.headers.location, undefined);
            const again = await buy(user, [asset], { key });
            assert.equal(again.text, first.text);
            assert.equal(again.headers['idempotent-replayed'], 'true');
            assert.deepEqual({ ...(await snapshot(shop)), keys: await count('idempotency_keys') },
                { ...before, keys: before.keys + 1 });
        }
    });

    test('a balance that a refund has brought below zero', async () => {
        const user = buyers[2];
        const [bought, wanted] = await onSale(1000, 1);
        const made = await client.deposit(user, 1000);
        await client.pay(made.url);
        await client.paymentIs(user, made.id, 'completed');
        accepted(await buy(user, [bought]));
        await sandbox.act('refund', { order_id: made.id });
        await client.paymentIs(user, made.id, 'refunded');
        assert.equal(await client.balance(user), -1000);
        refused(await buy(user, [wanted]), 402, 'Insufficient balance');
        await fund(shop, user, 1001);
        accepted(await buy(user, [wanted]));
    });
});

describe('F08: at once', () => {
    for (const keyed of [false, true])
        test(`fifty purchases with money for one${keyed ? ', each with a key' : ''}: exactly one`, async () => {
            const assets = await onSale(...Array(50).fill(3000));
            await setBalance(alice, 5000);
            const wanted = assets.map((asset) => ({ asset, key: keyed ? newKey() : undefined }));
            const answers = await Promise.all(wanted.map(({ asset, key }) => buy(alice, [asset], { key })));
            assert.equal(winnersOf(answers, 402, 'Insufficient balance').length, 1);
            assert.equal(await client.balance(alice), 2000);
            for (const [i, { asset, key }] of wanted.entries()) {
                assert.equal(await ownerOf(asset), answers[i].status === 200 ? alice.id : bob.id);
                if (!keyed) continue;
                const again = await buy(alice, [asset], { key });
                assert.deepEqual([again.status, again.text, again.id], [answers[i].status, answers[i].text, answers[i].id]);
            }
        });

    test('the same cart fifty times, without a key: exactly one', async () => {
        const [asset] = await onSale(100);
        await setBalance(alice, 5000);
        const answers = await Promise.all(Array.from({ length: 50 }, () => buy(alice, [asset])));
        assert.equal(winnersOf(answers, 400, 'No items found').length, 1);
        assert.equal(await client.balance(alice), 4900);
    });

    test('the same request twenty times, with its key: one purchase, one answer', async () => {
        for (let round = 0; round < 5; round++) {
            const [asset] = await onSale(100);
            const key = newKey();
            const answers = await Promise.all(Array.from({ length: 20 }, () => buy(alice, [asset], { key })));
            const winners = winnersOf(answers, 409, 'A request with this Idempotency-Key is still running');
            assert(winners.length > 0);
            for (const answer of winners) assert.deepEqual([answer.text, answer.id], [winners[0].text, winners[0].id]);
            assert.equal(winners.filter((answer) => !answer.headers['idempotent-replayed']).length, 1);
            refused(await buy(alice, [asset, 900000001], { key }), 422, 'Idempotency-Key was used with another request');
            const other = await buy(buyers[1], [asset], { key });
            refused(other, 400, 'No items found');
        }
    });

    test('twenty buyers for one item: exactly one, and only he pays', async () => {
        for (const user of buyers) await setBalance(user, 1000);
        for (let round = 0; round < 4; round++) {
            const [asset] = await onSale(100); // whoever wins can win again, here and in the next test
            const before = await Promise.all(buyers.map((user) => client.balance(user)));
            const answers = await Promise.all(buyers.map((user) => buy(user, [asset])));
            assert.equal(winnersOf(answers, 400, 'No items found').length, 1);
            for (const [i, user] of buyers.entries()) {
                const won = answers[i].status === 200;
                assert.equal(await client.balance(user), before[i] - (won ? 100 : 0));
                if (won) await assertSold(asset, user);
            }
        }
    });

    test('ten pay from the balance and ten through Payviox for one item: one of them has it', async () => {
        for (let round = 0; round < 3; round++) {
            const [asset] = await onSale(200);
            const answers = await Promise.all(buyers.map((user, i) =>
                (i % 2 === 0 ? buy(user, [asset]) : client.buy(user, [asset]))));
            const winners = winnersOf(answers, 400, 'No items found');
            assert.equal(winners.length, 1);
            const user = buyers[answers.indexOf(winners[0])];
            if (winners[0].url !== undefined) await client.pay(winners[0].url);
            await client.paymentIs(user, winners[0].id, 'completed');
            await assertSold(asset, user);
        }
    });
});

describe('F09: locks are taken in one order by all', () => {
    const deadlocks = async () => Number((await shop.rows("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"))[0].Value);

    test('two buy from each other at once: both succeed, round after round', async () => {
        const [one, two] = [buyers[3], buyers[4]];
        await setBalance(one, 1000);
        await setBalance(two, 1000);
        const before = await deadlocks();
        for (let round = 0; round < 15; round++) {
            const [a] = await addItems(shop, one, [1000]);
            const [b] = await addItems(shop, two, [1000]);
            await setBalance(one, 1000);
            await setBalance(two, 1000);
            const answers = await Promise.all([buy(two, [a]), buy(one, [b])]);
            for (const answer of answers) assert.deepEqual(accepted(answer), DONE);
            assert.deepEqual([await ownerOf(a), await ownerOf(b)], [two.id, one.id]);
            // 50 each went to the house
            assert.deepEqual([await client.balance(one), await client.balance(two)], [950, 950]);
        }
        assert.equal(await deadlocks(), before, 'not even one that was repeated');
    });

    test('a ring of buyers, each from all others, and carts that overlap in opposite orders', async () => {
        const ring = buyers.slice(3, 9);
        for (const user of ring) await setBalance(user, 20_000);
        const before = await deadlocks();
        for (let round = 0; round < 6; round++) {
            const offers = [];
            for (const user of ring) offers.push(await addItems(shop, user, [100, 100, 100]));
            const shared = await onSale(100, 100, 100, 100);
            const wishes = ring.flatMap((user, i) => [
                [user, ring.map((_, k) => offers[(i + k) % ring.length][k === 0 ? 0 : i % 3]).slice(1)],
                [user, i % 2 === 0 ? shared : [...shared].reverse()],
            ]);
            const answers = await Promise.all(wishes.map(([user, items]) => buy(user, items)));
            for (const answer of answers)
                if (answer.status !== 200) refused(answer, 400, 'No items found');
            const sold = answers.filter((answer, i) => i % 2 === 1 && answer.status === 200);
            assert.equal(sold.length, 1, 'the shared cart went to one of them');
        }
        assert.equal(await deadlocks(), before, 'not even one that was repeated');
    });

    test('rows that somebody else locks for longer than the lock wait: the unit is repeated', async () => {
        const [one, two] = buyers;
        for (const user of [one, two]) await setBalance(user, 1000);
        const locks = [
            [one, 'SELECT * FROM items WHERE asset_id = ? FOR UPDATE', (asset) => [asset]],
            [two, `SELECT * FROM balances JOIN ledger_accounts USING (account_id)
                WHERE kind = 'user' AND owner = ? FOR UPDATE`, () => [two.id]],
        ];
        await Promise.all(locks.map(async ([user, sql, values]) => {
            const [asset] = await onSale(100);
            const db = await shop.db.getConnection();
            await db.query('START TRANSACTION');
            await db.query(sql, values(asset));
            const asked = buy(user, [asset]);
            await sleep(3600); // innodb_lock_wait_timeout is 3 s
            await db.query('ROLLBACK');
            db.release();
            assert.deepEqual(accepted(await asked), DONE);
            await assertSold(asset, user);
        }));
    });
});

describe('F03: a handler dies within a purchase', () => {
    for (const [point, bought] of [['create_held', false], ['balance_posted', false], ['create_begun', true]])
        for (const keyed of [true, false])
            test(`${point}, ${keyed ? 'a' : 'no'} key: ${bought ? 'it has happened' : 'nothing has'}`, async () => {
                await setBalance(alice, 1000);
                const [asset] = await onSale(400);
                const key = keyed ? newKey() : undefined;
                const before = await snapshot(shop);
                refused(await crashes.killAt(shop, point, 'guichet', () => buy(alice, [asset], { key })),
                    502, 'Payment outcome unknown');
                await eventually(async () => (await client.balance(alice)) === (bought ? 600 : 1000));
                if (!bought) assert.deepEqual(await snapshot(shop), before);
                const again = await buy(alice, [asset], { key });
                if (bought && !keyed) refused(again, 400, 'No items found');
                else assert.deepEqual(accepted(again), DONE);
                assert.equal(again.headers['idempotent-replayed'], bought && keyed ? 'true' : undefined);
                await assertSold(asset, alice);
                assert.equal(await client.balance(alice), 600);
            });
});

describe('F47: the connection ends around COMMIT', () => {
    const through = async (fn) => {
        const proxy = await makeDatabaseProxy(shop);
        const socket = `socket = ${shop.vars.DB_SOCKET}`;
        await withChangedConf(shop, socket, `socket = ${proxy.file}`, () => fn(proxy));
        proxy.end();
    };

    for (const when of ['before', 'after'])
        for (const keyed of [true, false])
            test(`${when} it is carried out, ${keyed ? 'a' : 'no'} key: success, once`, async () => {
                await setBalance(alice, 1000);
                const [asset] = await onSale(400);
                const key = keyed ? newKey() : undefined;
                await through(async (proxy) => {
                    const payments = await count('payments');
                    const cut = proxy.cutAt('INSERT INTO ledger_entries ', when);
                    const answer = await buy(alice, [asset], { key });
                    await cut;
                    assert.deepEqual(accepted(answer), DONE);
                    assert.equal(await count('payments'), payments + 1);
                    assert.deepEqual(await kindsOf(shop, alice, answer.id), ['created', 'completed']);
                    const again = await buy(alice, [asset], { key });
                    if (keyed) assert.deepEqual([again.text, again.id], [answer.text, answer.id]);
                    else refused(again, 400, 'No items found');
                });
                await assertSold(asset, alice);
                assert.equal(await client.balance(alice), 600);
            });

    test('and the database stays away: nobody knows, says the answer; the key tells what became of it', async () => {
        await setBalance(alice, 1000);
        for (const when of ['before', 'after']) {
            const [asset] = await onSale(400);
            const key = newKey();
            const left = await client.balance(alice);
            await through(async (proxy) => {
                const cut = proxy.cutAt('INSERT INTO ledger_entries ', when, Infinity);
                refused(await buy(alice, [asset], { key }), 504, 'Payment outcome unknown');
                await cut;
                proxy.comeBack();
                const again = await buy(alice, [asset], { key });
                assert.deepEqual(accepted(again), DONE);
                assert.equal(again.headers['idempotent-replayed'], when === 'after' ? 'true' : undefined);
            });
            await assertSold(asset, alice);
            assert.equal(await client.balance(alice), left - 400);
        }
    });
});

describe('handlers are killed every 300 ms', () => {
    test('purchases with keys, repeated until they are answered: each happens once, none is lost', async (t) => {
        const users = buyers.slice(0, 8);
        for (const user of users) await setBalance(user, 30_000);
        const before = await Promise.all(users.map((user) => client.balance(user)));
        const statuses = {};
        const bought = new Map();
        const end = Date.now() + 4000;
        const goesOn = () => Date.now() < end || (bought.size <= 40 && Date.now() < end + 60_000); // a slow machine

        // Repeats until the answer is about the purchase itself.
        async function insist(user, items, key) {
            for (;;) {
                const answer = await buy(user, items, { key });
                statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
                if ([200, 400, 402].includes(answer.status)) return answer;
                await sleep(30);
            }
        }
        async function shopper(user) {
            while (goesOn()) {
                const items = await onSale(10, 15);
                const key = newKey();
                const answer = await insist(user, items, key);
                assert.deepEqual(accepted(answer), DONE);
                bought.set(key, { user, items, answer });
            }
        }
        const kills = await whileKilling(shop, () => Promise.all(users.map(shopper)));
        t.diagnostic(`${kills} kills, ${bought.size} purchases, ${JSON.stringify(statuses)}`);
        assert(kills >= 6 && bought.size > 40);
        for (const [key, { user, items, answer }] of bought) {
            for (const asset of items) await assertSold(asset, user);
            const again = await buy(user, items, { key });
            assert.deepEqual([again.status, again.text, again.id], [200, answer.text, answer.id]);
        }
        for (const [i, user] of users.entries()) {
            const own = [...bought.values()].filter((purchase) => purchase.user === user).length;
            assert.equal(await client.balance(user), before[i] - 25 * own);
        }
    });

    test('and in competition for the same items, some without a key: nothing is sold or paid twice', async (t) => {
        const users = buyers.slice(8, 16);
        for (const user of users) await setBalance(user, 4000);
        const assets = await onSale(...Array(120).fill(300));
        const won = new Set();
        const kills = await whileKilling(shop, () => Promise.all(users.map(async (user, number) => {
            for (const asset of assets) {
                const answer = await buy(user, [asset], { key: number % 2 === 0 ? newKey() : undefined });
                assert([200, 400, 402, 409, 502].includes(answer.status), answer.text);
                if (answer.status === 200) won.add(`${asset} ${user.id}`);
            }
        })));
        t.diagnostic(`${kills} kills, ${won.size} of ${assets.length} items acknowledged`);
        for (const pair of won) {
            const [asset, owner] = pair.split(' ');
            assert.equal(await ownerOf(Number(asset)), owner);
        }
        for (const user of users) {
            const owned = await shop.value('SELECT COUNT(*) FROM items WHERE owner_id = ? AND asset_id IN (?)', [user.id, assets]);
            assert.equal(await client.balance(user), 4000 - 300 * owned);
        }
    });
});

test('F10: a notice about a purchase that no provider knows changes nothing', async () => {
    const [asset] = await onSale(400);
    await setBalance(alice, 1000);
    const bought = await buy(alice, [asset]);
    const open = await client.deposit(alice, 400);
    for (const type of ['succeeded', 'refunded', 'failed']) {
        const notice = sandbox.notice(sessionOf(open.url), bought.id, 400, type);
        assert.equal((await sandbox.notify(JSON.stringify(notice))).status, 200);
    }
    assert.deepEqual(await linesOf(shop, bought.id), { 'credit alice': -400, 'credit bob': 380, 'credit house': 20 });
    assert.equal((await client.payment(alice, bought.id)).status, 'completed');
    refused(await client.request('POST', '/webhook/mannco', { body: '{}' }), 404);
    refused(await client.request('GET', `/return/mannco?order_id=${bought.id}`), 404);
});
