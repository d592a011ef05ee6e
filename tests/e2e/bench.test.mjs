// Runs alone: it measures time.
// The benchmark's short form: it runs, it verifies, and what does not add up is called WRONG.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { runBench } from '../bench/run.mjs';
import { tableLines } from '../bench/table.mjs';
import { BIN } from './lib/instance.mjs';

test('make bench: answered is stored is balanced, and a database with one row less is WRONG', async (t) => {
    const seen = [];
    // The second run of bare C loses a payment before anybody looks.
    const tamper = async (arena, row) => {
        seen.push(row.name);
        if (row.name === 'c' && seen.filter((name) => name === 'c').length === 2)
            await arena.pool.query('DELETE FROM bench_c.payments LIMIT 1');
    };
    const rows = await runBench({ jobs: ['create0', 'webhook'], contenders: ['guichet', 'c'], concurrency: [4], runs: 2, seconds: 0.5,
        warm: 0.5, processes: 1, set: {}, bin: path.join(BIN, 'bench'), say: (line) => t.diagnostic(line), tamper });
    for (const line of tableLines(rows)) t.diagnostic(line);
    const found = Object.fromEntries(rows.map((row) => [`${row.job} ${row.contender}`, row]));
    assert.deepEqual(Object.keys(found), ['create0 guichet', 'create0 c', 'webhook guichet']);
    for (const { answered } of rows) assert(answered > 0);
    for (const name of ['create0 guichet', 'webhook guichet']) {
        assert.deepEqual(found[name].wrong, ['', ''], name);
        assert.deepEqual(found[name].refused, '', name);
    }
    const [first, second] = found['create0 c'].wrong;
    assert.equal(first, '');
    assert.match(second, /^payments \d+, not \d+/);
    assert.match(tableLines(rows).join('\n'), /bare C.*WRONG/);
});
