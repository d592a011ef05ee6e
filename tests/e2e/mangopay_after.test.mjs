// Mangopay after the payment: refunds through its API and by its dashboard, disputes, and notices that
// did not come.
import assert from 'node:assert/strict';
import test, { after, describe } from 'node:test';
import { makeCrashes } from './lib/chaos.mjs';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { makeMangopay } from './lib/mangopay.mjs';
import { makeShop } from './lib/mangoshop.mjs';

const crashes = makeCrashes();
after(() => crashes.end());
const shop = await startInstance({ name: 'mangoafter', env: { GUICHET_CRASH_DIR: crashes.folder },
    set: { 'mangopay.enabled': 'on', 'jobs.silence': 2, 'mangopay.fees_bps': 900 } });
const { client } = shop;
const { alice, olivia } = shop.users;
const mangopay = makeMangopay(shop);
const { deposit, paiement, payinOf, referenceOf, moves, reviews, notify } = makeShop(shop, mangopay);

const is = (made, status) => client.paymentIs(alice, made.id, status);
async function paid(value = 1001) {
    const made = await deposit(value);
    await mangopay.form(made.url, mangopay.cardForm());
    await is(made, 'completed');
    return made;
}
const refund = (made, body = {}, options = {}) =>
    client.request('POST', `/payments/${made.id}/refunds`, { body, token: olivia.jwt, ...options });
const refundsOf = async (made) => mangopay.get(`/payins/${await referenceOf(made.id)}/refunds`);
const hurry = () => shop.rows('UPDATE refund_orders SET due_at = NOW(3) WHERE due_at IS NOT NULL');

describe('a refund through the API', () => {
    test('gives back all of it, fees too, and its own notice books nothing more', () =>
        moves(0, async () => {
            const made = await paid();
            const answer = accepted(await refund(made, { reason: 'broken' }));
            assert.deepEqual([answer.via, answer.state, answer.amount, answer.status, answer.refunded],
                ['provider', 'done', 1001, 'refunded', 1001]);
            const [there, ...more] = await refundsOf(made);
            assert.equal(more.length, 0);
            assert.deepEqual([there.DebitedFunds.Amount, there.Fees.Amount, there.CreditedFunds.Amount, there.Tag],
                [911, -90, 1001, answer.id]);
            await eventually(async () => (await shop.value("SELECT COUNT(*) FROM inbox WHERE state = 'done'"
                + ' AND body LIKE ?', [`%PAYIN_REFUND_SUCCEEDED&RessourceId=${there.Id}%`])) > 0);
            const { refunds } = await client.payment(alice, made.id);
            assert.deepEqual(refunds.map(({ id, via, reason }) => [id, via, reason]), [[answer.id, 'provider', 'broken']]);
        }));

    test('in parts, whose fees add up to those of the payment', async () => {
        const made = await paid();
        for (const amount of [333, 333, 335]) assert.equal(accepted(await refund(made, { amount })).state, 'done');
        const there = await refundsOf(made);
        const sum = (pick) => there.reduce((all, row) => all + pick(row), 0);
        assert.deepEqual([sum((r) => r.DebitedFunds.Amount), sum((r) => r.Fees.Amount)], [911, -90]);
        refused(await refund(made, { amount: 1 }), 409, 'Refund exceeds what is left of the payment');
    });

    test('a refusal of the provider books nothing, and says why in the timeline', () =>
        moves(1001, async () => {
            const made = await paid();
            await mangopay.fault('error_code', { call: 'create', code: 5407 });
            refused(await refund(made), 409, 'The provider refuses this refund');
            const payment = await client.payment(olivia, made.id); // words for operators
            assert.equal(payment.status, 'completed');
            assert.match(payment.timeline.at(-1).detail, /^Mangopay says 005407: /);
            assert.deepEqual(payment.refunds, []);
        }));

    test('an answer that got lost is read back under its key: given back once', async () => {
        const made = await paid();
        await mangopay.fault('connection_reset_after_success', { call: 'create' });
        assert.equal(accepted(await refund(made)).state, 'done');
        assert.equal((await refundsOf(made)).length, 1);
    });

    test('two of one amount at one moment: a notice is of the one whose name it has', async () => {
        const made = await paid();
        await mangopay.fault('slow', { call: 'create', ms: 4000 });
        const slow = refund(made, { amount: 300 });
        await eventually(async () => (await shop.sandbox.journal({ order_id: 'none' })).armed.length === 0); // it has met the fault
        await mangopay.fault('timeout_after_success', { call: 'create', ms: 1500 });
        const quick = accepted(await refund(made, { amount: 300 }));
        assert.deepEqual([quick.state, accepted(await slow).state], ['done', 'done']);
        const names = Object.fromEntries((await refundsOf(made)).map(({ Id, Tag }) => [Id, Tag]));
        const ours = await shop.rows('SELECT refund_id, reference FROM refunds WHERE payment_id = ?', [made.id]);
        assert.deepEqual(Object.fromEntries(ours.map((row) => [row.reference, row.refund_id])), names);
    });

    test('the same Idempotency-Key is the same refund', async () => {
        const made = await paid();
        const first = await refund(made, { amount: 100 }, { key: 'refund-1' });
        const second = await refund(made, { amount: 100 }, { key: 'refund-1' });
        assert.equal(accepted(first).id, accepted(second).id);
        assert.equal((await refundsOf(made)).length, 1);
    });

    for (const [point, before] of [['refund_ordered', 0], ['refund_called', 1]])
        test(`F03: a handler dies at ${point}: the jobs carry it out, once`, async () => {
            const made = await paid();
            const lost = await crashes.killAt(shop, point, 'guichet', () => refund(made, {}, { key: `dies-${point}` }));
            assert.equal(lost.status, 502, lost.text);
            assert.equal((await refundsOf(made)).length, before);
            await hurry();
            await is(made, 'refunded');
            assert.equal((await refundsOf(made)).length, 1);
            const again = await eventually(async () => {
                const answer = await refund(made, {}, { key: `dies-${point}` });
                return answer.status === 200 && answer;
            });
            assert.equal(again.json.content.state, 'done');
        });

    test('a provider that cannot be reached is told so, and nothing is reserved', async () => {
        const made = await paid();
        await mangopay.fault('rate_limited', { call: 'create' });
        refused(await refund(made), 503, 'Provider unavailable');
        assert.equal(accepted(await refund(made)).state, 'done');
    });

    test('a bank wire is for a person to give back', async () => {
        const made = await paiement(5000, { method: 'bankwire' });
        await mangopay.act('wire', { session_id: await referenceOf(made.id) });
        await is(made, 'completed');
        assert.deepEqual([accepted(await refund(made)).via], ['manual']);
    });
});

