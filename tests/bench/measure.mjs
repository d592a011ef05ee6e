// One run of wrk (or of the database alone), and what it cost whom.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../e2e/lib/client.mjs';

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

// {answers, refused, broken, p50, p99, max, ran_out} of wrk. Each connection has one request on its way when the
// time is over; it is answered, and is no part of the rate.
export async function runWrk({ job, concurrency, seconds, port, tokens, lines }) {
    const args = ['-t1', `-c${concurrency}`, `-d${Math.ceil(seconds + job.drain)}s`, '--timeout', '30s', '-s', `${job.kind}.lua`,
        `http://127.0.0.1:${port}`, '--', String(seconds), tokens, ...(lines ? [lines] : [])];
    const found = lastJson(await collect('wrk', args, { cwd: SCRIPTS }));
    return { ...found, rate: Math.max(0, found.answers - concurrency) / seconds };
}

async function runLimit({ contender, arena, concurrency, seconds }) {
    const rows = contender.rows;
    const connections = rows === 1 ? Math.min(64, concurrency) : 4;
    const found = lastJson(await collect(path.join(arena.bin, 'limit'), [connections, rows, seconds].map(String),
        { env: { ...process.env, ...contender.env } }));
    return { answers: found.count, refused: 0, broken: 0, p50: found.p50, p99: found.p99, rate: found.count / seconds };
}

// The same with what it cost: memory at work (bytes), CPU for each answer (microseconds) by whom.
export async function measure(run) {
    const { arena, contender } = run;
    const groups = { own: contender.pids(), nginx: arena.shop.pids('nginx'), database: arena.shop.pids('mariadb') };
    const before = Object.values(groups).map(cpuOf);
    const going = contender.rows ? runLimit(run) : runWrk({ ...run, port: contender.port });
    const memory = sleep(run.seconds * 1000 * BUSY).then(() => memoryOf(groups.own));
    const result = await going;
    const cpu = Object.fromEntries(Object.entries(groups).map(([name, pids], i) =>
        [name, (cpuOf(pids) - before[i]) / Math.max(1, result.answers)]));
    return { ...result, memory: await memory, cpu };
}
