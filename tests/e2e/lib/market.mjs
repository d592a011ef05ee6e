// Buyers and items for the tests of carts and of the balance, and what the books say of them.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import assert from 'node:assert/strict';
import { IDS } from './instance.mjs';

const FIRST_BUYER = 76561198000001000n;
const FIRST_ASSET = 800000001;
const ALICES = 987654330; // the demo's only item that is not bob's

// The owner of an item before anybody bought it.
export const originOf = (shop, asset) =>
    shop.origins?.get(asset) ?? (asset === ALICES ? IDS.alice : IDS.bob);

// Users buyer1, buyer2, … beside those whom the demo has; returns them.
export async function addBuyers(shop, count) {
    const added = [];
    for (let i = 0; i < count; i++) {
        const number = Object.keys(shop.users).length;
        const id = String(FIRST_BUYER + BigInt(number));
        const file = path.join(shop.home, 'secrets', `buyer${number}_key`);
        const key = randomBytes(32).toString('hex');
        fs.writeFileSync(file, `${key}\n`, { mode: 0o600 });
        for (const words of [
            ['user', 'add', '--id', id, '--name', `buyer ${number}`, '--email', `buyer${number}@example.test`],
            ['key', 'add', '--user', id, '--key-file', file],
        ]) {
            const result = shop.ctl(...words);
            assert.equal(result.status, 0, result.stderr);
        }
        const user = { id, key, jwt: await shop.client.login(key) };
        shop.users[`buyer${number}`] = user;
        added.push(user);
    }
    return added;
}

// New items on sale, one for each price; returns their asset ids, ascending. `set`: other columns.
export async function addItems(shop, owner, prices, set = {}) {
    shop.origins ??= new Map();
    const rows = prices.map((price, i) => {
        const asset = FIRST_ASSET + shop.origins.size + i;
        const row = { owner_id: owner.id, state: 1, price, name: `Item ${asset}`, game: 440, ...set };
        return { asset_id: asset, ...row };
    });
    for (const row of rows) shop.origins.set(row.asset_id, owner.id);
    const columns = Object.keys(rows[0]);
    await shop.rows(`INSERT INTO items (${columns.join(', ')}) VALUES ?`, [rows.map(Object.values)]);
    return rows.map((row) => row.asset_id);
}

// {owner, state, holder} of an item.
export async function itemOf(shop, asset) {
    const [item] = await shop.rows(
        'SELECT CAST(owner_id AS CHAR) AS owner, state, held_by AS holder FROM items WHERE asset_id = ?',
        [asset],
    );
    return item;
}

// Changes columns of an item, as the marketplace itself would: {state: 2}.
export const changeItem = (shop, asset, set) =>
    shop.rows('UPDATE items SET ? WHERE asset_id = ?', [set, asset]);

// Puts the payment's end into the past, for the database as for everybody.
export const letExpire = (shop, id) =>
    shop.rows(
        `UPDATE payments SET created_at = created_at - INTERVAL 1 DAY,
            expires_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE payment_id = ?`,
        [id],
    );

// Money on a user's balance, the way it always comes.
export async function fund(shop, user, value) {
    const answer = await shop.client.deposit(user, value);
    assert.equal(answer.status, 200, answer.text);
    await shop.client.pay(answer.url);
    await shop.client.paymentIs(user, answer.id, 'completed');
}

export const nameOf = (shop, id) => Object.keys(shop.users).find((name) => shop.users[name].id === id);

// Who got what, and who gave it, by a payment's postings: {'credit bob': 950, 'credit house': 50}.
// What providers hold for us, and what they take for themselves, is left out.
export async function linesOf(shop, id) {
    const rows = await shop.rows(
        `SELECT p.effect, a.kind, a.owner, e.amount FROM ledger_postings p JOIN ledger_entries e USING (posting_id)
            JOIN ledger_accounts a USING (account_id)
            WHERE p.document_id = ? AND a.kind IN ('user', 'equity') ORDER BY p.posting_id, e.line`,
        [id],
    );
    return Object.fromEntries(rows.map(({ effect, kind, owner, amount }) =>
        [`${effect} ${kind === 'user' ? nameOf(shop, owner) : owner}`, amount]));
}

// What a user reads about a payment: the texts of his alerts.
export async function alertsOf(shop, user, id) {
    const answer = await shop.client.request('GET', '/user/notifications', { token: user.jwt });
    assert.equal(answer.status, 200, answer.text);
    return answer.json.content.alerts.filter((alert) => alert.paymentId === id).map((alert) => alert.text);
}

// Everything that a refused request must leave as it was: the bytes of tables, and the size of the
// jobs' queues. Counters and kept refusals are no part.
export async function snapshot(shop) {
    const found = {};
    for (const table of ['payments', 'payment_items', 'attempts', 'events', 'ledger_postings', 'ledger_entries',
        'balances', 'ledger_accounts', 'items', 'outbox', 'notifications'])
        found[table] = (await shop.rows(`CHECKSUM TABLE ${table} EXTENDED`))[0].Checksum;
    for (const table of ['payment_checks', 'deliveries'])
        found[table] = await shop.value(`SELECT COUNT(*) FROM ${table}`);
    return found;
}
