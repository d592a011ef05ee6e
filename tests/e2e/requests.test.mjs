// Bad input and bad times: whatever is sent, the answer is the documented one in the envelope,
// also where nginx itself refuses, and nothing half done is stored.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { once } from 'node:events';
import test from 'node:test';
import { eventually, nowSeconds } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';

const shop = await startInstance({ name: 'requests' });
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
const PARAMETERS = 'Invalid request parameters';

// Every test: the tables that a refusal must not touch hold as many rows afterwards as before.
const TABLES = ['payments', 'attempts', 'events', 'inbox', 'outbox', 'ledger_postings',
    'idempotency_keys'];
const count = async () => {
    const sums = TABLES.map((table) => `(SELECT COUNT(*) FROM ${table}) AS ${table}`);
    return (await shop.rows(`SELECT ${sums.join()}`))[0];
};
const refusals = (name, fn) =>
    test(name, async () => {
        const before = await count();
        await fn();
        assert.deepEqual(await count(), before, 'rows stored by refused requests');
    });

const create = (body, headers = {}, token = alice.jwt) =>
    client.request('POST', '/payment/payviox', {
        body,
        token,
        headers: { 'Content-Type': 'application/json', ...headers },
    });

// A create's body as text, so that it can say what JSON.stringify never would.
const text = (members = {}) => {
    const all = { type: '"balance"', value: '1000', tos_timestamp: String(nowSeconds()),
        ...members };
    const list = Object.entries(all).filter(([, value]) => value !== undefined);
    return `{${list.map(([name, value]) => `"${name}":${value}`).join(',')}}`;
};

// Raw HTTP/1.1: the request line, header lines and body given, nothing added but what ends it.
const plain = (line, headers = [], body = '') => {
    const head = [line, 'Host: localhost', 'Connection: close', ...headers];
    return client.raw(`${head.join('\r\n')}\r\n\r\n${body}`);
};
const bearer = () => `Authorization: Bearer ${alice.jwt}`;

refusals('wrong methods: 405, and Allow names the right one', async () => {
    const wrong = [
        ['GET', '/payment/payviox', 'POST'], ['PUT', '/payment/payviox', 'POST'],
        ['DELETE', '/payments', 'GET'],
        ['POST', '/user/balance', 'GET'], ['GET', '/user/login', 'POST'],
        ['PATCH', '/payments/PAY_0', 'GET'],
        ['OPTIONS', '/payment/payviox', 'POST'], ['GET', '/payment/', 'POST'],
        ['POST', '/health/live', 'GET'], ['PUT', '/recurring/REC_0', 'GET, POST'], ['PUT', '/webhook/mangopay', 'GET'], ['PUT', '/webhook/payviox', 'POST'],
    ];
    for (const [method, path, allow] of wrong) {
        const answer = await client.request(method, path, { token: alice.jwt });
        refused(answer, 405, 'Method not allowed');
        assert.equal(answer.headers.allow, allow, `${method} ${path}`);
    }
    refused(await plain('FOO /payments HTTP/1.1', [bearer()]), 405, 'Method not allowed');
});

refusals('HEAD is GET without a body', async () => {
    const answer = await client.request('HEAD', '/user/balance', { token: alice.jwt });
    assert.equal(answer.status, 200);
    assert.equal(answer.text, '');
});

refusals('TRACE and CONNECT: refused by nginx, in the envelope', async () => {
    const trace = await plain('TRACE /user/balance HTTP/1.1', [bearer()]);
    assert.equal(trace.status, 405);
    assert.equal(trace.json?.content, 'Method not allowed', trace.text);
    assert.ok(!trace.text.includes('Bearer'), 'TRACE must not echo the request');
    const connect = await plain('CONNECT localhost:443 HTTP/1.1');
    assert.ok([400, 405].includes(connect.status), String(connect.status));
    assert.equal(connect.json?.err, true, connect.text);
});

