// What callers may write into a query that the database then compares with its own words.
import assert from 'node:assert/strict';
import test from 'node:test';
import { accepted } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { addItems } from './lib/market.mjs';

const shop = await startInstance({ name: 'review' });
const { client } = shop;
const { alice, bob } = shop.users;

test('transactions are searched for words of any script, whatever their case', async () => {
    const [asset] = await addItems(shop, bob, [300]);
    await shop.rows('UPDATE items SET name = ? WHERE asset_id = ?', ['Ключ Манн Ко 😀😀😀', asset]);
    const { headers } = await client.request('POST', '/payment/mannco', {
        token: alice.jwt,
        body: { type: 'items', items: String(asset), tos_timestamp: 1706745600 },
    });
    const id = headers.location.split('/').pop();
    const found = async (search) => {
        const query = new URLSearchParams({ search });
        const answer = await client.request('GET', `/user/getTransactionHistory?${query}`, { token: alice.jwt });
        return accepted(answer).values.map((transaction) => transaction.id);
    };
    for (const search of ['ключ', 'Манн Ко', '😀😀😀', 'MANNCO', id.slice(4).toLowerCase()])
        assert.deepEqual(await found(search), [id], search);
    for (const search of ['ключи', 'café', '日本語', '%%%', '___', "'\"\\"])
        assert.deepEqual(await found(search), [], search);
});
