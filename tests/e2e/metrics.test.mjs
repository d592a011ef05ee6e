// GET /metrics: what is not done yet, and since when; and that the shipped alerts fire on it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { accepted } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const RULES = fileURLToPath(new URL('../../nginx/prometheus/guichet.rules.yml', import.meta.url));
const shop = await startInstance({ name: 'metrics', ledger: false });
const { client, sandbox } = shop;
const { alice } = shop.users;

const scrape = async () => {
    const answer = await client.request('GET', '/metrics');
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/);
    return answer.text;
};
// {'guichet_payments_open{status="pending"}': 3, …}
const numbers = async () => Object.fromEntries((await scrape()).split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.replace(/ \S+$/, ''), Number(line.match(/\S+$/)[0])]));

function promtool(words, input) {
    const run = spawnSync('promtool', words, { input, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    return run.stdout;
}

// Does this alert fire, and no other, when the numbers stay as they are for an hour?
function assertFires(series, name, labels) {
    const alerts = [...new Set(fs.readFileSync(RULES, 'utf8').match(/(?<=alert: )\w+/g))];
    const file = path.join(shop.home, 'alerts.json');
    fs.writeFileSync(file, JSON.stringify({
        rule_files: [RULES],
        tests: [{
            interval: '1m',
            input_series: Object.entries(series).map(([key, value]) => ({ series: key, values: `${value}x60` })),
            promql_expr_test: alerts.map((alert) => ({
                expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
                eval_time: '30m',
                exp_samples: [{ value: alert === name ? 1 : 0 }],
            })),
        }],
    }));
    promtool(['test', 'rules', file]);
    assert.ok(labels === undefined || Object.keys(series).some((key) => key.includes(labels)));
}

test('a format that Prometheus takes, rules that it takes', async () => {
    promtool(['check', 'metrics'], await scrape());
    promtool(['check', 'rules', RULES]);
    assertFires(await numbers(), null);
});

test('from outside the machine nobody may look', async () => {
    const answer = await client.request('GET', '/metrics', { from: '127.0.0.2' });
    assert.equal(answer.status, 403);
});

test('numbers move with what happens', async () => {
    const before = await numbers();
    const made = await client.deposit(alice, 1000);
    accepted(made);
    const opened = await numbers();
    const OPEN = 'guichet_payments_open{status="pending"}';
    assert.equal(opened[OPEN], (before[OPEN] ?? 0) + 1);
    const CALLED = 'guichet_attempts_open{provider="payviox"}';
    assert.equal(opened[CALLED], (before[CALLED] ?? 0) + 1);
    const notice = sandbox.notice(sessionOf(made.url), made.id, 999, 'succeeded');
    await sandbox.notify(JSON.stringify(notice));
    await sandbox.notify(JSON.stringify(notice), { signature: '0'.repeat(64) });
    const seen = await numbers();
    assert.equal(seen['guichet_reviews_open{kind="mismatch"}'], 1);
    assert.ok(seen['guichet_provider_silence_seconds{provider="payviox"}'] < 60);
    assert.ok(seen['guichet_notices_unproved_total{provider="payviox"}'] >= 1);
});

test('F26: an old pending payment, which nobody asks about, raises the alarm without any traffic', async () => {
    await shop.rows(`INSERT INTO payments (payment_id, user_id, provider, type, amount, currency, client_ip, request_id,
            created_at, expires_at) VALUES ('PAY_00000000000000000000000000', ?, 'payviox', 'balance', 1000, 'USD', '::1',
            'test', UTC_TIMESTAMP(3) - INTERVAL 3 HOUR, UTC_TIMESTAMP(3) + INTERVAL 1 HOUR)`, [IDS.alice]);
    const seen = await numbers();
    const OLDEST = 'guichet_payments_open_oldest_seconds{status="pending"}';
    assert.ok(seen[OLDEST] >= 3 * 3600 && seen[OLDEST] < 4 * 3600);
    assertFires({ ...seen, 'guichet_reviews_oldest_seconds{kind="mismatch"}': 1 }, 'GuichetPaymentsStuck');
});

test('a wire that is still on its way wakes nobody', async () => {
    const before = await numbers();
    const insert = `INSERT INTO payments (payment_id, user_id, provider, type, method, amount, currency, client_ip, request_id,
            created_at, expires_at) VALUES ('PAY_00000000000000000000000001', ?, 'mangopay', 'balance', 'bankwire', 1000, 'EUR',
            '::1', 'test', UTC_TIMESTAMP(3) - INTERVAL 9 DAY, UTC_TIMESTAMP(3) + INTERVAL 5 DAY)`;
    await shop.rows(insert, [IDS.alice]);
    const OLDEST = 'guichet_payments_open_oldest_seconds{status="pending"}';
    const seen = await numbers();
    assert.ok(Math.abs(seen[OLDEST] - before[OLDEST]) < 60, `${seen[OLDEST]}`);
    assert.equal(seen['guichet_payments_open{status="pending"}'], before['guichet_payments_open{status="pending"}'] + 1);
});

test('a receiver that refuses is seen between two tries, and one that is gone', async () => {
    const OLDEST = 'guichet_deliveries_oldest_seconds{receiver="receiver_1"}';
    const GONE = 'guichet_receiver_disabled{receiver="receiver_1"}';
    const calm = await numbers();
    assert.deepEqual([calm[OLDEST], calm[GONE]], [undefined, 0]);
    const { insertId } = await shop.rows(`INSERT INTO outbox (payment_id, topic, created_at)
        SELECT MIN(payment_id), 'payment.test', UTC_TIMESTAMP(3) - INTERVAL 3 HOUR FROM payments`);
    await shop.rows(`INSERT INTO deliveries (outbox_id, receiver, tries, due_at)
        VALUES (?, 'receiver_1', 4, UTC_TIMESTAMP(3) + INTERVAL 2 HOUR)`, [insertId]);
    await shop.rows('UPDATE receivers SET disabled_at = UTC_TIMESTAMP(3)');
    const seen = await numbers();
    assert.equal(seen['guichet_deliveries_lag_seconds{receiver="receiver_1"}'], 0);
    assert.ok(seen[OLDEST] >= 3 * 3600 && seen[OLDEST] < 4 * 3600);
    assert.equal(seen[GONE], 1);
});

test('a refund that its provider does not end is seen, until somebody has', async () => {
    const OLDEST = 'guichet_refund_orders_oldest_seconds';
    assert.equal((await numbers())[OLDEST], 0);
    await shop.rows(`INSERT INTO refund_orders (refund_id, payment_id, attempt, amount, operator_id, due_at, created_at)
        SELECT 'REF_00000000000000000000000000', MIN(payment_id), 1, 100, ?, UTC_TIMESTAMP(3) + INTERVAL 1 HOUR,
            UTC_TIMESTAMP(3) - INTERVAL 3 DAY FROM payments`, [IDS.olivia]);
    const seen = await numbers();
    assert.ok(seen[OLDEST] >= 3 * 86400 && seen[OLDEST] < 3 * 86400 + 60);
    await shop.rows("UPDATE refund_orders SET state = 'done', due_at = NULL");
    assert.equal((await numbers())[OLDEST], 0);
});

test('a provider of whom nothing is expected may be silent', () =>
    assertFires({ guichet_checks_lag_seconds: 0, 'guichet_provider_silence_seconds{provider="mangopay"}': 90000,
        'guichet_attempts_open{provider="payviox"}': 100 }, null));

test('F26: each of the other alerts fires on what it is for', async () => {
    const calm = { 'guichet_checks_lag_seconds': 0 };
    for (const [name, series] of Object.entries({
        GuichetPaymentsUnended: { 'guichet_payments_open_oldest_seconds{status="processing"}': 200000 },
        GuichetJobsLate: { 'guichet_checks_lag_seconds': 301 },
        GuichetNoticesUnmatched: { 'guichet_inbox_unmatched_oldest_seconds': 3601 },
        GuichetProviderSilent: { 'guichet_provider_silence_seconds{provider="payviox"}': 3601,
            'guichet_attempts_open{provider="payviox"}': 21 },
        GuichetRefundsUnended: { 'guichet_refund_orders_oldest_seconds': 172801 },
        GuichetProviderClosed: { 'guichet_provider_closed{provider="payviox"}': 1 },
        GuichetDeliveriesLate: { 'guichet_deliveries_lag_seconds{receiver="mail"}': 901 },
        GuichetDeliveriesRefused: { 'guichet_deliveries_oldest_seconds{receiver="mail"}': 7201 },
        GuichetReceiverDisabled: { 'guichet_receiver_disabled{receiver="receiver_1"}': 1 },
        GuichetReviewWaits: { 'guichet_reviews_oldest_seconds{kind="surplus"}': 3601 },
    }))
        assertFires({ ...calm, ...series }, name);
    assertFires({}, 'GuichetSilent');
});