refusals('wrong paths: 404, for prefixes and neighbours of the right ones too', async () => {
    for (const path of ['/', '/nowhere', '/payment/payviox/', '/payment/payviox/x', '/payments/',
        '/paymentsx', '/payments/x/y', '/user/', '/user/balance/', '/user/balancex', '/webhook/',
        '/webhook/payviox/x', '/health/', '/health/live/x', '/metrics/x', '/PAYMENTS',
        '/payments%20', '/shop.html', '/shop/nothing'])
        assert.equal((await client.request('GET', path, { token: alice.jwt })).status, 404, path);
    for (const path of ['/nowhere', '/payment/payviox/', '/payments/', '/user/balancex',
        '/webhook/', '/webhook', '/user', '/return', '/health'])
        refused(await client.request('GET', path, { token: alice.jwt }), 404, 'Not found');
    refused(await client.request('GET', '/payments/PAY_', { token: alice.jwt }), 404, 'Not found');
    refused(await client.request('GET', "/payments/'%20OR%201=1", { token: alice.jwt }), 404,
        'Not found');
});

refusals('paths that climb, hide or break off', async () => {
    refused(await plain('GET /payments/pay%00viox HTTP/1.1', [bearer()]), 400, 'Bad request');
    refused(await plain('GET /%00 HTTP/1.1'), 400, 'Bad request');
    refused(await plain('GET /../etc/passwd HTTP/1.1'), 400, 'Bad request');
    refused(await plain('GET /payments/../../x HTTP/1.1'), 400, 'Bad request');
    refused(await plain('GET /%2e%2e/%2e%2e/x HTTP/1.1'), 400, 'Bad request');
    refused(await plain('GET /%zz HTTP/1.1'), 400, 'Bad request');
    refused(await plain('GET payments HTTP/1.1'), 400, 'Bad request');
    refused(await plain('GET /payment/../user/balance HTTP/1.1'), 401, 'Unauthorized');
    refused(await plain('GET /health/%2e%2e/user/balance HTTP/1.1'), 401, 'Unauthorized');
    for (const path of ['/shop/../../../guichet.conf', '/shop/..%2f..%2f..%2fREADME.md',
        '/shop../README.md', '/shop/%2e%2e/README.md', '/shop/..;/README.md',
        '/shop/%5c..%5cREADME.md'])
        assert.ok([400, 404].includes((await plain(`GET ${path} HTTP/1.1`)).status), path);
});

refusals('content types other than JSON and form: 415', async () => {
    const types = ['text/plain', 'text/json', 'application/jsonx', 'application/xml',
        'multipart/form-data; boundary=x', 'application/json, text/plain',
        'application/x-www-form-urlencodedx', '*/*'];
    for (const type of types)
        refused(await create(text(), { 'Content-Type': type }), 415, 'Unsupported media type');
    const none = await plain('POST /payment/payviox HTTP/1.1', [bearer(), 'Content-Length: 2'],
        '{}');
    refused(none, 415, 'Unsupported media type');
    refused(await create(text({ value: '0' }),
        { 'Content-Type': 'APPLICATION/JSON ; charset=UTF-8' }), 400, PARAMETERS);
});

refusals('encoded bodies: 415', async () => {
    for (const encoding of ['gzip', 'br', 'deflate', 'x-unknown'])
        refused(await create(text(), { 'Content-Encoding': encoding }), 415,
            'Unsupported media type');
});

