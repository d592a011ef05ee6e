// The caller's own account: balances, history, transactions, alerts, the filters of GET /payments;
// and GET /providers, which everybody may read.
import assert from 'node:assert/strict';
import test from 'node:test';
import { withChangedConf } from './lib/chaos.mjs';
import { nowSeconds } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';

const shop = await startInstance({ name: 'account' });
const { client, sandbox } = shop;
const { alice, bob, olivia } = shop.users;
const PARAMETERS = 'Invalid request parameters';
const began = nowSeconds();

const get = (user, path, query = {}) =>
    client.request('GET', `${path}?${new URLSearchParams(query)}`, { token: user.jwt });
const read = async (...args) => accepted(await get(...args));
const history = (user, query) => read(user, '/user/getBalanceHistory', query);
const transactions = async (user, query) =>
    (await read(user, '/user/getTransactionHistory', query)).values;

// Creates a deposit; with `paid` it waits for the credit.
async function deposit(user, amount, { paid = true, provider, ...body } = {}) {
    const made = await client.paiement(user, { amount, ...body }, { provider });
    accepted(made);
    if (paid) {
        await sandbox.act('pay', { order_id: made.id });
        await client.paymentIs(user, made.id, 'completed');
    }
    return made.id;
}

async function buy(user, items, provider = 'mannco') {
    const answer = await client.request('POST', `/payment/${provider}`, {
        token: user.jwt,
        body: { type: 'items', items, tos_timestamp: nowSeconds() },
    });
    accepted(answer);
    return answer.headers.location.split('/').pop();
}

const READS = ['/user/balance', '/user/getBalanceHistory', '/user/getTransactionHistory',
    '/user/getTransactionDetails', '/user/notifications', '/payments'];

test('nothing of an account is told without a token', async () => {
    for (const path of READS) {
        refused(await client.request('GET', path), 401, 'Unauthorized');
        refused(await client.request('GET', path, { token: `${alice.jwt}x` }), 401, 'Unauthorized');
        refused(await client.request('POST', path, { token: alice.jwt }), 405, 'Method not allowed');
    }
    refused(await client.request('POST', '/user/notifications/read'), 401, 'Unauthorized');
    refused(await get(alice, '/user/notifications/read'), 405, 'Method not allowed');
});

// The story that the tests below read: what alice and bob have done, in its order.
const story = {};

test('deposits, purchases, sales and refunds happen', async () => {
    story.deposit = await deposit(alice, 2500);
    await shop.rows("UPDATE items SET name = 'Kopfhörer ★ 100%_' WHERE asset_id = 900000001");
    story.bought = await buy(alice, '987654321,900000001');
    story.euros = await deposit(alice, 3000, { currency: 'EUR', provider: 'mannco' });
    story.refunded = await deposit(alice, 1200);
    await sandbox.act('refund', { order_id: story.refunded });
    await client.paymentIs(alice, story.refunded, 'refunded');
    // paid by card, but its item is gone by then
    story.late = await buy(alice, '987654322', 'payviox');
    await shop.rows('UPDATE items SET state = 2, held_by = NULL WHERE asset_id = 987654322');
    await sandbox.act('pay', { order_id: story.late });
    await client.paymentIs(alice, story.late, 'completed');
    // paid by card and delivered: the buyer's balance never sees it
    story.card = await buy(alice, '900000002', 'payviox');
    await sandbox.act('pay', { order_id: story.card });
    await client.paymentIs(alice, story.card, 'completed');
    story.open = await deposit(alice, 900, { paid: false });
});

