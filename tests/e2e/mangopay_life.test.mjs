// Mangopay: the whole life of every way to pay. Each is made through Guichet, paid where its payer pays,
// told by a hook, credited once; then given back through the API, or disputed and lost. What comes late
// is here too: refunds that end later, pay-ins that fail after all, repudiations and their settlement.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { AMEX, BROWSER, CHALLENGE, FRICTIONLESS, MAESTRO, eur, makeMangopay } from './lib/mangopay.mjs';
import { ADDRESS, AUTHOR, BROWSER_INFO, makeShop } from './lib/mangoshop.mjs';

const AMOUNT = 2000;
const shop = await startInstance({ name: 'mangolife', set: { 'mangopay.enabled': 'on', 'jobs.silence': 600,
    'mangopay.fees_bps': 250 } });
const { client, sandbox } = shop;
const { alice, olivia } = shop.users;
const mangopay = makeMangopay(shop);
const { paiement, referenceOf, payinOf, notify, reviews } = makeShop(shop, mangopay);
// Hooks at once, and no sweep behind them: what is told is told by a hook.
assert.equal(shop.ctl('provider', 'check', 'mangopay').status, 0);

const is = (made, status, user = alice) => client.paymentIs(user, made.id, status);
const seen = (made) => client.payment(olivia, made.id);
const refund = (made, body = {}) =>
    client.request('POST', `/payments/${made.id}/refunds`, { body, token: olivia.jwt });
const refundsOf = async (made) => mangopay.get(`/payins/${await referenceOf(made.id)}/refunds`);

// What the books say of the payment: effect, and how much of it went to the payer.
const books = async (made) =>
    (await shop.rows('SELECT effect, amount FROM ledger_postings JOIN ledger_entries USING (posting_id)'
        + ' JOIN ledger_accounts USING (account_id) WHERE document_id = ? AND kind = \'user\''
        + ' ORDER BY posting_id, line', [made.id])).map(({ effect, amount }) => `${effect} ${amount}`);
const booked = (made, ...lines) => eventually(async () => {
    const found = await books(made);
    assert.deepEqual(found, lines);
    return true;
});
const reviewsOf = (made) => shop.rows('SELECT review_id, kind, fact, note FROM reviews WHERE payment_id = ?', [made.id]);

// --- where payers pay ---

// A browser: the page and its form, as often as there is another page, then back at the shop.
async function throughPages(made, ...forms) {
    let url = made.url;
    for (const fields of forms) {
        const page = await mangopay.page(url);
        assert.equal(page.status, 200);
        for (const name of Object.keys(fields)) assert.ok(page.text.includes(`name="${name}"`), name);
        const done = await mangopay.form(url, fields);
        assert.equal(done.status, 303, done.text);
        url = done.location;
    }
    const back = await client.request('GET', url);
    assert.equal(back.status, 303, back.text);
    assert.match(back.headers.location, new RegExp(`\\?paymentId=${made.id}&status=completed$`));
}
const PAY = { action: 'pay' }, APPROVE = { challenge: 'approve' };
const card = (number = FRICTIONLESS) => mangopay.cardForm(number);
const wire = async (made) => mangopay.act('wire', { session_id: await referenceOf(made.id) });
const bank = async (made) => mangopay.act('pay', { session_id: await referenceOf(made.id), card: FRICTIONLESS });
const nothing = () => {};

const direct = async (number, secure_mode) => ({ card_id: await mangopay.card(AUTHOR, number), secure_mode,
    browser_info: BROWSER_INFO, billing: ADDRESS, shipping: ADDRESS });
const authorize = async (path) => (await mangopay.post(path, { AuthorId: AUTHOR, DebitedFunds: eur(AMOUNT),
    CardId: await mangopay.card(AUTHOR), SecureModeReturnURL: 'https://example.org/', IpAddress: '203.0.113.4',
    BrowserInfo: BROWSER })).Id;
const register = async () => accepted(await client.request('POST', '/recurring', { token: alice.jwt, body: {
    provider: 'mangopay', amount: AMOUNT, currency: 'EUR', card_id: await mangopay.card(AUTHOR),
    frequency: 'Monthly', fixed_next_amount: true, billing: ADDRESS } })).id;
async function registered() { // and paid once, with the payer there
    const recurring_id = await register();
    const first = await paiement(AMOUNT, { method: 'recurring_cit', recurring_id, browser_info: BROWSER_INFO });
    await throughPages(first, APPROVE);
    return recurring_id;
}