test('a body of 64 KiB is taken, one byte more is not: 413', async () => {
    const fit = text().padEnd(65536, ' ');
    accepted(await create(fit));
    accepted(await create(text({ note: `"${'x'.repeat(65536 - text({ note: '""' }).length)}"` })));
    const before = await count();
    refused(await create(`${fit} `), 413, 'Request body too large');
    const chunked = ['Transfer-Encoding: chunked', 'Content-Type: application/json', bearer()];
    const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`;
    refused(await plain('POST /payment/payviox HTTP/1.1', chunked, `${chunk.repeat(3)}0\r\n\r\n`),
        413);
    const promised = ['Content-Length: 99999999999', 'Expect: 100-continue', bearer()];
    refused(await plain('POST /payment/payviox HTTP/1.1', promised), 413, 'Request body too large');
    assert.deepEqual(await count(), before);
});

// libfcgi reads 8192 bytes at a time: with some lengths the record that ends a request comes alone, and
// a connection closed before that is read would reach nginx as a reset, with the answer or without.
test('an answer arrives whatever the length of its request', async () => {
    for (let size = 8; size <= 8200; size += 8)
        refused(await client.request('POST', '/webhook/payviox', { body: 'x'.repeat(size) }), 401,
            'Invalid signature');
    const log = fs.readFileSync(`${shop.home}/log/nginx-error.log`, 'utf8');
    assert.doesNotMatch(log, /reset by peer|prematurely closed/);
});

test('a chunked body is taken like any other', async () => {
    const body = text({ value: '1500' });
    const lines = ['Transfer-Encoding: chunked', 'Content-Type: application/json', bearer()];
    const half = body.length >> 1;
    const chunks = [body.slice(0, half), body.slice(half)]
        .map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
    accepted(await plain('POST /payment/payviox HTTP/1.1', lines, `${chunks.join('')}0\r\n\r\n`));
});

test('no body is written to disk by nginx, in however many chunks it comes', async () => {
    const head = ['POST /payment/payviox HTTP/1.1', 'Host: localhost', 'Connection: close',
        'Transfer-Encoding: chunked', 'Content-Type: application/json', bearer()].join('\r\n');
    for (const size of [65535, 65536, 65537, 131072])
        for (const part of [size, 32768, 16372, 8191]) {
            const chunks = [];
            for (let left = size; left > 0; left -= part) {
                const length = Math.min(part, left);
                chunks.push(`${length.toString(16)}\r\n${' '.repeat(length)}\r\n`, 1);
            }
            const answer = await client.raw([`${head}\r\n\r\n`, 5, ...chunks, '0\r\n\r\n']);
            assert.equal(answer.status, size > 65536 ? 413 : 400, `${size} in chunks of ${part}`);
        }
    assert.doesNotMatch(fs.readFileSync(`${shop.home}/log/nginx-error.log`, 'utf8'), /temporary file/);
});

test('every line of the access log is JSON, whatever is sent', async () => {
    await client.raw(Buffer.from('GET /payments/\xff\xc3\xa9%ff%00x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 'latin1'));
    await client.raw(Buffer.from('GET /payments/%ff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 'latin1'));
    await client.raw(Buffer.from('GET /providers HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a"\xff\\\r\nConnection: close\r\n\r\n', 'latin1'));
    const utf8 = new TextDecoder('utf-8', { fatal: true });
    const lines = await eventually(() => {
        const all = utf8.decode(fs.readFileSync(`${shop.home}/log/nginx-access.log`)).trimEnd().split('\n').map(JSON.parse);
        return all.at(-1).path === '/providers' && all;
    });
    assert.equal(lines.at(-1).user_agent, '(not ASCII)');
    assert.equal(lines.at(-2).path, '(not ASCII)');
});

refusals('lengths that are not what is sent', async () => {
    const lines = [bearer(), 'Content-Type: application/json'];
    const send = (more, body = text()) =>
        plain('POST /payment/payviox HTTP/1.1', [...lines, ...more], body);
    for (const length of ['-1', '+5', '5x', '0x10', '1e3', '', '99999999999999999999999'])
        refused(await send([`Content-Length: ${length}`]), 400, 'Bad request');
    refused(await send(['Content-Length: 20']), 400, PARAMETERS);
    // nginx never answers 408 to a body that stops coming: it resets the connection.
    const silent = await send(['Content-Length: 5000']);
    assert.equal(silent, null);
});

refusals('two lengths, a length and chunks, unknown encodings of the transfer', async () => {
    const lines = [bearer(), 'Content-Type: application/json'];
    const send = (more, body) => plain('POST /payment/payviox HTTP/1.1', [...lines, ...more], body);
    const size = `Content-Length: ${text().length}`;
    refused(await send([size, size], text()), 400, 'Bad request');
    refused(await send([size, 'Transfer-Encoding: chunked'], `0\r\n\r\n${text()}`), 400,
        'Bad request');
    refused(await send(['Content-Length : 5'], text()), 400, 'Bad request');
    refused(await send(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
        400, 'Bad request');
    refused(await send(['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'), 501, 'Not implemented');
    refused(await send(['Transfer-Encoding: chunked'], 'zz\r\n'), 400, 'Bad request');
});

refusals('requests that are no HTTP', async () => {
    refused(await client.raw('GET / HTTP/1.1\r\n\r\n'), 400, 'Bad request');
    refused(await client.raw('nonsense\r\n\r\n'), 400, 'Bad request');
    refused(await client.raw('get / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 400, 'Bad request');
    refused(await plain('GET / HTTP/9.9'), 505, 'HTTP version not supported');
    refused(await plain('GET / HTTP/1.1', ['X-A: a\0b']), 400, 'Bad request');
    refused(await plain('GET / HTTP/1.1', ['X-A: a', ' folded']), 400, 'Bad request');
    refused(await plain('GET / HTTP/1.1', ['no colon']), 400, 'Bad request');
    refused(await plain('GET / HTTP/1.1', ['Host: other']), 400, 'Bad request');
    refused(await plain(`GET /${'a'.repeat(9000)} HTTP/1.1`), 414, 'URI too long');
    const socket = net.connect(new URL(shop.urls.guichet).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'); // without TLS
    const [bytes] = await once(socket, 'data');
    assert.match(bytes.toString(), /^HTTP\/1\.1 400 [^]*"content":"Bad request"/);
    socket.destroy();
});

refusals('header bombs: one of 8 KiB, 1 200 small ones, many more than a handler holds',
    async () => {
    refused(await plain('GET /user/balance HTTP/1.1', [bearer(), `X-Big: ${'x'.repeat(8200)}`]),
        400, 'Bad request');
    const many = (n) => Array.from({ length: n }, (_, i) => `X-H-${i}: v`);
    refused(await plain('GET /user/balance HTTP/1.1', [bearer(), ...many(1200)]), 400,
        'Bad request');
    refused(await plain('GET /user/balance HTTP/1.1', [bearer(), ...many(300)]), 400,
        'Bad request');
    accepted(await plain('GET /user/balance HTTP/1.1', [bearer(), ...many(40)]));
});

refusals('headers given twice: 400', async () => {
    const lines = ['Content-Type: application/json', `Content-Length: ${text().length}`];
    const send = (more) => plain('POST /payment/payviox HTTP/1.1', [...lines, ...more], text());
    refused(await send([bearer(), bearer()]), 400, 'Bad request');
    refused(await send([bearer(), 'Idempotency-Key: a', 'Idempotency-Key: a']), 400,
        'Duplicate header');
    refused(await send([bearer(), 'Idempotency-Key: a', 'idempotency-key: b']), 400,
        'Duplicate header');
    refused(await send([bearer(), 'Content-Encoding: identity', 'Content-Encoding: identity']),
        400);
});

refusals('headers that a client might plant do nothing', async () => {
    const planted = [bearer(), 'Proxy: http://evil.test', 'X-Request-Id: planted',
        'X-Accel-Redirect: /shop/demo.json'];
    const answer = await plain('GET /user/balance HTTP/1.1', planted);
    accepted(answer);
    assert.notEqual(answer.headers['x-request-id'], 'planted');
    const whole = await plain(`GET https://evil.test/user/balance HTTP/1.1`, [bearer()]);
    accepted(whole);
});

