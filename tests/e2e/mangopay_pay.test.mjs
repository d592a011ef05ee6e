// Mangopay: payments by card on its page, from the first field to the last notice. Its notices are thin
// and unproved: they are stored and answered, then what they name is read, and only that moves money.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { DECLINED, makeMangopay } from './lib/mangopay.mjs';
import { makeShop } from './lib/mangoshop.mjs';

const shop = await startInstance({ name: 'mangopay', set: { 'mangopay.enabled': 'on', 'jobs.silence': 2, 'provider.timeout': 4000,
    'mangopay.callers_name_wallets': 'off', 'mangopay.fees_bps': 250 } });
const { client, sandbox } = shop;
const { alice } = shop.users;
const mangopay = makeMangopay(shop);
const { deposit, paiement, payinOf, credits, reviews, moves, notify, creates } = makeShop(shop, mangopay);

describe('a card on the hosted page', () => {
    test('pays, is confirmed by a notice and a read, and the payer comes back', () =>
        moves(1504, async () => {
            const made = await deposit(1504);
            assert.match(accepted(made).url, /\/mangopay\/pay\//);
            const paid = await mangopay.form(made.url, mangopay.cardForm());
            assert.equal(paid.status, 303, paid.text);
            const payment = await client.paymentIs(alice, made.id, 'completed');
            assert.deepEqual(payment.timeline.map(({ kind, detail }) => `${kind}: ${detail}`),
                ['created: mangopay', 'attempt: pending', 'completed: mangopay says SUCCEEDED']);
            const back = await client.request('GET', paid.location);
            assert.equal(back.status, 303, back.text);
            assert.match(back.headers.location, new RegExp(`\\?paymentId=${made.id}&status=completed$`));
            assert.equal(await credits(made.id), 1);
            assert.match(payment.card.alias, /^\d{6}X+\d{4}$/); // and nothing more of it
        }));

    test('the pay-in bears our reference in its Tag, and an Idempotency-Key made of it', async () => {
        const made = await deposit(700, { tag: 'order 66', culture: 'FR', secure_mode: 'FORCE',
            statement_descriptor: 'Shop 1' });
        accepted(made);
        const payin = await payinOf(made);
        assert.equal(payin.Tag, `${made.id} demo order 66`);
        assert.deepEqual([payin.Culture, payin.SecureMode, payin.StatementDescriptor, payin.CardType],
            ['FR', 'FORCE', 'Shop 1', 'CB_VISA_MASTERCARD']);
        const [call] = await creates(made.id, ' order 66');
        assert.equal(call.idempotency_key, made.id.replace('_', '-'));
    });

    test('a decline is told in words, and moves nothing', () =>
        moves(0, async () => {
            const made = await deposit(900);
            await mangopay.form(made.url, mangopay.cardForm(DECLINED));
            assert.equal((await client.paymentIs(alice, made.id, 'failed')).timeline.at(-1).detail, '');
            const payment = await client.payment(shop.users.olivia, made.id); // why is for operators
            assert.match(payment.timeline.at(-1).detail, /^mangopay says FAILED 101\d\d\d: the bank refuses/);
        }));

    test('currencies and kinds of card as the table has them', async () => {
        for (const [method, currency, fine] of [
            ['IDEAL', 'EUR', true], ['IDEAL', 'USD', false], ['P24', 'PLN', true], ['P24', 'EUR', false],
            ['MAESTRO', 'EUR', true], ['BCMC', 'EUR', true], ['DINERS', 'EUR', true], ['DINERS', 'GBP', false],
            ['AMEX', 'GBP', true], ['CB_VISA_MASTERCARD', 'CHF', true], ['SOFORT', 'EUR', true],
            ['GIROPAY', 'GBP', false],
        ]) {
            const made = await paiement(2000, { method, currency });
            if (fine) assert.match(accepted(made).paymentUrl, /^https:/, method);
            else refused(made, 400, 'Invalid currency');
        }
        refused(await paiement(2000, { method: 'VISA', currency: 'EUR' }), 400, 'Invalid method');
    });
});

describe('notices', () => {
    test('F36: made up by hand, one only makes us ask', () =>
        moves(0, async () => {
            const made = await deposit(800);
            const { Id } = await payinOf(made);
            assert.equal((await notify('PAYIN_NORMAL_SUCCEEDED', Id)).status, 200);
            await eventually(async () => (await mangopay.journal(`${made.id} demo`)).calls
                .some(({ method, path }) => method === 'GET' && path.endsWith(Id)));
            assert.equal((await client.payment(alice, made.id)).status, 'pending');
        }));

    test('of a pay-in that is not ours waits for a person', async () => {
        const payin = await mangopay.post('/payins/card/web', {
            AuthorId: 'user_m_guichet', DebitedFunds: { Currency: 'EUR', Amount: 100 },
            Fees: { Currency: 'EUR', Amount: 0 }, CreditedWalletId: 'wlt_m_guichet_eur',
            ReturnURL: 'https://example.org/', CardType: 'CB_VISA_MASTERCARD', Culture: 'EN', Tag: 'theirs' });
        await mangopay.form(payin.RedirectURL, mangopay.cardForm());
        await notify('PAYIN_NORMAL_SUCCEEDED', payin.Id);
        await eventually(() => shop.value("SELECT COUNT(*) FROM reviews WHERE provider = 'mangopay'"
            + " AND kind = 'stranger' AND note = 'a pay-in that Guichet has not made'"));
    });

    test('of another way of paying than was asked for waits for a person', () =>
        moves(0, async () => {
            const made = await deposit(850);
            await shop.rows("UPDATE payments SET method = 'paypal' WHERE payment_id = ?", [made.id]);
            await mangopay.form(made.url, mangopay.cardForm());
            await eventually(async () => (await reviews(made.id)).length > 0);
            assert.deepEqual(await reviews(made.id),
                [{ kind: 'mismatch', note: 'SUCCEEDED: another way of paying than was asked for (8.50 USD)' }]);
            assert.equal((await client.payment(alice, made.id)).status, 'pending');
        }));

    test('from listed addresses only, where they are listed', () =>
        shop.withSettings({ 'mangopay.callback_addresses': '127.0.0.7 203.0.113.7' }, async () => {
            const made = await deposit(825);
            const { Id } = await payinOf(made);
            await shop.stopPart('jobs'); // they read the list of events every two seconds
            await mangopay.form(made.url, mangopay.cardForm()); // the sandbox itself is refused
            const send = (from) => client.request('GET',
                `/webhook/mangopay?EventType=PAYIN_NORMAL_SUCCEEDED&RessourceId=${Id}&Date=1706745600`, { from });
            refused(await send('127.0.0.8'), 401, 'Invalid signature');
            assert.equal((await client.payment(alice, made.id)).status, 'pending');
            assert.equal((await send('127.0.0.7')).status, 200);
            await client.paymentIs(alice, made.id, 'completed');
        }).finally(() => shop.startPart('jobs')));

    test('POST is not their way, and without a resource there is nothing to take', async () => {
        assert.equal((await client.request('POST', '/webhook/mangopay', { body: {} })).status, 405);
        assert.equal((await client.request('GET', '/webhook/mangopay?EventType=X')).status, 401);
    });
});

describe('answers that are lost', () => {
    test('F43: an answer that got lost is read back under its key, not taken for a failure', () =>
        moves(1100, async () => {
            await mangopay.fault('connection_reset_after_success', { call: 'create' });
            const made = await deposit(1100);
            assert.match(accepted(made).url, /\/mangopay\/pay\//);
            assert.equal((await creates(made.id)).length, 1);
            await mangopay.form(made.url, mangopay.cardForm());
            await client.paymentIs(alice, made.id, 'completed');
        }));

    test('F40: a time-out after the pay-in was made is no failure, and the jobs find it', () =>
        moves(1200, async () => {
            await mangopay.fault('timeout_after_success', { call: 'create' });
            const made = await deposit(1200);
            assert.ok([200, 504].includes(made.status), made.text);
            const url = await eventually(async () => (await client.payment(alice, made.id)).url, 30_000);
            assert.equal((await creates(made.id)).length, 1);
            await mangopay.form(url, mangopay.cardForm());
            await client.paymentIs(alice, made.id, 'completed');
        }));

    test('a refused token is renewed once, and the call made again', async () => {
        await mangopay.act('forget_tokens', {});
        mangopay.renew();
        accepted(await deposit(600));
    });

    test('a used-up rate is told with the seconds to wait', async () => {
        await mangopay.fault('rate_limited', { call: 'create' });
        const made = await deposit(600);
        refused(made, 503, 'Provider unavailable');
        assert.ok(Number(made.headers['retry-after']) > 0);
    });
});

test('callers may not name wallets, authors and fees unless the settings say so; the house keeps its share', async () => {
    for (const extra of [{ fees: 1 }, { author_id: 'user_m_x' }, { credited_wallet_id: 'wlt_m_x' }])
        refused(await paiement(2000, extra), 400, 'Invalid request parameters');
    const made = await paiement(2000);
    accepted(made);
    assert.equal((await payinOf(made)).Fees.Amount, 50);
});
