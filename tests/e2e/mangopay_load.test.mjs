// Runs alone: it measures time.
// Mangopay's notices under load: each is answered within two seconds, however slow Mangopay itself is,
// and what they tell of is in the books once.
import assert from 'node:assert/strict';
import https from 'node:https';
import test from 'node:test';
import { eventually, makeClient } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import { makeMangopay } from './lib/mangopay.mjs';
import { makeShop } from './lib/mangoshop.mjs';

const PAYMENTS = 12, COPIES = 30, AMOUNT = 700, SLOW_MS = 4000, SLOW_READS = 30;

const shop = await startInstance({ name: 'mangoload', set: { 'mangopay.enabled': 'on' } });
const { client } = shop;
const { alice } = shop.users;
const mangopay = makeMangopay(shop);
const { deposit, referenceOf, credits, reviews, moves } = makeShop(shop, mangopay);

const agent = new https.Agent({ keepAlive: true, maxSockets: 200 });
const many = makeClient(shop.urls.guichet, shop.ca, { agent, again: true });
const tell = (id, date) =>
    many.request('GET', `/webhook/mangopay?EventType=PAYIN_NORMAL_SUCCEEDED&RessourceId=${id}&Date=${date}`);

// As nginx saw it: from the request's first byte to the answer's last, the wait for a handler too.
const seconds = () => shop.events('nginx-access')
    .filter(({ path }) => path === '/webhook/mangopay').map((line) => line.seconds);
const armed = async () => (await shop.sandbox.journal()).armed.find(({ fault }) => fault === 'slow')?.left ?? 0;
const waiting = () => shop.value("SELECT COUNT(*) FROM inbox WHERE state <> 'done'");

test('F25: 2 s whatever the load: hundreds of notices, a slow Mangopay, busy jobs', () =>
    moves(PAYMENTS * AMOUNT, async () => {
        await mangopay.fault('webhook_dropped', { count: PAYMENTS });
        const made = [];
        for (let i = 0; i < PAYMENTS; i++) made.push(await deposit(AMOUNT));
        const names = await Promise.all(made.map(({ id }) => referenceOf(id)));
        for (const { url } of made) await mangopay.form(url, mangopay.cardForm());
        await mangopay.fault('slow', { call: 'read', ms: SLOW_MS, count: SLOW_READS });
        await shop.rows('UPDATE payment_checks SET due_at = NOW(3)');
        await eventually(async () => (await armed()) < SLOW_READS); // the jobs have begun
        const told = [];
        for (let copy = 0; copy < COPIES; copy++) for (const name of names) told.push(tell(name, 1_700_000_000 + copy));
        for (const answer of await Promise.all(told)) assert.equal(answer.status, 200, answer.text);
        const took = await eventually(() => seconds().length >= told.length && seconds());
        // no one waited for a call of Mangopay's; the machine itself may halt for a while
        assert.ok(Math.max(...took) < SLOW_MS / 1000 - 0.1, `the slowest of ${took.length}: ${Math.max(...took)} s`);
        for (const { id } of made) await client.paymentIs(alice, id, 'completed', 60_000);
        await eventually(async () => await waiting() === 0, 120_000, 500);
        for (const { id } of made) assert.deepEqual([await credits(id), await reviews(id)], [1, []]);
    }));
