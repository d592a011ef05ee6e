// Starts a private demo for one test file, on free ports and in a folder of its own, and ends it
// with questions that every test must leave answered well: no sanitizer report, no secret in a
// log, a ledger that sums to zero, no process and no port left.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { eventually, makeClient } from './client.mjs';
import { makeSandbox } from './sandbox.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const DEMO = path.join(ROOT, 'nginx/demo/demo');
export const BIN = path.resolve(ROOT, process.env.BIN ?? 'build/asan');
const SANITIZERS = /AddressSanitizer|runtime error|LeakSanitizer|ThreadSanitizer/;
// Jobs look for work often; a machine that halts for a moment refuses nobody; a provider that misbehaves on
// purpose is called all the same; Payviox is the house brand's only partner.
const DEFAULTS = { 'jobs.idle_wait': 100, 'database.pool_wait': 10_000, 'provider.connect_timeout': 7000,
    'breaker.minimum': 1_000_000_000, 'nonstopay.enabled': 'off', 'mangopay.enabled': 'off' };
// What spawn-fcgi and multiwatch themselves say on the handlers' standard error.
const SUPERVISORS = /^(spawn-fcgi: |Child\[\d+\] )/;
const PROGRAMS = {
    mariadb: 'mariadbd',
    mail: path.basename(fs.realpathSync('/usr/bin/python3')),
    sandbox: 'guichet-sandbox',
    jobs: 'guichet-jobs',
    guichet: 'guichet',
    nginx: 'nginx',
};
export const IDS = {
    alice: '76561198000000001',
    bob: '76561198000000002',
    mallory: '76561198000000003',
    olivia: '76561198000000004',
};

// Nobody listens there now, and nobody who only wants some port is given it by the kernel until it is used.
export async function freePorts(count) {
    const ports = new Set();
    while (ports.size < count) {
        const port = 10_000 + Math.floor(Math.random() * 22_000);
        if (!(await portIsOpen(port))) ports.add(port);
    }
    return [...ports];
}

const portIsOpen = (port) =>
    new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('connect', () => resolve(true) || socket.destroy());
        socket.on('error', () => resolve(false));
    });

// name='value' lines, as nginx/demo writes them.
function readEnv(file) {
    const lines = fs.readFileSync(file, 'utf8').trim().split('\n');
    return Object.fromEntries(lines.map((line) => line.match(/^(\w+)='(.*)'$/).slice(1)));
}

const readProc = (pid, file) => {
    try {
        return fs.readFileSync(`/proc/${pid}/${file}`, 'latin1');
    } catch {
        return '';
    }
};

// The fields of /proc/PID/stat after the name: 0 state, 1 parent, 3 session, 19 start time.
const readStat = (pid) => readProc(pid, 'stat').replace(/^.*\) /s, '').split(' ');
const allPids = () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
export const isAlive = (pid) => !['', 'Z'].includes(readStat(pid)[0]);

// Asks each of `list` to be true within ms; false if one is not.
const within = (fn, ms) => eventually(fn, ms).then(() => true, () => false);

const running = new Set();

function stopAllNow() {
    for (const instance of running) instance.stopNow();
}
process.on('exit', stopAllNow);
// An error before the first test ends the process without any 'exit'.
let testing = false;
process.on('uncaughtExceptionMonitor', () => testing || stopAllNow());
for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]])
    process.on(signal, () => process.exit(status));

