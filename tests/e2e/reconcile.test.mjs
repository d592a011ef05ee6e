// What becomes of a payment whose create got no answer, whose notices never come, or that is paid
// twice: within a minute its payer knows where to pay, it is asked about a bounded number of times,
// and it ends final or before a person.
import assert from 'node:assert/strict';
import test, { after, afterEach, describe } from 'node:test';
import {
    answersOf, assertBooks, hurry, hurryUntil, kindsOf, makeCrashes, makeProviderProxy, statusOf, triesOf,
    withChangedConf,
} from './lib/chaos.mjs';
import { eventually, sleep } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { addBuyers, addItems, itemOf, letExpire } from './lib/market.mjs';

const CUTS = Number(process.env.CUTS ?? 3); // at each of the six points
const proxy = await makeProviderProxy();
after(() => proxy.end());
const crashes = makeCrashes();
after(() => crashes.end());
const shop = await startInstance({
    name: 'reconcile',
    env: { GUICHET_CRASH_DIR: crashes.folder },
    set: {
        'provider.timeout': 4000,
        'jobs.idle_wait': 50,
        'jobs.silence': 86400,
        'payviox.api_url': `https://localhost:${proxy.port}/payviox`,
    },
});
proxy.attach(shop);
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
const VALUE = 1300;
const TOS = { tos_timestamp: 1706745600 };

let keys = 0;
const newKey = () => `reconcile-${++keys}`;
const deposit = (key) => client.deposit(alice, VALUE, TOS, { key });
const kinds = (id) => kindsOf(shop, alice, id);
const calls = async (reference, method) =>
    (await sandbox.journal({ order_id: reference })).calls.filter((call) => call.method === method);
const sessionsOf = async (reference) => (await sandbox.journal({ order_id: reference })).sessions;
const references = async (id) => {
    const rows = await shop.rows('SELECT reference FROM attempts WHERE payment_id = ? ORDER BY number', [id]);
    return rows.map((row) => row.reference);
};
const surplusOf = (id, kind = 'surplus') =>
    shop.value('SELECT COUNT(*) FROM ledger_postings WHERE document_id = ? AND effect = ?', [id, kind]);
const reviewsOf = async (id) => {
    const rows = await shop.rows('SELECT kind FROM reviews WHERE payment_id = ? ORDER BY review_id', [id]);
    return rows.map((row) => row.kind);
};
const dropNotices = (reference) => sandbox.fault('webhook_dropped', { order_id: reference, count: 100 });

// Repeats the request until it has an answer for good.
const answered = (key, options) =>
    hurryUntil(shop, async () => {
        const repeat = await deposit(key);
        return repeat.status !== 409 && repeat;
    }, { ended: true, ...options });

// One look of the jobs, that nobody else hurries: hurryUntil may hurry a check that has just ended, too.
async function look(id, options) {
    const before = await triesOf(shop, id);
    await hurry(shop, { ...options, id });
    await eventually(async () => (await triesOf(shop, id)) > before, 20_000);
}

// A payment whose first session nobody knows, and whose second one the client knows.
async function replaced() {
    const key = newKey();
    await sandbox.fault('connection_reset_after_success', { call: 'create' });
    const { id, status } = await deposit(key);
    assert.equal(status, 504);
    const { url, status: later } = await answered(key, { id });
    assert.equal(later, 200);
    return { id, key, url, second: `${id}-2` };
}

// Until nothing is left to ask about; `rounds` bounds it.
async function runDry(ids, rounds = 180) {
    const left = () => shop.value('SELECT COUNT(*) FROM payment_checks WHERE payment_id IN (?)', [ids]);
    for (let round = 0; (await left()) > 0; round++) {
        assert(round < rounds, `checks are left after ${rounds} rounds`);
        await hurry(shop, { ended: true, id: ids.length > 1 ? '%' : ids[0], again: true });
        await sleep(100);
    }
}

afterEach(() => sandbox.reset());

