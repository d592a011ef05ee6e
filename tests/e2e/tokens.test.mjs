// Tokens that somebody made up: none is taken; tokens of the marketplace's: under its own key only.
// And API keys: no trace of one in the database.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, sign, webcrypto } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import * as jose from 'jose';
import { nowSeconds } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';
import { makeMangopay } from './lib/mangopay.mjs';

// jose wants it as a global, which Debian 12's Node 18 does not have.
globalThis.crypto ??= webcrypto;

const shop = await startInstance({ name: 'tokens' });
const { client } = shop;
const { alice, bob } = shop.users;
const secret = Buffer.from(shop.secret('token'));
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');

const claims = (changes = {}) => ({
    iss: 'API',
    sub: IDS.alice,
    iat: nowSeconds(),
    exp: nowSeconds() + 600,
    jti: 'test',
    ip: '127.0.0.1',
    API: true,
    ...changes,
});
const encode = (part) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
const hmac = (text, key = secret, hash = 'sha256') => createHmac(hash,
    key).update(text).digest('base64url');

// A token from parts that jose would refuse to write; header and payload may be text.
const craft = (header, payload = claims(), sign = hmac) => {
    const body = `${encode(header)}.${encode(payload)}`;
    return `${body}.${sign(body)}`;
};
const HS256 = { alg: 'HS256', typ: 'JWT' };
const jwt = (payload, header = HS256, key = secret) =>
    new jose.SignJWT(payload).setProtectedHeader(header).sign(key);

const ask = (authorization, path = '/user/balance') =>
    client.request('GET', path,
        { headers: authorization === undefined ? {} : { Authorization: authorization } });
const unauthorized = async (token, what) => {
    const answer = await ask(`Bearer ${token}`);
    assert.equal(answer.status, 401, `${what}: ${answer.status} ${answer.text}`);
    refused(answer, 401, 'Unauthorized');
};

test('a token signed with our key and all claims right is taken, by jose and by hand', async () => {
    accepted(await ask(`Bearer ${await jwt(claims())}`));
    accepted(await ask(`Bearer ${craft(HS256)}`));
    accepted(await ask(`Bearer ${craft({ alg: 'HS256' })}`)); // typ is optional
    accepted(await ask(`Bearer ${craft(HS256, claims({ unknown: [1, { a: null }] }))}`));
});

test('the scheme may be written in any case, and nothing else', async () => {
    for (const scheme of ['bearer', 'BEARER',
        'bEaReR']) accepted(await ask(`${scheme} ${alice.jwt}`));
    for (const header of [undefined, '', 'Bearer', 'Bearer ', alice.jwt, `Basic ${alice.jwt}`,
        `Bearer${alice.jwt}`, `Bearer\t${alice.jwt}`, `Token ${alice.jwt}`,
        `Bearer Bearer ${alice.jwt}`, `Bearer ${alice.jwt} x`,
        `Bearer ${alice.jwt},Bearer ${alice.jwt}`, `Bearer "${alice.jwt}"`])
        refused(await ask(header), 401, 'Unauthorized');
    refused(await client.request('GET', `/user/balance?access_token=${alice.jwt}`), 401,
        'Unauthorized');
});

test('every route that needs a token says 401 without one, and names the scheme', async () => {
    for (const [method, path] of [['GET', '/user/balance'], ['GET', '/payments'],
        ['GET', '/payments/PAY_1'],
        ['POST', '/payment/payviox'], ['POST', '/payment/nobody']])
        refused(await client.request(method, path), 401, 'Unauthorized');
});

test('alg none, in any spelling, with and without a signature', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', ''])
        for (const sign of [() => '', hmac, () => 'AA'])
            await unauthorized(craft({ alg, typ: 'JWT' }, claims(), sign), `alg ${alg}`);
    await unauthorized(new jose.UnsecuredJWT(claims()).encode(), 'jose unsecured');
});

test('other algorithms, also over our own secret', async () => {
    await unauthorized(await jwt(claims(), { alg: 'HS384' }), 'HS384');
    await unauthorized(await jwt(claims(), { alg: 'HS512' }), 'HS512');
    await unauthorized(craft({ alg: 'HS384' }), 'HS384 with an HS256 signature');
    await unauthorized(craft(HS256, claims(), (body) => hmac(body, secret, 'sha512')),
        'HS256 with SHA-512');
    for (const alg of ['hs256', 'Hs256', 'HS256 ', 'HS2560', 256, null, true, ['HS256'], undefined])
        await unauthorized(craft({ alg, typ: 'JWT' }), `alg ${JSON.stringify(alg)}`);
    for (const [alg, key] of [['RS256', rsa], ['PS256', rsa], ['ES256', ec], ['EdDSA', ed]])
        await unauthorized(await jwt(claims(), { alg }, key.privateKey), alg);
});

