// make install, and the README's section Deploy line by line, from an empty server to a first
// payment through the installed programs, units, nginx files and settings, then an upgrade under
// load and the removal. All in private folders; the sandbox plays Payviox.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openAdminShell } from './lib/admin.mjs';
import { eventually, makeClient, sleep } from './lib/client.mjs';
import { refused } from './lib/expect.mjs';
import { BIN, freePorts, isAlive, startInstance } from './lib/instance.mjs';

const CLONE = fileURLToPath(new URL('../../', import.meta.url));
const VARIANT = path.basename(BIN) === 'build' ? 'release' : path.basename(BIN);
const SYSTEMD = 'usr/local/lib/systemd/system';
// What a make around this test has set is not for those in it.
const { MAKEFLAGS, MFLAGS, MAKELEVEL, ...ENV } = process.env;

const modeOf = (file) => (fs.statSync(file).mode & 0o7777).toString(8);
const read = (...parts) => fs.readFileSync(path.join(...parts), 'utf8');

function filesBelow(folder) {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const name = path.join(folder, entry.name);
        return entry.isDirectory() ? filesBelow(name) : [name];
    });
}

describe('make install', () => {
    const home = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'guichet-install-'));
    after(() => fs.rmSync(home, { recursive: true, force: true }));
    const make = (...words) =>
        execFileSync('make', ['-C', CLONE, `VARIANT=${VARIANT}`, ...words],
            { env: ENV, encoding: 'utf8' });
    const at = (...parts) => path.join(home, ...parts);
    // Where the files of an installation name these folders, and nothing else of Guichet's.
    const names = (folder) =>
        new Set(filesBelow(folder)
            .filter((file) => !file.includes('/sbin/') && !/\.(md|html|json|js)$/.test(file))
            .flatMap((file) => [...read(file).matchAll(/\/usr[\w/]*\/guichet\b[\w-]*/g)])
            .map(([name]) => name));

    test('everything has its place below DESTDIR, and nothing of the sandbox is there', () => {
        make('install', `DESTDIR=${home}`);
        const files = filesBelow(home).map((file) => path.relative(home, file));
        const expected = ['usr/local/sbin/guichet', 'usr/local/sbin/guichet-jobs',
            'usr/local/sbin/guichetctl', 'usr/local/share/man/man8/guichet.8',
            'usr/local/share/man/man8/guichet-jobs.8', 'usr/local/share/man/man8/guichetctl.8',
            'usr/local/share/guichet/sql/0001_users.sql', 'usr/local/share/guichet/sql/grants.sql',
            'usr/local/share/guichet/www/openapi.json',
            'usr/local/share/guichet/www/docs/index.html',
            `${SYSTEMD}/guichet.service`, `${SYSTEMD}/guichet-jobs.service`,
            'usr/local/lib/sysusers.d/guichet.conf', 'usr/local/lib/tmpfiles.d/guichet.conf',
            'etc/guichet/guichet.conf', 'etc/guichet/guichetctl.conf',
            'etc/nginx/conf.d/guichet-http.conf', 'etc/nginx/snippets/guichet-locations.conf',
            'etc/nginx/sites-available/guichet'];
        for (const file of expected) assert.ok(files.includes(file), file);
        assert.deepEqual(files.filter((file) => /sandbox|demo|shop/.test(file)), []);
        assert.deepEqual(files.filter((file) => /sites-enabled|\.old$/.test(file)), []);
        assert.equal(modeOf(at('usr/local/sbin/guichet')), '755');
        assert.equal(modeOf(at('etc/guichet/guichet.conf')), '640');
        assert.equal(modeOf(at('etc/guichet/guichetctl.conf')), '600');
    });

    test('what is installed names the folders it is installed into', () => {
        const local = ['/usr/local/sbin/guichet', '/usr/local/sbin/guichet-jobs',
            '/usr/local/share/guichet'];
        assert.deepEqual([...names(home)].sort(), local);
        assert.match(read(home, 'etc/guichet/guichet.conf'),
            /^migrations = \/usr\/local\/share\/guichet\/sql$/m);
        make('install', `DESTDIR=${at('package')}`, 'PREFIX=/usr');
        const debian = local.map((name) => name.replace('/local', ''));
        assert.deepEqual([...names(at('package'))].sort(), debian);
        assert.ok(!filesBelow(at('package')).some((file) => read(file).includes(home)));
    });

    test('again, over an admin\'s changes: settings and site stay, nginx\'s parts are kept aside',
        () => {
        const mine = ['etc/guichet/guichet.conf', 'etc/guichet/guichetctl.conf',
            'etc/nginx/sites-available/guichet'];
        const nginx = 'etc/nginx/conf.d/guichet-http.conf';
        for (const file of [...mine, nginx]) fs.appendFileSync(at(file), '# mine\n');
        make('install', `DESTDIR=${home}`);
        for (const file of mine) assert.match(read(home, file), /# mine\n$/);
        assert.equal(read(home, nginx), read(CLONE, 'nginx/conf.d/guichet-http.conf'));
        assert.match(read(home, `${nginx}.old`), /# mine\n$/);
        const site = read(home, 'usr/local/share/doc/guichet/examples/site');
        assert.match(site, /server_name pay\.example\.com/);
    });

    test('systemd knows every line of the units, and finds them tight', () => {
        const there = at('verified');
        make('install', `PREFIX=${there}/usr/local`, `sysconfdir=${there}/etc`,
            `runstatedir=${there}/run`, `localstatedir=${there}/var`);
        for (const name of ['guichet.service', 'guichet-jobs.service']) {
            const unit = path.join(there, SYSTEMD, name);
            const analyze = (...words) =>
                spawnSync('systemd-analyze', [...words, unit], { encoding: 'utf8' });
            const verified = analyze('verify', '--man=no');
            assert.equal(`${verified.status}${verified.stdout}${verified.stderr}`, '0');
            const rated = analyze('security', '--offline=true', '--threshold=20', '--no-pager');
            assert.equal(rated.status, 0, rated.stdout.split('\n').slice(-3).join());
            assert.match(read(unit), /^LimitCORE=0$/m);
        }
    });

    test('systemd makes the account and the folders; the socket\'s folder hands on nginx\'s group',
        () => {
        const systemd = (name, ...words) => {
            const ran = spawnSync(name, [`--root=${home}`, ...words, 'guichet.conf'],
                { encoding: 'utf8' });
            assert.equal(ran.status, 0, ran.stderr);
        };
        systemd('systemd-sysusers');
        const [, , uid, gid] = read(home, 'etc/passwd').match(/^guichet:.*$/m)[0].split(':');
        assert.match(read(home, 'etc/passwd'), /^guichet:.*:\/usr\/sbin\/nologin$/m);
        if (process.getuid() !== 0) return; // the rest gives files away
        fs.appendFileSync(at('etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
        fs.appendFileSync(at('etc/group'), 'root:x:0:\nwww-data:x:33:\n');
        systemd('systemd-tmpfiles', '--create');
        const owners = (name) => {
            const { uid: user, gid: group } = fs.statSync(at(name));
            return `${modeOf(at(name))} ${user}:${group}`;
        };
        assert.equal(owners('run/guichet'), `2750 ${uid}:33`);
        assert.equal(owners('etc/guichet/secrets'), `2750 0:${gid}`);
        assert.equal(owners('etc/guichet/tls'), '700 0:0');
        assert.equal(owners('etc/guichet/guichet.conf'), `640 0:${gid}`);
        assert.equal(owners('etc/guichet/guichetctl.conf'), '600 0:0');
    });

    test('make uninstall takes away what install brought, and leaves the admin\'s', () => {
        make('uninstall', `DESTDIR=${home}`);
        const left = filesBelow(home).map((file) => path.relative(home, file))
            .filter((file) => !/^(package|verified)\/|^etc\/(\.pwd\.lock|passwd|group|shadow|gshadow)/.test(file));
        assert.deepEqual(left.sort(), ['etc/guichet/guichet.conf', 'etc/guichet/guichetctl.conf',
            'etc/nginx/sites-available/guichet']);
    });
});

// dpkg itself, in a folder: the scripts of the package make the account and the folders there.
describe('make deb', { skip: process.getuid() === 0 ? false : 'only root may unpack what is root\'s' }, () => {
    const home = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'guichet-deb-'));
    after(() => fs.rmSync(home, { recursive: true, force: true }));
    const at = (...parts) => path.join(home, 'root', ...parts);
    const dpkg = (...words) =>
        execFileSync('dpkg', [`--instdir=${at()}`, `--admindir=${home}/dpkg`, '--log=/dev/null',
            '--force-not-root,script-chrootless,depends,confold', ...words],
            { env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    const state = () =>
        dpkg('-s', 'guichet').match(/^Status: (.*)$/m)[1];
    let file;

    test('a package of what make install installs, for nginx, spawn-fcgi and the libraries', () => {
        const said = execFileSync('make', ['-C', CLONE, `VARIANT=${VARIANT}`, 'deb'],
            { env: ENV, encoding: 'utf8' });
        file = path.resolve(CLONE, said.match(/^deb: (\S+\.deb);/m)[1]);
        const control = execFileSync('dpkg-deb', ['-f', file], { encoding: 'utf8' });
        assert.match(control, /^Package: guichet$/m);
        for (const needed of ['nginx', 'spawn-fcgi', 'multiwatch', 'libfcgi0ldbl', 'libmariadb3'])
            assert.match(control, new RegExp(`^Depends: .*\\b${needed}\\b`, 'm'));
        assert.doesNotMatch(control, /@\w+@/); // every hole is filled
    });

    test('installed, it has the account and the folders, and starts nothing', () => {
        for (const folder of ['dpkg/info', 'dpkg/updates', 'dpkg/triggers', 'root/etc'])
            fs.mkdirSync(path.join(home, folder), { recursive: true });
        for (const name of ['status', 'available']) fs.writeFileSync(path.join(home, 'dpkg', name), '');
        fs.writeFileSync(at('etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
        fs.writeFileSync(at('etc/group'), 'root:x:0:\nwww-data:x:33:\n');
        assert.match(dpkg('-i', file), /go on with Secrets/);
        assert.equal(state(), 'install ok installed');
        assert.match(read(at('etc/passwd')), /^guichet:/m);
        assert.equal(modeOf(at('etc/guichet/secrets')), '2750');
        for (const name of ['usr/sbin/guichet', 'usr/lib/systemd/system/guichet.service',
            'usr/share/man/man8/guichet.8.gz', 'usr/share/guichet/sql/grants.sql'])
            assert.ok(fs.existsSync(at(name)), name);
        assert.match(read(at('etc/guichet/guichet.conf')), /^migrations = \/usr\/share\/guichet\/sql$/m);
    });

    test('an upgrade keeps what the admin has written; purged, only what he brought is left', () => {
        const settings = at('etc/guichet/guichet.conf');
        fs.appendFileSync(settings, '# mine\n');
        fs.writeFileSync(at('etc/guichet/secrets/token'), 'mine');
        assert.match(dpkg('-i', file), /go on with guichetctl migrate/);
        assert.match(read(settings), /# mine\n$/);
        dpkg('-P', 'guichet');
        assert.ok(!fs.existsSync(settings) && !fs.existsSync(at('usr/sbin/guichet')));
        assert.equal(read(at('etc/guichet/secrets/token')), 'mine');
    });
});

// --- the README's section Deploy ---

// The blocks in their order; each must be run by a test below.
const blocks = [...read(CLONE, 'README.md').matchAll(/^```sh deploy\n([^]*?)^```$/gm)]
    .map(([, lines]) => lines);

const provider = await startInstance({ name: 'deploy', ledger: false });
const { home } = provider;
const root = path.join(home, 'root');
const at = (...parts) => path.join(root, ...parts);
const [port, plainPort] = await freePorts(2);
const client = makeClient(`https://localhost:${port}`, provider.ca);
const superuser = ['--no-defaults', `--socket=${provider.vars.DB_SOCKET}`,
    `--user=${os.userInfo().username}`];

// Of the instance only provider and MariaDB are needed, and the latter empty.
for (const part of ['guichet', 'jobs']) await provider.stopPart(part);
execFileSync('mariadb', [...superuser, '-e', `DROP DATABASE guichet; DROP ROLE guichet_runtime;
    DROP USER guichet@localhost, guichet_admin@localhost`]);
const sandboxConf = path.join(home, 'sandbox.conf');
fs.writeFileSync(sandboxConf, read(sandboxConf)
    .replace(/^webhook_url = .*/m, `webhook_url = https://localhost:${port}/webhook/payviox`));
await provider.restartPart('sandbox');

for (const folder of ['run', 'var/log/nginx', 'etc/nginx/sites-enabled'])
    fs.mkdirSync(at(folder), { recursive: true });
const shell = openAdminShell({
    root,
    cwd: CLONE,
    env: {
        ...ENV,
        ASAN_OPTIONS: provider.env.ASAN_OPTIONS,
        UBSAN_OPTIONS: provider.env.UBSAN_OPTIONS,
        TSAN_OPTIONS: provider.env.TSAN_OPTIONS,
        GUICHET_CONF: at('etc/guichet/guichet.conf'), // the programs know only /etc
        DEPLOY_VARIANT: VARIANT,
        DEPLOY_DATABASE: provider.vars.DB_SOCKET,
        DEPLOY_CA: provider.vars.CA_CERT,
        DEPLOY_PORT: String(port),
        HOST: 'localhost',
        PAYVIOX_KEY: provider.secret('payviox'),
        PAYVIOX_WEBHOOK_TOKEN: provider.secret('payviox_webhook'),
    },
});

// Runs the next block, which must hold this line.
async function run(line) {
    const block = blocks.shift();
    assert.ok(block?.includes(line), `the next block lacks '${line}':\n${block}`);
    return shell.run(block);
}

const pidOf = (name) => Number(read(root, 'run', `${name}.pid`));
const handlers = () => {
    const supervisor = pidOf('guichet');
    return read(`/proc/${supervisor}/task/${supervisor}/children`).trim().split(' ')
        .filter((pid) => pid !== '').map(Number);
};
const logIn = async () => ({ jwt: await client.login(read(root, 'root/first.key').trim()) });
const isReady = async () => (await client.request('GET', '/health/ready')).status === 200;

// For the end, and for a signal: ends what the steps have started and not ended.
function endServices() {
    shell.end();
    const files = ['nginx', 'guichet', 'guichet-jobs'].map((name) => at('run', `${name}.pid`));
    const pids = files.filter((file) => fs.existsSync(file)).map((file) => Number(read(file)));
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGTERM');
    return pids;
}
process.on('exit', endServices);

// Debian's nginx.conf, in this root folder.
fs.writeFileSync(at('etc/nginx/nginx.conf'), `
    ${process.getuid() === 0 ? 'user root;' : ''}
    worker_processes auto;
    pid ${root}/run/nginx.pid;
    error_log ${root}/var/log/nginx/error.log;
    events { worker_connections 768; }
    http {
        sendfile on;
        tcp_nopush on;
        types_hash_max_size 2048;
        include /etc/nginx/mime.types;
        default_type application/octet-stream;
        ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
        ssl_prefer_server_ciphers on;
        access_log ${root}/var/log/nginx/access.log;
        gzip on;
        ${['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi'].map((kind) =>
    `${kind}_temp_path ${root}/var/${kind};`).join('\n')}
        include ${root}/etc/nginx/conf.d/*.conf;
        include ${root}/etc/nginx/sites-enabled/*;
    }`);

// The steps build on each other: after one that fails, the rest says nothing.
let broken = false;
const step = (name, fn) =>
    test(name, async (context) => {
        if (broken) return context.skip('an earlier step failed');
        broken = true;
        await fn();
        broken = false;
    });

step('programs, secrets, database, settings, a user', async () => {
    await run('make install');
    assert.equal(modeOf(at('etc/guichet/secrets')), '2750');
    // What differs here from a server: where MariaDB is, and the provider.
    for (const name of ['guichet.conf', 'guichetctl.conf'])
        fs.appendFileSync(at('etc/guichet', name),
            `[database]\nsocket = ${provider.vars.DB_SOCKET}\n`);
    fs.appendFileSync(at('etc/guichet/guichet.conf'), [
        '[payviox]', `api_url = ${provider.urls.sandbox}/payviox`,
        `page_url = ${provider.urls.sandbox}/payviox/secure`,
        '[provider]', `ca_file = ${provider.vars.CA_CERT}`, ''].join('\n'));
    await run('payviox_webhook');
    for (const name of ['database', 'token', 'api_key_hash', 'payviox_key', 'payviox_webhook'])
        assert.equal(modeOf(at('etc/guichet/secrets', name)), '640', name);
    assert.equal(modeOf(at('etc/guichet/secrets/database_admin')), '600');
    assert.match(await run('guichetctl -c /etc/guichet/guichetctl.conf migrate'), /^applied 0001_users\.sql$/m);
    assert.match(await run('guichet --check-config'), /guichet\.conf: fine\n$/);
    await run('key add');
    assert.equal(modeOf(at('root/first.key')), '600');
});

step('the services come up behind a socket that only nginx\'s group reaches', async () => {
    await run('systemctl enable --now guichet guichet-jobs');
    const socket = at('run/guichet/guichet.sock');
    await eventually(() => fs.existsSync(socket));
    assert.equal(modeOf(socket), '660');
    assert.equal(modeOf(path.dirname(socket)), '2750');
    await eventually(() => handlers().length === 2);
});

step('nginx accepts and serves the installed site', async () => {
    const site = at('etc/nginx/sites-available/guichet');
    // What differs here from a server: the ports, and who signed the certificate.
    fs.writeFileSync(site, read(site).replaceAll(/ *listen \[::\].*\n/g, '')
        .replaceAll('listen 443', `listen 127.0.0.1:${port}`)
        .replaceAll('listen 80', `listen 127.0.0.1:${plainPort}`));
    fs.copyFileSync(path.join(home, 'tls/server.pem'), at('etc/guichet/tls/fullchain.pem'));
    fs.copyFileSync(path.join(home, 'tls/server.key'), at('etc/guichet/tls/privkey.pem'));
    assert.match(await run('health/ready'), /"status":"ready"/);

    const listed = await client.request('GET', '/user/balance',
        { headers: { Origin: 'https://shop.example.com' } });
    refused(listed, 401, 'Unauthorized');
    assert.equal(listed.headers['access-control-allow-origin'], 'https://shop.example.com');
    const elsewhere = await client.request('GET', '/user/balance',
        { headers: { Host: 'elsewhere.example.com' } });
    refused(elsewhere, 421, 'Misdirected request');
    const plain = await fetch(`http://127.0.0.1:${plainPort}/user/balance`,
        { headers: { Host: 'localhost' } });
    assert.deepEqual([plain.status, (await plain.json()).content], [403, 'Forbidden']);
    const description = await client.request('GET', '/openapi.json');
    assert.equal(description.text, read(CLONE, 'nginx/www/openapi.json'));
    assert.equal((await client.request('GET', '/docs/')).status, 200);
    assert.equal((await client.request('GET', '/shop/')).status, 404);
});

step('the first payment: made, paid on the provider\'s page, credited', async () => {
    const answer = await run('Idempotency-Key: first');
    const [, id] = answer.match(/^location: \/payments\/(PAY_\w{26})\r$/m);
    const { url } = JSON.parse(answer.trim().split('\n').at(-1)).content;
    assert.ok(url.startsWith(provider.urls.sandbox), url);
    const pays = makeClient(provider.urls.sandbox, provider.ca);
    assert.ok((await pays.pay(url)).status < 400);
    await client.paymentIs(await logIn(), id, 'completed');
    const balance = await run('/user/balance');
    assert.deepEqual(JSON.parse(balance),
        { err: false, success: true, content: { balance: 500 } });
});

step('the programs\' account cannot do what it need not', () => {
    const asGuichet = (statement) =>
        spawnSync('mariadb', ['--no-defaults', `--socket=${provider.vars.DB_SOCKET}`,
            '--user=guichet', 'guichet', '-e', statement], {
            encoding: 'utf8',
            env: { ...ENV, MYSQL_PWD: read(root, 'etc/guichet/secrets/database').trim() },
        });
    assert.equal(asGuichet('SELECT COUNT(*) FROM payments').status, 0);
    for (const statement of ['DELETE FROM ledger_entries', 'UPDATE ledger_entries SET amount = 1',
        'DROP TABLE payments', 'UPDATE users SET banned_at = NULL', 'SELECT * FROM mysql.user'])
        assert.match(asGuichet(statement).stderr, /denied/, statement);
});

step('an upgrade under load loses no request; each handler is replaced', async () => {
    const user = await logIn();
    const before = handlers();
    const socket = fs.statSync(at('run/guichet/guichet.sock')).ino;
    const jobs = pidOf('guichet-jobs');
    let upgraded = false;
    let made = 0;
    const load = async () => {
        while (!upgraded) {
            const deposit = await client.deposit(user, 500);
            assert.equal(deposit.status, 200, deposit.text);
            made++;
            await sleep(100); // far below the rate that a token has, however long it takes
        }
    };
    const upgrade = async () => {
        await run('systemctl reload guichet');
        upgraded = true;
    };
    await Promise.all([upgrade(), load(), load()]);
    await eventually(() => handlers().length === 2);
    const now = handlers();
    assert.deepEqual(now.filter((pid) => before.includes(pid)), []);
    assert.notEqual(pidOf('guichet-jobs'), jobs);
    assert.equal(fs.statSync(at('run/guichet/guichet.sock')).ino, socket);
    assert.ok(made > 0);
    const verified = spawnSync(at('usr/local/sbin/guichetctl'),
        ['-c', at('etc/guichet/guichetctl.conf'), 'ledger', 'verify'], { encoding: 'utf8' });
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
});

step('a reload with wrong settings is refused, and every handler goes on', async () => {
    const before = handlers();
    const settings = at('etc/guichet/guichet.conf');
    const right = read(settings);
    fs.writeFileSync(settings, `${right}[http]\nthreads = many\n`);
    assert.match(await shell.run('systemctl reload guichet 2>&1 || true'), /http\.threads must be/);
    fs.writeFileSync(settings, right);
    assert.deepEqual(handlers(), before);
    assert.ok(await isReady());
});

// As happens to one that multiwatch has forked and not yet made a handler of.
step('a reload ends also when a handler has missed its first signal', async () => {
    const missing = 'trap "trap - TERM" TERM; echo; while :; do sleep 0.05; done';
    const supervisor = spawn('bash', ['-c', 'bash -c "$0" & wait', missing],
        { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(supervisor.stdout, 'data');
    const lines = [...read(root, SYSTEMD, 'guichet.service').matchAll(/^ExecReload=(.*)$/gm)];
    const reload = spawnSync('sh', ['-c', lines.at(-1)[1].replaceAll('$$', '$')], // as systemd reads it
        { env: { ...ENV, MAINPID: String(supervisor.pid) }, timeout: 60_000 });
    if (reload.status !== 0) supervisor.kill('SIGKILL');
    assert.equal(reload.status, 0);
});

step('handlers that are killed come back, and so does the service after a stop', async () => {
    const before = handlers();
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await eventually(() => handlers().length === 2 && !handlers().includes(before[0]));
    await eventually(isReady);
    await shell.run('systemctl stop guichet');
    refused(await client.request('GET', '/user/balance'), 502, 'Service unavailable');
    await shell.run('systemctl start guichet'); // over the socket file that is left
    await eventually(isReady);
});

step('no log has a secret', () => {
    const secrets = filesBelow(at('etc/guichet/secrets')).map((file) => read(file).trim());
    secrets.push(read(root, 'root/first.key').trim());
    for (const file of filesBelow(at('var/log')))
        for (const secret of secrets)
            assert.ok(!read(file).includes(secret), path.relative(root, file));
});

step('removed: settings, secrets and the database stay', async () => {
    await run('make uninstall');
    assert.deepEqual(blocks, [], 'every block was run');
    for (const name of ['guichet', 'guichet-jobs'])
        assert.ok(!fs.existsSync(at('run', `${name}.pid`)));
    assert.deepEqual(fs.readdirSync(at('usr/local/sbin')), []);
    assert.ok(fs.existsSync(at('etc/guichet/secrets/token')));
    await shell.run('systemctl stop nginx');
});

test('nothing is left running', async () => {
    const pids = endServices();
    await eventually(() => shell.hasEnded() && !pids.some(isAlive), 30_000);
});