// method, what goes with it, the status answered, how it is paid, who gives it back, its currency
const WAYS = [
    ['card_web', nothing, 'pending', (made) => throughPages(made, card())],
    ['credit_card', nothing, 'pending', (made) => throughPages(made, card(CHALLENGE), APPROVE)],
    ['CB_VISA_MASTERCARD', () => ({ secure_mode: 'FORCE' }), 'pending', (made) => throughPages(made, card(), APPROVE)],
    ['DINERS', nothing, 'pending', (made) => throughPages(made, card())],
    ['AMEX', nothing, 'pending', (made) => throughPages(made, card(AMEX), APPROVE)],
    ['MAESTRO', nothing, 'pending', (made) => throughPages(made, card(MAESTRO), APPROVE)],
    ['P24', nothing, 'pending', (made) => throughPages(made, PAY), 'provider', 'PLN'],
    ['IDEAL', nothing, 'pending', (made) => throughPages(made, PAY)],
    ['BCMC', nothing, 'pending', (made) => throughPages(made, card(MAESTRO), APPROVE)],
    ['card_direct', () => direct(FRICTIONLESS, 'DEFAULT'), 'completed', nothing],
    ['card_direct', () => direct(CHALLENGE, 'FORCE'), 'pending', (made) => throughPages(made, APPROVE)],
    ['card_preauthorized', async () => ({ preauthorization_id: await authorize('/preauthorizations/card/direct') }),
        'completed', nothing],
    ['deposit_preauthorized', async () => ({ deposit_id: await authorize('/deposit-preauthorizations/card/direct') }),
        'completed', nothing],
    ['bankwire', nothing, 'pending', wire, 'manual'],
    ['directdebit_web', nothing, 'pending', (made) => throughPages(made, PAY)],
    ['SOFORT', nothing, 'pending', (made) => throughPages(made, PAY)],
    ['GIROPAY', nothing, 'pending', (made) => throughPages(made, PAY)],
    ['directdebit', async () => ({ mandate_id: (await mangopay.mandate(AUTHOR)).Id }), 'processing', bank],
    ['paypal', () => ({ shipping: ADDRESS }), 'pending', (made) => throughPages(made, PAY)],
    ['recurring_cit', async () => ({ recurring_id: await register(), browser_info: BROWSER_INFO }), 'pending',
        (made) => throughPages(made, APPROVE)],
    ['recurring_mit', async () => ({ recurring_id: await registered() }), 'completed', nothing],
];

async function paid([method, extra, answered, pay, , currency = 'EUR']) {
    const made = await paiement(AMOUNT, { method, currency, ...await extra() });
    assert.equal(accepted(made).status, answered, made.text);
    await pay(made);
    await is(made, 'completed');
    await booked(made, `credit ${AMOUNT}`);
    const payin = await payinOf(made);
    assert.deepEqual([payin.Status, payin.DebitedFunds.Amount, payin.Fees.Amount, payin.CreditedFunds.Amount],
        ['SUCCEEDED', AMOUNT, 50, AMOUNT - 50]);
    return made;
}

describe('credit, then given back through the API', () => {
    for (const way of WAYS)
        test(`${way[0]}, ${way[2]} at first`, async () => {
            const made = await paid(way), by = way[4] ?? 'provider';
            const part = accepted(await refund(made, { amount: 500, reason: 'one of two was broken' }));
            assert.deepEqual([part.via, part.state, part.status, part.refunded],
                [by, 'done', 'partially_refunded', 500]);
            const rest = accepted(await refund(made));
            assert.deepEqual([rest.via, rest.amount, rest.status], [by, 1500, 'refunded']);
            await booked(made, `credit ${AMOUNT}`, 'refund -500', 'refund -1500');
            refused(await refund(made, { amount: 1 }), 409);
            const there = await refundsOf(made);
            assert.deepEqual(there.map((row) => row.CreditedFunds.Amount), by === 'manual' ? [] : [500, 1500]);
            await is(made, 'refunded');
        });
});

describe('credit, then disputed and lost, and settled', () => {
    for (const way of WAYS)
        test(`${way[0]}, ${way[2]} at first`, async () => {
            const made = await paid(way), session_id = await referenceOf(made.id);
            await mangopay.act('chargeback', { session_id });
            await is(made, 'disputed');
            await booked(made, `credit ${AMOUNT}`, `dispute -${AMOUNT}`);
            refused(await refund(made), 409);
            await mangopay.act('dispute', { session_id, result: 'LOST' });
            await eventually(async () => (await seen(made)).dispute === 'lost');
            await booked(made, `credit ${AMOUNT}`, `dispute -${AMOUNT}`); // the payer's part was gone already
            assert.equal(await shop.value('SELECT COUNT(*) FROM disputes WHERE payment_id = ?', [made.id]), 1);
        });
});

