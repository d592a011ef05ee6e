// Everybody who may bring the news of a success brings it at one moment: the provider's webhook, the
// payer's return, guichet-jobs and an operator. One posting function, so one credit.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import { assertBooks, hurry } from './lib/chaos.mjs';
import { sleep } from './lib/client.mjs';
import { accepted } from './lib/expect.mjs';
import { BIN, startInstance } from './lib/instance.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const ROUNDS = 200;
const shop = await startInstance({ name: 'barrier', processes: 4, set: { 'jobs.idle_wait': 20 } });
const { client, sandbox } = shop;
const { alice } = shop.users;

// An operator's tool takes its time to start: the others come at any moment of that.
let startMs = 100;
async function settle(id) {
    const started = Date.now();
    const tool = spawn(path.join(BIN, 'guichetctl'), ['-c', shop.vars.CONF, 'payment', 'settle', id,
        '--as', 'succeeded', '--why', 'barrier', '--by', 'olivia'], { stdio: 'ignore', env: { ...process.env, ...shop.env } });
    const [code] = await once(tool, 'exit');
    startMs = Date.now() - started;
    return code;
}

const counts = async (id) => ({
    credits: await shop.value("SELECT COUNT(*) FROM ledger_postings WHERE document_id = ? AND effect = 'credit'", [id]),
    credited: Number(await shop.value(`SELECT SUM(e.amount) FROM ledger_entries e JOIN ledger_postings USING (posting_id)
        JOIN ledger_accounts a USING (account_id) WHERE document_id = ? AND a.kind = 'user'`, [id])),
    completed: await shop.value("SELECT COUNT(*) FROM events WHERE payment_id = ? AND kind = 'completed'", [id]),
    told: await shop.value("SELECT COUNT(*) FROM outbox WHERE payment_id = ? AND topic = 'payment.completed'", [id]),
    mails: await shop.value("SELECT COUNT(*) FROM outbox JOIN deliveries USING (outbox_id) WHERE payment_id = ? AND receiver = 'mail'", [id]),
});

test(`F05: webhook, return page, jobs and operator at one moment, ${ROUNDS} rounds: one credit, one mail`, async () => {
    const before = await client.balance(alice);
    const firsts = {};
    for (let round = 0; round < ROUNDS; round++) {
        const made = await client.deposit(alice, 1000);
        accepted(made);
        await sandbox.fault('webhook_dropped', { order_id: made.id });
        await sandbox.act('pay', { order_id: made.id });
        const notice = JSON.stringify(sandbox.notice(sessionOf(made.url), made.id, 1000));
        const operator = settle(made.id);
        await sleep(Math.random() * startMs);
        const [told, back] = await Promise.all([
            sandbox.notify(notice),
            client.request('GET', `/return/payviox?order_id=${made.id}`),
            hurry(shop, { id: made.id }),
        ]);
        assert.equal(told.status, 200, told.text);
        assert.ok([200, 303].includes(back.status), back.text);
        assert.equal(await operator, 0);
        assert.deepEqual(await counts(made.id), { credits: 1, credited: 1000, completed: 1, told: 1, mails: 1 });
        const source = await shop.value("SELECT source FROM events WHERE payment_id = ? AND kind = 'completed'", [made.id]);
        firsts[source] = (firsts[source] ?? 0) + 1;
    }
    assert.equal(await client.balance(alice), before + ROUNDS * 1000);
    console.log(`    who came first: ${JSON.stringify(firsts)}`);
    await assertBooks(shop);
});