test('RS/HS confusion: an HMAC whose key is a public key', async () => {
    for (const form of [{ type: 'spki', format: 'pem' }, { type: 'spki', format: 'der' },
        { type: 'pkcs1', format: 'pem' }]) {
        const key = createPublicKey(rsa.publicKey.export({ type: 'spki',
            format: 'pem' })).export(form);
        for (const alg of ['HS256', 'RS256'])
            await unauthorized(craft({ alg, typ: 'JWT' }, claims(), (body) => hmac(body, key)),
                `${alg} ${form.format}`);
    }
});

test('headers that ask for another key or for something to be understood', async () => {
    const key = { kty: 'oct', k: Buffer.from('mine').toString('base64url') };
    const mine = (body) => hmac(body, Buffer.from('mine'));
    const headers = [
        { crit: ['exp'] }, { crit: [] }, { crit: ['b64'], b64: true }, { b64: false },
        { zip: 'DEF' },
        { jku: 'https://evil.test/keys' }, { jwk: key }, { x5u: 'https://evil.test/c' },
        { x5c: ['AA'] },
        { typ: 'at+jwt' }, { typ: 'jwt' }, { typ: null }, { typ: 1 },
    ];
    for (const more of headers) await unauthorized(craft({ ...HS256, ...more }),
        JSON.stringify(more));
    for (const kid of ['../../../../dev/null', '/dev/null', "' UNION SELECT 'mine'--", '',
        'x'.repeat(3000), 0, null]) {
        for (const sign of [mine, (body) => hmac(body, '')])
            await unauthorized(craft({ ...HS256, kid, jwk: key }, claims(), sign), `kid ${kid}`);
        await unauthorized(craft({ ...HS256, kid }, claims(), mine), `kid ${kid}`);
    }
});

test('signatures that are wrong, short, long, empty or spelt otherwise', async () => {
    const [header, payload, signature] = (await jwt(claims())).split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const others = [
        '', 'A', 'AA', signature.slice(0, -1), `${signature}A`, `${signature}=`, `${signature}==`,
        signature.toLowerCase(), bytes.toString('base64'),
        bytes.subarray(0, 31).toString('base64url'), bytes.toString('hex'),
        Buffer.concat([bytes, Buffer.from([0])]).toString('base64url'), ` ${signature}`,
        Buffer.alloc(32).toString('base64url'), `${signature.slice(0, -1)}!`,
    ];
    // The last character carries two bits too many: four spellings decode to the same bytes.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(signature.at(-1));
    for (let i = 1; i < 4; i++) others.push(signature.slice(0, -1) + alphabet[last + i]);
    for (const other of others) {
        if (other !== signature) await unauthorized(`${header}.${payload}.${other}`,
            `signature ${other}`);
    }
    for (let bit = 0; bit < 256; bit += 11) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] ^= 1 << (bit & 7);
        await unauthorized(`${header}.${payload}.${flipped.toString('base64url')}`, `bit ${bit}`);
    }
});

test('tokens of the wrong shape', async () => {
    const good = await jwt(claims());
    const [header, payload, signature] = good.split('.');
    const shapes = ['', '.', '..', '...', 'x', 'x.y', header, `${header}.${payload}`,
        `${header}.${payload}.`, `.${payload}.${signature}`, `${header}..${signature}`, `${good}.`,
        `.${good}`, `${good}.${signature}`, `${header}.${payload}.${signature}.${signature}`,
        good.replace('.', '..'), `${good}\u00e9`, encodeURIComponent(`${good} `),
        `${header}=.${payload}.${signature}`];
    for (const shape of shapes) {
        if (shape === '..' || shape !== good) await unauthorized(Buffer.from(shape,
            'utf8').toString('latin1'), `shape ${shape}`);
    }
    for (const payloadText of ['', '[]', 'null', '1', '"x"', '{', `${JSON.stringify(claims())}x`,
        '{"sub":"1","sub":"2"}',
        JSON.stringify(claims()).replace('"sub"', '"sub":"76561198000000002","sub"'), '\u0000',
            '['.repeat(500)])
        await unauthorized(craft(HS256, payloadText), `payload ${payloadText}`);
    for (const headerText of ['', '[]', 'null', '{"alg":"HS256","alg":"HS256"}',
        '{"alg":"none","alg":"HS256"}', '{"alg":"HS256"} x'])
        await unauthorized(craft(headerText), `header ${headerText}`);
});

