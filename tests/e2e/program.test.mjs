// The programs as an operator meets them: settings, command lines, migrations, logs, and the demo
// that starts and ends everything.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test, { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertBooks } from './lib/chaos.mjs';
import { eventually, sleep } from './lib/client.mjs';
import { freePorts, startInstance } from './lib/instance.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DEMO = path.join(ROOT, 'nginx/demo/demo');
const shop = await startInstance({ name: 'program' });
const { client, sandbox } = shop;
const { alice } = shop.users;
const conf = fs.readFileSync(shop.vars.CONF, 'utf8');
const folder = path.join(shop.home, 'program');
fs.mkdirSync(folder);

const run = (program, ...words) =>
    spawnSync(path.join(shop.env.BIN, program), words, {
        env: shop.env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 10_000,
    });

let files = 0;
function writeFile(text, mode = 0o600) {
    const file = path.join(folder, `file-${++files}`);
    fs.writeFileSync(file, text);
    fs.chmodSync(file, mode);
    return file;
}

// A copy of the instance's settings, changed by one function; and the number of its last line.
function writeConf(change) {
    const text = change(conf.trimEnd());
    return { file: writeFile(`${text}\n`), last: text.split('\n').length };
}
const adding = (lines) => () => writeConf((text) => `${text}\n${lines}`);
const lineOf = (pattern) => {
    assert.match(conf, pattern);
    return conf.slice(0, conf.search(pattern)).split('\n').length;
};
const replacing = (from, to, at = from) => () => ({ ...writeConf((text) => text.replace(from, to)), last: lineOf(at) });
const SECRET = /secret_file = .*/;

