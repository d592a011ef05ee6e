// nginx/www/openapi.json says what is true: it is complete against the program's own tables, its
// examples fit its schemas, what it forbids is noticed, and it is served, also as a page.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { describe } from 'node:test';
import { chromium } from 'playwright-core';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { at, below, misfit, misfitOf, openapi, operations } from './lib/openapi.mjs';

const ROOT = new URL('../../', import.meta.url);
const read = (file) => fs.readFileSync(new URL(file, ROOT), 'utf8');
const rowsOf = (text, pattern) => [...text.matchAll(pattern)].map((match) => match.slice(1));

// All nodes of the document, with their pointers.
function* walk(node, pointer) {
    yield [pointer, node];
    if (typeof node !== 'object' || node === null) return;
    for (const [step, child] of Object.entries(node)) yield* walk(child, below(pointer, step));
}
const nodes = [...walk(openapi, '#')].filter(([, node]) => typeof node === 'object' && node !== null);

// Every documented response: {operationId, status, pointer, messages}.
const mediaOf = (pointer) => below(pointer, 'content', 'application/json');
const responses = operations.flatMap(({ pointer, operation }) =>
    Object.keys(operation.responses).map((status) => {
        const response = at(below(pointer, 'responses', status)).pointer;
        const words = (at(below(mediaOf(response), 'schema')).value?.allOf ?? [])
            .map((part) => part.properties?.content?.enum)
            .find((list) => list !== undefined);
        return { operation, status, pointer: response, messages: words ?? [] };
    }));
const statusesOf = (response, message) => {
    if (response.status !== 'default') return [Number(response.status)];
    const examples = below(mediaOf(response.pointer), 'examples');
    return Object.keys(at(examples).value)
        .map((name) => at(below(examples, name)).value)
        .filter((example) => example.value.content === message)
        .flatMap((example) => example['x-status']);
};
const pairs = new Set(responses.flatMap((response) => response.messages.flatMap((message) =>
    statusesOf(response, message).map((status) => `${status} ${message}`))));

describe('against the program', () => {
    // {METHOD path} with {} for a variable part, and whether it needs a token. Where the handler knows the
    // methods (*), they are GET and POST.
    const routes = rowsOf(read('src/front/front.c'), /^ {4}\{"([A-Z]+|\*)", "([^"]+)", (AUTH_\w+), \w+\},/gm)
        .flatMap(([method, ...rest]) => (method === '*' ? ['GET', 'POST'] : [method]).map((one) => [one, ...rest]))
        .filter(([, where]) => !/^\/\w+\/$/.test(where)) // the other spelling of a path without the slash
        .map(([method, where, auth]) => [`${method} ${where.replace('*', '{}')}`, auth !== 'AUTH_NONE']);
    const errors = rowsOf(read('src/base/err.c'), /\[(ERR_\w+)\] = \{(\d+),\s*"([^"]*)",\s*(\d)\}/g);

    test('every route of the handlers is described, with the token it needs, and no other', () => {
        assert.ok(routes.length > 8, 'the table of src/front/front.c was not found');
        const served = operations.filter((one) => !/^\/(docs|openapi\.json)$/.test(one.path));
        const described = served.map((one) => [
            `${one.method.toUpperCase()} ${one.path.replace(/\{\w+\}/, '{}')}`,
            (one.operation.security ?? openapi.security).length > 0,
        ]);
        assert.deepEqual(described.sort(), routes.sort());
    });

    test('every message of the handlers is described, under its status', () => {
        assert.ok(errors.length > 20, 'the table of src/base/err.c was not found');
        // The routes give the payload words of their own; the conflict is guichetctl's.
        const silent = ['ERR_NONE', 'ERR_PAYLOAD', 'ERR_CONFLICT'];
        const spoken = errors.filter(([name]) => !silent.includes(name));
        // Questions refuse with some of the words of a create, but never as 300.
        const business = new Set(errors.filter((row) => row[3] === '1').map((row) => row[2]));
        for (const [name, status, message] of spoken) {
            assert.ok(pairs.has(`${status} ${message}`), `${name}: ${status} ${message}`);
            assert.equal(pairs.has(`300 ${message}`), business.has(message), `${name} and status 300`);
        }
    });

    test('every message of nginx is described, under its status', () => {
        const map = /map \$status \$guichet_error \{([^}]*)\}/.exec(read('nginx/conf.d/guichet-http.conf'))[1];
        const spoken = rowsOf(map, /^ +(\d+) "([^"]+)";/gm);
        assert.ok(spoken.length > 10);
        for (const [status, message] of spoken) assert.ok(pairs.has(`${status} ${message}`), message);
    });

    test('nobody waits for a message that nothing says', () => {
        const said = [...errors.map((row) => row[2]),
            ...rowsOf(read('nginx/conf.d/guichet-http.conf') + read('nginx/snippets/guichet-locations.conf'),
                /"([A-Z][^"\n]+)";/g).map(([message]) => message)];
        for (const pair of pairs) assert.ok(said.includes(pair.slice(4)), pair);
    });

    test('the compatible status 300 has the refusals of a create, and only those', () => {
        const business = errors.filter((row) => row[3] === '1').map((row) => row[2]);
        const of = (id, status) => responses.find((one) =>
            one.operation.operationId === id && one.status === status)?.messages ?? [];
        for (const { operation } of operations)
            if (/^create/.test(operation.operationId))
                assert.deepEqual(of(operation.operationId, '300'),
                    of(operation.operationId, '400').filter((message) => business.includes(message)));
            else assert.deepEqual(of(operation.operationId, '300'), []);
    });

    test('the states of a payment, its types and the words of the schema are the same', () => {
        const stored = /status ENUM\(([^)]*)\)/.exec(read('sql/0002_payments.sql'))[1];
        assert.deepEqual(openapi.components.schemas.PaymentStatus.enum.slice().sort(),
            rowsOf(stored, /'(\w+)'/g).flat().sort());
    });
});