test('times: exp, nbf and iat to the second', async () => {
    const now = nowSeconds();
    const bad = [
        { exp: now }, { exp: now - 1 }, { exp: 0 }, { exp: -1 }, { exp: undefined }, { exp: null },
        { exp: String(now + 600) },
        { exp: now + 600.5 }, { exp: true }, { exp: [now + 600] }, { iat: now + 60 },
        { iat: undefined }, { iat: String(now) },
        { iat: null }, { nbf: now + 60 }, { nbf: String(now) }, { nbf: null }, { nbf: 1.5 },
    ];
    for (const change of bad) await unauthorized(craft(HS256, claims(change)),
        JSON.stringify(change));
    for (const exp of ['1e99', '9223372036854775808', '99999999999999999999'])
        await unauthorized(craft(HS256, JSON.stringify(claims({ exp: 0 })).replace('"exp":0',
            `"exp":${exp}`)), `exp ${exp}`);
    for (const change of [{ nbf: now }, { nbf: 0 }, { iat: 0 }, { iat: -1 }, { exp: nowSeconds() + 5 },
        { exp: 2 ** 52 }])
        accepted(await ask(`Bearer ${craft(HS256, claims(change))}`));
});

test('other issuers and other addresses', async () => {
    for (const iss of ['api', 'API ', '', 'evil', null, 1, ['API'], undefined])
        await unauthorized(craft(HS256, claims({ iss })), `iss ${iss}`);
    for (const ip of ['127.0.0.2', '10.0.0.1', '::1', '::ffff:127.0.0.1', '127.0.0.1 ', '', null, 1,
        undefined, ['127.0.0.1']])
        await unauthorized(craft(HS256, claims({ ip })), `ip ${ip}`);
    const forwarded = await client.request('GET', '/user/balance', {
        token: craft(HS256, claims({ ip: '10.0.0.1' })),
        headers: { 'X-Forwarded-For': '10.0.0.1', 'X-Real-IP': '10.0.0.1',
            Forwarded: 'for=10.0.0.1' },
    });
    refused(forwarded, 401, 'Unauthorized');
});

test('subjects that are no steamid: 401; unknown and banned users: 403', async () => {
    for (const sub of ['', '0', '-1', '+1', ' 1', '1 ', '01', '1.0', '1e3', '0x1', 'alice', null,
        undefined, true, [IDS.alice], '9223372036854775808', '99999999999999999999999',
        `${IDS.alice}\u0000`, "1' OR '1'='1"])
        await unauthorized(craft(HS256, claims({ sub })), `sub ${sub}`);
    await unauthorized(craft(HS256, JSON.stringify(claims({ sub: 0 })).replace('"sub":0',
        `"sub":${IDS.alice}`)), 'sub as a number');
    for (const sub of ['1', '76561198000000009', '9223372036854775807', IDS.mallory])
        refused(await ask(`Bearer ${craft(HS256, claims({ sub }))}`), 403, 'Invalid user');
});

test('a token is its user: alice cannot be bob by changing the text', async () => {
    const [header, payload, signature] = alice.jwt.split('.');
    const forged = JSON.parse(Buffer.from(payload, 'base64url'));
    forged.sub = IDS.bob;
    await unauthorized(`${header}.${encode(forged)}.${signature}`, 'payload replaced');
    await unauthorized(`${bob.jwt.split('.').slice(0, 2).join('.')}.${signature}`,
        'signature moved');
});

test('tokens of 6 KiB are read, larger ones refused, of 64 KiB by nginx', async () => {
    const big = (bytes) => craft(HS256, claims({ pad: 'x'.repeat(bytes) }));
    const answer = await ask(`Bearer ${big(4500)}`);
    assert.ok([200, 401].includes(answer.status), String(answer.status));
    refused(await ask(`Bearer ${big(7000)}`), 400, 'Bad request');
    refused(await ask(`Bearer ${big(48 * 1024)}`), 400, 'Bad request');
    refused(await ask(`Bearer ${'.'.repeat(6000)}`), 401, 'Unauthorized');
    refused(await ask(`Bearer ${'A'.repeat(6000)}`), 401, 'Unauthorized');
});

