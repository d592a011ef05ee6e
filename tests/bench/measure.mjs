// One run of wrk (or of the database alone), and what it cost whom.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../e2e/lib/client.mjs';
import { drainOf } from './jobs.mjs';

const SCRIPTS = fileURLToPath(new URL('wrk', import.meta.url));
const TICK_US = 10_000; // of /proc/PID/stat: 100 a second on every Linux
const BUSY = 0.7; // of the run: then all memory that it takes is taken

const read = (pid, file) => {
    try {
        return fs.readFileSync(`/proc/${pid}/${file}`, 'latin1');
    } catch {
        return '';
    }
};

// Microseconds of CPU that processes have taken so far, in user and system mode.
function cpuOf(pids) {
    let ticks = 0;
    for (const pid of pids) {
        const fields = read(pid, 'stat').replace(/^.*\) /s, '').split(' ');
        ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    }
    return ticks * TICK_US;
}

// Proportional set size, in bytes.
const memoryOf = (pids) =>
    pids.reduce((sum, pid) => sum + Number(read(pid, 'smaps_rollup').match(/^Pss:\s+(\d+) kB/m)?.[1] ?? 0) * 1024, 0);

// Of a contender, with the database.
async function connectionsOf(arena, schema) {
    const [rows] = await arena.pool.query("SELECT COUNT(*) AS number FROM information_schema.processlist WHERE db = ? AND user <> 'meter'",
        [schema]);
    return rows[0].number;
}

function collect(command, args, options) {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code) => {
            if (code === 0) return resolve(text);
            return reject(new Error(`${command} ended with ${code}: ${text.slice(-400)}`));
        });
    });
}

const lastJson = (text) => JSON.parse(text.trim().split('\n').at(-1));

// Answers a second. When the time is over, each connection has one request on its way, which is answered
// but is no part of the rate. When all wait for a slow provider, answers come in waves: then it is
// all of them over all of the time.
const rateOf = (found, { job, concurrency, seconds }) =>
    job.delay > 0 && !job.background ? found.answered / found.seconds : Math.max(0, found.answered - concurrency) / seconds;

// {answered (with 2xx), refused, broken, p50, p99, max, seconds (until the last answer), cut (without an
// answer at the end), ran_out, rate} of wrk. run.patience: times the usual for the last answers.
export async function runWrk(run) {
    const { job, concurrency, seconds, port, tokens, lines, patience = 1 } = run;
    const all = Math.ceil(seconds + patience * drainOf(job, concurrency));
    const args = ['-t1', `-c${concurrency}`, `-d${all}s`, '--timeout', '30s', '-s', `${job.kind}.lua`,
        `http://127.0.0.1:${port}`, '--', String(seconds), tokens, ...(lines ? [lines] : [])];
    const found = lastJson(await collect('wrk', args, { cwd: SCRIPTS }));
    found.answered = found.answers - found.refused;
    return { ...found, rate: rateOf(found, run) };
}

// The same while as many payments as job.background wait for the provider.
async function runBusy(run) {
    const { job, seconds } = run;
    const first = job.delay / 1000 + 0.5; // seconds until all of them wait
    const waiting = runWrk({ ...run, job: { ...job, kind: 'create' }, concurrency: job.background,
        seconds: first + seconds + 1, lines: null });
    waiting.catch(() => {}); // told below
    await sleep(first * 1000);
    const found = await runWrk(run);
    const created = await waiting;
    return { ...found, created, cut: found.cut + created.cut };
}

async function runLimit({ contender, arena, concurrency, seconds }) {
    const rows = contender.rows;
    const connections = rows === 1 ? Math.min(64, concurrency) : 4;
    const found = lastJson(await collect(path.join(arena.bin, 'limit'), [connections, rows, seconds].map(String),
        { env: { ...process.env, ...contender.env } }));
    return { answered: found.count, refused: 0, broken: 0, p50: found.p50, p99: found.p99, rate: found.count / seconds };
}

// Of all CPUs, user and system, since the machine started; what interrupts take is left out.
function cpuOfAll() {
    const [user, nice, system] = fs.readFileSync('/proc/stat', 'latin1').split(/ +/).slice(1, 4).map(Number);
    return (user + nice + system) * TICK_US;
}

// Ours, with that of children that have ended: wrk.
function cpuOfDriver() {
    const fields = read(process.pid, 'stat').replace(/^.*\) /s, '').split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * TICK_US;
}

function startMeters(groups) {
    const look = () => ({ at: performance.now(), all: cpuOfAll(), driver: cpuOfDriver(),
        ...Object.fromEntries(Object.entries(groups).map(([name, pids]) => [name, cpuOf(pids)])) });
    const before = look();
    return () => {
        const now = look();
        const used = Object.fromEntries(Object.keys(now).map((name) => [name, now[name] - before[name]]));
        const { at, all, ...ours } = used;
        const others = all - Object.values(ours).reduce((sum, cpu) => sum + cpu, 0);
        return { ...used, others: Math.max(0, others) / (at * 1000 * os.availableParallelism()) };
    };
}

// A run with what it cost: memory at work (bytes), connections with the database, CPU for each answer (microseconds) by whom, and which
// part of the machine's CPUs was taken by processes that are no part of this.
export async function measure(run) {
    const { arena, contender, job } = run;
    const stop = startMeters({ own: contender.pids(), nginx: arena.shop.pids('nginx'), database: arena.shop.pids('mariadb'),
        provider: [arena.providerPid] });
    const whole = { ...run, port: contender.port };
    const going = contender.rows ? runLimit(run) : job.background ? runBusy(whole) : runWrk(whole);
    going.catch(() => {}); // told below
    await sleep(run.seconds * 1000 * BUSY);
    const memory = memoryOf(contender.pids());
    const connections = await connectionsOf(arena, contender.schema);
    const result = await going;
    const used = stop();
    const each = (cpu) => cpu / Math.max(1, result.answered + (result.created?.answered ?? 0));
    const cpu = { own: each(used.own), nginx: each(used.nginx), database: each(used.database) };
    return { ...result, memory, connections, cpu, others: used.others };
}
