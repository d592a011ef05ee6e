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

// hear(text so far): whenever there is more of it.
function collect(command, args, options, hear = () => {}) {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk) => hear((text += chunk)));
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

// ended: {answered (with 2xx), refused, broken, p50, p99, max, seconds (until the last answer), cut (without an
// answer at the end), ran_out, rate} of wrk; silent: how many were sent, as soon as the last of them is answered.
// run.patience: times the usual for the last answers; run.used: how many of the lines are used up.
function startWrk(run) {
    const { job, concurrency, seconds, port, tokens, lines, used = 0, patience = 1 } = run;
    const all = Math.ceil(seconds + patience * drainOf(job, concurrency));
    const args = ['-t1', `-c${concurrency}`, `-d${all}s`, '--timeout', '30s', '-s', `${job.kind}.lua`,
        `http://127.0.0.1:${port}`, '--', String(seconds), String(concurrency), String(used), tokens, ...(lines ? [lines] : [])];
    let tell;
    const silent = new Promise((resolve) => (tell = resolve));
    const hear = (text) => {
        const said = text.match(/^\{"sent":(\d+)\}$/m);
        if (said) tell(Number(said[1]));
    };
    const ended = collect('wrk', args, { cwd: SCRIPTS }, hear)
        .then((text) => {
            const found = lastJson(text);
            found.answered = found.answers - found.refused;
            return { ...found, rate: rateOf(found, run) };
        })
        .finally(() => tell(0));
    ended.catch(() => {}); // whoever awaits it hears it
    return { ended, silent };
}

const NOTHING = { ended: { answered: 0, refused: 0, broken: 0, cut: 0, ran_out: 0 }, silent: 0 };

// What goes before: the payments that wait meanwhile, and a while of the same load, which is verified but not measured. So
// nothing is new to anybody, and all connections are there.
async function lead(run) {
    const { job, seconds, warm = 0 } = run;
    const first = job.delay / 1000 + 0.5; // seconds until all of them wait
    const waiting = job.background && startWrk({ ...run, job: { ...job, kind: 'create' }, concurrency: job.background,
        seconds: first + warm + seconds + 1, lines: null });
    if (waiting) await sleep(first * 1000);
    const led = warm > 0 ? startWrk({ ...run, seconds: warm }) : NOTHING;
    return { waiting, led, used: await led.silent };
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

// A run with what it cost: memory at work (bytes), connections with the database, new connections to the provider (opened), CPU for each
// answer (microseconds; with that of payments that wait meanwhile) by whom, and which part of the machine's CPUs was taken by processes
// that are no part of this. For whoever compares it with the books, what led to it counts as answered too; created: what came of the
// payments that waited.
export async function measure(run) {
    const { arena, contender, job } = run;
    const whole = { ...run, port: contender.port };
    const { waiting, led, used } = contender.rows ? { led: NOTHING } : await lead(whole);
    const { connections: there } = await arena.taken();
    const stop = startMeters({ own: contender.pids(), nginx: arena.shop.pids('nginx'), database: arena.shop.pids('mariadb'),
        provider: [arena.providerPid] });
    const going = contender.rows ? runLimit(run) : startWrk({ ...whole, used }).ended;
    going.catch(() => {}); // told below
    await sleep(run.seconds * 1000 * BUSY);
    const memory = memoryOf(contender.pids());
    const connections = await connectionsOf(arena, contender.schema);
    const result = await going;
    const taken = stop();
    const opened = (await arena.taken()).connections - there;
    const [before, created] = await Promise.all([led.ended, waiting?.ended]);
    const each = (cpu) => cpu / Math.max(1, result.answered);
    const cpu = { own: each(taken.own), nginx: each(taken.nginx), database: each(taken.database) };
    const counts = Object.fromEntries(Object.keys(NOTHING.ended).map((name) => [name, (result[name] ?? 0) + before[name]]));
    counts.cut += created?.cut ?? 0;
    return { ...result, ...counts, created, memory, connections, opened, cpu, others: taken.others };
}
