// Runs alone: it measures time.
// Limits: whoever keeps to the rate is served, whoever floods is told 429 in the envelope, and no
// flood reaches further than its own zone. Addresses are told apart by calling from 127.0.0.x.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { eventually, sleep } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';

// Tokens made for one address are used from many here.
const shop = await startInstance({ name: 'rates', rates: true, set: { 'token.check_ip': 'off' } });
const { client } = shop;
const { alice, bob } = shop.users;

// As in nginx/conf.d and nginx/snippets: what fits into a minute, and how fast it drains.
const TOKEN = { burst: 600, perSecond: 10 };
const ADDRESS = { burst: 1200, perSecond: 20 };
const LOGIN = { burst: 60, perSecond: 1 };
const WEBHOOK = { burst: 500, perSecond: 100 };

// Each test has addresses of its own.
let lastAddress = 1;
const newAddress = () => `127.0.1.${++lastAddress}`;

// Calls fn(i) `count` times, 30 at once: {served, limited, seconds}; every refusal for the rate
// must be as documented, and nothing may be answered that `expected` does not list.
async function flood(count, fn, expected = [200]) {
    const start = Date.now();
    const result = { served: 0, limited: 0 };
    let next = 0;
    const worker = async () => {
        while (next < count) {
            const answer = await fn(next++);
            if (answer.status === 429) {
                refused(answer, 429, 'Rate limit exceeded');
                assert.equal(answer.headers['retry-after'], '1');
                result.limited++;
            } else {
                assert.ok(expected.includes(answer.status), `${answer.status} ${answer.text}`);
                result.served++;
            }
        }
    };
    await Promise.all(Array.from({ length: 30 }, worker));
    result.seconds = (Date.now() - start) / 1000;
    return result;
}

// Floods of `count` until one of them meets the limit: on a slow machine the zone drains meanwhile.
async function floodUntilLimited(count, fn, expected) {
    const sum = { served: 0, limited: 0, seconds: 0 };
    for (let round = 0; round < 20 && sum.limited === 0; round++)
        for (const [name, more] of Object.entries(await flood(count, fn, expected))) sum[name] += more;
    return sum;
}

// No more were served than the zone lets through in that time (and a second for the clocks), and
// not fewer than its burst.
function keptTo({ burst, perSecond }, result) {
    const most = burst + 1 + perSecond * (result.seconds + 1);
    const told = `${result.served} served, ${result.limited} limited in ${result.seconds} s`;
    assert.ok(result.limited > 0, told);
    assert.ok(result.served >= burst && result.served <= most, `${told}; at most ${most}`);
}

const balance = (user, from) =>
    client.request('GET', '/user/balance', { token: user.jwt, from });
const logIn = (apiKey, from) =>
    client.request('POST', '/user/login', { body: { apiKey }, from });
const notify = (from) =>
    client.request('POST', '/webhook/payviox', {
        body: '{}',
        headers: { 'Content-Type': 'application/json', Signature: '00' },
        from,
    });

test('one token from many addresses: 600 calls at once are served, then 10 in a second', async () => {
    const addresses = Array.from({ length: 20 }, newAddress);
    const from = (i) => addresses[i % addresses.length];
    const first = await flood(TOKEN.burst, (i) => balance(alice, from(i)));
    assert.equal(first.limited, 0, 'a minute\'s worth at once is no flood');
    const second = await floodUntilLimited(400, (i) => balance(alice, from(i)));
    keptTo(TOKEN, {
        served: first.served + second.served,
        limited: second.limited,
        seconds: first.seconds + second.seconds,
    });
    // The limit is one for all methods and paths, and nobody else's.
    const made = await flood(60, (i) => client.deposit(alice, 500, {}, { from: from(i) }));
    assert.ok(made.limited > 0, 'POST and GET share the token\'s limit');
    accepted(await balance(bob, addresses[0]));
    accepted(await logIn(alice.key, addresses[0]));
});

test('made-up tokens of one address: they end at the address\'s limit, and others are served',
    async () => {
    const [flooder, other] = [newAddress(), newAddress()];
    const result = await floodUntilLimited(1800, (i) =>
        client.request('GET', '/user/balance', { token: `made.up.${i}`, from: flooder }), [401]);
    keptTo(ADDRESS, result);
    const without = await flood(60, () =>
        client.request('GET', '/payments', { from: flooder }), [401]);
    assert.ok(without.limited > 0, 'calls without a token count as well');
    const real = await flood(60, () => balance(bob, flooder));
    assert.ok(real.limited > 0, 'and so do those with a real one');
    accepted(await balance(bob, other));
});

