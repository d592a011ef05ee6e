// make figures: WEBHOOKS (2000), CUTS (1000 at each point), SEED (1). Two loads that are counted to the
// cent: copies of notices while handlers die, and a provider that is cut off at six points.
import assert from 'node:assert/strict';
import https from 'node:https';
import { fileURLToPath } from 'node:url';
import { assertBooks, makeProviderProxy, whileKilling, withChangedConf } from '../e2e/lib/chaos.mjs';
import { eventually, sleep } from '../e2e/lib/client.mjs';
import { startInstance } from '../e2e/lib/instance.mjs';
import { sessionOf } from '../e2e/lib/sandbox.mjs';
import { ownersOf } from './calm.mjs';
import { makeDice } from './dice.mjs';

const TOS = { tos_timestamp: 1706745600 };
export const POINTS = {
    refused: 'connect', accepted: 'accept', half_request: 'half request', full_request: 'full request',
    half_header: 'half header', half_body: 'half body',
};
const SETTLED_S = 60;

// fn of every element, so many at a time.
async function overAll(list, lanes, fn) {
    const left = [...list];
    const take = async () => {
        for (let next; (next = left.shift()) !== undefined; ) await fn(next);
    };
    await Promise.all(Array.from({ length: lanes }, take));
}

async function withShop(set, fn) {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 64 });
    const shop = await startInstance({ name: 'figures', alone: true, agent, set });
    try {
        const result = await fn(shop);
        await shop.stop();
        return result;
    } catch (error) {
        shop.keep = true;
        shop.stopNow();
        error.message += ` (kept: ${shop.home})`;
        throw error;
    } finally {
        agent.destroy();
    }
}

// --- notices, one to five copies of each, shuffled, parallel, while handlers are killed ---

async function paidInSilence(shop, count, dice) {
    const made = [];
    await shop.sandbox.fault('webhook_dropped', { count });
    await overAll(Array.from({ length: count }, () => dice.between(500, 50000)), 12, async (value) => {
        const { id, url } = await shop.client.deposit(shop.users.alice, value, TOS);
        await shop.sandbox.act('pay', { order_id: id });
        made.push({ id, value, notice: JSON.stringify(shop.sandbox.notice(sessionOf(url), id, value)) });
    });
    return made;
}

export const countWebhooks = ({ count, seed, say }) =>
    withShop({}, async (shop) => {
        const dice = makeDice(seed, 'webhooks');
        const { alice } = shop.users;
        await shop.stopPart('jobs'); // nobody else may learn of the payments
        const made = await paidInSilence(shop, count, dice);
        say(`${count} deposits are paid, and nobody told us`);
        const before = await shop.client.balance(alice);
        const copies = made.flatMap(({ notice }) => Array(dice.between(1, 5)).fill(notice));
        const result = { payments: count, copies: copies.length, sent: 0, failed: 0 };
        const queue = dice.shuffled(copies);
        const started = Date.now();
        result.kills = await whileKilling(shop, () =>
            overAll(queue, 12, async function send(notice) {
                result.sent++;
                const answer = await shop.sandbox.notify(notice).catch(() => null);
                await sleep(10); // time to die in
                if (answer?.status === 200) return;
                result.failed++;
                await sleep(200); // as the provider would, later
                await send(notice);
            }));
        result.ms = Date.now() - started;
        result.expected = made.reduce((total, { value }) => total + value, 0);
        result.credited = (await shop.client.balance(alice)) - before;
        result.postings = await shop.value("SELECT COUNT(*) FROM ledger_postings WHERE effect = 'credit'");
        assert.equal(result.credited, result.expected, 'cents credited');
        assert.equal(result.postings, count, 'credits');
        await assertBooks(shop);
        await shop.startPart('jobs');
        return result;
    });

// --- the provider, cut off at six points ---

// Every attempt that was ever unknown: how long until it, or its payment, was decided. null: it is not.
const UNKNOWNS = `SELECT a.payment_id AS id,
        TIMESTAMPDIFF(MICROSECOND, u.created_at, COALESCE(
            (SELECT MIN(d.created_at) FROM attempt_answers d JOIN attempts b USING (attempt_id)
                WHERE b.payment_id = a.payment_id AND d.definite = 1 AND d.answer_id > u.answer_id),
            (SELECT MIN(e.created_at) FROM events e WHERE e.payment_id = a.payment_id
                AND e.kind IN ('completed', 'failed', 'expired')))) / 1000 AS ms
    FROM attempts a JOIN attempt_answers u USING (attempt_id) WHERE u.outcome = 'unknown'
    ORDER BY u.answer_id`;

// How long each of these was unknown, by payment; the first answer counts.
async function unknownTimes(shop) {
    const times = new Map();
    for (const { id, ms } of await shop.rows(UNKNOWNS)) if (!times.has(id)) times.set(id, ms === null ? null : Number(ms));
    return times;
}

// One create that is cut at the point, and what its caller does: he sends it again where it may be
// sent again.
async function cutOne(shop, proxy, point, key) {
    const send = () => shop.client.deposit(shop.users.alice, 1500, TOS, { key });
    const first = await proxy.cut(point, send);
    const last = first.status === 503 ? await send() : first;
    return { point, key, first: first.status, id: last.id };
}