refusals('bodies that are no JSON object of ours: Invalid request parameters', async () => {
    const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
    const bad = [
        '', ' ', '{', '}', 'null', 'true', '"text"', '1', '[]', `[${text()}]`, '{}',
        '{"type":"balance"}', text().slice(0, -1), `${text()}x`, `${text()}${text()}`, `${text()},`,
        text().replace(',', ',,'), `\u{feff}${text()}`, `\0${text()}`, `${text()}\0`, `\f${text()}`,
        text().replaceAll('"', "'"), text({ note: '"a\0b"' }), text({ note: '"a\\u0000' }),
        text({ note: '"\\x"' }), text({ note: '"\n"' }), text({ note: '"\\ud800"' }),
        text({ note: '"\\udc00\\ud800"' }), text({ note: nested(16) }),
        text({ note: nested(5000) }), text({ value: '1000,"value":1000' }),
        text({ value: '1000,"value":2000' }), text({ note: '{"a":1,"a":1}' }),
        text({ value: '1000,"v\\u0061lue":1000' }), text({ note: '01' }), text({ note: '.5' }),
        text({ note: '5.' }), text({ note: 'NaN' }), text({ note: 'Infinity' }),
        text({ note: '// x\n1' }), text({ note: '[1,]' }), text({ note: 'tru' }),
        text({ note: 'True' }), Buffer.concat([Buffer.from(text().slice(0, -1)),
        Buffer.from(',"note":"'), Buffer.from([0xc0, 0x80]), Buffer.from('"}')]),
        Buffer.concat([Buffer.from(text().slice(0, -1)), Buffer.from(',"note":"'),
        Buffer.from([0xff]), Buffer.from('"}')]), Buffer.from(text(), 'utf16le'),
    ];
    for (const body of bad) {
        const answer = await create(body);
        assert.equal(answer.json?.content, PARAMETERS,
            `${answer.status} ${answer.text} to ${body.slice(0, 90)}`);
        refused(answer, 400, PARAMETERS);
    }
});