describe('refunds that Mangopay ends later', () => {
    const CARD = WAYS[0];
    async function held(amount) {
        const made = await paid(CARD);
        await mangopay.fault('refund_held');
        const answer = accepted(await refund(made, { amount }));
        assert.deepEqual([answer.via, answer.state, answer.refunded], ['provider', 'pending', 0]);
        assert.deepEqual((await seen(made)).refunds.map(({ id, state }) => [id, state]), [[answer.id, 'pending']]);
        const [{ Id }] = await refundsOf(made);
        await booked(made, `credit ${AMOUNT}`);
        return { made, answer, Id };
    }
    const end = (Id, code) => mangopay.act('refund_end', { refund_id: Id, ...(code && { code }) });
    const hurry = () => shop.rows('UPDATE refund_orders SET due_at = NOW(3) WHERE due_at IS NOT NULL');

    test('SUCCEEDED, and told by a notice: booked once, under its own id', async () => {
        const { made, answer, Id } = await held(500);
        await end(Id);
        await is(made, 'partially_refunded');
        await hurry();
        await booked(made, `credit ${AMOUNT}`, 'refund -500');
        assert.deepEqual((await seen(made)).refunds.map(({ id, via, state }) => [id, via, state]),
            [[answer.id, 'provider', 'done']]);
    });

    test('SUCCEEDED, and nobody told: the jobs ask', async () => {
        const { made, answer, Id } = await held(AMOUNT);
        await mangopay.fault('webhook_dropped', { order_id: (await payinOf(made)).Tag });
        await end(Id);
        await hurry();
        await is(made, 'refunded');
        await booked(made, `credit ${AMOUNT}`, `refund -${AMOUNT}`);
        assert.equal((await seen(made)).refunds[0].id, answer.id);
    });

    test('FAILED: nothing is booked, the payment stands, and can be given back again', async () => {
        const { made, Id } = await held(500);
        await end(Id, '005408');
        await hurry();
        await eventually(async () => (await seen(made)).refunds.length === 0);
        const payment = await is(made, 'completed', olivia);
        assert.match(payment.timeline.at(-1).detail, /005408/);
        assert.equal(payment.timeline.at(-1).kind, 'refund_failed');
        await booked(made, `credit ${AMOUNT}`);
        assert.equal(accepted(await refund(made, { amount: 500 })).state, 'done');
        await booked(made, `credit ${AMOUNT}`, 'refund -500');
    });

    test('meanwhile no more can be asked for than is left, and what Mangopay refuses is told', async () => {
        const { made, Id } = await held(1500);
        refused(await refund(made, { amount: 501 }), 409, 'Refund exceeds what is left of the payment');
        refused(await refund(made, { amount: 500 }), 409, 'The provider refuses this refund'); // 005406
        await end(Id);
        await is(made, 'partially_refunded');
        assert.equal(accepted(await refund(made)).amount, 500);
        await booked(made, `credit ${AMOUNT}`, 'refund -1500', 'refund -500');
    });
});