describe('settings', () => {
    test('good ones pass', () => {
        for (const program of ['guichet', 'guichet-jobs']) {
            const checked = run(program, '-c', shop.vars.CONF, '--check-config');
            assert.equal(checked.status, 0, checked.stderr);
            assert.equal(checked.stdout, `${shop.vars.CONF}: fine\n`);
            assert.equal(checked.stderr, '');
        }
    });

    test('those that ship pass but for the secrets, which nobody has yet', () => {
        const { status, stderr } = run('guichet', '-c', path.join(ROOT, 'nginx/guichet.conf'), '--check-config');
        assert.equal(status, 1);
        for (const line of stderr.trim().split('\n')) assert.match(line, /No such file or directory$/);
    });

    // What is wrong, and the words after the file's name; LINE stands for the line's number.
    const first = () => ({ ...writeConf((text) => `threads = 4\n${text}`), last: 1 });
    const THREADS = 'LINE: http.threads must be a whole number from 1 to 4096';
    const HTTPS = 'LINE: payviox.api_url must be an address that starts with https:// and has no query';
    const TOKEN = 'LINE: payviox.webhook_token_file is missing while payviox is enabled';
    const cases = {
        'an unknown key': [adding('[http]\nthreds = 4'), 'LINE: there is no setting http.threds'],
        'an unknown section': [adding('[htpp]\nthreads = 4'), 'LINE: there is no setting htpp.threads'],
        'a key before any section': [first, 'LINE: there is no setting .threads'],
        'a word for a number': [adding('[http]\nthreads = many'), THREADS],
        'a number with a unit': [adding('[http]\nthreads = 4s'), THREADS],
        'a number out of bounds': [adding('[http]\nthreads = 0'), THREADS],
        'a number beyond 64 bits': [adding('[http]\nthreads = 99999999999999999999'), THREADS],
        'an empty value': [adding('[http]\nthreads ='), THREADS],
        'neither on nor off': [adding('[token]\ncheck_ip = yes'), 'LINE: token.check_ip must be on or off'],
        'an address without TLS': [replacing(/api_url = .*/, 'api_url = http://localhost/payviox'), HTTPS],
        'a repeated key': [adding('[http]\nthreads = 4\nthreads = 4'), 'LINE: http.threads is set twice'],
        'a key repeated further down': [adding('[token]\nsecret_file = x'), 'LINE: token.secret_file is set twice'],
        'a line that is no setting': [adding('threads'), 'LINE: neither a [section] nor a key = value'],
        'a missing secret': [replacing(SECRET, ''), ' token.secret_file is missing, and token.public_key_file too'],
        'a missing secret of an enabled provider': [replacing(/webhook_token_file = .*/, '', /(?<=\[payviox\]\n)enabled/), TOKEN],
        'a time-out beyond the request\'s budget': [
            replacing(/timeout = 8000/, 'timeout = 25000'),
            'LINE: provider.timeout must be below http.request_budget',
        ],
    };
    const OPEN = 'others can read or change it: its mode must be 0640 or stricter';
    const secrets = {
        'a secret\'s file that is not there': [() => path.join(folder, 'none'), 'No such file or directory'],
        'a secret\'s file of mode 0644': [() => writeFile('s'.repeat(64), 0o644), OPEN],
        'a secret\'s file of mode 0660': [() => writeFile('s'.repeat(64), 0o660), OPEN],
        'a secret that is too short': [() => writeFile('s'.repeat(31)), 'it is empty or too short'],
        'an empty secret': [() => writeFile(''), 'it is empty or too short'],
        'a folder for a secret': [() => folder, 'not a regular file'],
    };
    for (const [name, [make, problem]] of Object.entries(secrets))
        cases[name] = [() => {
            const file = make();
            return { ...replacing(SECRET, `secret_file = ${file}`)(), about: file };
        }, `LINE: token.secret_file: ABOUT: ${problem}`];

    for (const [name, [make, words]] of Object.entries(cases))
        test(`${name} stops the check and the start, with file and line`, () => {
            const { file, last, about } = make();
            const told = `${file}:${words.replace('LINE', last).replace('ABOUT', about)}\n`;
            for (const call of ['guichet --check-config', 'guichet', 'guichet-jobs', 'guichetctl migrate']) {
                const [program, ...more] = call.split(' ');
                const refused = run(program, '-c', file, ...more);
                assert.equal(refused.stderr, told, call);
                assert.equal(refused.stdout, '');
                assert.equal(refused.status, 1);
            }
        });

    test('all that is wrong is told at once', () => {
        const { file, last } = adding('[http]\nthreads = 0\nthreds = 1\n[jobs]\nthreads = x')();
        const lines = run('guichet', '-c', file, '--check-config').stderr.trim().split('\n');
        const numbers = lines.map((line) => Number(line.slice(file.length + 1).split(':')[0]));
        assert.deepEqual(numbers, [last - 3, last - 2, last]);
    });

    test('a file that is not there is named', () => {
        const file = path.join(folder, 'no.conf');
        const refused = run('guichet', '-c', file, '--check-config');
        assert.equal(refused.stderr, `${file}: No such file or directory\n`);
        assert.equal(refused.status, 1);
    });

    for (const program of ['guichet', 'guichet-jobs'])
        for (const words of [['--nonsense'], ['-c'], ['nonsense'], ['--check-config', 'nonsense']])
            test(`called wrongly ends with 2: ${program} ${words.join(' ')}`, () => {
                const { status, stdout, stderr } = run(program, ...words);
                assert.deepEqual([status, stdout], [2, '']);
                assert.match(stderr, new RegExp(`^.+\nusage: ${program} `));
            });

    test('the version is that of the interface', () => {
        const { info } = JSON.parse(fs.readFileSync(path.join(ROOT, 'nginx/www/openapi.json'), 'utf8'));
        for (const program of ['guichet', 'guichet-jobs', 'guichetctl'])
            assert.equal(run(program, '--version').stdout, `${program} ${info.version}\n`);
    });

    test('guichetctl with the settings of the handlers says which it needs', () => {
        const { file } = replacing(/admin_password_file = .*/, '')();
        const refused = run('guichetctl', '-c', file, 'payment', 'list');
        assert.equal(refused.status, 2);
        assert.match(refused.stderr, /lacks database\.admin_password_file: .* guichetctl\.conf/);
    });

    test('a handler without spawn-fcgi says what it lacks', () => {
        const refused = run('guichet', '-c', shop.vars.CONF);
        assert.equal(refused.status, 1);
        const notes = refused.stderr.trim().split('\n').map((line) => JSON.parse(line).note);
        assert.deepEqual(notes, ['descriptor 0 is no FastCGI socket: use spawn-fcgi']);
    });
});

