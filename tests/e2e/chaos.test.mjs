// The short form of make chaos and make figures: everything at once, for some seconds.
import assert from 'node:assert/strict';
import test from 'node:test';
import { countWebhooks, webhookLines } from '../chaos/figures.mjs';
import { digestOf, stepOf } from '../chaos/plan.mjs';
import { reportLines } from '../chaos/report.mjs';
import { runChaos, sum } from '../chaos/run.mjs';

test('F01, F03, F20, F40, F54: deposits, carts and notices while everything misbehaves and is killed', async (t) => {
    // enough requests for what is asked below, however slow the machine is
    const result = await runChaos({ seed: 4, seconds: 13, requests: 250, clients: 12, say: (line) => t.diagnostic(line) });
    for (const line of reportLines(result)) t.diagnostic(line);
    assert(result.passed, reportLines(result).join('\n'));
    const { kills, seen } = result;
    assert(kills.guichet >= 5 && kills.jobs >= 1 && kills.mariadb >= 1, JSON.stringify(kills));
    assert(sum(seen.faults) >= 10, JSON.stringify(seen.faults));
    assert(seen.keys.size >= 20, `${seen.keys.size} acknowledged`);
});

test('F01: notices, one to five copies of each, shuffled, while handlers are killed: to the cent', async (t) => {
    const result = await countWebhooks({ count: 60, seed: 4, say: (line) => t.diagnostic(line) });
    for (const line of webhookLines(result)) t.diagnostic(line);
    assert.equal(result.credited, result.expected);
});

test('a seed is a plan: the same again for the same seed, another for another', () => {
    assert.deepEqual(stepOf(7, 3, 500), stepOf(7, 3, 500));
    assert.equal(digestOf(7), digestOf(7));
    assert.notEqual(digestOf(7), digestOf(8));
});
