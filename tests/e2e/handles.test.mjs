// Connections to the database and to providers belong to one process, and to one thread at a time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { assertBooks, superuser } from './lib/chaos.mjs';
import { accepted } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';

const PROCESSES = 2, CONNECTIONS = 3, REQUESTS = 2000, CLIENTS = 48;
const shop = await startInstance({ name: 'handles', processes: PROCESSES, set: { 'database.connections': CONNECTIONS } });
const { client } = shop;
const { alice, bob } = shop.users;

test('F50: thousands of requests by many threads over few handles: right answers, no handle too many, no child', async () => {
    const own = { alice: await client.balance(alice), bob: await client.balance(bob) };
    let left = REQUESTS, most = 0;
    const work = async (number) => {
        while (left-- > 0) {
            const user = (left + number) % 2 ? alice : bob;
            if (left % 20 === 0) accepted(await client.deposit(user, 1000));
            else assert.equal(await client.balance(user), own[user === alice ? 'alice' : 'bob'], 'another user\'s answer');
            if (left % 250 === 0)
                most = Math.max(most, Number(superuser(shop,
                    "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'guichet'")));
        }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, number) => work(number)));
    const jobs = CONNECTIONS; // guichet-jobs has a pool of its own
    assert.ok(most > 0 && most <= PROCESSES * CONNECTIONS + jobs, `${most} connections`);
    for (const pid of shop.pids('guichet')) {
        const children = fs.readdirSync(`/proc/${pid}/task`)
            .flatMap((task) => fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean));
        assert.deepEqual(children, [], 'a handler never forks');
    }
    await assertBooks(shop);
});