test('who connects and says nothing does not keep a handler from ending', async () => {
    const { file } = writeConf((text) => `${text.replace(/^timeout = .*/m, 'timeout = 500')}\n[http]\nrequest_budget = 1000`);
    const socket = path.join(folder, 'silent.sock');
    const handler = spawn('spawn-fcgi', ['-n', '-s', socket, '--', path.join(shop.env.BIN, 'guichet'), '-c', file],
        { env: shop.env, stdio: ['ignore', 'ignore', 'pipe'] });
    after(() => handler.kill('SIGKILL'));
    await once(handler.stderr, 'data'); // its line about the start
    const silent = net.connect(socket);
    await once(silent, 'connect');
    silent.on('error', () => {});
    await sleep(100); // until a thread has it
    handler.kill('SIGTERM');
    const [status] = await Promise.race([once(handler, 'exit'), sleep(8000, ['it does not end'])]);
    silent.destroy();
    assert.equal(status, 0);
});

describe('guichetctl', () => {
    const short = writeFile('short');
    const wrong = [
        [], ['nonsense'], ['ledger'], ['ledger', 'nonsense'], ['user'], ['user', 'add'], ['--nonsense'],
        ['user', 'add', '--id', '5', '--name', 'eve'],
        ['user', 'add', '--id', '0', '--name', 'eve', '--email', 'eve@example.test'],
        ['user', 'add', '--id', '5x', '--name', 'eve', '--email', 'eve@example.test'],
        ['user', 'add', '--id', '99999999999999999999', '--name', 'eve', '--email', 'eve@example.test'],
        ['user', 'add', '--id', '5', '--name', 'eve', '--email', 'eve@example.test', '--role', 'king'],
        ['user', 'add', '--id', '5', '--name', 'eve', '--email', 'not an email'],
        ['user', 'add', '--id', '5', '--name', 'eve', '--email', ''],
        ['user', 'add', '--id', '5', '--name', 'eve', '--email', 'eve@example.test\r\nBcc: bob@example.test'],
        ['user', 'add', '--id', '5', '--name', 'eve', '--email', `eve@${'x'.repeat(251)}`],
        ['user', 'add', '--id', '5', '--name', 'é'.repeat(65), '--email', 'eve@example.test'],
        ['user', 'ban'], ['user', 'ban', '--id'], ['user', 'unban', '--id', 'me'],
        ['key', 'add'], ['key', 'add', '--user', '5'], ['key', 'add', '--user', '5', '--key-file', short],
        ['key', 'revoke', '--key-file', path.join(folder, 'none')],
        ['migrate', 'nonsense'], ['ledger', 'verify', 'nonsense'],
    ];
    for (const words of wrong)
        test(`called wrongly ends with 2: ${words.map((word) => path.basename(word)).join(' ')}`, () => {
            const { status, stderr, stdout } = shop.ctl(...words);
            assert.equal(status, 2, stdout + stderr);
            assert.notEqual(stderr, '');
        });

    const fresh = writeFile('k'.repeat(40));
    const alices = path.join(shop.home, 'secrets/alice_key');
    const ABSENT = 3;
    for (const [what, [end, ...words]] of Object.entries({
        'a key for a user that is not there': [ABSENT, 'key', 'add', '--user', '12345', '--key-file', fresh],
        'a key that is somebody else\'s': [1, 'key', 'add', '--user', shop.users.bob.id, '--key-file', alices],
        'the end of a key that is not there': [ABSENT, 'key', 'revoke', '--key-file', fresh],
        'a ban of a user that is not there': [ABSENT, 'user', 'ban', '--id', '12345'],
        'the end of a ban of a user that is not there': [ABSENT, 'user', 'unban', '--id', '12345'],
    }))
        test(`${what} cannot be done: ends with ${end} and says so`, () => {
            const { status, stderr } = shop.ctl(...words);
            assert.equal(status, end);
            assert.match(stderr, /^guichetctl: /);
        });

    test('a key works from when it is added until it is revoked; a ban holds until it is lifted', async () => {
        const text = 'k'.repeat(64);
        const key = writeFile(`${text}\n`);
        const id = '76561198000000077';
        const login = () => client.request('POST', '/user/login', { body: { apiKey: text } });
        const steps = [
            [['user', 'add', '--id', id, '--name', 'eve', '--email', 'eve@example.test'], 403],
            [['key', 'add', '--user', id, '--key-file', key], 200],
            [['key', 'add', '--user', id, '--key-file', key], 200],
            [['user', 'ban', '--id', id], 403],
            [['user', 'unban', '--id', id], 200],
            [['key', 'revoke', '--key-file', key], 403],
        ];
        for (const [words, status] of steps) {
            const done = shop.ctl(...words);
            assert.equal(done.status, 0, done.stderr);
            assert.equal((await login()).status, status, words.join(' '));
        }
    });
});

