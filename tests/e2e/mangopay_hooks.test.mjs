// Mangopay's hooks are many, of many kinds, and ours are among them: its lists have pages.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { startInstance } from './lib/instance.mjs';
import { makeMangopay } from './lib/mangopay.mjs';

// Switched off, so that nobody but guichetctl registers anything.
const shop = await startInstance({ name: 'mangohooks' });
const mangopay = makeMangopay(shop);
const ours = `${shop.urls.guichet}/webhook/mangopay`;
const theirs = 'https://example.org/told';

// Every kind that the sandbox knows, as Mangopay's documents list them.
const source = fs.readFileSync(new URL('../../src/sandbox/mangopay_fields.c', import.meta.url), 'utf8');
const kinds = /#define EVENT_TYPES([^;]*?[^\\]\n)/.exec(source)[1].match(/\b[A-Z]+_[A-Z_]+\b/g);

async function check() {
    const done = shop.ctl('provider', 'check', 'mangopay', '--json');
    assert.equal(done.status, 0, done.stderr);
    const { wrong, mended } = JSON.parse(done.stdout);
    return [wrong, mended];
}
const list = async () => [...await mangopay.get('/hooks?page=1&per_page=100'),
    ...await mangopay.get('/hooks?page=2&per_page=100')];

test('behind a full page of somebody else\'s they are found, and registered once', async () => {
    const others = kinds.filter((kind) => !/^(PAYIN|DISPUTE)_/.test(kind)).slice(0, 100);
    assert.equal(others.length, 100);
    for (const kind of others) await mangopay.hook(kind, theirs);
    const [wrong, mended] = await check();
    assert.ok(wrong >= 10);
    assert.equal(mended, wrong);
    assert.deepEqual(await check(), [0, 0]);
    const second = (await list()).slice(100);
    assert.equal(second.length, wrong);
    for (const { Url } of second) assert.equal(Url, ours);
});

test('one of them that is switched off is mended there; nobody else\'s is touched', async () => {
    const [row] = (await list()).slice(100);
    await mangopay.put(`/hooks/${row.Id}`, { Status: 'DISABLED' });
    assert.deepEqual(await check(), [1, 1]);
    const rows = await list();
    assert.deepEqual(rows.map(({ Status }) => Status).filter((word) => word !== 'ENABLED'), []);
    assert.equal(rows.filter(({ Url }) => Url === theirs).length, 100);
});

test('when Mangopay is away, check says so', async () => {
    await mangopay.fault('error_5xx', { call: 'read', count: 20 });
    const done = shop.ctl('provider', 'check', 'mangopay');
    assert.equal(done.status, 1);
    assert.match(done.stderr, /mangopay cannot be asked, or does not let us mend its hooks\n$/);
    await shop.sandbox.reset();
    assert.deepEqual(await check(), [0, 0]);
});