describe('the answer to a create is lost', () => {
    test('F40, F41, F43: settled within 60 s by the clock, wherever the provider was cut, charged once', async (t) => {
        const points = ['refused', 'accepted', 'half_request', 'full_request', 'half_header', 'half_body'];
        const open = [];
        const seen = {};
        await shop.stopPart('jobs'); // their own calls would be cut, and not those that are to be
        for (let i = 0; i < CUTS * points.length; i++) {
            const key = newKey();
            const answer = await proxy.cut(points[i % points.length], () => deposit(key));
            seen[answer.status] = (seen[answer.status] ?? 0) + 1;
            assert([200, 503, 504].includes(answer.status), answer.text);
            if (answer.status !== 503) open.push({ key, id: answer.id, since: Date.now() });
        }
        await shop.startPart('jobs');
        let longest = 0;
        for (const payment of open) {
            const { url, status, text } = await eventually(async () => {
                const repeat = await deposit(payment.key);
                return repeat.status !== 409 && repeat;
            }, 60_000 + payment.since - Date.now(), 200);
            assert.equal(status, 200, text);
            longest = Math.max(longest, Date.now() - payment.since);
            const made = await references(payment.id);
            assert.equal(new Set(made).size, made.length, 'a reference of its own for each attempt');
            assert(made.length <= 2);
            assert.equal((await sessionsOf(made.at(-1))).length, 1);
            await client.pay(url);
            await client.paymentIs(alice, payment.id, 'completed');
        }
        t.diagnostic(`${JSON.stringify(seen)}; the last was settled ${longest} ms after its cut`);
        await assertBooks(shop);
    });

    test('F41, F42: one reference for one attempt, another one for another; the caller learns the last', async () => {
        const { id, key, url, second } = await replaced();
        assert.deepEqual(await references(id), [id, second]);
        assert.equal((await calls(id, 'POST')).length, 2, 'sent, and sent again');
        assert.equal((await calls(second, 'POST')).length, 1);
        assert.deepEqual((await answersOf(shop, id)).map((row) => row.outcome), ['unknown', 'unknown', 'pending']);
        assert.ok(url.endsWith((await sessionsOf(second))[0].session_id));
        const again = await deposit(key);
        assert.deepEqual([again.url, again.id, again.headers['idempotent-replayed']], [url, id, 'true']);
        assert.equal((await client.payment(alice, id)).url, url);
        await client.pay(url);
        await client.paymentIs(alice, id, 'completed');
        assert.equal((await deposit(key)).url, url, 'byte for byte, even now');
        await assertBooks(shop);
    });

    test('F40: a handful of attempts at most, however often their answers are lost', async () => {
        const key = newKey();
        await sandbox.fault('connection_reset_after_success', { call: 'create', count: 1000 });
        const { id } = await deposit(key);
        await hurryUntil(shop, async () => (await references(id)).length === 4, { ended: true, id });
        for (let i = 0; i < 6; i++) {
            await hurry(shop, { ended: true, id });
            await sleep(200);
        }
        assert.equal((await references(id)).length, 4);
        assert.equal((await deposit(key)).status, 409);
        assert.equal(await statusOf(shop, id), 'pending');
        await letExpire(shop, id);
        await runDry([id]);
        assert.equal(await statusOf(shop, id), 'expired');
        assert.equal((await deposit(key)).json.content, 'Payment outcome unknown');
        await sandbox.act('pay', { order_id: `${id}-3` });
        await client.paymentIs(alice, id, 'completed');
        await assertBooks(shop);
    });

    test('F40: the provider stays away for a while: asked sooner at first, then less often', async () => {
        await sandbox.fault('connection_reset', { call: 'create', count: 1000 });
        const { id } = await deposit(newKey());
        const waits = [];
        for (let i = 0; i < 12; i++) {
            await look(id, { ended: true });
            waits.push(await shop.value(
                'SELECT TIMESTAMPDIFF(SECOND, asked_at, due_at) FROM payment_checks WHERE payment_id = ?', [id]));
        }
        [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560].forEach((wait, i) =>
            assert(Math.abs(waits[i] - wait) <= 3, `look ${i}: ${waits}`));
        assert(waits[11] <= 2563);
        assert.deepEqual(await references(id), [id]);
        await sandbox.reset();
        await hurry(shop, { ended: true, id });
        await eventually(async () => (await answersOf(shop, id)).at(-1).outcome === 'pending');
        const due = await eventually(() => shop.value(
            'SELECT TIMESTAMPDIFF(SECOND, NOW(3), due_at) FROM payment_checks WHERE payment_id = ? AND tries = 0', [id]));
        assert(due <= 10, 'and then as if it were new');
        await assertBooks(shop);
    });

    test('F06: the client repeats, and tries the same cart with a new key: one open payment', async () => {
        const [carol] = await addBuyers(shop, 1);
        const [asset] = await addItems(shop, bob, [1500]);
        const [key, other] = [newKey(), newKey()];
        await sandbox.fault('timeout_after_success', { ms: 6500 });
        const first = await client.buy(carol, [asset], TOS, { key });
        assert.equal(first.status, 504);
        refused(await client.buy(carol, [asset], TOS, { key }), 409);
        refused(await client.buy(carol, [asset], TOS, { key: other }), 409);
        const made = await hurryUntil(shop, async () => {
            const repeat = await client.buy(carol, [asset], TOS, { key });
            return repeat.status === 200 && repeat;
        }, { ended: true, id: first.id });
        const joined = await client.buy(carol, [asset], TOS, { key: other });
        assert.deepEqual([joined.id, joined.url], [first.id, made.url], 'the open payment is returned');
        await client.pay(made.url);
        await client.paymentIs(carol, first.id, 'completed');
        assert.equal((await itemOf(shop, asset)).owner, carol.id);
        await assertBooks(shop);
    });

    test('F23: a lost one expires, its items are free, and the same cart can be bought again', async () => {
        const [carol] = await addBuyers(shop, 1);
        const [asset] = await addItems(shop, bob, [1500]);
        await sandbox.fault('connection_reset_after_success', { call: 'create' });
        const first = await client.buy(carol, [asset], TOS);
        await letExpire(shop, first.id);
        const second = await client.buy(carol, [asset], TOS);
        accepted(second);
        await sandbox.act('pay', { order_id: first.id });
        await client.paymentIs(carol, first.id, 'completed');
        await client.pay(second.url);
        await client.paymentIs(carol, second.id, 'completed');
        assert.equal((await itemOf(shop, asset)).owner, carol.id);
        await assertBooks(shop);
    });

    test('F40: through the house brand: another attempt with the same partner', async () => {
        const key = newKey();
        const body = { amount: 2000, currency: 'USD', returnUrl: 'https://yourapp.com/paid' };
        const create = () => client.paiement(alice, body, { provider: 'mannco', key });
        await sandbox.fault('connection_reset_after_success', { call: 'create' });
        const { id, status } = await create();
        assert.equal(status, 504);
        const { url } = await hurryUntil(shop, async () => {
            const repeat = await create();
            return repeat.status === 200 && repeat;
        }, { ended: true, id });
        const [{ session_id }] = await sessionsOf(`${id}-2`);
        await dropNotices(`${id}-2`);
        await client.pay(url);
        await eventually(async () => { // it has been looked at just now
            const back = await client.request('GET', `/return/payviox?order_id=${id}-2&session_id=${session_id}`);
            const said = new URL(back.headers.location).searchParams;
            assert.equal(said.get('paymentId'), id);
            return said.get('status') === 'completed';
        });
        await assertBooks(shop);
    });

    test('refused under a name of its own, too: the caller is told that it has failed', async () => {
        const key = newKey();
        await sandbox.fault('connection_reset', { call: 'create' });
        const { id } = await deposit(key);
        await sandbox.fault('refused', { call: 'create', count: 2 });
        const { status, json } = await answered(key, { id });
        assert.deepEqual([status, json.content], [502, 'Failed to process payment']);
        assert.equal(await statusOf(shop, id), 'failed');
        assert.deepEqual((await answersOf(shop, id)).map((row) => row.outcome), ['unknown', 'unknown', 'refused']);
        await assertBooks(shop);
    });
});