test('logins of one address: 60 at once, then one in a second, whatever the keys', async () => {
    const [flooder, other] = [newAddress(), newAddress()];
    const result = await flood(160, (i) => logIn(i % 2 ? `made-up-${i}` : '', flooder), [400, 403]);
    keptTo(LOGIN, result);
    const real = await flood(20, () => logIn(bob.key, flooder));
    assert.ok(real.limited > 0, 'nor does the right key help');
    accepted(await balance(bob, flooder));
    accepted(await logIn(bob.key, other));
});

test('F45: a flood of the API does not touch the provider\'s notices, even from its address',
    async () => {
    const address = newAddress();
    keptTo(ADDRESS, await floodUntilLimited(1800, (i) =>
        client.request('GET', '/payments', { token: `flood.${i}`, from: address }), [401]));
    const { id, url } = await client.deposit(bob, 1100, {}, { from: newAddress() });
    const before = await client.balance(bob);
    await client.pay(url);
    const flooding = flood(600, (i) =>
        client.request('GET', '/payments', { token: `more.${i}`, from: address }), [401]);
    await client.paymentIs(bob, id, 'completed');
    assert.equal(await client.balance(bob), before + 1100);
    const notices = await flood(50, () => notify(address), [401]);
    assert.equal(notices.limited, 0, 'notices have a zone of their own');
    await flooding;
});

test('a flood of notices from one address stops at its zone and touches nobody else', async () => {
    const [flooder, other] = [newAddress(), newAddress()];
    keptTo(WEBHOOK, await floodUntilLimited(600, () => notify(flooder), [401]));
    const { id, url } = await client.deposit(bob, 1200, {}, { from: flooder });
    assert.ok(id, 'its address may still call the API');
    assert.equal((await notify(other)).status, 401, 'and other addresses send notices');
    await client.pay(url);
    await client.paymentIs(bob, id, 'completed');
});

test('refused for the rate: nothing happened, and the same call works a second later', async () => {
    const from = newAddress();
    const deposit = (i) => client.deposit(alice, 600, {}, { from, key: `rate-${i}` });
    const count = async () => Number(await shop.value('SELECT COUNT(*) FROM payments'));
    await floodUntilLimited(700, () => balance(alice, from));
    const before = await count();
    const limited = [];
    const result = await flood(60, async (i) => {
        const answer = await deposit(i);
        if (answer.status === 429) limited.push(i);
        return answer;
    });
    assert.ok(limited.length > 0);
    assert.equal(await count(), before + result.served);
    await sleep(1000);
    accepted(await deposit(limited[0]));
    assert.equal(await count(), before + result.served + 1);
});

test('an address has 400 connections that wait for something; one more is told so', async () => {
    const head = ['POST /payment/x HTTP/1.1', 'Host: localhost', 'Content-Length: 90'].join('\r\n');
    const drip = Array(60).fill([1000, 'x']).flat(); // or nginx would not wait for them
    let end;
    const until = new Promise((resolve) => (end = resolve));
    const told = [];
    const asked = [];
    const connect = () => new Promise((onConnect) => {
        asked.push(client.raw([`${head}\r\n\r\n`, ...drip], { ms: 60_000, until, onConnect }).then((answer) => {
            if (answer !== null) told.push(answer);
        }).finally(onConnect));
    });
    // not all at once: nginx ends those that take more than five seconds to say something
    while (asked.length < 430) await Promise.all(Array.from({ length: 43 }, connect));
    await eventually(() => told.length >= 30, 50_000);
    await sleep(1000); // and no other
    end();
    await Promise.all(asked);
    for (const answer of told) refused(answer, 429, 'Rate limit exceeded');
    assert.equal(told.length, 30);
});

test('addresses of one network of IPv6 are one: whoever has one of them has all', async () => {
    // nginx takes a header's word for where calls come from
    const conf = `${shop.home}/nginx/nginx.conf`;
    const text = fs.readFileSync(conf, 'utf8');
    fs.writeFileSync(conf, text.replace('http {', 'http {\nset_real_ip_from 127.0.0.1;\nreal_ip_header X-Test-From;'));
    await shop.reloadNginx();
    const logInFrom = (address) => client.request('POST', '/user/login',
        { body: { apiKey: 'made-up' }, headers: { 'X-Test-From': address } });
    const result = await flood(160, (i) => logInFrom(`2001:db8:1:2:${i}::${i + 1}`), [403]);
    keptTo(LOGIN, result);
    for (const other of ['2001:db8:1:3::1', '2001:db8:1::2', '192.0.2.1', '192.0.2.2'])
        refused(await logInFrom(other), 403, 'Invalid API key');
    // IPv4 as a socket for both shows it: its addresses are no network of IPv6
    const mapped = await flood(160, (i) => logInFrom(`::ffff:192.0.2.${i + 3}`), [403]);
    assert.deepEqual([mapped.served, mapped.limited], [160, 0]);
});
