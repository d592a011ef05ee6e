import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
const t0 = Date.now();
const shop = await startInstance({ name: 'smoke' });
console.error('up', Date.now() - t0);
const { client, sandbox, users: { alice } } = shop;
test('deposit', async () => {
    const d = await client.deposit(alice, 2500);
    console.error(d.status, d.text, d.raw, d.id);
    const p = await client.pay(d.url);
    console.error(p.status, p.headers);
    await client.paymentIs(alice, d.id, 'completed');
    console.error(await client.payment(alice, d.id), await client.balance(alice));
    for (const part of ['mariadb', 'guichet', 'jobs', 'sandbox', 'nginx']) console.error(part, shop.leader(part), shop.pids(part));
});
test('restarts', async () => {
    for (const part of ['guichet', 'jobs', 'mariadb', 'sandbox']) { const t = Date.now(); await shop.restartPart(part); console.error(part, Date.now() - t); }
    await shop.killPart('mariadb'); await shop.startPart('mariadb'); await shop.ready();
    console.error(await client.balance(alice));
});
test('failing', () => assert.equal(1, 2));
