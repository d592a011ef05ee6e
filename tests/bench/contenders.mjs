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
const CONNECTIONS = 64; // of bare C
const started = new Map(); // child → the signal that ends it
process.on('exit', () => {
    for (const [child, signal] of started) child.kill(signal);
});

const answers = (where) =>
    new Promise((resolve) => {
        const socket = net.connect(where);
        socket.on('connect', () => resolve(true) || socket.destroy());
        socket.on('error', () => resolve(false));
    });

// A program in the foreground, until stop(). `ready`: a port or a socket's path that must answer; `signal`: what
// ends it.
export async function startProgram(arena, name, command, args, { env = {}, ready, signal = 'SIGTERM' }) {
    const log = fs.openSync(path.join(arena.home, 'log', `bench-${name}.log`), 'a');
    const child = spawn(command, args, { cwd: arena.home, env: { ...process.env, ...env }, stdio: ['ignore', log, log] });
    fs.closeSync(log);
    started.set(child, signal);
    child.on('exit', () => started.delete(child));
    await eventually(() => {
        if (child.exitCode !== null) throw Object.assign(new Error(`${name} ended: see ${arena.home}`), { final: true });
        return answers(ready);
    }, 30_000);
    return {
        pid: child.pid,
        async stop() {
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

// Each: schema (its database), books, port (of nginx's server for it), shapeOf({concurrency, slow}) (what
// it is started with: a number of processes, children or threads), start(shape), pids(), stop().

// `restless`: its jobs would go on with what a run has left, beside others' runs.
function guichet(arena) {
    const { shop } = arena;
    // Mails and checks are work that nobody else's version does: they wait until the run is measured.
    const signalJobs = (signal) => {
        for (const pid of shop.pids('jobs')) process.kill(pid, signal);
    };
    // Not amid a transaction, whose locks would stay. What MariaDB tells of transactions is of before, for whoever
    // looks again within 100 ms.
    async function freezeJobs() {
        for (;;) {
            signalJobs('SIGSTOP');
            const [open] = await arena.pool.query('SELECT 1 FROM information_schema.innodb_trx LIMIT 1');
            if (open.length === 0) return;
            signalJobs('SIGCONT');
            await sleep(200);
        }
    }
    return {
        schema: 'guichet',
        books: guichetBooks(arena.pool),
        port: arena.ports.guichet,
        restless: true,
        // one process: its threads share COMMITs, those of two do not
        shapeOf: ({ concurrency }) => arena.processes ?? (concurrency > 1024 ? 2 : 1),
        async start(processes) {
            shop.env.PROCESSES = String(processes);
            await shop.startPart('guichet');
            await shop.startPart('jobs');
            await freezeJobs();
        },
        pids: () => [...shop.pids('guichet'), ...shop.pids('jobs')],
        async stop() {
            signalJobs('SIGCONT');
            await shop.stopPart('jobs');
            await shop.stopPart('guichet');
        },
    };
}

function rival(arena, name, { shapeOf = () => 1, start, port = name }) {
    const schema = `bench_${name}`;
    const env = { ...arena.env, BENCH_DATABASE: schema };
    let program;
    const pids = () => [program.pid, ...childrenOf(program.pid)];
    return {
        schema,
        books: plainBooks(arena.pool, schema),
        env,
        port: arena.ports[port],
        shapeOf,
        pids,
        async start(shape) {
            program = await start(env, shape);
        },
        async stop() {
            const all = pids();
            await program.stop();
            await eventually(() => !all.some(isAlive), 5000);
        },
    };
}

// A static pool: as many children as two CPUs can use, and as many as wait when the provider is slow.
const php = (arena) =>
    rival(arena, 'php', {
        shapeOf: ({ concurrency, slow }) => (slow ? Math.max(64, concurrency) : 64),
        start(env, children) {
            const socket = path.join(arena.run, 'bench-php.sock');
            const root = process.getuid() === 0;
            const file = path.join(arena.home, 'php-fpm.conf');
            fs.writeFileSync(file, `[global]
error_log = ${arena.home}/log/bench-php.log
[www]
${root ? 'user = root\ngroup = root\n' : ''}listen = ${socket}
listen.backlog = 4096
clear_env = no
pm = static
pm.max_children = ${children}
`);
            return startProgram(arena, 'php', 'php-fpm8.2', ['-F', '-y', file, ...(root ? ['-R'] : [])], { env, ready: socket });
        },
    });

const node = (arena) =>
    rival(arena, 'node', {
        start(env) {
            const port = arena.ports.node_upstream;
            return startProgram(arena, 'node', process.execPath, [path.join(HERE, 'site.mjs')],
                { env: { ...env, BENCH_PORT: String(port) }, ready: port });
        },
    });

const bareC = (arena) =>
    rival(arena, 'c', {
        shapeOf: ({ concurrency, slow }) => (slow ? Math.max(256, concurrency) : 256),
        start(env, threads) {
            const socket = path.join(arena.run, 'bench-c.sock');
            fs.rmSync(socket, { force: true });
            const args = [socket, threads, CONNECTIONS, arena.provider, env.BENCH_CA, env.BENCH_SECRET];
            return startProgram(arena, 'c', path.join(arena.bin, 'bare'), args.map(String),
                { env, ready: socket, signal: 'SIGKILL' }); // libfcgi takes TERM for something to think about
        },
    });

// The database alone: no server, only what it is asked to store; `rows` creates in each statement.
const limit = (rows) => (arena) => ({ ...rival(arena, 'c', {}), rows, start: async () => {}, pids: () => [], stop: async () => {} });

// kinds: of jobs that there is a version of, all if it is not set; alone: calls no provider.
export const CONTENDERS = {
    guichet: { title: 'Guichet', make: guichet },
    php: { title: 'PHP-FPM', make: php },
    node: { title: 'Node', make: node },
    c: { title: 'bare C', make: bareC, kinds: ['create'] },
    limit: { title: 'database', make: limit(1), kinds: ['create'], alone: true },
    grouped: { title: 'database, grouped', make: limit(32), kinds: ['create'], alone: true },
};