test('ledger verify finds what does not add up', async () => {
    const { id } = await client.deposit(alice, 900);
    const verify = () => shop.ctl('ledger', 'verify');
    const posting = await shop.value('SELECT MIN(posting_id) FROM ledger_postings');
    for (const [wrong, right] of [
        ['UPDATE balances SET balance = balance + 1 LIMIT 1', 'UPDATE balances SET balance = balance - 1 LIMIT 1'],
        [`UPDATE ledger_entries SET amount = amount + 1 WHERE posting_id = ${posting} AND line = 1`,
            `UPDATE ledger_entries SET amount = amount - 1 WHERE posting_id = ${posting} AND line = 1`],
        [`UPDATE payments SET status = 'completed' WHERE payment_id = '${id}'`,
            `UPDATE payments SET status = 'pending' WHERE payment_id = '${id}'`],
    ]) {
        assert.match(verify().stdout, / 0 wrong\n$/);
        await shop.rows(wrong);
        const { status, stdout } = verify();
        await shop.rows(right);
        assert.equal(status, 1, stdout);
        assert.doesNotMatch(stdout, / 0 wrong\n$/);
    }
    assert.equal(verify().status, 0);
});

describe('migrations', () => {
    const copy = path.join(folder, 'sql');
    fs.cpSync(path.join(ROOT, 'sql'), copy, { recursive: true });
    const { file } = replacing(/migrations = .*/, `migrations = ${copy}`)();
    const migrate = () => run('guichetctl', '-c', file, 'migrate');
    const applied = () => shop.rows('SELECT version, checksum FROM schema_migrations ORDER BY version');

    test('applied twice change nothing', async () => {
        const before = await applied();
        for (let i = 0; i < 2; i++) {
            const done = migrate();
            assert.deepEqual([done.status, done.stdout, done.stderr], [0, '', '']);
        }
        assert.deepEqual(await applied(), before);
    });

    test('a new one is applied once', async () => {
        fs.writeFileSync(path.join(copy, '9001_more.sql'), 'CREATE TABLE IF NOT EXISTS more (a INT);\n');
        assert.equal(migrate().stdout, 'applied 9001_more.sql\n');
        assert.equal(migrate().stdout, '');
        assert.equal((await applied()).at(-1).version, 9001);
    });

    test('one that fails is named, and is tried again the next time', async () => {
        const bad = path.join(copy, '9002_bad.sql');
        fs.writeFileSync(bad, 'CREATE TABLE IF NOT EXISTS good (a INT);\nNONSENSE;\n');
        const failed = migrate();
        assert.deepEqual([failed.status, failed.stdout], [1, '']);
        assert.match(failed.stderr, /^guichetctl: .*9002_bad\.sql: .*NONSENSE.*\n$/);
        assert.equal((await applied()).at(-1).version, 9001);
        fs.writeFileSync(bad, 'CREATE TABLE IF NOT EXISTS good (a INT);\n');
        assert.equal(migrate().stdout, 'applied 9002_bad.sql\n');
    });

    test('one that fails after another is named also as JSON, and what went well stays', async () => {
        const good = path.join(copy, '9010_good.sql');
        const bad = path.join(copy, '9011_bad.sql');
        fs.writeFileSync(good, 'CREATE TABLE IF NOT EXISTS better (a INT);\n');
        fs.writeFileSync(bad, 'NONSENSE;\n');
        const failed = run('guichetctl', '-c', file, 'migrate', '--json');
        assert.deepEqual([failed.status, failed.stdout], [1, '']);
        assert.match(JSON.parse(failed.stderr).error, /9011_bad\.sql: .*NONSENSE/);
        assert.equal((await applied()).at(-1).version, 9010);
        fs.rmSync(bad);
    });

    test('the timeline of payments from before 0017 is the same after it', async () => {
        const made = [];
        for (let i = 0; i < 3; i++) made.push((await client.deposit(alice, 900)).id);
        const [asked, told, closed] = made;
        const timeline = async (id) => (await client.payment(alice, id)).timeline.map((event) => Object.values(event).slice(1));
        for (const [id, outcome] of [[told, 'pending'], [closed, 'done']])
            await shop.rows(`UPDATE attempt_answers JOIN attempts USING (attempt_id)
                SET outcome = ?, reason = 'learnt from the provider''s notice' WHERE payment_id = ?`, [outcome, id]);
        for (const [id, source] of [[asked, 'check'], [closed, 'check']]) {
            await shop.rows("INSERT INTO events (payment_id, kind, source) VALUES (?, 'created', 'request')", [id]);
            await shop.rows("INSERT INTO events (payment_id, kind, source) VALUES (?, 'attempt', ?)", [id, source]);
        }
        fs.copyFileSync(path.join(ROOT, 'sql', '0017_timeline.sql'), path.join(copy, '9003_again.sql'));
        assert.equal(migrate().stdout, 'applied 9003_again.sql\n');
        const created = ['created', 'payviox', 'request'];
        assert.deepEqual(await timeline(asked), [created, ['attempt', 'pending', 'check']]);
        assert.deepEqual(await timeline(told), [created], 'the notice is an event of its own');
        assert.deepEqual((await timeline(closed)).map(([kind, , source]) => [kind, source]),
            [['created', 'request'], ['attempt', 'check']]);
    });

    test('one that was changed after it was applied is refused', async () => {
        const changed = path.join(copy, '0002_payments.sql');
        fs.appendFileSync(changed, '-- a harmless word\n');
        const refused = migrate();
        assert.equal(refused.status, 1);
        assert.match(refused.stdout + refused.stderr, /0002_payments\.sql: changed since it was applied; add a new/);
    });
});