describe('in itself', () => {
    const schemaBeside = (pointer) => below(pointer, 'schema');

    test('every example fits its schema', () => {
        let count = 0;
        const fits = (schema, value, where) => {
            count++;
            assert.equal(misfit(schema, value), '', where);
        };
        for (const [pointer, node] of nodes) {
            if (/\/(value|examples|enum|const)(\/|$)/.test(pointer)) continue;
            if (node.schema !== undefined && node.example !== undefined)
                fits(schemaBeside(pointer), node.example, pointer);
            if (node.schema !== undefined)
                for (const name of Object.keys(node.examples ?? {}))
                    fits(schemaBeside(pointer), at(below(pointer, 'examples', name)).value.value,
                        below(pointer, 'examples', name));
            if (Array.isArray(node.examples))
                for (const example of node.examples) fits(pointer, example, pointer);
        }
        assert.ok(count > 100, `${count} examples`);
    });

    test('every request body and every answer has an example, every message its own', () => {
        for (const [pointer, node] of nodes) {
            if (!/\/content\/application~1json$/.test(pointer)) continue;
            assert.ok(Object.keys(node.examples ?? {}).length > 0, pointer);
        }
        for (const { pointer, messages, operation, status } of responses) {
            const examples = below(mediaOf(pointer), 'examples');
            const shown = Object.keys(at(examples).value ?? {})
                .map((name) => at(below(examples, name)).value.value.content);
            if (messages.length > 0)
                assert.deepEqual(shown, messages, `${operation.operationId} ${status}`);
        }
    });

    test('every parameter has an example, every answer its request id', () => {
        for (const { operation, pointer } of operations)
            (operation.parameters ?? []).forEach((_, i) =>
                assert.ok(at(below(pointer, 'parameters', i)).value.example !== undefined,
                    below(pointer, 'parameters', i)));
        for (const { pointer } of responses)
            assert.equal(at(below(pointer, 'headers', 'X-Request-Id')).value?.required, true, pointer);
    });

    test('no schema of an answer leaves room for members that it does not name', () => {
        const open = responses.flatMap(({ pointer }) => {
            const schema = at(below(mediaOf(pointer), 'schema')).value?.allOf?.[0];
            return schema === undefined ? [] : [at(schema.$ref).value.additionalProperties];
        });
        assert.ok(open.length > 50);
        assert.deepEqual([...new Set(open)], [false]);
    });
});