test('a balance per currency; dollars when none is named', async () => {
    const price = await shop.value('SELECT price FROM payment_items WHERE asset_id = 900000001');
    assert.deepEqual(await read(alice, '/user/balance'), { balance: 5000 + 2500 - 1500 - price + 2500 });
    assert.deepEqual(await read(alice, '/user/balance', { currency: 'USD' }),
        await read(alice, '/user/balance'));
    assert.deepEqual(await read(alice, '/user/balance', { currency: 'EUR' }), { balance: 3000 });
    for (const currency of ['JPY', 'KWD', 'CHF'])
        assert.deepEqual(await read(alice, '/user/balance', { currency }), { balance: 0 });
    assert.deepEqual(await read(olivia, '/user/balance', { currency: 'EUR' }), { balance: 0 });
    for (const currency of ['', 'usd', 'US', 'USDX', 'XTS', 'BTC', "USD'", 'US%', '€€€'])
        refused(await get(alice, '/user/balance', { currency }), 400, 'Invalid currency');
    for (const query of ['currency=USD&currency=EUR', 'currency=%', 'currency=%ff', 'currency=%00'])
        refused(await client.request('GET', `/user/balance?${query}`, { token: alice.jwt }), 400, PARAMETERS);
});

test('the history: what moved the balance, newest first, with what it was after each', async () => {
    const { values, count } = await history(alice);
    const price = 1500 + (await shop.value('SELECT price FROM payment_items WHERE asset_id = 900000001'));
    const told = values.map(({ type, value, currency, balance, paymentId }) =>
        [type, value, currency, balance, paymentId]);
    assert.deepEqual(told, [
        ['refund', 2500, 'USD', 10000 - price, story.late],
        ['refund', -1200, 'USD', 7500 - price, story.refunded],
        ['deposit', 1200, 'USD', 8700 - price, story.refunded],
        ['deposit', 3000, 'EUR', 3000, story.euros],
        ['purchase', -price, 'USD', 7500 - price, story.bought],
        ['deposit', 2500, 'USD', 7500, story.deposit],
        ['bonus', 5000, 'USD', 5000, null],
    ]);
    assert.equal(count, 7);
    for (const value of values) {
        assert.deepEqual(Object.keys(value),
            ['id', 'user', 'type', 'value', 'balance', 'currency', 'state', 'time', 'paymentId']);
        assert.equal(value.user, IDS.alice);
        assert.equal(value.state, 'completed');
        assert.ok(Number.isSafeInteger(value.id));
        assert.match(value.time, /^\d{10}$/);
        const since = value.paymentId === null ? began - 7200 : began; // the demo's own is as old as the demo
        assert.ok(Number(value.time) >= since && Number(value.time) <= nowSeconds(), value.time);
    }
    assert.equal(new Set(values.map(({ id }) => id)).size, 7);
});

test('the seller\'s history: each sale, less the house\'s fee', async () => {
    const { values, count } = await history(bob);
    const items = await shop.rows(
        'SELECT payment_id, SUM(price - fee) AS gain FROM payment_items WHERE payment_id IN (?) GROUP BY 1',
        [[story.bought, story.card]]);
    const gain = (id) => Number(items.find((item) => item.payment_id === id).gain);
    assert.equal(count, 2);
    assert.deepEqual(values.map(({ type, value, balance, currency }) => [type, value, balance, currency]), [
        ['sale', gain(story.card), gain(story.bought) + gain(story.card), 'USD'],
        ['sale', gain(story.bought), gain(story.bought), 'USD'],
    ]);
    assert.deepEqual(await history(olivia), { values: [], count: 0 });
});

test('the history by pages: each entry once, the count on the first only', async () => {
    const whole = (await history(alice)).values;
    for (const limit of [1, 2, 3, 7, 50]) {
        const found = [];
        for (let page = 0; found.length < whole.length; page++) {
            const content = await history(alice, { page, limit });
            assert.deepEqual(Object.keys(content), page === 0 ? ['values', 'count'] : ['values']);
            assert.ok(content.values.length <= limit && content.values.length > 0);
            found.push(...content.values);
        }
        assert.deepEqual(found, whole);
    }
    assert.deepEqual(await history(alice, { page: 1 }), { values: [] });
    assert.deepEqual(await history(alice, { page: 1000000, limit: 50 }), { values: [] });
});

test('pages and limits beyond their bounds, of both histories', async () => {
    for (const path of ['/user/getBalanceHistory', '/user/getTransactionHistory']) {
        for (const query of [{ limit: 0 }, { limit: 51 }, { limit: -1 }, { limit: '' }, { limit: 'x' },
            { limit: '1.0' }, { limit: '1e1' }, { page: -1 }, { page: '' }, { page: 1000001 },
            { page: '9223372036854775808' }, { page: "0'" }])
            refused(await get(alice, path, query), 400, PARAMETERS);
        refused(await client.request('GET', `${path}?page=0&page=1`, { token: alice.jwt }), 400, PARAMETERS);
        assert.equal((await read(alice, path, { limit: 50, page: 0, perpage: 'x' })).values.length, 7);
    }
});

