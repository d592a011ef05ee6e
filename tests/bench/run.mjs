// All the rows that were asked for: each contender at each job with so many requests at a time, a few
// times over, every run compared with what the database holds afterwards.
import fs from 'node:fs';
import path from 'node:path';
import { Pool } from 'undici';
import { openArena } from './arena.mjs';
import { CONTENDERS } from './contenders.mjs';
import { JOBS, concurrencyOf, secondsOf } from './jobs.mjs';
import { measure } from './measure.mjs';
import { FIRST_ASSET, makeNotices } from './users.mjs';

const FIRST_GUESS = 8000; // webhooks or purchases a second: so many are laid out; twice as many if they run out
const FILLED = { webhook: 'makePayments', items: 'makeItems' };

export const median = (numbers) => {
    const sorted = [...numbers].sort((a, b) => a - b);
    const middle = Math.floor(sorted.length / 2);
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

// The rows to come: {name, job (of JOBS), jobName, concurrency}, those to be compared side by side.
export function planRows({ jobs, contenders, concurrency, short }) {
    const rows = [];
    for (const jobName of jobs)
        for (const many of concurrencyOf(JOBS[jobName], concurrency, short))
            for (const name of contenders) {
                const job = JOBS[jobName];
                const { kinds, alone } = CONTENDERS[name];
                if (kinds && !kinds.includes(job.kind)) continue;
                if (alone && job.delay > 0) continue;
                rows.push({ name, jobName, job, concurrency: many });
            }
    return rows;
}

// The order of the runs: contenders take turns, so that a machine's bad minute meets all of them.
export function planRuns(rows, runs) {
    const list = [];
    const places = new Set(rows.map((row) => `${row.jobName} ${row.concurrency}`));
    for (const place of places)
        for (let number = 1; number <= runs; number++)
            for (const row of rows) if (`${row.jobName} ${row.concurrency}` === place) list.push({ row, number });
    return list;
}

// Every user's deposit, each under a key of its own, so that it can be asked for again.
async function makeKeys(arena, port) {
    const http = new Pool(`http://127.0.0.1:${port}`, { connections: 16 });
    const one = async (token, i) => {
        const { statusCode, body } = await http.request({ method: 'POST', path: '/payment/payviox',
            headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, 'Idempotency-Key': `bench-${i + 1}` },
            body: '{"type":"balance","value":2500,"tos_timestamp":1706745600}' });
        const text = await body.text();
        if (statusCode !== 200) throw new Error(`a deposit under a key: ${statusCode} ${text}`);
    };
    await Promise.all(arena.tokens.map(one));
    await http.close();
}

// What the job needs is laid out in empty tables; returns the file of wrk's lines, if there is one.
async function layOut(arena, contender, kind, count) {
    const { books } = contender;
    await books.empty();
    for (const log of fs.readdirSync(path.join(arena.home, 'log'))) fs.truncateSync(path.join(arena.home, 'log', log));
    if (kind === 'replay') await makeKeys(arena, contender.port);
    if (FILLED[kind] === undefined) return null;
    await books[FILLED[kind]](count);
    const file = path.join(arena.home, 'lines.txt');
    const lines = kind === 'webhook' ? makeNotices(arena.env.BENCH_WEBHOOK_KEY, count, books.orderOf)
        : Array.from({ length: count }, (_, i) => String(FIRST_ASSET + 1 + i));
    fs.writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
}

// Which statuses nginx has answered, as text: "200: 5121, 503: 3".
function statusesOf(arena) {
    const counts = {};
    for (const [, status] of fs.readFileSync(path.join(arena.home, 'log/nginx-access.log'), 'latin1').matchAll(/"status":(\d+)/g))
        counts[status] = (counts[status] ?? 0) + 1;
    return Object.entries(counts).map(([status, count]) => `${status}: ${count}`).join(', ');
}

// {wrong, refused}: what does not add up, and refusals, as texts; '' for none. Whoever was refused may have left an
// intent and a call, but nothing that was answered may be missing, and nothing else may have happened.
async function judge(arena, contender, job, found, { before, creates }) {
    const { answered } = found;
    const made = job.kind === 'create' ? found : (found.created ?? { answered: 0, refused: 0, broken: 0 });
    const called = (await arena.taken()).creates - creates;
    const lost = found.broken + (found.created?.broken ?? 0);
    const problems = [];
    if (!contender.rows && (called < made.answered || called > made.answered + made.refused))
        problems.push(`the provider was called ${called} times for ${made.answered} answers`);
    if (lost > 0) problems.push(`${lost} connections broke`);
    if (found.cut > 0) problems.push(`${found.cut} never answered`);
    const books = await contender.books.verify(job.kind, { answered, before, made, apart: contender.rows > 1 });
    if (books !== '') problems.push(books);
    const refused = found.refused + (found.created?.refused ?? 0);
    return { wrong: problems.join('; '), refused: refused > 0 ? `${refused} refused (${statusesOf(arena)})` : '' };
}

