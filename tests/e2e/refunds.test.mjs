// POST /payments/{id}/refunds: operators give back, in part or as a whole, and never more than there is.
import assert from 'node:assert/strict';
import test, { after, describe } from 'node:test';
import { kindsOf, makeCrashes } from './lib/chaos.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const crashes = makeCrashes();
after(() => crashes.end());
const shop = await startInstance({ name: 'refunds', processes: 4, env: { GUICHET_CRASH_DIR: crashes.folder } });
const { client, sandbox } = shop;
const { alice, bob, olivia } = shop.users;
const EXCEEDS = 'Refund exceeds what is left of the payment';
const NOTHING = 'Nothing of this payment can be refunded';

const refund = (id, body = {}, { user = olivia, ...options } = {}) =>
    client.request('POST', `/payments/${id}/refunds`, { body, token: user.jwt, ...options });
const refundsOf = (id) =>
    shop.rows('SELECT amount, via, reference FROM refunds WHERE payment_id = ? ORDER BY sequence', [id]);
const postings = (id) =>
    shop.rows('SELECT effect, sequence FROM ledger_postings WHERE document_id = ? ORDER BY posting_id', [id]);

async function paid(user, value) {
    const made = await client.deposit(user, value);
    accepted(made);
    await client.pay(made.url);
    await client.paymentIs(user, made.id, 'completed');
    return made;
}

test('in part, then the rest: the books, the payment and its timeline say so', async () => {
    const { id } = await paid(alice, 2500);
    const before = await client.balance(alice);
    const first = accepted(await refund(id, { amount: 1000, reason: 'one of two was broken' }));
    assert.match(first.id, /^REF_[0-9A-Z]{26}$/);
    assert.deepEqual({ ...first, id: 0, createdAt: 0 }, {
        id: 0, paymentId: id, amount: 1000, currency: 'USD', via: 'manual', state: 'done',
        reason: 'one of two was broken', createdAt: 0, status: 'partially_refunded', refunded: 1000,
    });
    assert.equal(await client.balance(alice), before - 1000);
    const partly = await client.payment(alice, id);
    assert.deepEqual([partly.status, partly.refunded, partly.dispute], ['partially_refunded', 1000, null]);
    assert.deepEqual(partly.refunds, [{ id: first.id, amount: 1000, via: 'manual', state: 'done',
        reason: 'one of two was broken', createdAt: first.createdAt }]);

    const rest = accepted(await refund(id));
    assert.deepEqual([rest.amount, rest.status, rest.refunded], [1500, 'refunded', 2500]);
    assert.equal(await client.balance(alice), before - 2500);
    assert.deepEqual(await kindsOf(shop, alice, id),
        ['created', 'attempt', 'completed', 'partially_refunded', 'refunded']);
    assert.deepEqual(await postings(id), [{ effect: 'credit', sequence: 1 },
        { effect: 'refund', sequence: 1 }, { effect: 'refund', sequence: 2 }]);
    refused(await refund(id, { amount: 1 }), 409, EXCEEDS);
    refused(await refund(id), 409, NOTHING);
    const list = accepted(await client.request('GET', '/payments?status=refunded', { token: alice.jwt }));
    assert.deepEqual(list.payments.map((payment) => payment.id), [id]);
});

test('only operators, only payments that were paid, only amounts that can be', async () => {
    const { id } = await paid(alice, 700);
    const open = await client.deposit(alice, 900);
    refused(await refund(id, {}, { user: alice }), 403, 'Forbidden');
    refused(await client.request('POST', `/payments/${id}/refunds`, { body: {} }), 401, 'Unauthorized');
    refused(await refund('PAY_01M7WP5AWKD4KG5TY09QNPVXWS'), 404, 'Not found');
    refused(await refund('nonsense'), 404, 'Not found');
    refused(await refund(open.id), 409, NOTHING);
    for (const amount of [0, -1, 1.5, '700', 1e20, true, [], 701, 2 ** 53])
        refused(await refund(id, { amount }), 400, 'Invalid amount');
    for (const reason of [1, {}, 'x'.repeat(200)])
        refused(await refund(id, { reason }), 400, 'Invalid request parameters');
    refused(await refund(id, '{"amount":'), 415);
    refused(await client.request('GET', `/payments/${id}/refunds`, { token: olivia.jwt }), 405);
    assert.deepEqual(await refundsOf(id), []);
    const form = await client.request('POST', `/payments/${id}/refunds`,
        { form: { amount: '200', reason: 'héllo \u{1f600}' }, token: olivia.jwt });
    assert.equal(accepted(form).reason, 'héllo \u{1f600}');
    assert.equal((await client.payment(olivia, id)).refunded, 200, 'an operator may look');
});

test('F10: sixty percent twice, at once, many times: one passes', async () => {
    for (let round = 0; round < 20; round++) {
        const { id } = await paid(bob, 1000);
        const before = await client.balance(bob);
        const answers = await Promise.all([600, 600].map((amount) => refund(id, { amount })));
        assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
        assert.equal(await client.balance(bob), before - 600);
    }
});