describe('what the client notices', () => {
    const id = '1ced28b1fff513fd14f17ecf301896e5';
    const json = { 'content-type': 'application/json; charset=utf-8', 'x-request-id': id };
    const answer = (status, body, headers = {}) => {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        return { status, text, json: body, headers: { ...json, ...headers } };
    };
    const success = (content) => ({ err: false, success: true, content });
    const refusal = (content) => ({ err: true, success: false, content });
    const balance = success({ balance: 5000 });
    const redirect = success({ url: 'https://pay.example.com/1' });
    const made = { location: '/payments/PAY_01M7WP5AWKD4KG5TY09QNPVXWS' };
    const login = { 'www-authenticate': 'Bearer' };

    const right = [
        ['GET', '/user/balance', answer(200, balance)],
        ['HEAD', '/user/balance', { ...answer(200, ''), json: undefined }],
        ['POST', '/payment/payviox', answer(200, redirect, made)],
        ['GET', '/user/balance', answer(401, refusal('Unauthorized'), login)],
        ['POST', '/payment/', answer(400, refusal('Provider is required'))],
        ['GET', '/nowhere', answer(404, refusal('Not found'))],
        ['DELETE', '/payments', answer(405, refusal('Method not allowed'), { allow: 'GET' })],
        ['GET', '/shop/', answer(200, '<!doctype html>', { 'content-type': 'text/html' })],
    ];
    const wrong = [
        ['a path that is not described', 'GET', '/user/wallet', answer(200, balance), /any path/],
        ['a method that is not described', 'PUT', '/payments', answer(200, balance), /any path/],
        ['a status that is not described', 'GET', '/user/balance', answer(402, refusal('Insufficient balance')), /allowed values/],
        ['a message that is not described', 'POST', '/payment/payviox', answer(400, refusal('Invalid method')), /allowed values/],
        ['a message of another status', 'GET', '/user/balance', answer(404, refusal('Forbidden')), /message/],
        ['a member too many', 'GET', '/user/balance', answer(200, success({ balance: 1, points: 2 })), /additional/],
        ['a member too few', 'GET', '/user/balance', answer(200, success({})), /balance/],
        ['a member of another type', 'GET', '/user/balance', answer(200, success({ balance: '1' })), /integer/],
        ['another envelope', 'GET', '/user/balance', answer(200, { balance: 5000 }), /required/],
        ['an envelope with more in it', 'GET', '/user/balance', answer(200, { ...balance, meta: 1 }), /additional/],
        ['no JSON', 'GET', '/user/balance', { ...answer(200, 'oops'), json: undefined }, /object/],
        ['another content type', 'GET', '/user/balance', answer(200, balance, { 'content-type': 'text/html' }), /content type/],
        ['no request id', 'GET', '/user/balance', answer(200, balance, { 'x-request-id': undefined }), /X-Request-Id/],
        ['a request id that is none', 'GET', '/user/balance', answer(200, balance, { 'x-request-id': 'x' }), /X-Request-Id/],
        ['a payment without its Location', 'POST', '/payment/payviox', answer(200, redirect), /Location/],
        ['a Location elsewhere', 'POST', '/payment/payviox', answer(200, redirect, { location: '/x' }), /Location/],
        ['429 without Retry-After', 'GET', '/providers', answer(429, refusal('Rate limit exceeded')), /Retry-After/],
        ['a Retry-After in words', 'GET', '/providers', answer(429, refusal('Rate limit exceeded'), { 'retry-after': 'soon' }), /Retry-After/],
        ['401 that does not name the scheme', 'GET', '/payments', answer(401, refusal('Unauthorized')), /WWW-Authenticate/],
        ['a redirect with a body', 'GET', '/return/payviox', answer(303, balance, { location: 'https://shop.example.com/' }), /body/],
    ];
    for (const [method, where, one] of right)
        test(`${method} ${where} ${one.status} is fine`, () => assert.equal(misfitOf(method, where, one), ''));
    for (const [what, method, where, one, why] of wrong)
        test(what, () => assert.match(misfitOf(method, where, one), why));
});

const shop = await startInstance({ name: 'openapi' });
const { client } = shop;

describe('served', () => {
    test('openapi.json as it is in the tree, to anybody', async () => {
        const answer = await client.request('GET', '/openapi.json');
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.all('content-type'), ['application/json; charset=utf-8']);
        assert.equal(answer.text, read('nginx/www/openapi.json'));
    });

    test('the page, and nothing beside it', async () => {
        const page = await client.request('GET', '/docs/');
        assert.equal(page.status, 200);
        assert.match(page.headers['content-type'], /^text\/html; charset=utf-8$/);
        assert.match(page.headers['content-security-policy'], /default-src 'self'/);
        const moved = await client.request('GET', '/docs');
        assert.equal(moved.status, 301);
        assert.equal(moved.headers.location, '/docs/');
        for (const where of ['/docs/nothing', '/docs/nothing.js', '/docsx', '/openapi.jsonx'])
            refused(await client.request('GET', where), 404, 'Not found');
        assert.equal((await client.request('POST', '/docs/docs.js')).status, 405);
    });

    test('an answer that does not fit fails its request, also for those who wait for better', async () => {
        const { responses: described } = openapi.paths['/user/balance'].get;
        const kept = described['200'];
        const ask = (options) =>
            client.request('GET', '/user/balance', { token: shop.users.alice.jwt, ...options });
        accepted(await ask());
        delete described['200'];
        try {
            await assert.rejects(ask(), /GET \/user\/balance answered 200 .*openapi\.json/);
            const started = Date.now();
            await assert.rejects(eventually(() => ask().then(() => false)), /openapi\.json/);
            assert.ok(Date.now() - started < 5000, 'it is told at once');
            assert.equal(client.misfits.size, 1, 'kept for the end of the instance');
            accepted(await ask({ undescribed: true }));
        } finally {
            described['200'] = kept;
            client.misfits.clear();
        }
    });
});

