// Where all contenders meet: a private MariaDB, one nginx with a server for each, the provider, and
// accounts that may see every contender's tables: bench, which its rivals use, and meter, which this does.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import { Pool } from 'undici';
import { freePorts, startInstance } from '../e2e/lib/instance.mjs';
import { startProgram } from './contenders.mjs';
import { makeTokens } from './users.mjs';

// What a site would set, which has no receivers and no mail as its rivals here have none.
const SETTINGS = {
    'http.threads': 1100,
    'database.connections': 6,
    'jobs.idle_wait': 1000,
    'breaker.minimum': 10,
    'mannco.enabled': 'on',
};
const LEFT_OUT = ['mail', 'receiver_1'];
const SERVERS = ['guichet', 'php', 'node', 'c'];

// For all alike: room in memory, every commit durable, connections for a thousand PHP processes.
const DATABASE = `SET GLOBAL innodb_log_file_size = 1073741824;
    SET GLOBAL innodb_flush_log_at_trx_commit = 1; SET GLOBAL max_connections = 4000;
    SET GLOBAL table_open_cache = 10000;`;

function askSuperuser(shop, sql) {
    const result = spawnSync('mariadb', ['--no-defaults', `--socket=${shop.vars.DB_SOCKET}`, `--user=${os.userInfo().username}`],
        { input: sql, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`mariadb: ${result.stderr}`);
}

const nginxServers = (ports, run) => `
    upstream bench_php { server "unix:${run}/bench-php.sock"; }
    upstream bench_c { server "unix:${run}/bench-c.sock"; }
    upstream bench_node { server 127.0.0.1:${ports.node_upstream}; keepalive 256; }
    server {
        listen 127.0.0.1:${ports.guichet} backlog=4096;
        include snippets/guichet-locations.conf;
    }
    server {
        listen 127.0.0.1:${ports.php} backlog=4096;
        include snippets/guichet-fastcgi.conf;
        fastcgi_param SCRIPT_FILENAME "${fileURLToPath(new URL('site.php', import.meta.url))}";
        location / { fastcgi_pass bench_php; }
    }
    server {
        listen 127.0.0.1:${ports.c} backlog=4096;
        include snippets/guichet-fastcgi.conf;
        location / { fastcgi_pass bench_c; }
    }
    server {
        listen 127.0.0.1:${ports.node} backlog=4096;
        location / {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Real-IP $remote_addr;
            proxy_pass http://bench_node;
        }
    }
}
`;

// Keeps a section's lines out of an INI file.
const without = (text, names) =>
    text.split(/^(?=\[)/m).filter((part) => !names.some((name) => part.startsWith(`[${name}]`))).join('');

async function addServers(shop, ports) {
    const file = path.join(shop.home, 'nginx/nginx.conf');
    const text = fs.readFileSync(file, 'utf8').replace('worker_connections 4096', 'worker_connections 16384');
    fs.writeFileSync(file, text.replace(/\}\s*$/, nginxServers(ports, shop.vars.RUN)));
    await shop.restartPart('nginx');
}

async function openDatabase(shop, password) {
    const schemas = SERVERS.slice(1).map((name) => `CREATE DATABASE bench_${name} CHARACTER SET utf8mb4;`);
    askSuperuser(shop, `${DATABASE} ${schemas.join(' ')} CREATE USER bench@localhost IDENTIFIED BY '${password}';
        GRANT ALL ON *.* TO bench@localhost; CREATE USER meter@localhost IDENTIFIED BY '${password}';
        GRANT ALL ON *.* TO meter@localhost;`);
    return mysql.createPool({ socketPath: shop.vars.DB_SOCKET, user: 'meter', password, connectionLimit: 4,
        multipleStatements: true, supportBigNumbers: true });
}

// `ledger`: is it verified at the end as well? `memory`: of MariaDB, in bytes. The arena: {shop, home, run, bin, pool, ports, env, provider, providerPid,
// tokens, tokensFile, processes, setDelay(ms), taken()
// ({creates, connections} of the provider so far), stop()}.
export async function openArena({ bin, set, processes, ledger = true, memory = 2 ** 31 }) {
    const names = [...SERVERS, 'node_upstream', 'provider'];
    const ports = Object.fromEntries((await freePorts(names.length)).map((port, i) => [names[i], port]));
    const provider = `https://127.0.0.1:${ports.provider}`;
    // From the start: MariaDB finds its pages in a table of the size that its memory had then.
    const shop = await startInstance({ name: 'bench', alone: true, ledger, env: { DEMO_DB_MEMORY: String(memory) },
        set: { ...SETTINGS, 'payviox.api_url': provider, ...set } });
    const password = randomBytes(16).toString('hex');
    const env = { BENCH_SOCKET: shop.vars.DB_SOCKET, BENCH_USER: 'bench', BENCH_PASSWORD: password,
        BENCH_PROVIDER: provider, BENCH_CA: shop.vars.CA_CERT, BENCH_SECRET: shop.secret('payviox'),
        BENCH_TOKEN_KEY: shop.secret('token'), BENCH_WEBHOOK_KEY: shop.secret('payviox_webhook') };
    const arena = { shop, home: shop.home, run: shop.vars.RUN, bin, ports, env, provider, processes };
    const tls = (file) => path.join(shop.home, 'tls', file);
    const program = await startProgram(arena, 'provider', path.join(bin, 'provider'),
        [String(ports.provider), tls('server.pem'), tls('server.key'), env.BENCH_SECRET], { ready: ports.provider });
    arena.providerPid = program.pid;
    const http = new Pool(provider, { connect: { ca: shop.ca }, keepAliveTimeout: 600_000, keepAliveMaxTimeout: 600_000 });
    const call = async (method, where) => (await http.request({ method, path: where })).body.json();
    arena.pool = await openDatabase(shop, password);
    arena.tokens = makeTokens(env.BENCH_TOKEN_KEY);
    arena.tokensFile = path.join(shop.home, 'tokens.txt');
    fs.writeFileSync(arena.tokensFile, `${arena.tokens.join('\n')}\n`, { mode: 0o600 });
    fs.writeFileSync(shop.vars.CONF, without(fs.readFileSync(shop.vars.CONF, 'utf8'), LEFT_OUT));
    await addServers(shop, ports);
    for (const part of ['jobs', 'guichet']) await shop.stopPart(part);
    return Object.assign(arena, {
        setDelay: (ms) => call('POST', `/delay/${ms}`),
        taken: () => call('GET', '/count'),
        async stop() {
            await http.close();
            await arena.pool.end();
            await program.stop();
            await shop.stop();
        },
    });
}