test('token settings: another issuer, no comparison of addresses, a clock skew', async () => {
    const set = { 'token.issuer': 'shop', 'token.check_ip': 'off', 'token.clock_skew': 30,
        'token.lifetime': 600 };
    await shop.withSettings(set, async () => {
        const issued = jose.decodeJwt(await client.login(alice.key));
        assert.equal(issued.iss, 'shop');
        assert.equal(issued.exp - issued.iat, 600);
        await unauthorized(craft(HS256), 'the old issuer');
        const now = nowSeconds();
        for (const change of [{ ip: '10.0.0.1' }, { ip: undefined }, { exp: now - 25 },
            { iat: now + 25 }, { nbf: now + 25 }])
            accepted(await ask(`Bearer ${craft(HS256, claims({ iss: 'shop', ...change }))}`));
        for (const change of [{ exp: now - 31 }, { iat: now + 60 }, { nbf: now + 60 }])
            await unauthorized(craft(HS256, claims({ iss: 'shop', ...change })),
                JSON.stringify(change));
    });
});

// The marketplace's own session tokens, with its public key in the settings.
const session = (changes = {}) => claims({ API: undefined, ...changes });
const keyFile = (publicKey) => {
    const file = path.join(shop.home, 'token.pem');
    fs.writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 });
    return file;
};