test('JSON that is unusual but right is taken', async () => {
    const good = [
        `\n\t ${text().replaceAll(',', ' ,\r\n ').replaceAll(':', ' : ')} \n`,
        text().replace('"value"', '"v\\u0061lue"'),
        text({ note: `${'['.repeat(15)}${']'.repeat(15)}` }),
        text({ note: '"\\ud83d\\ude00 \u{1f600} \\u00e9"' }), text({ note: '1e400' }),
        text({ note: '-0.0e-1' }), text({ payment_method: 'null',
        checkout_create_timestamp: 'null' }), text({ note: '{"value":{"value":[]}}' }),
        text({ checkout_create_timestamp: '"2024-02-01T00:00:00Z"' }),
    ];
    for (const body of good) accepted(await create(body));
});

refusals('F32: values that are no whole number from the minimum to 2 500 000', async () => {
    const bad = ['0', '-1', '1', '99', '2500001', '1e4', '1E4', '10000.0', '100.5',
        '9223372036854775807', '9223372036854775808', '18446744073709551716',
        '1000000000000000000000000000000', '-0', '-100', '1e400', '"1000"', '"1e4"', '""',
        '" 1000"', 'null', 'true', '[1000]', '{}', undefined];
    for (const value of bad) {
        const answer = await create(text({ value }));
        assert.equal(answer.json?.content, PARAMETERS,
            `${answer.status} ${answer.text} to value ${value}`);
        refused(answer, 400, PARAMETERS);
    }
});

test('the borders: 100 and 2 500 000 are taken', async () => {
    for (const value of ['100', '2500000']) {
        const made = await create(text({ value }));
        accepted(made);
        const id = made.headers.location.split('/').pop();
        assert.equal((await client.payment(alice, id)).amount, Number(value));
    }
});

refusals('forms that are not as they should be', async () => {
    const send = (body) => create(body, { 'Content-Type': 'application/x-www-form-urlencoded' });
    const base = `type=balance&tos_timestamp=${nowSeconds()}`;
    for (const value of ['1e4', '%201000', '1000%20', '%2B1000', '01000', '1000.0', '1,000', '',
        '-1000', '1000%00', '%zz', '%31%30%30%', '1000&value=1000', '٣٠٠', '0x3e8',
        '99999999999999999999'])
        refused(await send(`${base}&value=${value}`), 400, PARAMETERS);
    refused(await send(''), 400, PARAMETERS);
    refused(await send('a=1&'.repeat(300)), 400, PARAMETERS);
    refused(await send(text()), 400, PARAMETERS);
    refused(await send(`value=1000&${base.replace('balance', 'b%C0%80')}`), 400, PARAMETERS);
});

refusals('types, methods and checkout times that do not exist', async () => {
    for (const type of ['"items"', '"Balance"', '"balance "', '""', '1', 'null', '[]', undefined])
        refused(await create(text({ type })), 400, PARAMETERS);
    for (const payment_method of ['""', '"a b"', '"../x"', '"a/b"', '1', '[]', 'true',
        `"${'a'.repeat(65)}"`, '"é"'])
        refused(await create(text({ payment_method })), 400, PARAMETERS);
    for (const checkout_create_timestamp of ['"yesterday"', '"9999999999999999"', '-1', '1.5', '""',
        'true', '{}'])
        refused(await create(text({ checkout_create_timestamp })), 400, PARAMETERS);
});