async function oneRun(arena, contender, row, options) {
    const { warm, tamper, guesses } = options;
    const { job, concurrency } = row;
    const seconds = secondsOf(row, options);
    for (let patience = 1; ; patience *= 2) {
        const guess = guesses.get(`${row.name} ${job.kind}`) ?? FIRST_GUESS;
        const before = Math.ceil(guess * (seconds + warm)) + concurrency;
        const lines = await layOut(arena, contender, job.kind, before);
        const { creates } = await arena.taken();
        const found = await measure({ arena, contender, job, concurrency, seconds, warm, tokens: arena.tokensFile, lines, patience });
        if (found.cut > 0 && patience < 16) continue;
        if (found.ran_out) {
            guesses.set(`${row.name} ${job.kind}`, guess * 2);
            continue;
        }
        await tamper?.(arena, row);
        Object.assign(found, await judge(arena, contender, job, found, { before, creates }));
        if (contender.restless) await contender.books.empty();
        return found;
    }
}

// A contender runs from its first row on, and is started anew only for another shape (a slow provider
// wants more threads); idle, it costs the others nothing.
function makeStage(arena, names) {
    const contenders = Object.fromEntries(names.map((name) => [name, CONTENDERS[name].make(arena)]));
    const shapes = new Map();
    const prepared = new Set();

    async function prepare(contender) {
        if (!prepared.has(contender.schema)) await contender.books.prepare();
        prepared.add(contender.schema);
    }

    return {
        async call(row) {
            const contender = contenders[row.name];
            const shape = contender.shapeOf({ concurrency: row.concurrency + (row.job.background ?? 0), slow: row.job.delay > 0 });
            await prepare(contender);
            if (shapes.get(row.name) !== shape) {
                if (shapes.has(row.name)) await contender.stop();
                await contender.start(shape);
            }
            shapes.set(row.name, shape);
            await arena.setDelay(row.job.delay);
            return contender;
        },
        async stop() {
            for (const name of shapes.keys()) await contenders[name].stop();
        },
    };
}

const firstOf = (texts) => texts.find((text) => text !== '') ?? '';

const summary = (row, runs) => ({
    job: row.jobName,
    contender: row.name,
    concurrency: row.concurrency,
    rates: runs.map((run) => run.rate),
    rate: median(runs.map((run) => run.rate)),
    p50: median(runs.map((run) => run.p50)),
    p99: median(runs.map((run) => run.p99)),
    memory: Math.max(...runs.map((run) => run.memory)),
    connections: Math.max(...runs.map((run) => run.connections)),
    cpu: Object.fromEntries(['own', 'nginx', 'database'].map((who) => [who, median(runs.map((run) => run.cpu[who]))])),
    others: Math.max(...runs.map((run) => run.others)),
    answered: runs.reduce((sum, run) => sum + run.answered, 0),
    wrong: runs.map((run) => run.wrong),
    refused: firstOf(runs.map((run) => run.refused)),
});

function makeProgress(say, total) {
    const begun = Date.now();
    let over = 0;
    return ({ row, number }, runs) => {
        const left = over === 0 ? '' : `, about ${Math.ceil((((Date.now() - begun) / over) * (total - over)) / 1000)} s left`;
        const what = `${row.jobName}, ${row.concurrency} at a time, ${CONTENDERS[row.name].title}, run ${number} of ${runs}`;
        say(`${++over} of ${total}: ${what}${left}`);
    };
}

const lineOf = ({ rate, p50, p99, opened, others, refused, wrong }) =>
    [`${rate.toFixed(0)}/s`, `p50 ${p50} ms`, `p99 ${p99} ms`, opened > 0 && `${opened} new connections to the provider`,
        `${(100 * others).toFixed(0)} % of the CPU went to others`, refused,
        wrong && `WRONG: ${wrong}`].filter(Boolean).join(', ');

// Options as readOptions() returns them, besides bin (where provider, bare and limit are), say (a line of
// progress), tamper (fn(arena, row): after each run, before it is verified). Resolves to the rows.
export async function runBench(options) {
    const { say, runs } = options;
    const rows = planRows(options);
    const found = new Map(rows.map((row) => [row, []]));
    const plan = planRuns(rows, runs);
    const progress = makeProgress(say, plan.length);
    const guesses = new Map();
    say(`starting MariaDB, nginx and the provider for ${plan.length} runs`);
    const arena = await openArena(options);
    try {
        const stage = makeStage(arena, options.contenders);
        for (const step of plan) {
            progress(step, runs);
            const contender = await stage.call(step.row);
            const result = await oneRun(arena, contender, step.row, { ...options, guesses });
            found.get(step.row).push(result);
            say(`  ${lineOf(result)}`);
        }
        await stage.stop();
    } finally {
        await arena.stop();
    }
    return rows.map((row) => summary(row, found.get(row)));
}
