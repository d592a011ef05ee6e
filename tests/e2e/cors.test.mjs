// Pages of other origins: who is listed gets through, with a real browser and header by header;
// who is not is refused; and what nginx itself answers can be read by pages, too.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import test, { after, describe } from 'node:test';
import { browse } from './lib/browser.mjs';
import { eventually, nowSeconds } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';

// Two web servers with a page each; another port is another origin.
async function servePage() {
    const server = https.createServer((request, response) => {
        response.setHeader('Content-Type', 'text/html');
        response.end('<!doctype html><link rel="icon" href="data:,"><title>A page elsewhere</title>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    after(() => server.close());
    return { server, origin: `https://localhost:${server.address().port}` };
}
const [shop, stranger] = [await servePage(), await servePage()];
const gateway = await startInstance({ name: 'cors', rates: true, origins: [shop.origin] });
for (const { server } of [shop, stranger])
    server.setSecureContext({
        key: fs.readFileSync(path.join(gateway.home, 'tls/server.key')),
        cert: fs.readFileSync(path.join(gateway.home, 'tls/server.pem')),
    });
const { client } = gateway;
const { alice } = gateway.users;

const EXPOSED = 'Location, X-Request-Id, Retry-After, Idempotent-Replayed';
const API = ['/user/login', '/user/balance', '/payment/payviox', '/payments', '/payments/PAY_0',
    '/paiement/payviox', '/providers', '/nowhere', '/'];
const NO_API = ['/webhook/payviox', '/return/payviox', '/health/live', '/health/ready', '/metrics'];

const call = (origin, method, where, options = {}) =>
    client.request(method, where, { ...options, headers: { Origin: origin, ...options.headers } });
const ask = (origin, where, headers = {}) =>
    call(origin, 'OPTIONS', where, {
        headers: {
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key',
            ...headers,
        },
    });
// The lines of the handlers' log about the request that was answered so.
const handled = (answer) =>
    gateway.events('guichet')
        .filter((event) => event.request === answer.headers['x-request-id']);
const corsHeaders = (answer) => answer.raw.filter(([name]) => name.startsWith('access-control-'));

// The page of this origin may read the answer and these headers of it, and nobody else may.
function readable(answer, origin = shop.origin) {
    assert.deepEqual(corsHeaders(answer), [
        ['access-control-allow-origin', origin],
        ['access-control-expose-headers', EXPOSED],
    ], `${answer.status} ${answer.text}`);
    assert.deepEqual(answer.all('vary'), ['Origin']);
}

function unreadable(answer) {
    assert.deepEqual(corsHeaders(answer), [], `${answer.status} ${answer.text}`);
    assert.deepEqual(answer.all('vary'), ['Origin']);
}

describe('header by header', () => {
    const deposit = { type: 'balance', value: 700, tos_timestamp: nowSeconds() };
    const post = (origin, options = {}) =>
        call(origin, 'POST', '/payment/payviox', { token: alice.jwt, body: deposit, ...options });

    test('a listed origin is echoed by whoever answers', async () => {
        const made = await post(shop.origin, { key: 'cors-1' });
        accepted(made);
        readable(made);
        const replayed = await post(shop.origin, { key: 'cors-1' });
        assert.equal(replayed.headers['idempotent-replayed'], 'true');
        readable(replayed);
        const refusals = [
            [await post(shop.origin, { token: 'x.y.z' }), 401, 'Unauthorized'],
            [await post(shop.origin, { body: {} }), 400, 'Invalid request parameters'],
            [await post(shop.origin, { body: 'x'.repeat(65537) }), 413, 'Request body too large'],
            [await call(shop.origin, 'GET', '/nowhere'), 404, 'Not found'],
            [await call(shop.origin, 'DELETE', '/payments'), 405, 'Method not allowed'],
            [await call(shop.origin, 'GET', '/user/balance',
                { headers: { 'X-Big': 'x'.repeat(9000) } }), 400, 'Bad request'],
        ];
        for (const [answer, status, message] of refusals) {
            refused(answer, status, message);
            readable(answer);
        }
    });

    test('no origin, another origin, one that only looks like it: answered, but to no page',
        async () => {
        const { origin } = shop;
        const others = [undefined, stranger.origin, 'null', `${origin}/`, `${origin}0`,
            origin.slice(0, -1), origin.replace('https', 'http'), 'https://localhost',
            origin.replace('localhost', 'localhost.evil.test'),
            origin.replace('localhost', 'evil-localhost'),
            origin.replace('localhost', '127.0.0.1'), `${origin} ${origin}`, '*'];
        for (const other of others) {
            const headers = other === undefined ? {} : { Origin: other };
            const answer = await client.request('GET', '/user/balance',
                { token: alice.jwt, headers });
            accepted(answer);
            unreadable(answer);
            unreadable(await client.request('GET', '/nowhere', { headers }));
        }
    });

    test('the preflight of a listed origin: 204 by nginx, for every path of the API', async () => {
        const answers = [];
        for (const where of API) {
            const answer = await ask(shop.origin, where);
            assert.equal(answer.status, 204, where);
            assert.equal(answer.text, '');
            assert.deepEqual(Object.fromEntries(corsHeaders(answer)), {
                'access-control-allow-origin': shop.origin,
                'access-control-expose-headers': EXPOSED,
                'access-control-allow-methods': 'GET, POST',
                'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key',
                'access-control-max-age': '7200',
            });
            assert.deepEqual(answer.all('vary'), ['Origin']);
            assert.match(answer.headers['x-request-id'], /^[0-9a-f]{32}$/);
            answers.push(answer);
        }
        const request = await call(shop.origin, 'GET', '/payments');
        await eventually(() => handled(request).length === 1);
        for (const answer of answers) assert.deepEqual(handled(answer), []);
    });

    test('the preflight of another origin: 403, and nothing is allowed', async () => {
        for (const where of API) {
            const answer = await ask(stranger.origin, where);
            refused(answer, 403, 'Forbidden');
            unreadable(answer);
        }
        refused(await ask('null', '/payments'), 403, 'Forbidden');
    });

    test('OPTIONS that asks for nothing is a wrong method, as ever', async () => {
        const plain = await call(shop.origin, 'OPTIONS', '/payment/payviox');
        refused(plain, 405, 'Method not allowed');
        assert.equal(plain.headers.allow, 'POST');
        readable(plain);
        const aimless = await client.request('OPTIONS', '/payments',
            { headers: { 'Access-Control-Request-Method': 'GET' } });
        refused(aimless, 405, 'Method not allowed');
        unreadable(aimless);
    });

    test('webhooks, the way back, health and metrics are not for pages', async () => {
        for (const where of NO_API) {
            for (const method of ['GET', 'POST']) unreadable(await call(shop.origin, method, where));
            const answer = await ask(shop.origin, where);
            assert.ok(answer.status >= 400, `${answer.status} ${where}`);
            unreadable(answer);
        }
    });

    test('without handlers: 502 can be read, and a preflight is still answered', async () => {
        await gateway.stopPart('guichet');
        try {
            const lost = await post(shop.origin);
            refused(lost, 502, 'Payment outcome unknown');
            readable(lost);
            const balance = await call(shop.origin, 'GET', '/user/balance');
            refused(balance, 502, 'Service unavailable');
            readable(balance);
            unreadable(await call(stranger.origin, 'GET', '/user/balance'));
            assert.equal((await ask(shop.origin, '/payment/payviox')).status, 204);
        } finally {
            await gateway.startPart('guichet');
        }
    });
});

describe('in a browser', () => {
    // Runs fn(argument) in the page that this origin serves. What the browser complains of besides
    // is no matter: every refusal is a line there.
    async function onPage(origin, fn, argument) {
        let seen;
        await browse({}, async (page) => {
            await page.goto(`${origin}/`);
            seen = await page.evaluate(fn, argument);
        }, /./);
        return seen;
    }
    const there = { api: gateway.urls.guichet, apiKey: alice.key, now: nowSeconds() };

    test('a page of a listed origin logs in, deposits and reads the headers it needs', async () => {
        const seen = await onPage(shop.origin, async ({ api, apiKey, now }) => {
            const json = { 'Content-Type': 'application/json' };
            const login = await fetch(`${api}/user/login`,
                { method: 'POST', headers: json, body: JSON.stringify({ apiKey }) });
            const { jwt } = (await login.json()).content;
            const deposit = () => fetch(`${api}/payment/payviox`, {
                method: 'POST',
                headers: { ...json, Authorization: `Bearer ${jwt}`, 'Idempotency-Key': 'page-1' },
                body: JSON.stringify({ type: 'balance', value: 900, tos_timestamp: now }),
            });
            const [made, again] = [await deposit(), await deposit()];
            const location = made.headers.get('Location');
            const payment = await fetch(api + location,
                { headers: { Authorization: `Bearer ${jwt}` } });
            return {
                location,
                requestId: made.headers.get('X-Request-Id'),
                url: (await made.json()).content.url,
                replayed: again.headers.get('Idempotent-Replayed'),
                status: (await payment.json()).content.status,
            };
        }, there);
        assert.match(seen.location, /^\/payments\/PAY_\w{26}$/);
        assert.match(seen.requestId, /^[0-9a-f]{32}$/);
        assert.ok(seen.url.startsWith(gateway.urls.sandbox), seen.url);
        assert.equal(seen.replayed, 'true');
        assert.equal(seen.status, 'pending');
        const owner = await gateway.value('SELECT user_id FROM payments WHERE payment_id = ?',
            [seen.location.split('/').pop()]);
        assert.equal(String(owner), alice.id);
    });

    test('a page of another origin gets nothing, and what needs a preflight is not even sent',
        async () => {
        const count = () => gateway.value('SELECT COUNT(*) FROM payments');
        const before = await count();
        const seen = await onPage(stranger.origin, async ({ api, apiKey, jwt, now }) => {
            const attempt = (where, options) =>
                fetch(api + where, options).then((answer) => answer.status, (error) => error.name);
            const json = { 'Content-Type': 'application/json' };
            return [
                await attempt('/user/login',
                    { method: 'POST', headers: json, body: JSON.stringify({ apiKey }) }),
                await attempt('/user/balance'),
                await attempt('/payment/payviox', {
                    method: 'POST',
                    headers: { ...json, Authorization: `Bearer ${jwt}` },
                    body: JSON.stringify({ type: 'balance', value: 900, tos_timestamp: now }),
                }),
            ];
        }, { ...there, jwt: alice.jwt });
        assert.deepEqual(seen, ['TypeError', 'TypeError', 'TypeError']);
        assert.equal(await count(), before);
    });

    test('a page over its limit reads "Rate limit exceeded" and when to come back', async () => {
        const seen = await onPage(shop.origin, async ({ api }) => {
            const login = () => fetch(`${api}/user/login`, {
                method: 'POST',
                headers: { 'Content-Type': 'application/json' },
                body: '{"apiKey":"made-up"}',
            });
            for (let round = 0; round < 10; round++) {
                const answers = await Promise.all(Array.from({ length: 20 }, login));
                const limited = answers.find((answer) => answer.status === 429);
                if (limited)
                    return [await limited.json(), limited.headers.get('Retry-After')];
            }
            return 'was never limited';
        }, there);
        assert.deepEqual(seen,
            [{ err: true, success: false, content: 'Rate limit exceeded' }, '1']);
    });
});

test('as shipped, without a list, no origin is allowed', async () => {
    fs.rmSync(path.join(gateway.home, 'nginx/guichet-origins.d'), { recursive: true });
    await gateway.reloadNginx();
    refused(await ask(shop.origin, '/payments'), 403, 'Forbidden');
    unreadable(await call(shop.origin, 'GET', '/payments', { token: alice.jwt }));
});