refusals('F31: amounts in anybody\'s local spelling are refused, in JSON and in forms', async () => {
    const spellings = ['1,000', '1.000', '1 000', '1_000', "1'000", '+1000', '-1000', '1e3', '1E3',
        '1000.00', '1000,00', '01000', '0x3e8', ' 1000', '1000 ', '\uff11\uff10\uff10\uff10',
        '\u0661\u0660\u0660', 'NaN', '', '99999999999999999', '9'.repeat(400)];
    for (const value of spellings) {
        refused(await create(text({ value: JSON.stringify(value) })), 400, PARAMETERS);
        refused(await client.request('POST', '/payment/payviox', {
            token: alice.jwt,
            form: { type: 'balance', value, tos_timestamp: nowSeconds() },
        }), 400, PARAMETERS);
    }
});

test('F30: every amount reaches the provider, the books and the reader to the cent', async () => {
    for (const value of [100, 101, 1504, 1999, 2997, 4035, 110110, 2499999, 2500000]) {
        const made = await create(text({ value: String(value) }));
        accepted(made);
        const id = made.headers.location.split('/').pop();
        const [session] = (await sandbox.journal({ order_id: id })).sessions;
        const { amount } = (await client.request('GET', `/payments/${id}`, { token: alice.jwt })).json
            .content;
        assert.deepEqual([session.amount, amount], [value, value]);
        assert.equal(Number(await shop.value('SELECT amount FROM payments WHERE payment_id = ?', [id])),
            value);
    }
});

test('F39: the acceptance of the terms, case by case', async () => {
    const now = () => nowSeconds();
    const FINE = null;
    const REQUIRED = 'Tos acceptance is required';
    const INVALID = 'Invalid TOS acceptance';
    const FUTURE = 'Tos acceptance cannot be in the future';
    const iso = (ms) => `"${new Date(ms).toISOString()}"`;
    const cases = [
        [() => now(), FINE], [() => `"${now()}"`, FINE], [() => Date.now() - 5, FINE],
        [() => '"1706745600"', FINE],
        [() => '1706745600000', FINE], [() => '0', FINE], [() => iso(Date.now() - 5), FINE],
        [() => '"2024-02-01T00:00:00Z"', FINE], [() => '"2024-02-01t01:30:00.123456+01:30"', FINE],
        [() => '"2024-02-29T23:59:60Z"', FINE],
        [() => now() + 60, FUTURE], [() => now() + 3600, FUTURE], [() => `"${now() + 60}"`, FUTURE],
        [() => Date.now() + 60_000, FUTURE], [() => iso(Date.now() + 60_000), FUTURE],
        [() => '"2999-01-01T00:00:00+00:00"', FUTURE], [() => '99999999999', FUTURE],
        [() => undefined, REQUIRED], [() => 'null', REQUIRED],
        [() => '-1', INVALID], [() => '1e20', INVALID], [() => '1e9', INVALID],
        [() => '1706745600.5', INVALID],
        [() => '1706745600.0', INVALID], [() => '"-1"', INVALID], [() => '"+1706745600"', INVALID],
        [() => '" 1706745600"', INVALID], [() => '"1706745600 "', INVALID],
        [() => '"0x65bb2b00"', INVALID],
        [() => '""', INVALID], [() => '"now"', INVALID], [() => 'true', INVALID],
        [() => 'false', INVALID],
        [() => '[]', INVALID], [() => '{}', INVALID], [() => '"2024-02-01"', INVALID],
        [() => '"2024-02-01 00:00:00Z"', INVALID], [() => '"2024-02-01T00:00:00"', INVALID],
        [() => '"2024-02-30T00:00:00Z"', INVALID], [() => '"2023-02-29T00:00:00Z"', INVALID],
        [() => '"2024-02-01T24:00:00Z"', INVALID], [() => '"2024-02-01T00:00:00+24:00"', INVALID],
        [() => '"2024-02-01T00:00:00.Z"', INVALID], [() => '"Thu, 01 Feb 2024 00:00:00 GMT"',
        INVALID],
        [() => '100000000000000000000', INVALID], [() => `"${'1'.repeat(400)}"`, INVALID],
    ];
    for (const [make, message] of cases) {
        const before = await count();
        const value = make();
        const answer = await create(text({ tos_timestamp: value }));
        assert.equal(answer.json?.content?.url === undefined ? answer.json?.content : FINE, message,
            `tos ${value}`);
        if (message === FINE) accepted(answer);
        else refused(answer, 400, message);
        if (message !== FINE) assert.deepEqual(await count(), before);
    }
});