describe('F07: both attempts are paid', () => {
    for (const late of [false, true])
        test(`the first one ${late ? 'after' : 'before'} the second, with copies: surplus, once, and a person knows`, async () => {
            const { id, second } = await replaced();
            const before = await client.balance(alice);
            for (const reference of late ? [second, id] : [id, second]) {
                await sandbox.fault('webhook_duplicate', { copies: 5, order_id: reference });
                await sandbox.act('pay', { order_id: reference });
                await client.paymentIs(alice, id, 'completed');
            }
            await eventually(async () => (await surplusOf(id)) === 1);
            for (const reference of [id, second, id])
                assert.deepEqual(await sandbox.webhook({ order_id: reference, type: 'succeeded', copies: 3 }), [200, 200, 200]);
            assert.equal(await client.balance(alice), before + 2 * VALUE);
            assert.deepEqual(await reviewsOf(id), ['surplus']);
            assert.equal((await kinds(id)).filter((kind) => kind === 'surplus').length, 1);
            assert.deepEqual((await kinds(id)).filter((kind) => kind === 'completed'), ['completed']);
            await assertBooks(shop);

            await sandbox.act('refund', { order_id: late ? id : second });
            await eventually(async () => (await surplusOf(id, 'surplus_refund')) === 1);
            assert.equal(await client.balance(alice), before + VALUE);
            assert.equal(await statusOf(shop, id), 'completed');
            await assertBooks(shop);
        });

    test('both at the same moment, by notice and by check', async () => {
        for (let round = 0; round < 8; round++) {
            const { id, second } = await replaced();
            const before = await client.balance(alice);
            await Promise.all([
                sandbox.act('pay', { order_id: id }),
                sandbox.act('pay', { order_id: second }),
                hurry(shop, { id }),
            ]);
            await eventually(async () => (await surplusOf(id)) === 1);
            assert.equal(await client.balance(alice), before + 2 * VALUE);
        }
        await assertBooks(shop);
    });

    test('a cart: one hand-over, and the surplus goes to the balance', async () => {
        const [carol] = await addBuyers(shop, 1);
        const [asset] = await addItems(shop, bob, [1700]);
        const key = newKey();
        await sandbox.fault('connection_reset_after_success', { call: 'create' });
        const { id } = await client.buy(carol, [asset], TOS, { key });
        const made = await hurryUntil(shop, async () => {
            const repeat = await client.buy(carol, [asset], TOS, { key });
            return repeat.status === 200 && repeat;
        }, { ended: true, id });
        await client.pay(made.url);
        await client.paymentIs(carol, id, 'completed');
        await sandbox.act('pay', { order_id: id });
        await eventually(async () => (await surplusOf(id)) === 1);
        assert.equal((await itemOf(shop, asset)).owner, carol.id);
        assert.equal(await client.balance(carol), 1700);
        await assertBooks(shop);
    });
});