describe('logs', () => {
    const lineOf = ({ headers }) =>
        eventually(() => shop.logs('guichet').split('\n').find((line) => line.includes(headers['x-request-id'])));

    test('a request is one line of JSON with everything that an operator asks for', async () => {
        await sandbox.fault('slow', { call: 'create', ms: 300 });
        const answer = await client.deposit(alice, 900);
        const line = await lineOf(answer);
        assert(line.includes(`"user":${alice.id},`) || line.includes(`"user":"${alice.id}"`), line);
        const { time, total_ms, database_ms, provider_ms, user, ...rest } = JSON.parse(line);
        assert.deepEqual(rest, {
            level: 'info', program: 'guichet', event: 'request', request: answer.headers['x-request-id'],
            payment: answer.id, method: 'POST', route: '/payment/*', status: 200,
        });
        assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert(provider_ms >= 300 && total_ms >= provider_ms + database_ms && total_ms < 5000, line);
        assert.equal(shop.logs('guichet').split(answer.headers['x-request-id']).length, 2, 'one line');
    });

    test('the user in it survives being read as JSON', async () => {
        const line = await lineOf(await client.request('GET', '/user/balance', { token: alice.jwt }));
        assert.equal(String(JSON.parse(line).user), alice.id);
    });

    test('a refusal says why', async () => {
        const answer = await client.deposit(alice, 0);
        const { level, status, error } = JSON.parse(await lineOf(answer));
        assert.deepEqual([level, status, error], ['info', 400, 'Invalid request parameters']);
    });

    test('F51: nothing that a caller sends is in a log: not in headers, bodies, queries, or cards', async () => {
        const canary = (name) => `canary${name}${'0123456789abcdef'.repeat(2)}`;
        const { jwt } = alice;
        const fields = ['type', 'value', 'tos_timestamp', 'payment_method', 'items', canary('member')];
        const json = (name) => Object.fromEntries(fields.map((field) => [field, canary(name)]));
        await client.request('POST', '/user/login', { body: { apiKey: canary('apikey') } });
        await client.request('POST', '/user/login', { form: { apiKey: canary('formkey') } });
        await client.request('POST', '/user/login', { body: canary('nobody') });
        await client.request('GET', '/user/balance', { token: canary('token') });
        await client.request('GET', '/user/balance', { headers: { Authorization: `Basic ${canary('basic')}` } });
        await client.request('GET', `/payments?cursor=${canary('query')}`, { token: jwt });
        await client.request('POST', '/payment/payviox', { token: jwt, body: json('body'), key: canary('key') });
        await client.request('POST', '/payment/payviox', { token: jwt, form: json('form'), key: canary('key2') });
        await client.deposit(alice, 900, { payment_method: canary('method'), note: canary('note') });
        const headers = { Cookie: canary('cookie'), 'X-Canary': canary('header'), 'X-Request-Id': canary('id') };
        await client.deposit(alice, 900, {}, { headers });
        await sandbox.notify(JSON.stringify({ order_id: canary('order'), type: canary('type') }));
        await sandbox.notify(canary('bytes'), { Signature: canary('signature') });
        const { url, id } = await client.deposit(alice, 900);
        const card = { card_number: '4000 0000 0000 0002', expiry: '12/40', cvc: canary('cvc') };
        await client.post(url, card);
        await client.post(url, { ...card, cvc: '987' });
        await client.pay(url);
        await client.paymentIs(alice, id, 'completed');

        const found = [];
        for (const file of fs.readdirSync(path.join(shop.home, 'log'))) {
            const text = fs.readFileSync(path.join(shop.home, 'log', file), 'utf8');
            for (const [word] of text.matchAll(/canary[a-z0-9]+?0123456789abcdef/g))
                found.push(`${word} in ${file}`);
            if (/4000 ?0000 ?0000 ?0002|4242 ?4242 ?4242 ?4242/.test(text)) found.push(`a card in ${file}`);
        }
        assert.deepEqual(found, []);
        await assertBooks(shop);
    });
});