refusals('the order of the checks: of several faults, the first one is told', async () => {
    const post = (path, body, token) => client.request('POST', path, { body, token });
    const nothing = { value: 0 };
    for (const path of ['/payment', '/payment/']) refused(await post(path, nothing), 400,
        'Provider is required');
    refused(await post('/payment/', nothing, alice.jwt), 400, 'Provider is required');
    refused(await post('/payment/nobody', nothing), 401, 'Unauthorized');
    shop.ctl('user', 'ban', '--id', bob.id);
    refused(await post('/payment/nobody', nothing, bob.jwt), 403, 'Invalid user');
    refused(await post('/payment/payviox', nothing, bob.jwt), 403, 'Invalid user');
    shop.ctl('user', 'unban', '--id', bob.id);
    refused(await post('/payment/nobody', nothing, alice.jwt), 400, 'Invalid provider');
    refused(await post('/payment/PAYVIOX', nothing, alice.jwt), 400, 'Invalid provider');
    refused(await post('/payment/payviox', nothing, alice.jwt), 400, PARAMETERS);
    refused(await create(text({ value: '0', tos_timestamp: undefined })), 400, PARAMETERS);
    refused(await create(text({ value: '0', tos_timestamp: '"x"' })), 400, PARAMETERS);
    refused(await create(text({ type: '"items"', tos_timestamp: undefined })), 400, PARAMETERS);
    refused(await create(text({ payment_method: '""', tos_timestamp: undefined })), 400,
        PARAMETERS);
    refused(await create(text({ tos_timestamp: undefined })), 400, 'Tos acceptance is required');
});

test('tos_clock_skew allows as many seconds into the future', async () => {
    await shop.withSettings({ 'payment.tos_clock_skew': 60 }, async () => {
        accepted(await create(text({ tos_timestamp: nowSeconds() + 50 })));
        refused(await create(text({ tos_timestamp: nowSeconds() + 120 })), 400,
            'Tos acceptance cannot be in the future');
    });
});

refusals('from another address: health is closed, and a token of the first address is none',
    async () => {
    const from = '127.0.0.9';
    for (const path of ['/health/live', '/health/ready', '/metrics'])
        refused(await client.request('GET', path, { from }), 403, 'Forbidden');
    refused(await client.request('GET', '/user/balance', { from, token: alice.jwt }), 401,
        'Unauthorized');
    const login = await client.request('POST', '/user/login',
        { from, body: { apiKey: alice.key } });
    const { jwt } = accepted(login);
    accepted(await client.request('GET', '/user/balance', { from, token: jwt }));
    refused(await client.request('GET', '/user/balance', { token: jwt }), 401, 'Unauthorized');
});