describe('pay-ins that fail after they were credited', () => {
    const DEBIT = WAYS.find(([method]) => method === 'directdebit');
    async function failedLate(code) {
        const made = await paid(DEBIT);
        await mangopay.act('fail_late', { session_id: await referenceOf(made.id), code });
        await eventually(async () => (await reviewsOf(made)).length > 0);
        return made;
    }

    for (const [resolution, status, lines] of [
        ['accepted', 'refunded', [`credit ${AMOUNT}`, `refund -${AMOUNT}`]],
        ['dismissed', 'completed', [`credit ${AMOUNT}`]],
    ])
        test(`the credit stands until a person has decided; ${resolution}: ${status}`, async () => {
            const made = await failedLate('001834');
            await is(made, 'completed');
            await booked(made, `credit ${AMOUNT}`);
            const [review, ...more] = await reviewsOf(made);
            assert.deepEqual([more.length, review.kind, review.fact], [0, 'mismatch', 'refunded']);
            assert.match(review.note, /FAILED 001834: given back to the payer after it was credited/);
            const done = shop.ctl('review', 'resolve', String(review.review_id), '--as', resolution, '--why', 'the bank says so');
            assert.equal(done.status, 0, done.stderr);
            await is(made, status);
            await booked(made, ...lines);
        });

    test('its notice again, and again: one row for a person', async () => {
        const made = await failedLate('001832');
        const { Id } = await payinOf(made);
        for (const date of [1, 2, 3]) assert.equal((await notify('PAYIN_NORMAL_FAILED', Id, date)).status, 200);
        await eventually(async () => await shop.value(
            "SELECT COUNT(*) FROM inbox WHERE body LIKE ? AND state = 'review'", [`%${Id}%`]) >= 4);
        assert.equal((await reviewsOf(made)).length, 1);
        await booked(made, `credit ${AMOUNT}`);
    });

    test('before it was credited it has simply failed, however late', async () => {
        const user = await mangopay.user({ FirstName: 'Penniless' });
        const [mandate, wallet] = await Promise.all([mangopay.mandate(user.Id), mangopay.wallet(user.Id)]);
        const made = await paiement(AMOUNT, { method: 'directdebit', mandate_id: mandate.Id, author_id: user.Id,
            credited_wallet_id: wallet.Id });
        await mangopay.advance(7 * 86400);
        mangopay.renew();
        const payment = await is(made, 'failed', olivia);
        assert.match(payment.timeline.at(-1).detail, /001830/);
        await booked(made);
    });
});

describe('repudiations and disputes', () => {
    const opened = async () => {
        const made = await paid(WAYS[0]);
        await mangopay.act('chargeback', { session_id: await referenceOf(made.id) });
        await is(made, 'disputed');
        const [dispute] = await mangopay.get(`/payins/${await referenceOf(made.id)}/disputes`);
        return { made, dispute };
    };

    for (const [result, shown, lines] of [
        ['WON', 'won', [`dispute_won ${AMOUNT}`]], ['VOID', 'won', [`dispute_won ${AMOUNT}`]], ['LOST', 'lost', []]])
        test(`${result}: the money that was held`, async () => {
            const { made } = await opened();
            await mangopay.act('dispute', { session_id: await referenceOf(made.id), result });
            await eventually(async () => (await seen(made)).dispute === shown);
            await booked(made, `credit ${AMOUNT}`, `dispute -${AMOUNT}`, ...lines);
        });

    test('contested, sent in, decided: each step is told, the money moves with the first and the last', async () => {
        const { made, dispute } = await opened();
        const sent = await mangopay.put(`/disputes/${dispute.Id}/submit`, { ContestedFunds: eur(AMOUNT) });
        assert.equal(sent.Status, 'SUBMITTED');
        await eventually(() => shop.value("SELECT COUNT(*) FROM inbox WHERE state = 'done' AND body LIKE ?",
            [`%DISPUTE_SUBMITTED&RessourceId=${dispute.Id}%`]));
        await booked(made, `credit ${AMOUNT}`, `dispute -${AMOUNT}`);
        await mangopay.act('dispute', { session_id: await referenceOf(made.id), result: 'WON' });
        await eventually(async () => (await seen(made)).dispute === 'won');
        await booked(made, `credit ${AMOUNT}`, `dispute -${AMOUNT}`, `dispute_won ${AMOUNT}`);
    });

    test('a retrieval only asks: noted once, nothing moves, and nobody is to decide anything', async () => {
        const made = await paid(WAYS[0]);
        const session_id = await referenceOf(made.id);
        const told = (type, id) => eventually(() => shop.value("SELECT COUNT(*) FROM inbox WHERE state = 'done' AND body LIKE ?",
            [`%${type}&RessourceId=${id}%`]));
        await mangopay.act('retrieval', { session_id });
        const [dispute] = await mangopay.get(`/payins/${session_id}/disputes`);
        assert.deepEqual([dispute.DisputeType, dispute.RepudiationId], ['RETRIEVAL', null]);
        await told('DISPUTE_CREATED', dispute.Id);
        await told('DISPUTE_ACTION_REQUIRED', dispute.Id);
        await mangopay.act('dispute', { session_id, result: 'VOID' });
        await told('DISPUTE_CLOSED', dispute.Id);
        const payment = await seen(made);
        assert.deepEqual([payment.status, payment.dispute], ['completed', null]);
        assert.deepEqual(payment.timeline.filter(({ kind }) => kind === 'dispute_warning').map(({ detail }) => detail),
            ['PENDING_CLIENT_ACTION', 'CLOSED VOID'].map((word) =>
                `mangopay says ${word}: the payer's bank asks about it, and takes nothing back`));
        await booked(made, `credit ${AMOUNT}`);
        assert.deepEqual(await reviews(made.id), []);
    });

    test('given in to: lost', async () => {
        const { made, dispute } = await opened();
        await mangopay.put(`/disputes/${dispute.Id}/close`, {});
        await eventually(async () => (await seen(made)).dispute === 'lost');
        await booked(made, `credit ${AMOUNT}`, `dispute -${AMOUNT}`);
    });

    test('in any order, and more than once: the same books', async () => {
        const { made, dispute } = await opened();
        const types = [['PAYIN_REPUDIATION_SUCCEEDED', dispute.RepudiationId], ['DISPUTE_CREATED', dispute.Id],
            ['PAYIN_REPUDIATION_CREATED', dispute.RepudiationId], ['DISPUTE_ACTION_REQUIRED', dispute.Id]];
        await mangopay.act('dispute', { session_id: await referenceOf(made.id), result: 'LOST' });
        const answers = await Promise.all([...types, ...types.reverse()].map(([type, id], i) => notify(type, id, i)));
        assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
        await eventually(async () => (await seen(made)).dispute === 'lost');
        await eventually(async () => await shop.value("SELECT COUNT(*) FROM inbox WHERE state <> 'done'"
            + ' AND (body LIKE ? OR body LIKE ?)', [`%${dispute.Id}%`, `%${dispute.RepudiationId}%`]) === 0);
        await booked(made, `credit ${AMOUNT}`, `dispute -${AMOUNT}`);
        assert.equal(await shop.value('SELECT COUNT(*) FROM disputes WHERE payment_id = ?', [made.id]), 1);
    });

    test('a settlement transfer moves the platform\'s own money: nothing of ours', async () => {
        const { made, dispute } = await opened();
        await mangopay.put(`/disputes/${dispute.Id}/close`, {});
        await eventually(async () => (await seen(made)).dispute === 'lost');
        const settled = await mangopay.post(`/repudiations/${dispute.RepudiationId}/settlementtransfer`,
            { AuthorId: AUTHOR, DebitedFunds: eur(AMOUNT), Fees: eur(0) });
        assert.deepEqual([settled.Status, settled.Nature, settled.RepudiationId],
            ['SUCCEEDED', 'SETTLEMENT', dispute.RepudiationId]);
        assert.equal((await notify('TRANSFER_SETTLEMENT_SUCCEEDED', settled.Id)).status, 200);
        await eventually(() => shop.value("SELECT COUNT(*) FROM inbox WHERE state = 'review' AND body LIKE ?",
            [`%${settled.Id}%`]));
        await booked(made, `credit ${AMOUNT}`, `dispute -${AMOUNT}`);
    });
});