describe('F15, F17: an attempt that was given up', () => {
    test('F15: expires and fails: the other one stays payable, and stays paid', async () => {
        for (const action of ['expire', 'decline']) {
            const { id, url } = await replaced();
            await sandbox.act(action, { order_id: id });
            await eventually(async () => (await sandbox.journal({ order_id: id })).webhooks.length === 1);
            assert.equal(await statusOf(shop, id), 'pending');
            await client.pay(url);
            await client.paymentIs(alice, id, 'completed');
            for (const type of ['expired', 'declined', 'failed'])
                assert.deepEqual(await sandbox.webhook({ order_id: id, type }), [200]);
            assert.equal(await statusOf(shop, id), 'completed');
            assert.deepEqual(await reviewsOf(id), []);
        }
        await assertBooks(shop);
    });

    test('F17: is paid after the payment has expired: that still counts', async () => {
        const { id } = await replaced();
        await letExpire(shop, id);
        await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'expired', { id });
        await sandbox.act('pay', { order_id: id });
        await client.paymentIs(alice, id, 'completed');
        await assertBooks(shop);
    });

    test('F18: what was learnt of it by a notice is asked about as well, and so is what it is paid by', async () => {
        const { id, second } = await replaced();
        await sandbox.act('pending_review', { order_id: id }); // now its session is known
        await client.paymentIs(alice, id, 'processing');
        await dropNotices(id);
        await dropNotices(second);
        await sandbox.act('approve', { order_id: id });
        await sandbox.act('pay', { order_id: second });
        await sandbox.fault('readback_404', { order_id: second });
        await hurryUntil(shop, async () => (await surplusOf(id)) === 1, { id });
        assert.equal(await statusOf(shop, id), 'completed');
        await runDry([id]);
        await assertBooks(shop);
    });
});

