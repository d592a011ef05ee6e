// The fault sweep of tests/unit/test_torture.c needs a database that nobody else works on: it gets a
// fresh one here. One call of every other kind fails on each path; all do with TORTURE_FULL=1
// (make torture), which shows its progress and the closing table.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import { superuser } from './lib/chaos.mjs';
import { BIN, startInstance } from './lib/instance.mjs';

const full = process.env.TORTURE_FULL === '1';
// The ledger is verified by the sweep itself, as often as it is worth it.
const shop = await startInstance({ name: 'torture', processes: 1, ledger: false });
await shop.stopPart('jobs'); // the sweep does their work
superuser(shop, 'SET GLOBAL innodb_flush_log_at_trx_commit = 0'); // nobody kills this server

test('each fallible call fails in turn: a documented answer, no lie, right books, nothing left behind', async () => {
    const sweep = spawn(path.join(BIN, 'unit', 'test_torture'), {
        env: {
            ...process.env,
            ...(full ? {} : { TORTURE_SHORT: '1' }),
            GUICHET_TEST_CONF: `${shop.home}/guichet.conf`,
            GUICHET_REQUIRE_DB: '1',
        },
    });
    let said = '';
    for (const stream of [sweep.stdout, sweep.stderr])
        stream.on('data', (chunk) => {
            said += chunk;
            if (full) process.stdout.write(chunk);
        });
    const [status] = await once(sweep, 'close');
    assert.equal(status, 0, said);
    assert.match(said, /^torture: \d+ faults, 0 wrong$/m);
});
