// Mangopay creates of which nobody knows whether they happened, and of which Mangopay kept no answer: the
// jobs send them again under the same Idempotency-Key, which is taken once, where no money moves before
// the payer acts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { describe } from 'node:test';
import { eventually } from './lib/client.mjs';
import { refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { FRICTIONLESS, makeMangopay } from './lib/mangopay.mjs';
import { AUTHOR, BROWSER_INFO, makeShop } from './lib/mangoshop.mjs';

const shop = await startInstance({ name: 'mangoagain', set: { 'mangopay.enabled': 'on',
    'mangopay.callers_name_wallets': 'off', 'provider.timeout': 6000 } });
const { client } = shop;
const { alice } = shop.users;
const mangopay = makeMangopay(shop);
const { deposit, paiement, referenceOf, credits, creates, moves, reviews } = makeShop(shop, mangopay);

const hurry = () => shop.rows('UPDATE payment_checks SET due_at = NOW(3) WHERE due_at > NOW(3)');
const looks = ({ id }) => shop.events('jobs').filter(({ event, payment }) => event === 'check' && payment === id);
const looked = (made, found) =>
    eventually(async () => (await hurry()) && looks(made).some((line) => line.found === found), 20_000, 200);
const wayOf = (made) => eventually(async () => {
    await hurry();
    const { url, bankwire } = await client.payment(alice, made.id);
    return url ?? bankwire;
}, 20_000, 200);
const idsAt = async ({ id }) => (await mangopay.journal(`${id} demo`)).sessions.length;

// The connection ends before Mangopay has received anything.
async function lost(make) {
    await mangopay.fault('connection_reset', { call: 'create' });
    const made = await make();
    refused(made, 504, 'Payment outcome unknown');
    assert.equal(await idsAt(made), 0);
    return made;
}

describe('F40: no answer was kept', () => {
    test('a card page is made anew under the same key, and paid once', () =>
        moves(1300, async () => {
            const create = () => deposit(1300, { tos_timestamp: 1706745600 }, { key: 'again-1' });
            const made = await lost(create);
            const url = await wayOf(made);
            assert.equal(await idsAt(made), 1);
            const keys = new Set((await creates(made.id)).map((call) => call.idempotency_key));
            assert.deepEqual([...keys], [made.id.replace('_', '-')]);
            const again = await eventually(async () => {
                const answer = await create();
                return answer.status === 200 && answer;
            });
            assert.equal(again.url, url);
            await mangopay.form(url, mangopay.cardForm());
            await client.paymentIs(alice, made.id, 'completed');
            assert.equal(await credits(made.id), 1);
        }));

    test('a bank wire too, and one that is known is left as it is', async () => {
        const made = await lost(() => paiement(5000, { method: 'bankwire' }));
        const { wireReference } = await wayOf(made);
        const before = looks(made).length;
        await eventually(async () => (await hurry()) && looks(made).length >= before + 3, 20_000, 200);
        assert.equal((await client.payment(alice, made.id)).bankwire.wireReference, wireReference);
        assert.equal(await idsAt(made), 1);
        await mangopay.act('wire', { session_id: await referenceOf(made.id) });
        await client.paymentIs(alice, made.id, 'completed');
    });

    test('a card that pays at once is not charged by a guess', async () => {
        const user = 'user_m_guichet';
        const card_id = await mangopay.card(user);
        const made = await lost(() => paiement(900, { method: 'card_direct', card_id, browser_info: BROWSER_INFO }));
        await looked(made, 'asked for the lost answer');
        assert.equal((await creates(made.id)).length, 1);
        assert.equal(await idsAt(made), 0);
    });
});

test('F53: a provider that is left alone gets no creates of the jobs either', async () => {
    const made = await lost(() => deposit(1400));
    await shop.stopPart('jobs'); // what a running program knows of it may be a second old
    assert.equal(shop.ctl('provider', 'disable', 'mangopay', '--why', 'a test').status, 0);
    try {
        await shop.startPart('jobs');
        await looked(made, 'the provider is left alone');
        assert.equal((await creates(made.id)).length, 1);
    } finally {
        assert.equal(shop.ctl('provider', 'enable', 'mangopay').status, 0);
    }
    assert.match(await wayOf(made), /^https:/);
    assert.equal(await idsAt(made), 1);
});

test('a payment whose provider has lost its secrets is a person\'s, and goes on when they are back', async () => {
    const mandate = await mangopay.mandate(AUTHOR);
    const made = await paiement(1200, { method: 'directdebit', mandate_id: mandate.Id });
    await client.paymentIs(alice, made.id, 'processing');
    const conf = fs.readFileSync(shop.vars.CONF, 'utf8');
    const [section] = conf.match(/^\[mangopay\]\n[^[]*/m);
    const silent = section.replace(/^enabled = on$/m, 'enabled = off').replace(/^api_key_file.*$/m, '');
    try {
        fs.writeFileSync(shop.vars.CONF, conf.replace(section, silent));
        await shop.restartPart('jobs');
        await looked(made, 'its provider has no secrets set');
        const before = looks(made).length;
        await eventually(async () => (await hurry()) && looks(made).length > before, 20_000, 200);
        assert.equal(looks(made).at(-1).level, 'warn');
        assert.deepEqual(await reviews(made.id),
            [{ kind: 'unended', note: 'nobody can be asked: its provider has no secrets set' }]);
    } finally {
        fs.writeFileSync(shop.vars.CONF, conf);
        await shop.restartPart('jobs');
    }
    await mangopay.act('pay', { session_id: await referenceOf(made.id), card: FRICTIONLESS });
    await hurry();
    await client.paymentIs(alice, made.id, 'completed');
    assert.equal(await credits(made.id), 1);
});