describe('F03: jobs die', () => {
    for (const point of ['replace_begun', 'replace_called', 'check_read'])
        test(`${point}: the next look goes on; the payment is charged once`, async () => {
            const key = newKey();
            await sandbox.fault('connection_reset_after_success', { call: 'create' });
            const { id } = await deposit(key);
            if (point === 'check_read') await answered(key, { id });
            const dying = () => hurryUntil(shop, () => crashes.happened(point), { ended: true, id });
            await crashes.killAt(shop, point, 'jobs', dying);
            const { url } = await answered(key, { id });
            const made = await references(id);
            assert.deepEqual(made, [id, `${id}-2`, `${id}-3`].slice(0, made.length));
            assert.equal(made.length, point === 'replace_called' ? 3 : 2);
            await client.pay(url);
            await client.paymentIs(alice, id, 'completed');
            await assertBooks(shop);
        });

    test('surplus_posted: sent again, credited once', async () => {
        const { id, second } = await replaced();
        const before = await client.balance(alice);
        await sandbox.act('pay', { order_id: id });
        await client.paymentIs(alice, id, 'completed');
        await crashes.killAt(shop, 'surplus_posted', 'guichet', () => sandbox.act('pay', { order_id: second }));
        assert.equal(await surplusOf(id), 0);
        await sandbox.webhook({ order_id: second, type: 'succeeded', copies: 3 });
        assert.equal(await client.balance(alice), before + 2 * VALUE);
        await assertBooks(shop);
    });

    test('F24: no jobs program runs over the expiry: applied when it is there again', async () => {
        const { id } = await replaced();
        await shop.stopPart('jobs');
        await letExpire(shop, id);
        assert.equal((await client.payment(alice, id)).status, 'expired');
        assert.equal(await statusOf(shop, id), 'pending');
        await shop.startPart('jobs');
        await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'expired', { id });
        await assertBooks(shop);
    });
});

describe('questions are bounded', () => {
    test('F20, F21: no notice, no return: the schedule alone completes it; ten questions, and then the end', async () => {
        const { id } = await deposit();
        await dropNotices(id);
        const waits = [];
        await shop.rows('UPDATE payments SET expires_at = expires_at + INTERVAL 30 DAY WHERE payment_id = ?', [id]);
        const first = await shop.value(
            'SELECT TIMESTAMPDIFF(SECOND, created_at, due_at) FROM payment_checks JOIN payments USING (payment_id) WHERE payment_id = ?', [id]);
        for (let tries = 1; tries <= 9; tries++) {
            await look(id);
            assert.equal(await triesOf(shop, id), tries);
            waits.push(await shop.value(
                'SELECT TIMESTAMPDIFF(SECOND, asked_at, due_at) FROM payment_checks WHERE payment_id = ?', [id]));
        }
        [10, 60, 300, 900, 3600, 86400, 86400, 86400, 86400, 86400].forEach((wait, i) =>
            assert(Math.abs([first, ...waits][i] - wait) <= 3, `question ${i}: ${[first, ...waits]}`));
        await sandbox.act('pay', { order_id: id });
        await hurryUntil(shop, async () => (await statusOf(shop, id)) === 'completed', { id });
        assert.equal((await calls(id, 'GET')).length, 10);
        assert.equal(await triesOf(shop, id), undefined);
        await assertBooks(shop);
    });

    test('F22: whoever reloads the return page asks the provider every few seconds, and not for ever', async () => {
        const { id } = await deposit();
        await shop.rows('UPDATE payment_checks SET due_at = due_at + INTERVAL 1 HOUR WHERE payment_id = ?', [id]);
        const back = () => client.request('GET', `/return/payviox?order_id=${id}`);
        for (const answer of await Promise.all(Array.from({ length: 12 }, back))) assert.equal(answer.status, 303);
        assert.equal((await calls(id, 'GET')).length, 1);
        await dropNotices(id);
        await sandbox.act('pay', { order_id: id });
        const answer = await eventually(async () => {
            const to = new URL((await back()).headers.location);
            return to.searchParams.get('status') === 'completed';
        });
        assert.ok(answer);
        assert.equal((await calls(id, 'GET')).length, 2);

        const other = await deposit();
        await shop.rows('UPDATE payment_checks SET due_at = due_at + INTERVAL 1 HOUR WHERE payment_id = ?', [other.id]);
        for (let i = 0; i < 25; i++) {
            await shop.rows('UPDATE payment_checks SET asked_at = NULL WHERE payment_id = ?', [other.id]);
            await client.request('GET', `/return/payviox?order_id=${other.id}`);
        }
        assert.equal((await calls(other.id, 'GET')).length, 20);
        assert.equal(await triesOf(shop, other.id), 0, 'the schedule is as it was');
        await assertBooks(shop);
    });
});