refusals('HTTP/2 gets the same answers', async () => {
    const { port } = new URL(shop.urls.guichet);
    const session = http2.connect(`https://127.0.0.1:${port}`, {
        ca: shop.ca,
        servername: 'localhost',
    });
    session.on('error', () => {}); // the request that it breaks says so
    const ask = async (headers, body = '') => {
        const stream = session.request(headers, { endStream: body === '' });
        if (body !== '') stream.end(body);
        const [answer] = await once(stream, 'response');
        const chunks = [];
        for await (const chunk of stream) chunks.push(chunk);
        return [answer[':status'], JSON.parse(Buffer.concat(chunks)).content,
            answer['x-request-id']];
    };
    try {
        const authorization = `Bearer ${alice.jwt}`;
        assert.equal((await ask({ ':path': '/user/balance', authorization }))[0], 200);
        const bad = [
            [{ ':path': '/nowhere' }, 404, 'Not found'],
            [{ ':path': '/user/balance' }, 401, 'Unauthorized'],
            [{ ':path': '/payment/payviox', ':method': 'GET', authorization }, 405,
            'Method not allowed'],
            [{ ':path': '/../x' }, 400, 'Bad request'],
        ];
        for (const [headers, status, message] of bad) {
            const [gotStatus, got, id] = await ask(headers);
            assert.deepEqual([gotStatus, got], [status, message], headers[':path']);
            assert.match(String(id), /^[0-9a-f]{32}$/, 'one request id');
        }
        const large = { ':path': '/payment/payviox', ':method': 'POST', authorization,
            'content-type': 'application/json' };
        assert.deepEqual((await ask(large, ' '.repeat(70_000))).slice(0, 2),
            [413, 'Request body too large']);
    } finally {
        session.close();
    }
});

refusals('503: without its database, every answer says so; live is still live', async () => {
    await shop.stopPart('mariadb');
    try {
        refused(await client.request('GET', '/health/ready'), 503, 'Service unavailable');
        accepted(await client.request('GET', '/health/live'));
        refused(await client.request('GET', '/user/balance', { token: alice.jwt }), 503,
            'Service unavailable');
        refused(await create(text()), 503, 'Service unavailable');
        refused(await client.request('POST', '/user/login', { body: { apiKey: alice.key } }), 503,
            'Service unavailable');
        refused(await sandbox.notify('{}'), 503, 'Service unavailable');
        refused(await create(text(), {}, 'x.y.z'), 401, 'Unauthorized');
    } finally {
        await shop.startPart('mariadb');
    }
    await shop.ready();
    accepted(await client.request('GET', '/user/balance', { token: alice.jwt }));
});

refusals('502: without handlers nginx answers, of a payment that its outcome is unknown', async () => {
    await shop.stopPart('guichet');
    try {
        for (const [method, path] of [['GET', '/health/live'], ['GET', '/user/balance'],
            ['POST', '/webhook/payviox'], ['POST', '/user/login'], ['GET', '/payments'],
            ['GET', '/payments/PAY_0']]) {
            const answer = await client.request(method, path, { token: alice.jwt });
            refused(answer, 502, 'Service unavailable');
            assert.equal(answer.headers['retry-after'], '1');
        }
        const payment = await client.request('POST', '/payment/payviox', { token: alice.jwt });
        refused(payment, 502, 'Payment outcome unknown');
        assert.equal(payment.headers['retry-after'], undefined);
    } finally {
        await shop.startPart('guichet');
    }
});

refusals('504: handlers that do not answer; about a payment it says that the outcome is unknown',
    async () => {
    // The shipped snippets, but for a shorter fastcgi_read_timeout.
    const snippets = `${shop.home}/nginx/snippets`;
    const shipped = fs.readlinkSync(snippets);
    fs.rmSync(snippets);
    fs.cpSync(shipped, snippets, { recursive: true });
    const file = `${snippets}/guichet-fastcgi.conf`;
    const before = fs.readFileSync(file, 'utf8');
    const after = before.replace('fastcgi_read_timeout 30s', 'fastcgi_read_timeout 1s');
    assert.notEqual(after, before);
    fs.writeFileSync(file, after);
    await shop.reloadNginx();
    const handlers = shop.pids('guichet');
    for (const pid of handlers) process.kill(pid, 'SIGSTOP');
    try {
        const [payment, balance, webhook] = await Promise.all([
            create(text(), {}, 'x.y.z'),
            client.request('GET', '/user/balance'),
            sandbox.notify('{}', { Signature: '00' }),
        ]);
        refused(payment, 504, 'Payment outcome unknown');
        refused(balance, 504, 'Service unavailable');
        refused(webhook, 504, 'Service unavailable');
    } finally {
        for (const pid of handlers) process.kill(pid, 'SIGCONT');
        fs.rmSync(snippets, { recursive: true });
        fs.symlinkSync(shipped, snippets);
        await shop.reloadNginx();
    }
});