test('a history of more than a page: ten unless asked for more, fifty at most', async () => {
    const account = await shop.value(
        "SELECT account_id FROM ledger_accounts WHERE kind = 'user' AND owner = ? AND currency = 'USD'",
        [IDS.bob]);
    const house = await shop.value("SELECT account_id FROM ledger_accounts WHERE kind = 'equity'");
    const before = await client.balance(bob);
    for (let i = 1; i <= 60; i++) {
        const { insertId } = await shop.rows(
            "INSERT INTO ledger_postings (document_id, effect) VALUES (?, 'opening')", [`OPENING_more_${i}`]);
        await shop.rows(
            `INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency, balance_after)
             VALUES (?, 1, ?, 1, 'USD', ?), (?, 2, ?, -1, 'USD', NULL)`,
            [insertId, account, before + i, insertId, house]);
    }
    await shop.rows('UPDATE balances SET balance = balance + 60 WHERE account_id = ?', [account]);
    assert.equal((await history(bob)).values.length, 10);
    const first = await history(bob, { limit: 50 });
    assert.deepEqual([first.values.length, first.count], [50, 62]);
    const rest = await history(bob, { limit: 50, page: 1 });
    assert.equal(rest.values.length, 12);
    assert.deepEqual([...first.values, ...rest.values].slice(0, 60).map(({ balance }) => balance),
        Array.from({ length: 60 }, (_, i) => before + 60 - i));
});

// --- transactions ---

test('the transactions: every payment with its items, whatever became of it', async () => {
    const values = await transactions(alice);
    assert.deepEqual(values.map(({ id, type, provider, totalPrice, currency, status }) =>
        [id, type, provider, totalPrice, currency, status]), [
        [story.open, 'deposit', 'payviox', 900, 'USD', 'pending'],
        [story.card, 'purchase', 'payviox', values[1].items[0].price, 'USD', 'completed'],
        [story.late, 'purchase', 'payviox', 2500, 'USD', 'completed'],
        [story.refunded, 'deposit', 'payviox', 1200, 'USD', 'refunded'],
        [story.euros, 'deposit', 'mannco', 3000, 'EUR', 'completed'],
        [story.bought, 'purchase', 'mannco', 1500 + values[5].items[0].price, 'USD', 'completed'],
        [story.deposit, 'deposit', 'payviox', 2500, 'USD', 'completed'],
    ]);
    assert.deepEqual(values[5].items, [
        { assetId: '900000001', name: 'Kopfhörer ★ 100%_', price: values[5].items[0].price },
        { assetId: '987654321', name: 'Mann Co. Supply Crate Key', price: 1500 },
    ]);
    for (const value of values) {
        assert.deepEqual(Object.keys(value), ['id', 'type', 'provider', 'method', 'items', 'itemsCount', 'totalPrice',
            'currency', 'status', 'time']);
        assert.match(value.time, /^\d{10}$/);
        if (value.type === 'deposit') assert.deepEqual(value.items, []);
    }
    assert.deepEqual(await transactions(bob), []);
});

test('the transactions by pages: each once', async () => {
    const whole = await transactions(alice, { limit: 50 });
    for (const limit of [1, 3, 7]) {
        const found = [];
        for (let page = 0; found.length < whole.length; page++)
            found.push(...(await transactions(alice, { page, limit })));
        assert.deepEqual(found, whole);
    }
    assert.deepEqual(await transactions(alice, { page: 1 }), []);
    assert.deepEqual(await transactions(alice, { page: 2000, limit: 50 }), []);
    refused(await get(alice, '/user/getTransactionHistory', { page: 2001, limit: 50 }), 400, PARAMETERS);
    refused(await get(alice, '/user/getTransactionHistory', { page: 100001, limit: 1 }), 400, PARAMETERS);
});