test('a refund made in the dashboard is told by a notice, and read', () =>
    moves(0, async () => {
        const made = await paid();
        await mangopay.act('refund', { session_id: await referenceOf(made.id) });
        await is(made, 'refunded');
        assert.equal((await client.payment(alice, made.id)).refunds[0].via, 'reported');
    }));

describe('disputes', () => {
    for (const [result, dispute, amount] of [['WON', 'won', 1001], ['LOST', 'lost', 0]])
        test(`one that is ${dispute} holds the money meanwhile`, () =>
            moves(amount, async () => {
                const made = await paid();
                const session_id = await referenceOf(made.id);
                await mangopay.act('chargeback', { session_id });
                await eventually(async () => (await client.payment(alice, made.id)).dispute === 'opened');
                assert.equal((await client.payment(alice, made.id)).status, 'disputed');
                await mangopay.act('dispute', { session_id, result });
                await eventually(async () => (await client.payment(alice, made.id)).dispute === dispute);
                assert.equal(await shop.value('SELECT COUNT(*) FROM disputes WHERE payment_id = ?', [made.id]), 1);
            }));
});

describe('F25: notices that do not come', () => {
    const hooks = () => mangopay.get('/hooks?per_page=100');

    test('every kind is registered, at our address', async () => {
        const url = `${shop.urls.guichet}/webhook/mangopay`;
        const rows = await hooks();
        assert.ok(rows.length >= 10);
        for (const row of rows) assert.deepEqual([row.Url, row.Status, row.Validity], [url, 'ENABLED', 'VALID']);
    });

    test('a hook that was switched off is mended, and what it has not told is found', () =>
        moves(1001, async () => {
            const logged = shop.events('jobs').length;
            const row = (await hooks()).find(({ EventType }) => EventType === 'PAYIN_NORMAL_SUCCEEDED');
            await mangopay.put(`/hooks/${row.Id}`, { Status: 'DISABLED' });
            const made = await deposit(1001);
            await shop.rows('UPDATE payment_checks SET due_at = NOW(3) + INTERVAL 1 DAY, extra = 100');
            await mangopay.form(made.url, mangopay.cardForm());
            await client.paymentIs(alice, made.id, 'completed', 20_000);
            await eventually(async () => (await mangopay.get(`/hooks/${row.Id}`)).Status === 'ENABLED');
            assert.ok(await shop.value("SELECT swept_s FROM provider_silences WHERE provider = 'mangopay'") > 0);
            const since = shop.events('jobs').slice(logged);
            assert.deepEqual(since.filter(({ event, error }) => event === 'sweep' && error), []);
        }));

    test('guichetctl provider check does the same at once', async () => {
        await shop.stopPart('jobs');
        try {
            const [row] = await hooks();
            await mangopay.put(`/hooks/${row.Id}`, { Url: 'https://example.org/elsewhere' });
            const done = shop.ctl('provider', 'check', 'mangopay', '--json');
            assert.equal(done.status, 0, done.stderr);
            const { wrong, mended } = JSON.parse(done.stdout);
            assert.deepEqual([wrong, mended], [1, 1]);
            assert.equal(shop.ctl('provider', 'check', 'payviox').status, 1);
            assert.equal(shop.ctl('provider', 'check', 'nobody').status, 3);
        } finally {
            await shop.startPart('jobs');
        }
    });

    test('2 s whatever the load: a notice is answered before anybody is asked', async () => {
        const made = await deposit(500);
        const { Id } = await payinOf(made);
        await mangopay.fault('slow', { call: 'read', ms: 4000, count: 5 });
        const started = Date.now();
        await Promise.all([1, 2, 3, 4, 5].map((i) => notify('PAYIN_NORMAL_SUCCEEDED', Id, 1000 + i)));
        assert.ok(Date.now() - started < 3900);
    });
});

