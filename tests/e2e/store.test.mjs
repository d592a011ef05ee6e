// The unit tests of the store need a database with the schema: they get a fresh one here.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { superuser } from './lib/chaos.mjs';
import { BIN, startInstance } from './lib/instance.mjs';

// Those that ask whether there is a database. The sweep wants one for itself: torture.test.mjs.
const UNIT = fileURLToPath(new URL('../unit/', import.meta.url));
const NAMES = fs.readdirSync(UNIT)
    .filter((file) => /^test_.*\.c$/.test(file) && fs.readFileSync(UNIT + file, 'utf8').includes('database_is_named'))
    .filter((file) => file !== 'test_torture.c')
    .map((file) => path.basename(file, '.c'));

// The tests leave rows that no flow of ours would write, so the ledger is not verified.
const shop = await startInstance({ name: 'store', ledger: false });
// test_route does the jobs' work itself, with a partner that the program does not have.
await shop.stopPart('jobs');
// test_plans fills tables of its own, in a schema of its own.
superuser(shop, 'GRANT ALL ON guichet_plans.* TO guichet_admin@localhost');

for (const name of NAMES)
    test(`${name}: statements, rights, constraints and units of work on a fresh schema`, () => {
        const run = spawnSync(path.join(BIN, 'unit', name), {
            encoding: 'utf8',
            timeout: 300_000,
            env: { ...process.env, GUICHET_TEST_CONF: `${shop.home}/guichet.conf`, GUICHET_REQUIRE_DB: '1' },
        });
        assert.equal(run.status, 0, run.stdout + run.stderr);
        assert.match(run.stdout + run.stderr, /PASSED/);
    });