test('F10: thirty at once, of all sizes: never more than the payment', async () => {
    const { id } = await paid(bob, 1000);
    const before = await client.balance(bob);
    await Promise.all(Array.from({ length: 30 }, (_, i) => refund(id, { amount: 40 + 10 * (i % 7) })));
    const { refunded } = await client.payment(bob, id);
    assert.ok(refunded <= 1000 && refunded > 900, `${refunded}`);
    assert.equal(await client.balance(bob), before - refunded);
});

test('the Idempotency-Key of a refund: once, replayed, other body 422, not another payment\'s', async () => {
    const [first, second] = [await paid(alice, 800), await paid(alice, 800)];
    const key = 'give-it-back';
    const answers = await Promise.all(Array.from({ length: 8 }, () => refund(first.id, { amount: 300 }, { key })));
    const done = answers.filter(({ status }) => status === 200);
    assert.ok(done.length >= 1);
    for (const answer of answers.filter(({ status }) => status !== 200)) assert.equal(answer.status, 409);
    assert.equal(new Set(done.map(({ text }) => text)).size, 1);
    const again = await refund(first.id, { amount: 300 }, { key });
    assert.deepEqual(again.all('idempotent-replayed'), ['true']);
    assert.equal(again.text, done[0].text);
    assert.equal(again.headers.location, `/payments/${first.id}`);
    refused(await refund(first.id, { amount: 301 }, { key }), 422);
    assert.equal((await refundsOf(first.id)).length, 1);
    accepted(await refund(second.id, { amount: 300 }, { key }));
});

test('given back by hand, then told by the provider: booked once', async () => {
    const { id, url } = await paid(alice, 1200);
    const before = await client.balance(alice);
    accepted(await refund(id));
    const told = await sandbox.notify(JSON.stringify(sandbox.notice(sessionOf(url), id, 1200, 'refunded')));
    assert.equal(told.status, 200);
    assert.equal(await client.balance(alice), before - 1200);
    assert.equal((await refundsOf(id)).length, 1);
});

test('given back in part by hand, and the provider tells of a refund: a person compares', async () => {
    const { id, url } = await paid(alice, 1200);
    accepted(await refund(id, { amount: 500 }));
    const before = await client.balance(alice);
    const notice = JSON.stringify(sandbox.notice(sessionOf(url), id, 1200, 'refunded'));
    for (let copy = 0; copy < 3; copy++) assert.equal((await sandbox.notify(notice)).status, 200);
    assert.equal(await client.balance(alice), before);
    const reviews = await shop.rows('SELECT kind, fact, note FROM reviews WHERE payment_id = ?', [id]);
    assert.equal(reviews.length, 1);
    assert.deepEqual([reviews[0].kind, reviews[0].fact], ['mismatch', 'refunded']);
    assert.match(reviews[0].note, /how much was it in all/);
});

test('spent money is claimed all the same: only then a balance goes below zero', async () => {
    const { id } = await paid(bob, 2000);
    const spare = await client.balance(bob);
    await shop.rows(`UPDATE items SET state = 1, owner_id = ?, price = ? WHERE asset_id = 987654330`,
        [IDS.alice, spare]);
    accepted(await client.buy(bob, '987654330', {}, { provider: 'mannco' }));
    assert.equal(await client.balance(bob), 0);
    accepted(await refund(id, { amount: 1500 }));
    assert.equal(await client.balance(bob), -1500);
});

test('what was paid from the balance goes back there', async () => {
    accepted(await client.buy(alice, '987654321', {}, { provider: 'mannco' }));
    const [{ payment_id: id }] = await shop.rows(
        "SELECT payment_id FROM payments WHERE provider = 'mannco' AND user_id = ? ORDER BY payment_id DESC LIMIT 1",
        [IDS.alice]);
    const before = await client.balance(alice);
    const given = accepted(await refund(id, { amount: 400 }));
    assert.equal(given.via, 'balance');
    assert.equal(await client.balance(alice), before + 400);
    accepted(await refund(id));
    assert.equal(await client.balance(alice), before + 1500);
    refused(await refund(id), 409, NOTHING);
});

describe('F03: the handler dies while it gives back', () => {
    for (const point of ['refund_stored', 'refund_booked'])
        test(`${point}: nothing is booked; asked again, once`, async () => {
            const { id } = await paid(alice, 1000);
            const before = await client.balance(alice);
            const ask = () => refund(id, { amount: 600 }, { key: point });
            const lost = await crashes.killAt(shop, point, 'guichet', ask);
            refused(lost, 502, 'Payment outcome unknown');
            assert.deepEqual(await refundsOf(id), []);
            assert.equal(accepted(await ask()).refunded, 600);
            assert.equal(accepted(await ask()).refunded, 600);
            assert.equal(await client.balance(alice), before - 600);
        });
});