describe('the demo', () => {
    // A folder whose name is long and has a space, which sockets and INI files do not love.
    const VAR = path.join(fs.mkdtempSync('/tmp/guichet-second-'), `a second instance ${'x'.repeat(70)}`);
    const env = { ...shop.env, VAR, DEMO_SET: '', DEMO_TEMPLATE: '' };
    const demo = (verb, more = {}) =>
        spawnSync(DEMO, [verb], { env: { ...env, ...more }, encoding: 'utf8', timeout: 90_000 });
    const processes = () =>
        fs.readdirSync('/proc').filter((pid) => {
            try {
                const environment = fs.readFileSync(`/proc/${pid}/environ`, 'utf8');
                return /^\d+$/.test(pid) && environment.includes(`VAR=${VAR}\0`);
            } catch {
                return false;
            }
        });
    const fetch = (port) => {
        const words = ['-s', '--cacert', path.join(VAR, 'tls/ca.pem'), `https://localhost:${port}/health/ready`];
        return spawnSync('curl', words, { encoding: 'utf8' }).stdout;
    };
    after(() => {
        demo('down');
        fs.rmSync(path.dirname(VAR), { recursive: true, force: true });
    });

    const somePorts = async () => {
        const [port, sandboxPort] = await freePorts(2);
        return { PORT: String(port), SANDBOX_PORT: String(sandboxPort) };
    };

    test('a port in use is told in one line, and nothing is left', async () => {
        for (const name of ['PORT', 'SANDBOX_PORT']) {
            const ports = { ...(await somePorts()), [name]: shop.env[name] };
            const { status, stderr } = demo('up', ports);
            assert.equal(status, 1);
            const use = `stop what listens there, or choose another with ${name}=`;
            assert.equal(stderr, `demo: port ${shop.env[name]} is in use: ${use}\n`);
            assert.deepEqual(processes(), []);
        }
    });

    test('wrong settings are told in one line', () => {
        for (const [more, told] of [
            [{ PORT: 'x' }, "demo: PORT must be a number, not 'x'\n"],
            [{ PORT: '8000', SANDBOX_PORT: '8000' }, 'demo: PORT and SANDBOX_PORT are the same\n'],
            [{ VAR: '/tmp/with"quote' }, 'demo: cannot work below \'/tmp/with"quote\': choose a folder without '],
        ]) {
            const { status, stderr } = demo('up', more);
            assert.equal(status, 1);
            assert(stderr.startsWith(told) && stderr.indexOf('\n') === stderr.length - 1, stderr);
        }
    });

    test('a second instance runs beside the first; up twice is up; down leaves nothing', async () => {
        Object.assign(env, await somePorts());
        const up = demo('up');
        assert.equal(up.status, 0, up.stderr);
        assert.match(fetch(env.PORT), /"ready"/);
        assert.equal((await client.request('GET', '/health/ready')).status, 200);
        const jobsRun = (pid) => fs.readFileSync(`/proc/${pid}/comm`, 'utf8') === 'guichet-jobs\n';
        await eventually(() => processes().some(jobsRun)); // which their supervisor starts in its own time
        const alike = processes();

        const again = demo('up');
        assert.equal(again.status, 0);
        assert.match(again.stdout, /^demo: already up: /);
        assert.deepEqual(processes(), alike, 'nothing was started anew');
        assert.equal(demo('status').status, 0);

        const settings = fs.readFileSync(path.join(VAR, 'demo.env'), 'utf8');
        const sockets = /^RUN='(.*)'$/m.exec(settings)[1];
        assert(fs.existsSync(path.join(sockets, 'guichet.sock')));
        const down = spawnSync('make', ['-s', '-C', ROOT, 'down'], { env, encoding: 'utf8', timeout: 60_000 });
        assert.equal(down.status, 0, down.stdout + down.stderr);
        assert.doesNotMatch(down.stdout, /killing/);
        assert.deepEqual(processes(), []);
        const left = fs.existsSync(sockets) ? fs.readdirSync(sockets).filter((name) => name.endsWith('.sock')) : [];
        assert.deepEqual(left, []);
        assert.equal(fetch(env.PORT), '');
        assert.equal(fetch(env.SANDBOX_PORT), '');
        assert.equal(demo('status').status, 1);
        assert.match(demo('down').stdout, /^demo: nothing is up in /);
        assert.equal((await client.request('GET', '/health/ready')).status, 200, 'the first one is still there');
    });

    // Starts `demo run` and waits until it says that all is up.
    async function startRun() {
        const child = spawn(DEMO, ['run'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
        let told = '';
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (told += bytes));
        await eventually(() => told.includes('demo: up; Ctrl-C stops it'), 60_000);
        return { child, told: () => told };
    }

    test('run stays until Ctrl-C, tells what has ended meanwhile, and leaves nothing', async () => {
        const { child, told } = await startRun();
        process.kill(Number(fs.readFileSync(path.join(VAR, 'parts/nginx'), 'utf8').split(' ')[0]), 'SIGTERM');
        await eventually(() => told().includes('demo: nginx has ended'));
        assert.equal(demo('status').status, 1);
        const ended = once(child, 'close');
        child.kill('SIGINT');
        assert.deepEqual(await ended, [0, null]);
        assert.match(told(), /demo: stopped; the data stays in /);
        assert.deepEqual(processes(), []);
    });

    test('when run itself was killed, up clears what is left and starts anew', async () => {
        const { child } = await startRun();
        const ended = once(child, 'close');
        child.kill('SIGKILL');
        await ended;
        assert.notDeepEqual(processes(), []);
        const up = demo('up');
        assert.deepEqual([up.status, up.stderr], [0, '']);
        assert.equal(demo('status').status, 0);
        assert.equal(demo('down').status, 0);
        assert.deepEqual(processes(), []);
    });
});