describe('for operators', () => {
    const said = (...words) => {
        const done = shop.ctl('provider', ...words, '--json');
        assert.equal(done.status, 0, done.stderr);
        return JSON.parse(done.stdout);
    };

    test('a wire to a wallet of the platform itself', () => {
        const wire = said('wire', 'mangopay', '--wallet', 'CREDIT_EUR', '--amount', '1000', '--currency', 'EUR');
        assert.deepEqual([wire.status, wire.declared, wire.wallet], ['CREATED', '10.00 EUR', 'CREDIT_EUR']);
        assert.match(wire.iban, /^[A-Z]{2}\d/);
        assert.ok(wire.wireReference);
    });

    test('a wire that a bank sent to an alias: told by a notice, in the review list, and shown', async () => {
        const user = await mangopay.user();
        const wallet = await mangopay.wallet(user.Id);
        const alias = await mangopay.post(`/wallets/${wallet.Id}/bankingaliases/iban`, { OwnerName: 'Jo Doe', Country: 'LU' });
        const { json: { id } } = await shop.sandbox.request('POST', '/control', { body: { provider: 'mangopay',
            action: 'external_instruction', alias: alias.Id, amount: 4200 } });
        await eventually(() => shop.value("SELECT COUNT(*) FROM reviews JOIN inbox USING (inbox_id)"
            + " WHERE kind = 'stranger' AND body LIKE ?", [`%RessourceId=${id}%`]));
        const payin = said('payin', 'mangopay', '--payin', id);
        assert.deepEqual([payin.execution, payin.debited, payin.bankingAlias], ['EXTERNAL_INSTRUCTION', '42.00 EUR', alias.Id]);
        assert.equal(shop.ctl('provider', 'payin', 'mangopay', '--payin', 'payin_m_none').status, 3);
    });
});

test('F51: no token and no key of ours is in a log', () => {
    for (const part of ['guichet', 'jobs']) assert.doesNotMatch(shop.logs(part), /Bearer|Basic /);
});