test('search: in ids, providers and items; letters are letters, not patterns', async () => {
    const find = async (search) => (await transactions(alice, { search, limit: 50 })).map(({ id }) => id);
    assert.deepEqual(await find('Crate'), [story.bought]);
    assert.deepEqual(await find('supply crate'), [story.bought]);
    assert.deepEqual(await find('Kopfhörer'), [story.bought]);
    assert.deepEqual(await find('öre'), [story.bought]);
    assert.deepEqual(await find('r ★ 1'), [story.bought]);
    assert.deepEqual(await find('100%_'), [story.bought]);
    assert.deepEqual(await find('Team Captain'), [story.late]);
    assert.deepEqual(await find('mannco'), [story.euros, story.bought]);
    assert.deepEqual(await find('MANNCO'), [story.euros, story.bought]);
    assert.deepEqual(await find(story.deposit), [story.deposit]);
    assert.deepEqual(await find(story.deposit.slice(-6)), [story.deposit]);
    assert.equal((await find('')).length, 7);
    for (const search of ['%%%', '___', 'Cra%', 'C_ate', '.*.', "' OR '1'='1", "'''", '\\\\\\', '日本語',
        '★★★', '🎧🎧🎧', 'nothing', 'x'.repeat(200), IDS.alice])
        assert.deepEqual(await find(search), [], search);
    for (const search of ['a', 'ab', '€€', 'öö', '🎧🎧', '  ', 'x'.repeat(201), '★'.repeat(67)])
        refused(await get(alice, '/user/getTransactionHistory', { search }), 400, PARAMETERS);
    const second = await transactions(alice, { search: 'payviox', limit: 2, page: 1 });
    assert.deepEqual(second.map(({ id }) => id), [story.late, story.refunded].slice(0, 2));
});

test('one transaction, and both refusals', async () => {
    const one = (user, query) => get(user, '/user/getTransactionDetails', query);
    for (const value of await transactions(alice)) {
        const content = accepted(await one(alice, { transactionId: value.id }));
        assert.deepEqual(content, { transaction: value });
    }
    for (const query of [{}, { transactionId: '' }, { id: story.deposit }, { transactionid: story.deposit }])
        refused(await one(alice, query), 400, 'transactionId parameter is required');
    for (const transactionId of [`PAY_${'0'.repeat(26)}`, 'txn_abc123', '1', ' ', story.deposit.toLowerCase(),
        `${story.deposit} `, "' OR 1=1", 'x'.repeat(5000)])
        refused(await one(alice, { transactionId }), 404, 'Transaction not found or access denied');
    refused(await one(bob, { transactionId: story.deposit }), 404, 'Transaction not found or access denied');
    const twice = `/user/getTransactionDetails?transactionId=${story.deposit}&transactionId=${story.open}`;
    refused(await client.request('GET', twice, { token: alice.jwt }), 400, PARAMETERS);
});

// --- alerts ---

const alerts = (user) => read(user, '/user/notifications');

test('alerts: one per payment that came to its end, until they are read', async () => {
    const before = await alerts(alice);
    assert.deepEqual(Object.keys(before),
        ['alertCount', 'messagesCount', 'offersCount', 'tradesCount', 'alerts']);
    assert.deepEqual([before.messagesCount, before.offersCount, before.tradesCount], [0, 0, 0]);
    assert.equal(before.alertCount, before.alerts.length);
    const about = (id) => before.alerts.filter(({ paymentId }) => paymentId === id).map(({ text }) => text);
    assert.deepEqual(about(story.deposit), ['25.00 USD were added to your balance.']);
    assert.deepEqual(about(story.euros), ['30.00 EUR were added to your balance.']);
    assert.equal(about(story.bought).length, 1);
    assert.match(about(story.late)[0], /arrived too late for your items/);
    assert.deepEqual(about(story.open), []);
    for (const alert of before.alerts) {
        assert.deepEqual(Object.keys(alert), ['id', 'time', 'text', 'paymentId']);
        assert.match(alert.time, /^\d{10}$/);
    }
    const ids = before.alerts.map(({ id }) => id);
    assert.deepEqual(ids, [...ids].sort((a, b) => b - a), 'newest first');

    const others = await alerts(bob);
    const done = await client.request('POST', '/user/notifications/read', { token: alice.jwt });
    const none = { alertCount: 0, messagesCount: 0, offersCount: 0, tradesCount: 0 };
    assert.deepEqual(accepted(done), none);
    assert.deepEqual(await alerts(alice), { ...none, alerts: [] });
    assert.deepEqual(await alerts(bob), others);

    const more = await deposit(alice, 1000);
    const after = await alerts(alice);
    assert.deepEqual(after.alerts.map(({ paymentId }) => paymentId), [more]);
    for (const options of [{ body: {} }, { form: { all: '1' } }, { body: 'no JSON' }])
        assert.deepEqual(accepted(await client.request('POST', '/user/notifications/read',
            { token: alice.jwt, ...options })), none);
});