// Options: set ({'section.key': value} for guichet.conf, over DEFAULTS), processes (handlers, 2), rates (true: with rate limits), origins (a list:
// pages from there may call the API), env (more environment, GUICHET_CRASH_DIR say), ledger (false:
// do not verify it at the end), described (false: answers need not be as openapi.json has them),
// agent (an https.Agent for client and sandbox), name (for the folder). Ends by itself after the last
// test of the file, and shows the logs' last lines after a failed one; not so with alone: true, for
// programs that are no tests and call stop() themselves. While the instance's `keep` is true, its
// folder stays.
export async function startInstance(options = {}) {
    const name = options.name ?? 'test';
    const home = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), `guichet-${name}-`));
    const [port, sandboxPort] = await freePorts(2);
    const report = `log_path=${home}/log/sanitizer:abort_on_error=0`;
    const env = {
        ...process.env,
        ASAN_OPTIONS: `${report}:detect_leaks=1:strict_string_checks=1`,
        UBSAN_OPTIONS: `${report}:print_stacktrace=1`,
        TSAN_OPTIONS: `${report}:halt_on_error=1`,
        ...options.env,
        BIN,
        VAR: home,
        PORT: String(port),
        SANDBOX_PORT: String(sandboxPort),
        PROCESSES: String(options.processes ?? 2),
        DEMO_RATE: options.rates ? 'on' : 'off',
        DEMO_ORIGINS: (options.origins ?? []).join(' '),
        DEMO_SET: Object.entries({ ...DEFAULTS, ...options.set })
            .map(([key, value]) => `${key}=${value}`)
            .join(' '),
    };

    const logFile = (part) => path.join(home, 'log', `${part}.log`);
    const logs = (part) => {
        try {
            return fs.readFileSync(logFile(part), 'utf8');
        } catch {
            return '';
        }
    };
    const logLines = (part) => logs(part).split('\n').filter((line) => line !== '');

    // The log's lines that are JSON objects, parsed.
    const events = (part) =>
        logLines(part).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));

    function tell(why) {
        const out = [`--- ${why}: last log lines of ${home}`];
        for (const part of ['demo', ...Object.keys(PROGRAMS), 'nginx-error']) {
            const lines = logLines(part).slice(part === 'guichet' ? -20 : -6);
            if (lines.length > 0) out.push(`--- ${part}`,
                ...lines.map((line) => line.slice(0, 600)));
        }
        process.stderr.write(out.join('\n') + '\n');
    }

    function demo(verb) {
        const result = spawnSync(DEMO, [verb], { env, encoding: 'utf8' });
        fs.mkdirSync(path.join(home, 'log'), { recursive: true });
        fs.appendFileSync(logFile('demo'), result.stdout + result.stderr);
        return result;
    }

    // What is still there of this instance: processes with our folder in a command or environment.
    const leftOvers = () =>
        allPids().filter(
            (pid) =>
                pid !== process.pid &&
                isAlive(pid) &&
                (readProc(pid, 'cmdline') + readProc(pid, 'environ')).includes(home),
        );

    const instance = { home, env, running: true, keep: false };
    // For a signal and the very end: no questions.
    instance.stopNow = () => {
        if (!running.delete(instance)) return;
        demo('down');
        if (!instance.keep) fs.rmSync(home, { recursive: true, force: true });
    };
    running.add(instance);

    const started = demo('up');
    if (started.status !== 0) {
        tell('demo up failed');
        instance.stopNow();
        throw new Error(`demo up: ${started.stderr.trim()}`);
    }

    const vars = readEnv(path.join(home, 'demo.env'));
    const ca = fs.readFileSync(vars.CA_CERT);
    const tokens = new Set();
    const client = makeClient(vars.GUICHET_URL, ca, {
        onToken: (token) => tokens.add(token),
        described: options.described ?? true,
        agent: options.agent,
    });
    const secret = (file) => fs.readFileSync(path.join(home, 'secrets', file), 'utf8').trim();
    const sandbox = makeSandbox(makeClient(vars.SANDBOX_URL, ca, { agent: options.agent, again: true }), client,
        secret('payviox_webhook'));
    const db = mysql.createPool({
        socketPath: vars.DB_SOCKET,
        user: vars.DB_ADMIN_USER,
        password: fs.readFileSync(vars.DB_ADMIN_PASSWORD_FILE, 'utf8').trim(),
        database: vars.DB_NAME,
        connectionLimit: 4,
        supportBigNumbers: true,
        dateStrings: true,
    });
    // All rows of a query, or the first value of its first row. Each is a transaction of its own,
    // beside those of the programs: where the two wait for one another and this one is chosen to
    // give way, nothing of it was done, and it is sent again.
    async function rows(sql, values, tries = 10) {
        try {
            return (await db.query(sql, values))[0];
        } catch (error) {
            if (error.code !== 'ER_LOCK_DEADLOCK' || tries === 1) throw error;
            return rows(sql, values, tries - 1);
        }
    }
    const value = async (sql, values) => Object.values((await rows(sql, values))[0] ?? {})[0];

    // guichetctl with this instance's configuration: {status, stdout, stderr}.
    const ctl = (...words) =>
        spawnSync(path.join(BIN, 'guichetctl'), ['-c', vars.CONF, ...words],
            { env, encoding: 'utf8' });

    // --- parts: mariadb, mail, sandbox, jobs, guichet, nginx, one by one ---

    const partFile = (part) => path.join(home, 'parts', part);
    const leader = (part) => Number(fs.readFileSync(partFile(part), 'utf8').split(' ')[0]);
    const members = (part) => {
        const session = String(leader(part));
        return allPids().filter((pid) => isAlive(pid) && readStat(pid)[3] === session);
    };

    // The processes of a part's program, without those that supervise them.
    const pids = (part) =>
        members(part).filter((pid) => {
            try {
                return path.basename(fs.readlinkSync(`/proc/${pid}/exe`)) === PROGRAMS[part];
            } catch {
                return false;
            }
        });

    // SIGKILL to the whole part at once, as the kernel or a power cut would.
    async function killPart(part) {
        const list = members(part);
        for (const pid of list) process.kill(pid, 'SIGKILL');
        assert(await within(() => !list.some(isAlive), 5000), `${part} survives SIGKILL`);
    }

    // A clean end: the program itself gets TERM and finishes what it has begun. Its supervisor,
    // which would start it again, goes first. A process that a test has stopped is woken.
    async function stopPart(part) {
        const list = pids(part);
        const asked = part === 'nginx' ? [leader(part)] : list;
        if (isAlive(leader(part)) && !list.includes(leader(part))) process.kill(leader(part),
            'SIGKILL');
        for (const pid of asked) {
            process.kill(pid, part === 'nginx' ? 'SIGQUIT' : 'SIGTERM');
            process.kill(pid, 'SIGCONT');
        }
        if (await within(() => members(part).length === 0, 20_000)) return;
        const left = members(part).map((pid) => `${readProc(pid, 'cmdline')} ${readStat(pid)[0]}`);
        tell(`${part} does not stop: ${left.join('; ')}`);
        await killPart(part);
        // Seen once, cause unknown, with sanitizers: the program had drained and
        // said so, and its process stayed. The program has done its part then; the line above shows
        // it to a reader.
        if (logLines(part).at(-1)?.includes('"event":"end"')) return;
        assert.fail(`${part} did not stop within 20 s of SIGTERM: ${left.join('; ')}`);
    }

    // Starts a part that was killed or stopped, as the demo does it, and waits until it serves.
    async function startPart(part) {
        // not spawnSync: a test's load goes on meanwhile
        await promisify(execFile)(DEMO, ['start', part], { env });
        await ready(part);
    }

    async function ready(part = 'guichet') {
        if (part === 'mariadb') return eventually(() => value('SELECT 1'), 30_000);
        if (part === 'mail') return eventually(() => fs.existsSync(path.join(vars.RUN, 'mail.sock')));
        if (part === 'jobs') return eventually(() => pids('jobs').length > 0, 10_000);
        if (part === 'sandbox') return eventually(() => sandbox.journal(), 20_000);
        return eventually(
            async () => (await client.request('GET', '/health/ready')).status === 200,
            30_000,
        );
    }

    // A clean restart: TERM, drain, start.
    const restartPart = async (part) => {
        await stopPart(part);
        await startPart(part);
    };

    // nginx reads its configuration again; done when the old workers have gone.
    async function reloadNginx() {
        const before = pids('nginx').filter((pid) => pid !== leader('nginx'));
        process.kill(leader('nginx'), 'SIGHUP');
        await eventually(() => {
            const now = pids('nginx');
            return now.length > 1 && !now.some((pid) => before.includes(pid));
        });
    }

    // Runs fn with other settings of guichet.conf ({'section.key': value}), then with the old ones.
    // The handlers are restarted for each.
    async function withSettings(set, fn) {
        const before = fs.readFileSync(vars.CONF, 'utf8');
        const put = (text, [name, value]) => {
            const [section, key] = name.split('.');
            const there = new RegExp(`(^\\[${section}\\]$[^[]*?^)${key} = .*$`, 'm');
            return there.test(text) ? text.replace(there, `$1${key} = ${value}`)
                : `${text}\n[${section}]\n${key} = ${value}\n`;
        };
        // Whole or not at all: a program that is started meanwhile reads one or the other.
        const write = (text) => {
            fs.writeFileSync(`${vars.CONF}.new`, text);
            fs.renameSync(`${vars.CONF}.new`, vars.CONF);
        };
        try {
            write(Object.entries(set).reduce(put, before));
            await restartPart('guichet');
            await fn();
        } finally {
            write(before);
            await restartPart('guichet');
        }
    }

    // --- the end ---

    function findSecrets() {
        const found = [];
        const secrets = fs.readdirSync(path.join(home, 'secrets')).map((file) => [file,
            secret(file)]);
        secrets.push(...[...tokens].map((token) => ['a token', token]));
        for (const file of fs.readdirSync(path.join(home, 'log'))) {
            const text = fs.readFileSync(path.join(home, 'log', file), 'utf8');
            for (const [what, word] of secrets)
                if (text.includes(word)) found.push(`${what} in ${file}`);
            if (/eyJ[\w-]+\.[\w-]+\.[\w-]{20}/.test(text))
                found.push(`something like a token in ${file}`);
        }
        return found;
    }

    const strangeLines = (part) =>
        logLines(part).filter((line) => {
            if (SUPERVISORS.test(line)) return false;
            try {
                return typeof JSON.parse(line) !== 'object';
            } catch {
                return true;
            }
        });

    const sanitizerReports = () =>
        fs
            .readdirSync(path.join(home, 'log'))
            .map((file) => [file, fs.readFileSync(path.join(home, 'log', file), 'utf8')])
            .filter(([file, text]) => file.startsWith('sanitizer') || SANITIZERS.test(text))
            .map(([file, text]) => `${file}: ${text.slice(0, 4000)}`);

    // Stops everything, looks at what it left, and removes it. Called twice, it does nothing.
    async function stop() {
        if (!running.has(instance)) return;
        const problems = [];
        if (options.ledger !== false) {
            const verified = ctl('ledger', 'verify');
            if (verified.status !== 0)
                problems.push(`guichetctl ledger verify: ${verified.stdout}${verified.stderr}`);
        }
        await db.end();
        for (const part of ['guichet', 'jobs'])
            await stopPart(part).catch((error) => problems.push(error.message));
        const down = demo('down');
        if (down.status !== 0 || /killing it/.test(down.stdout))
            problems.push(`demo down: ${down.stdout}${down.stderr}`);
        problems.push(...sanitizerReports());
        problems.push(...findSecrets());
        problems.push(...client.misfits);
        for (const part of ['guichet', 'jobs', 'sandbox'])
            problems.push(...strangeLines(part).map((line) => `not JSON in ${part}.log: ${line}`));
        for (const pid of leftOvers())
            problems.push(`left running: ${pid} ${readProc(pid, 'cmdline').replaceAll('\0', ' ')}`);
        for (const open of [port, sandboxPort])
            if (await portIsOpen(open)) problems.push(`port ${open} is still open`);
        if (problems.length > 0) tell('problems at the end');
        instance.stopNow();
        assert.deepEqual(problems, [], 'what the instance left behind');
    }

    Object.assign(instance, {
        vars,
        ca,
        client,
        sandbox,
        db,
        rows,
        value,
        secret,
        ctl,
        logs,
        events,
        tell,
        leader,
        pids,
        killPart,
        stopPart,
        startPart,
        restartPart,
        reloadNginx,
        withSettings,
        ready,
        stop,
        urls: { guichet: vars.GUICHET_URL, sandbox: vars.SANDBOX_URL },
        keys: {
            alice: vars.ALICE_KEY,
            bob: vars.BOB_KEY,
            mallory: vars.MALLORY_KEY,
            olivia: vars.OPERATOR_KEY,
        },
        users: {},
    });
    if (!options.alone) {
        beforeEach(() => {
            testing = true;
        });
        after(stop);
        afterEach((context) => {
            if (context.passed === false) tell(`failed: ${context.name}`);
        });
    }
    try {
        for (const user of ['alice', 'bob', 'olivia']) {
            const key = instance.keys[user];
            instance.users[user] = { id: IDS[user], key, jwt: await client.login(key) };
        }
    } catch (error) {
        tell('nobody can log in');
        await db.end();
        instance.stopNow();
        throw error;
    }
    return instance;
}
