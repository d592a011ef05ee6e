// Who is compared: how each is started and ended, and which processes are its own. All have the same
// nginx, the same MariaDB, the same provider and the same two cores.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, sleep } from '../e2e/lib/client.mjs';
import { isAlive } from '../e2e/lib/instance.mjs';
import { guichetBooks, plainBooks } from './books.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const started = new Set();
process.on('exit', () => {
    for (const child of started) child.kill('SIGKILL');
});

const answers = (where) =>
    new Promise((resolve) => {
        const socket = net.connect(where);
        socket.on('connect', () => resolve(true) || socket.destroy());
        socket.on('error', () => resolve(false));
    });

// A program in the foreground, until stop(). `ready`: a port or a socket's path that must answer.
export async function startProgram(arena, name, command, args, { env = {}, ready }) {
    const log = fs.openSync(path.join(arena.home, 'log', `bench-${name}.log`), 'a');
    const child = spawn(command, args, { cwd: arena.home, env: { ...process.env, ...env }, stdio: ['ignore', log, log] });
    fs.closeSync(log);
    started.add(child);
    child.on('exit', () => started.delete(child));
    await eventually(() => {
        if (child.exitCode !== null) throw Object.assign(new Error(`${name} ended: see ${arena.home}`), { final: true });
        return answers(ready);
    }, 30_000);
    return {
        pid: child.pid,
        async stop(signal = 'SIGTERM') {
            if (child.exitCode !== null || child.signalCode !== null) return;
            const gone = once(child, 'exit');
            child.kill(signal);
            const late = setTimeout(() => child.kill('SIGKILL'), 5000);
            await gone;
            clearTimeout(late);
        },
    };
}

const childrenOf = (pid) => {
    try {
        return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
        return [];
    }
};

// --- the contenders ---

function guichet(arena) {
    const { shop } = arena;
    return {
        books: guichetBooks(arena.pool),
        port: arena.ports.guichet,
        async start({ concurrency, slow }) {
            shop.env.PROCESSES = String(arena.processes ?? (slow && concurrency > 1000 ? 4 : 2));
            await shop.startPart('guichet');
            await shop.startPart('jobs');
        },
        pids: () => [...shop.pids('guichet'), ...shop.pids('jobs')],
        async stop() {
            await shop.stopPart('jobs');
            await shop.stopPart('guichet');
        },
    };
}

const base = (arena, name) => {
    const program = { stop: async () => {} };
    return {
        books: plainBooks(arena.pool, `bench_${name}`),
        port: arena.ports[name],
        env: { ...arena.env, BENCH_DATABASE: `bench_${name}` },
        program,
        pids() {
            return [this.program.pid, ...childrenOf(this.program.pid)];
        },
        stop() {
            return this.program.stop();
        },
    };
};

// A static pool: as many children as work on a CPU can use, and as many as wait when the provider is slow.
function php(arena) {
    const own = base(arena, 'php');
    return {
        ...own,
        async start({ concurrency, slow }) {
            const socket = path.join(arena.run, 'bench-php.sock');
            const user = process.getuid() === 0 ? 'user = root\ngroup = root\n' : '';
            const file = path.join(arena.home, 'php-fpm.conf');
            const children = slow ? concurrency : Math.min(64, Math.max(4, concurrency));
            fs.writeFileSync(file, `[global]\nerror_log = ${arena.home}/log/bench-php.log\n[www]\n${user}listen = ${socket}
listen.backlog = 4096\nclear_env = no\npm = static\npm.max_children = ${children}\n`);
            const root = process.getuid() === 0 ? ['-R'] : [];
            this.program = await startProgram(arena, 'php', 'php-fpm8.2', ['-F', '-y', file, ...root], { env: own.env, ready: socket });
        },
    };
}

function node(arena) {
    const own = base(arena, 'node');
    return {
        ...own,
        async start() {
            const env = { ...own.env, BENCH_PORT: String(arena.ports.node_upstream) };
            this.program = await startProgram(arena, 'node', process.execPath, [path.join(HERE, 'site.mjs')],
                { env, ready: arena.ports.node_upstream });
        },
        async stop() {
            const workers = childrenOf(this.program.pid ?? 0);
            await this.program.stop();
            await eventually(() => !workers.some(isAlive), 5000);
        },
    };
}

function c(arena) {
    const own = base(arena, 'c');
    return {
        ...own,
        async start({ concurrency, slow }) {
            const socket = path.join(arena.run, 'bench-c.sock');
            const threads = slow ? concurrency : Math.min(256, Math.max(4, concurrency));
            fs.rmSync(socket, { force: true });
            this.program = await startProgram(arena, 'c', path.join(arena.bin, 'bare'),
                [socket, threads, Math.min(64, threads), arena.provider, arena.env.BENCH_CA, arena.env.BENCH_SECRET].map(String),
                { env: own.env, ready: socket });
        },
    };
}

// The database alone: no server, only what it is asked to store.
const limit = (rows, name) => (arena) => ({
    ...base(arena, 'c'),
    rows,
    name,
    async start() {
        await sleep(0);
    },
    pids: () => [],
});

// `jobs`: the kinds of jobs that there is a version of; all if it is not set.
export const CONTENDERS = {
    guichet: { title: 'Guichet', make: guichet },
    php: { title: 'PHP-FPM', make: php },
    node: { title: 'Node', make: node },
    c: { title: 'bare C', make: c, kinds: ['create'] },
    limit: { title: 'database', make: limit(1), kinds: ['create'], alone: true },
    grouped: { title: 'database, grouped', make: limit(32), kinds: ['create'], alone: true },
};