test('more than fifty alerts: the newest fifty, and the count of all', async () => {
    for (let i = 0; i < 55; i++)
        await shop.rows(
            'INSERT INTO notifications (user_id, payment_id, kind, text) VALUES (?, ?, ?, ?)',
            [IDS.olivia, story.deposit, `test.${i}`, `alert ${i} <b>"&'\\`]);
    const found = await alerts(olivia);
    assert.equal(found.alertCount, 55);
    assert.deepEqual(found.alerts.map(({ text }) => text),
        Array.from({ length: 50 }, (_, i) => `alert ${54 - i} <b>"&'\\`));
    // however many: they are counted up to a thousand, and all marked as read
    await shop.rows(`INSERT INTO notifications (user_id, payment_id, kind, text)
        SELECT ?, ?, CONCAT('many.', seq), 'x' FROM seq_1_to_2500`, [IDS.olivia, story.deposit]);
    assert.equal((await alerts(olivia)).alertCount, 1000);
    assert.equal(accepted(await client.request('POST', '/user/notifications/read', { token: olivia.jwt })).alertCount, 0);
    assert.equal((await alerts(olivia)).alertCount, 0);
});

// --- GET /payments ---

const list = (query, user = alice) => read(user, '/payments', query);
const idsOf = async (query, user) => (await list(query, user)).payments.map(({ id }) => id);

test('the list by status, also of those whose time is over by the clock alone', async () => {
    const made = { expired: await deposit(alice, 1000, { paid: false }) };
    await shop.rows(
        `UPDATE payments SET created_at = created_at - INTERVAL 2 HOUR,
         expires_at = expires_at - INTERVAL 2 HOUR WHERE payment_id = ?`, [made.expired]);
    for (const [status, type] of Object.entries({ processing: 'pending_review', failed: 'declined' })) {
        made[status] = await deposit(alice, 1000, { paid: false });
        await sandbox.webhook({ order_id: made[status], type });
    }
    assert.deepEqual(await idsOf({ status: 'pending' }), [story.open]);
    assert.deepEqual(await idsOf({ status: 'processing' }), [made.processing]);
    assert.deepEqual(await idsOf({ status: 'failed' }), [made.failed]);
    assert.deepEqual(await idsOf({ status: 'expired' }), [made.expired]);
    assert.deepEqual(await idsOf({ status: 'refunded' }), [story.refunded]);
    const completed = (await list({ status: 'completed', limit: 100 })).payments;
    assert.ok(completed.length >= 6 && completed.every(({ status }) => status === 'completed'));
    await shop.rows("UPDATE payments SET status = 'expired' WHERE payment_id = ?", [made.expired]);
    assert.deepEqual(await idsOf({ status: 'expired' }), [made.expired]);
    assert.equal(await shop.value("SELECT COUNT(*) FROM payments WHERE user_id = ?", [IDS.alice]),
        (await idsOf({ limit: 100 })).length);
});

test('the list by provider, as it was asked for', async () => {
    assert.deepEqual(await idsOf({ provider: 'mannco' }), [story.euros, story.bought]);
    const payviox = (await list({ provider: 'payviox', limit: 100 })).payments;
    assert.ok(payviox.length >= 8 && payviox.every(({ provider }) => provider === 'payviox'));
    assert.deepEqual(await idsOf({ provider: 'mannco' }, bob), []);
    assert.deepEqual(await idsOf({ provider: 'mannco', status: 'refunded' }), []);
    assert.deepEqual(await idsOf({ provider: 'payviox', status: 'refunded' }), [story.refunded]);
});