describe('F20, F25: a provider falls silent, its endpoint for notices disabled say', () => {
    const SILENCE_S = 3;
    const asked = (id) => shop.rows(
        'SELECT tries, extra, resume_at IS NULL AS scheduled, TIMESTAMPDIFF(SECOND, NOW(3), due_at) AS wait FROM payment_checks WHERE payment_id = ?', [id]);

    test('its open payments are asked about before their time, once per silence; then back to the schedule', async () => {
        const { id: other } = await deposit();
        await sandbox.act('pay', { order_id: other });
        await client.paymentIs(alice, other, 'completed');
        let fees = 0;
        const notify = async () => // a notice that there has not been yet
            assert.deepEqual(await sandbox.webhook({ order_id: other, type: 'succeeded', fees: ++fees }), [200]);
        // a silence is answered once in ten seconds; as if they were over
        const rested = () => shop.rows("UPDATE provider_silences SET hurried_at = '2000-01-01'");
        const late = await Promise.all([1, 2, 3].map(async () => {
            const { id } = await deposit();
            await dropNotices(id);
            for (let tries = 1; tries <= 4; tries++) await look(id);
            return id;
        }));
        const [{ wait }] = await asked(late[0]);
        assert(wait > 3000, `${wait}`);
        await withChangedConf(shop, 'silence = 86400', `silence = ${SILENCE_S}`, async () => {
            const before = await Promise.all(late.map(async (id) => (await calls(id, 'GET')).length));
            const start = Date.now();
            await shop.restartPart('jobs');
            for (const id of late)
                await eventually(async () => {
                    await rested();
                    return (await asked(id))[0].extra >= 1;
                }, 30_000);
            for (const id of late)
                await eventually(async () => (await asked(id))[0].scheduled === 1);
            for (const [i, id] of late.entries()) {
                const [row] = await asked(id);
                assert.equal(row.tries, 4, 'no step of the schedule');
                assert(row.wait > 3000, 'and back in its place');
                const count = (await calls(id, 'GET')).length - before[i];
                assert(count >= 1 && count <= 1 + (Date.now() - start) / (SILENCE_S * 1000), `${count} questions`);
            }
            // paid, and nobody tells: found long before its time
            await sandbox.act('pay', { order_id: late[0] });
            await rested();
            await client.paymentIs(alice, late[0], 'completed', 30_000);

            await notify();
            const [{ extra }] = await asked(late[1]);
            for (const end = Date.now() + 7000; Date.now() < end; await sleep(200)) { // the jobs look every 5 s
                await rested();
                await notify();
            }
            assert.equal((await asked(late[1]))[0].extra, extra, 'notices flow: the schedule is enough');
        });
        await shop.restartPart('jobs');
        await assertBooks(shop);
    });
});