describe('for the operator', () => {
    const said = (...words) => {
        const done = shop.ctl('provider', ...words, '--json');
        assert.equal(done.status, 0, done.stderr);
        return JSON.parse(done.stdout);
    };
    const postings = () => shop.value('SELECT COUNT(*) FROM ledger_postings');

    test('a wire to the platform\'s own wallet arrives: shown, and in nobody\'s balance', async () => {
        const before = await postings();
        const wired = said('wire', 'mangopay', '--wallet', 'FEES_EUR', '--amount', '4000', '--currency', 'EUR');
        await mangopay.act('wire', { session_id: wired.id });
        const shown = said('payin', 'mangopay', '--payin', wired.id);
        assert.deepEqual([shown.status, shown.debited, shown.wallet], ['SUCCEEDED', '40.00 EUR', 'FEES_EUR']);
        assert.equal(await postings(), before);
    });

    test('a wire to an alias that is closed has failed, and is shown so', async () => {
        const before = await postings();
        const user = await mangopay.user(), wallet = await mangopay.wallet(user.Id);
        const alias = await mangopay.post(`/wallets/${wallet.Id}/bankingaliases/iban`, { OwnerName: 'Jo Doe', Country: 'LU' });
        await mangopay.put(`/bankingaliases/${alias.Id}`, { Active: false });
        const { json: { id } } = await sandbox.request('POST', '/control', { body: { provider: 'mangopay',
            action: 'external_instruction', alias: alias.Id, amount: 100 } });
        const shown = said('payin', 'mangopay', '--payin', id);
        assert.deepEqual([shown.status, shown.result, shown.execution], ['FAILED', '101025', 'EXTERNAL_INSTRUCTION']);
        assert.equal(await postings(), before);
    });
});