test('of thousands of payments a filter or a search looks at the newest 1000, and a cursor leads on', async () => {
    const id = (n) => `PAY_00${String(n).padStart(24, '0')}`;
    await shop.rows(
        `INSERT INTO payments (payment_id, user_id, provider, type, amount, currency, status, client_ip, request_id,
             created_at, expires_at) SELECT CONCAT('PAY_00', LPAD(seq, 24, '0')), ?, 'payviox', 'balance', 700, 'USD',
             IF(seq = 1, 'failed', 'expired'), '::1', 'x', '2020-01-01', '2020-01-02' FROM seq_1_to_2500`, [IDS.olivia]);
    const seen = [];
    for (let cursor; cursor !== null;) {
        const page = await list({ status: 'failed', ...(cursor && { cursor }) }, olivia);
        seen.push([page.payments.map((payment) => payment.id), page.cursor]);
        cursor = page.cursor;
    }
    assert.deepEqual(seen, [[[], id(1501)], [[], id(501)], [[id(1)], null]]);
    // a page that is full goes on as ever, and so does whoever asks for all
    const full = await list({ status: 'expired', limit: 2 }, olivia);
    assert.equal(full.cursor, id(2499));
    assert.equal((await list({ limit: 100, cursor: id(102) }, olivia)).cursor, id(2));
    const search = (text) => transactions(olivia, { search: text });
    assert.equal((await search(id(1501))).length, 1);
    assert.deepEqual(await search(id(1500)), []);
    assert.equal((await transactions(olivia, { page: 49, limit: 50 })).at(-1).id, id(1));
});

test('the list by time: from is included, to is not', async () => {
    const at = Date.UTC(2020, 1, 29, 12, 0, 0, 250);
    const old = await deposit(bob, 1000, { paid: false });
    await shop.rows(
        `UPDATE payments SET created_at = '2020-02-29 12:00:00.250', expires_at = '2020-02-29 13:00:00.250'
         WHERE payment_id = ?`, [old]);
    const iso = (ms) => new Date(ms).toISOString();
    for (const write of [iso, String]) {
        assert.deepEqual(await idsOf({ from: write(at), to: write(at + 1) }, bob), [old]);
        assert.deepEqual(await idsOf({ from: write(at + 1), to: write(at + 86400_000) }, bob), []);
        assert.deepEqual(await idsOf({ from: write(at - 86400_000), to: write(at) }, bob), []);
        assert.deepEqual(await idsOf({ to: write(at + 1) }, bob), [old]);
    }
    assert.ok(!(await idsOf({ from: iso(at + 1) }, bob)).includes(old));
    assert.deepEqual(await idsOf({ from: '2020-02-29T13:00:00+01:00', to: '2020-02-29T12:00:01Z' }, bob), [old]);
    assert.deepEqual(await idsOf({ from: '1582977600', to: '1582977601' }, bob), [old]);
    assert.deepEqual(await idsOf({ from: iso(at + 9), to: iso(at) }, bob), []);
    assert.deepEqual(await idsOf({ from: '9999-12-31T23:59:59Z' }, bob), []);
});

test('filters that are none', async () => {
    for (const query of [{ status: 'paid' }, { status: '' }, { status: 'Pending' }, { status: "pending'" },
        { provider: 'nobody' }, { provider: '' }, { provider: 'Mannco' }, { from: '' }, { from: 'yesterday' },
        { from: '2020-02-30T00:00:00Z' }, { from: '2020-01-01' }, { to: '-1' }, { to: '1e9' },
        { from: '10000-01-01T00:00:00Z' }, { from: '253402300800000' }, { to: '99999999999999999999' },
        { cursor: '' }, { cursor: 'x' }, { limit: '0' }, { limit: '101' }])
        refused(await get(alice, '/payments', query), 400, PARAMETERS);
});