describe('the page in a browser', () => {
    const CHROMIUM = {
        executablePath: '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
            '--disable-background-networking', '--disable-component-update'],
    };
    const DOCS = `${shop.urls.guichet}/docs/`;
    const WEBHOOKS = Object.keys(openapi.webhooks).length;

    // Runs fn(page) on the loaded page. Nothing may fail or be reported meanwhile, and nothing may
    // come from anywhere else.
    async function browse(options, hash, fn) {
        const browser = await chromium.launch(CHROMIUM);
        const problems = [];
        try {
            const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
            context.setDefaultTimeout(30_000); // the machine may be slow
            context.on('console', (message) => problems.push(message.text()));
            context.on('weberror', (error) => problems.push(error.error().message));
            context.on('requestfailed', (request) => problems.push(request.url()));
            context.on('response', (response) => {
                if (response.status() >= 400 || !response.url().startsWith(`${shop.urls.guichet}/`))
                    problems.push(`${response.status()} ${response.url()}`);
            });
            const page = await context.newPage();
            await page.goto(`${DOCS}${hash}`);
            await page.locator('article').first().waitFor();
            await fn(page);
            assert.deepEqual(problems, []);
        } finally {
            await browser.close();
        }
    }

    test('shows every operation with its path, parameters, examples and messages', () =>
        browse({ viewport: { width: 1280, height: 800 } }, '', async (page) => {
            assert.equal(await page.locator('article').count(), operations.length + WEBHOOKS);
            for (const { path: where, operation } of operations) {
                const shown = await page.locator(`[id="${operation.operationId}"]`).textContent();
                const own = responses.filter((one) =>
                    one.operation === operation && one.status !== 'default');
                const words = [where, operation.summary, ...own.flatMap((one) => one.messages),
                    ...(operation.parameters ?? []).map((_, i) => at(below(operations
                        .find((one) => one.operation === operation).pointer, 'parameters', i)).value.name)];
                for (const word of words)
                    assert.ok(shown.includes(word), `${operation.operationId} shows ${word}`);
            }
            assert.deepEqual(await page.locator('td').getByText(/\banything\b/).allInnerTexts(), []); // a type that it cannot say
            assert.match(await page.locator('#receiveNotice').textContent(), /integration_session_id.*callbackJson/s);
            const anywhere = await page.locator('#anywhere').textContent();
            for (const { messages } of responses.filter((one) => one.status === 'default').slice(0, 1))
                for (const message of messages) assert.ok(anywhere.includes(message), message);
        }));

    test('finds what one looks for', () =>
        browse({ viewport: { width: 1280, height: 800 } }, '', async (page) => {
            const search = page.getByLabel('Search');
            await search.fill('insufficient balance');
            assert.deepEqual(await page.locator('article:visible').evaluateAll((list) =>
                list.map((one) => one.id)), ['createPayment']);
            assert.equal(await page.locator('nav li:visible').count(), 1);
            await page.getByText(`1 of ${operations.length + WEBHOOKS} operations`).waitFor();
            await search.fill('no such words anywhere');
            assert.equal(await page.locator('article:visible').count(), 0);
            await search.fill('');
            assert.equal(await page.locator('article:visible').count(), operations.length + WEBHOOKS);
        }));

    test('an address with an operation leads to it', () =>
        browse({ viewport: { width: 1280, height: 800 } }, '#getPayment', async (page) => {
            const top = await page.locator('#getPayment').evaluate((one) => one.getBoundingClientRect().top);
            assert.ok(top >= 0 && top < 200, `at ${top}`);
        }));

    test('fits a phone', () =>
        browse({ viewport: { width: 360, height: 740 }, isMobile: true }, '#createPayment', async (page) => {
            const content = await page.evaluate(() => document.documentElement.scrollWidth);
            assert.ok(content <= 360, `${content} wide on a screen of 360`); // innerWidth grows with it
        }));
});