describe('every payment ends', () => {
    // `lasting`: not only the first create, but all that follow for the same payment.
    const CREATE = [
        ['slow', { ms: 2000 }], ['timeout_after_success', { ms: 1800 }],
        ['connection_reset'], ['connection_reset', {}, { lasting: true }],
        ['connection_reset_after_success'], ['connection_reset_after_success', {}, { lasting: true }],
        ['error_5xx', { status: 503 }], ['garbage'], ['rate_limited'], ['unauthorized'], ['refused'],
        ['payment_error'], ['webhook_before_answer'],
    ];
    const LATER = [
        ['slow', { call: 'read', ms: 6500, count: 2 }], ['connection_reset', { call: 'read', count: 1000 }],
        ['error_5xx', { call: 'read', count: 1000 }], ['garbage', { call: 'read', count: 1000 }],
        ['rate_limited', { call: 'read', count: 1000 }], ['unauthorized', { call: 'read', count: 1000 }],
        ['readback_404', { count: 1000 }], ['readback_pending', { count: 1000 }],
        ['webhook_duplicate'], ['webhook_reordered', { ms: 500 }], ['webhook_late', { ms: 500 }],
        ['webhook_dropped'], ['wrong_amount'], ['wrong_currency'], ['bad_signature'],
    ];
    const ACTIONS = ['pay', 'pending_review', null];

    // Creates have less time than the jobs: many must run out of it, and whether one does is all the same.
    test('F20: whatever the provider does, final or before a person, after a bounded number of questions', (t) =>
        shop.withSettings({ 'provider.timeout': 1500 }, () => eachEnds(t)));

    async function eachEnds(t) {
        const others = ['gone', 'error_code', 'foreign_id', 'refund_held']; // not Payviox's
        for (const fault of Object.keys((await sandbox.journal()).faults).filter((name) => !others.includes(name)))
            assert([...CREATE, ...LATER].some(([name]) => name === fault), `${fault} is missing`);
        const [carol] = await addBuyers(shop, 1);
        const ids = [];
        async function make(action, before, after) {
            const [asset] = await addItems(shop, bob, [1100]);
            await before();
            const { id } = await client.buy(carol, [asset], TOS);
            await after(id);
            const [session] = await sessionsOf(id);
            if (action !== null && session?.charges === 0) await sandbox.act(action, { order_id: id });
            return id;
        }
        const nothing = async () => {};
        for (const action of ACTIONS) {
            for (const [fault, args = {}, { lasting } = {}] of CREATE) {
                const call = ['webhook_before_answer', 'refused', 'payment_error'].includes(fault) ? {} : { call: 'create' };
                const all = async (id) => {
                    for (const end of ['', '-2', '-3', '-4'])
                        await sandbox.fault(fault, { ...args, ...call, order_id: id + end, count: 1000 });
                };
                ids.push(await make(action, () => sandbox.fault(fault, { ...args, ...call }), lasting ? all : nothing));
            }
            ids.push(...await Promise.all(LATER.map(([fault, args = {}]) =>
                make(action, nothing, (id) => sandbox.fault(fault, { ...args, order_id: id })))));
        }
        for (const id of ids) await letExpire(shop, id);
        await runDry(ids, 450);
        const questions = {};
        for (const [i, id] of ids.entries()) {
            const [fault] = [...CREATE, ...LATER][i % (CREATE.length + LATER.length)];
            for (const reference of await references(id))
                questions[fault] = Math.max(questions[fault] ?? 0, (await calls(reference, 'GET')).length);
        }
        t.diagnostic(`questions at most: ${JSON.stringify(questions)}`);
        for (const [fault, count] of Object.entries(questions)) {
            // curl sends a GET again when a connection breaks; hurrying starts looks while one waits
            const most = ['connection_reset', 'slow'].includes(fault) ? 20 : 10;
            assert(count <= most, `${fault}: ${count} questions`);
        }
        const ends = await shop.rows(
            `SELECT status, (SELECT COUNT(*) > 0 FROM reviews r WHERE r.payment_id = p.payment_id AND resolved_at IS NULL)
                AS waits, COUNT(*) AS count FROM payments p WHERE payment_id IN (?) GROUP BY 1, 2 ORDER BY 1, 2`, [ids]);
        t.diagnostic(ends.map(({ status, waits, count }) => `${count} ${status}${waits ? ' in review' : ''}`).join(', '));
        for (const { status, waits } of ends)
            assert(waits || !['pending', 'processing'].includes(status), `${status} for ever`);
        const held = await shop.value('SELECT COUNT(*) FROM items WHERE held_by IN (?)', [ids]);
        assert.equal(held, 0, 'nothing is held');
        assert.equal(ids.length, ACTIONS.length * (CREATE.length + LATER.length));
    }
});