test('by cursor through all pages: each payment once, with any filter, while new ones come', async () => {
    const since = { from: '2021-01-01T00:00:00Z' };
    for (const filter of [{}, { status: 'completed' }, { provider: 'payviox' }, since]) {
        const whole = await idsOf({ ...filter, limit: 100 });
        for (const limit of [1, 2, 3, whole.length]) {
            const found = [];
            for (let cursor; cursor !== null;) {
                const page = await list({ ...filter, limit, ...(cursor && { cursor }) });
                found.push(...page.payments.map(({ id }) => id));
                assert.ok(page.payments.length <= limit);
                assert.equal(page.cursor, page.cursor === null ? null : page.payments.at(-1).id);
                if (found.length === limit && limit === 2) await deposit(alice, 700, { paid: false });
                cursor = page.cursor;
            }
            assert.deepEqual(found, whole);
            if (limit === 2) break; // there is one more by now
        }
    }
    // a cursor of somebody else's is a place in the order of time, and tells nothing
    const theirs = (await idsOf({ limit: 100 }, bob))[0];
    const own = new Set(await idsOf({ limit: 100 }));
    for (const id of await idsOf({ cursor: theirs, limit: 100 })) assert.ok(own.has(id));
});

// --- GET /providers ---

test('the providers: methods, currencies and limits, without a token', async () => {
    const { providers } = accepted(await client.request('GET', '/providers'));
    const methods = ['credit_card', 'paypal', 'crypto', 'stripe_credit', 'zen_card', 'zen_blik', 'nicepay_va',
        'nicepay_ewallet', 'cryptocom'];
    const currencies = ['USD', 'EUR', 'GBP', 'JPY', 'KWD'];
    const limits = (minimum, maximum, dinars) => currencies.map((currency) =>
        currency === 'KWD'
            ? { currency, minimum: dinars[0], maximum: dinars[1] }
            : { currency, minimum, maximum });
    const byName = Object.fromEntries(providers.map((provider) => [provider.name, provider]));
    assert.deepEqual(byName.payviox, {
        name: 'payviox', methods, currencies, minimum: 500, maximum: 50000,
        limits: limits(500, 50000, [1500, 150000]), status: 'up',
    });
    assert.deepEqual(byName.mannco, {
        name: 'mannco', methods, currencies, minimum: 1000, maximum: 100000,
        limits: limits(1000, 100000, [3000, 300000]), status: 'up',
    });
    assert.equal((await client.request('HEAD', '/providers')).status, 200);
    refused(await client.request('POST', '/providers'), 405, 'Method not allowed');
    refused(await client.request('GET', '/providers/payviox'), 404, 'Not found');
});

test('what the list promises is taken, and nothing else', async () => {
    const { providers } = accepted(await client.request('GET', '/providers'));
    for (const { name, methods, limits } of providers.filter(({ status }) => status === 'up')) {
        for (const method of methods)
            accepted(await client.paiement(alice, { amount: 1000, method }, { provider: name }));
        for (const { currency, minimum, maximum } of limits) {
            for (const amount of [minimum, maximum])
                accepted(await client.paiement(alice, { amount, currency }, { provider: name }));
            for (const amount of [minimum - 1, maximum + 1])
                refused(await client.paiement(alice, { amount, currency }, { provider: name }), 400,
                    'Invalid amount');
        }
    }
});

test('a provider that is switched off is down, and its methods are no longer the house brand\'s', async () => {
    const statuses = async () => {
        const { providers } = accepted(await client.request('GET', '/providers'));
        return Object.fromEntries(providers.filter(({ name }) => ['payviox', 'mannco'].includes(name))
            .map((p) => [p.name, [p.status, p.methods.length]]));
    };
    const on = 'enabled = on\ndeposits = USD:500-';
    await withChangedConf(shop, on, on.replace('on', 'off'), async () => {
        const { payviox, mannco } = await statuses();
        assert.deepEqual([payviox[0], mannco], ['down', ['up', 0]]); // the balance still buys items
        refused(await client.paiement(alice, { amount: 1000 }), 400, 'Invalid provider');
    });
    assert.deepEqual(await statuses(), { payviox: ['up', 9], mannco: ['up', 9] });
});