function rowOf(point, all, times) {
    const cuts = all.filter((cut) => cut.point === point);
    const unknown = cuts.filter((cut) => times.has(cut.id)).map((cut) => times.get(cut.id));
    const late = unknown.filter((ms) => ms === null || ms > SETTLED_S * 1000).length;
    const answers = {};
    for (const { first } of cuts) answers[first] = (answers[first] ?? 0) + 1;
    const longest = Math.max(0, ...unknown.filter((ms) => ms !== null));
    return { point, cuts: cuts.length, answers, unknown: unknown.length, late, longestS: longest / 1000 };
}

// {rows: one for each point, late: unknowns that were not settled in time}.
export async function countCuts({ count, seed, say, wait = SETTLED_S }) {
    const proxy = await makeProviderProxy();
    const set = { 'provider.timeout': 1500, 'provider.connect_timeout': 1000, 'jobs.idle_wait': 50, 'jobs.threads': 4 };
    return withShop(set, async (shop) => {
        proxy.attach(shop);
        const { sandbox } = shop;
        const direct = new URL('/payviox', shop.urls.sandbox).href;
        const all = [];
        let times;
        // the handlers alone go through the proxy: whoever settles is not cut
        await withChangedConf(shop, `api_url = ${direct}`, `api_url = https://localhost:${proxy.port}/payviox`, async () => {
            const points = makeDice(seed, 'cuts').shuffled(Object.keys(POINTS).flatMap((point) => Array(count).fill(point)));
            for (const [number, point] of points.entries()) {
                all.push(await cutOne(shop, proxy, point, `cut-${seed}-${number}`));
                if (number % 500 === 499) say(`${number + 1} of ${points.length} cuts`);
            }
            const cut = all.filter(({ first }) => first !== 200).length;
            assert.equal(cut, points.length, 'every create was cut');
            say(`all cuts are made; unknown outcomes have ${wait} s`);
            await eventually(async () => {
                times = await unknownTimes(shop);
                return ![...times.values()].includes(null);
            }, wait * 1000, 500).catch(() => {});
        });
        await payAll(shop, sandbox, all);
        await assertBooks(shop);
        proxy.end();
        const rows = Object.keys(POINTS).map((point) => rowOf(point, all, times));
        return { rows, late: rows.reduce((total, row) => total + row.late, 0) };
    });
}

// The session to pay: of the address that the caller gets when he asks again; null: he gets none.
async function findSession(shop, { key }) {
    const again = await shop.client.deposit(shop.users.alice, 1500, TOS, { key });
    return again.status === 200 ? sessionOf(again.url) : null;
}

// Everybody pays at the address that he was given at last; whoever was given none, where the provider
// has him waiting. Then each payment has exactly one charge.
async function payAll(shop, sandbox, all) {
    await overAll(all, 8, async (cut) => {
        const session = await findSession(shop, cut);
        await sandbox.act('pay', session === null ? { order_id: cut.id } : { session_id: session });
    });
    await eventually(async () => {
        const done = await shop.value("SELECT COUNT(*) FROM payments WHERE status = 'completed'");
        return done === all.length;
    }, 120_000, 500);
    const owners = await ownersOf(shop);
    const charges = new Map();
    for (const { order_id, charges: number } of await sandbox.sessions())
        charges.set(owners.get(order_id), (charges.get(owners.get(order_id)) ?? 0) + number);
    for (const { id, point } of all) assert.equal(charges.get(id), 1, `${id}, cut at ${point}: charges`);
    assert.equal([...charges.values()].reduce((total, number) => total + number, 0), all.length, 'one charge each');
}

// --- the tables ---

const table = (rows) => {
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
    return rows.map((row) => `  ${row.map((cell, column) => String(cell).padEnd(widths[column])).join('  ')}`.trimEnd());
};

export const webhookLines = (r) => table([
    ['payments', 'copies', 'sent', 'failed and sent again', 'kills', 'notices/s', 'credits', 'cents credited', 'of'],
    [r.payments, r.copies, r.sent, r.failed, r.kills, Math.round(r.sent / (r.ms / 1000)), r.postings, r.credited,
        r.expected],
]);

export const cutLines = ({ rows }) => table([
    ['cut at', 'cuts', 'answered', 'charged once', 'unknown', `settled after ${SETTLED_S} s or never`, 'longest'],
    ...rows.map((r) => [POINTS[r.point], r.cuts,
        Object.entries(r.answers).map(([status, number]) => `${status} (${number})`).join(' '),
        r.cuts, r.unknown, r.late, `${r.longestS.toFixed(1)} s`]),
]);

async function main() {
    const say = (line) => console.log(`figures: ${line}`);
    const number = (name, fallback) => Number(process.env[name] || fallback);
    const seed = number('SEED', 1);
    const [webhooks, cuts] = [number('WEBHOOKS', 2000), number('CUTS', 1000)];
    say(`seed ${seed}: ${webhooks} notices, 1 to 5 copies of each`);
    for (const line of webhookLines(await countWebhooks({ count: webhooks, seed, say }))) console.log(line);
    say(`seed ${seed}: the provider is cut at six points, ${cuts} times each`);
    const result = await countCuts({ count: cuts, seed, say });
    for (const line of cutLines(result)) console.log(line);
    if (result.late > 0) say(`${result.late} unknown outcomes were not settled within ${SETTLED_S} s`);
    process.exit(result.late > 0 ? 1 : 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
    main().catch((error) => {
        console.error(`figures: ${error.message}`);
        process.exit(1);
    });