for (const [alg, pair, stranger] of [
    ['RS256', rsa, generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', ec, generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['EdDSA', ed, generateKeyPairSync('ed25519')],
])
    test(`${alg}: session tokens are taken beside our own, and nothing under another name`, () =>
        shop.withSettings({ 'token.public_key_file': keyFile(pair.publicKey) }, async () => {
            const good = await jwt(session(), { alg, typ: 'JWT' }, pair.privateKey);
            accepted(await ask(`Bearer ${good}`));
            accepted(await ask(`Bearer ${await jwt(claims())}`));
            accepted(await ask(`Bearer ${await client.login(alice.key)}`));
            await unauthorized(await jwt(session(), { alg }, stranger.privateKey), 'another key');
            await unauthorized(await jwt(session(), { alg,
                jwk: await jose.exportJWK(stranger.publicKey) }, stranger.privateKey), 'its own key');
            await unauthorized(await jwt(session({ exp: nowSeconds() }), { alg }, pair.privateKey),
                'expired');
            for (const [other, key] of [['RS256', rsa], ['PS256', rsa], ['RS512', rsa],
                ['ES256', ec], ['EdDSA', ed]])
                if (other !== alg)
                    await unauthorized(await jwt(session(), { alg: other }, key.privateKey), other);
            const [, payload, signature] = good.split('.');
            for (const name of ['HS256', 'none', 'RS256', 'ES256', 'EdDSA'])
                if (name !== alg)
                    await unauthorized(`${encode({ alg: name })}.${payload}.${signature}`, name);
            const pem = pair.publicKey.export({ type: 'spki', format: 'pem' });
            for (const text of [pem, pem.trimEnd(),
                pair.publicKey.export({ type: 'spki', format: 'der' })])
                for (const name of ['HS256', alg])
                    await unauthorized(craft({ alg: name, typ: 'JWT' }, session(),
                        (body) => hmac(body, text)), `${name} under the public key`);
        }));

test('ES256: the signature is r and s, not DER; and both count', () =>
    shop.withSettings({ 'token.public_key_file': keyFile(ec.publicKey) }, async () => {
        const signed = (dsaEncoding) => craft({ alg: 'ES256' }, session(), (body) =>
            sign('sha256', body, { key: ec.privateKey, dsaEncoding }).toString('base64url'));
        accepted(await ask(`Bearer ${signed('ieee-p1363')}`));
        await unauthorized(signed('der'), 'DER');
        for (const half of [Buffer.alloc(64), Buffer.alloc(63), Buffer.alloc(0)])
            await unauthorized(craft({ alg: 'ES256' }, session(),
                () => half.toString('base64url')), `${half.length} zeros`);
    }));

test('a public key alone: session tokens are taken, and there is no login', async () => {
    const before = fs.readFileSync(shop.vars.CONF, 'utf8');
    const line = `public_key_file = ${keyFile(ed.publicKey)}`;
    try {
        fs.writeFileSync(shop.vars.CONF, before.replace(/^secret_file = .*\/secrets\/token$/m, line));
        await shop.restartPart('guichet');
        accepted(await ask(`Bearer ${await jwt(session(), { alg: 'EdDSA' }, ed.privateKey)}`));
        await unauthorized(alice.jwt, 'HS256 without a secret');
        await unauthorized(craft(HS256, claims(), (body) => hmac(body, '')), 'an empty secret');
        refused(await client.request('POST', '/user/login', { body: { apiKey: alice.key } }), 404,
            'Not found');
    } finally {
        fs.writeFileSync(shop.vars.CONF, before);
        await shop.restartPart('guichet');
    }
});

test('a provider that requires a second factor: API tokens, and sessions that have shown one', () =>
    shop.withSettings({ 'token.public_key_file': keyFile(ed.publicKey),
        'payviox.requires_2fa': 'on' }, async () => {
        const create = async (changes) => client.request('POST', '/payment/payviox', {
            token: await jwt(session(changes), { alg: 'EdDSA' }, ed.privateKey),
            body: { type: 'balance', value: 2500, tos_timestamp: nowSeconds() },
        });
        for (const changes of [{ API: true }, { '2fa': true }, { API: false, '2fa': true }])
            accepted(await create(changes));
        for (const changes of [{}, { '2fa': false }, { API: false }])
            refused(await create(changes), 403, 'Two-factor authentication required');
        for (const changes of [{ '2fa': 'true' }, { '2fa': 1 }, { '2fa': null }, { API: 'true' }])
            refused(await create(changes), 401, 'Unauthorized');
    }));

test('the house brand is no way around the second factor of its partner', () =>
    shop.withSettings({ 'token.public_key_file': keyFile(ed.publicKey),
        'payviox.requires_2fa': 'on' }, async () => {
        const create = async (changes) => client.request('POST', '/paiement/mannco', {
            token: await jwt(session(changes), { alg: 'EdDSA' }, ed.privateKey),
            key: 'second-factor',
            body: { amount: 2500, currency: 'USD' },
        });
        refused(await create({}), 403, 'Two-factor authentication required');
        accepted(await create({ '2fa': true })); // with the same key: the refusal was the token's
    }));

test('so does a registration of recurring payments, when it is made and when it is changed', () =>
    shop.withSettings({ 'token.public_key_file': keyFile(ed.publicKey),
        'mangopay.enabled': 'on', 'mangopay.requires_2fa': 'on' }, async () => {
        const card_id = await makeMangopay(shop).card('user_m_guichet');
        const post = async (path, body, changes) => client.request('POST', path, { body,
            token: await jwt(session(changes), { alg: 'EdDSA' }, ed.privateKey) });
        const plan = { provider: 'mangopay', amount: 1000, currency: 'EUR', card_id };
        refused(await post('/recurring', plan, {}), 403, 'Two-factor authentication required');
        const { id } = accepted(await post('/recurring', plan, { '2fa': true }));
        refused(await post(`/recurring/${id}`, { status: 'ended' }, {}), 403, 'Two-factor authentication required');
        assert.equal(accepted(await post(`/recurring/${id}`, { status: 'ended' }, { API: true })).status, 'ended');
    }));

test('API keys are in the database only as keyed hashes', async () => {
    // Every byte of every row: text as it is, binary columns in hex and as they are.
    const dump = [];
    for (const row of await shop.rows('SHOW TABLES')) {
        const [table] = Object.values(row);
        for (const found of await shop.rows('SELECT * FROM ??', [table]))
            for (const value of Object.values(found))
                if (Buffer.isBuffer(value)) dump.push(value.toString('hex'),
                    value.toString('latin1'));
                else dump.push(String(value));
    }
    const text = dump.join('\n').toLowerCase();
    assert.ok(text.includes(IDS.alice), 'the rows were read');
    for (const [name, key] of Object.entries(shop.keys)) {
        const spellings = [key, Buffer.from(key).toString('hex'),
            Buffer.from(key).toString('base64'), Buffer.from(key, 'hex').toString('latin1')];
        for (const spelling of spellings)
            assert.ok(!text.includes(spelling.toLowerCase()), `${name}'s key is in the database`);
        const hash = createHmac('sha256', shop.secret('api_key_hash')).update(key).digest('hex');
        assert.ok(text.includes(hash), `${name}'s hash is there`);
    }
    for (const secretFile of ['token', 'api_key_hash', 'payviox', 'payviox_webhook', 'database',
        'database_admin'])
        assert.ok(!text.includes(shop.secret(secretFile)), secretFile);
    assert.ok(!text.includes(alice.jwt.toLowerCase()));
});
