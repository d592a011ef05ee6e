// Whoever tries card after card is testing what he has stolen. Cards that callers bring may be declined
// so many times a day, by payer, address and card; then nobody is asked any more.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { afterEach } from 'node:test';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { DECLINED, makeMangopay } from './lib/mangopay.mjs';
import { ADDRESS, AUTHOR, BROWSER_INFO, makeShop } from './lib/mangoshop.mjs';
import { BILLING, CUSTOMER, card, makeNonstopay } from './lib/nonstopay.mjs';

const PAYER = 5, CARD = 2, DAY_S = 86400;
const shop = await startInstance({
    name: 'velocity',
    set: { 'nonstopay.enabled': 'on', 'nonstopay.s2s': 'on', 'mangopay.enabled': 'on',
        'velocity.payer_declines': PAYER, 'velocity.card_declines': CARD },
});
const { alice, bob } = shop.users;
const nonstopay = makeNonstopay(shop);
const mangopay = makeMangopay(shop);
const { paiement } = makeShop(shop, mangopay);

const NO_FUNDS = '4000000000009995';
const payWith = (user, number, options = {}, extra = {}) => nonstopay.deposit(user, 1504,
    { customer: CUSTOMER, billing: BILLING, card: card(number), ...extra }, options);
const isDeclined = (answer) => refused(answer, 402, 'Payment declined');
const counts = async () => [
    await shop.value('SELECT COUNT(*) FROM payments'), (await shop.sandbox.sessions()).length,
    await shop.value('SELECT COUNT(*) FROM declines')];

// It is refused for about as long, and nothing comes of it: no payment, no call, no decline.
async function isHeldBack(fn, wait = DAY_S) {
    const before = await counts();
    const answer = await fn();
    refused(answer, 429, 'Rate limit exceeded');
    assert.equal(answer.headers.location, undefined);
    const told = Number(answer.headers['retry-after']);
    assert.ok(told > wait - 300 && told <= wait + 1, `${told}`);
    assert.deepEqual(await counts(), before);
}
const age = (hours) => shop.rows('UPDATE declines SET declined_at = declined_at - INTERVAL ? HOUR', [hours]);
// The number of a card that no other test has tried, with its check digit.
function newCard() {
    const digits = `4111${String(1e10 + cards++).slice(1)}0`;
    const sum = [...digits].reverse().slice(1).reduce((all, digit, i) => {
        const value = Number(digit) * (i % 2 === 0 ? 2 : 1);
        return all + (value > 9 ? value - 9 : value);
    }, 0);
    return digits.slice(0, -1) + String((10 - sum % 10) % 10);
}
let cards = 0;

afterEach(() => shop.rows('DELETE FROM declines'));

test('a card: so many tries, whoever makes them and however it is written', async () => {
    isDeclined(await payWith(alice, DECLINED));
    isDeclined(await payWith(bob, '4000 0000 0000 0002'));
    await isHeldBack(() => payWith(alice, DECLINED));
    await isHeldBack(() => payWith(bob, '4000-0000-0000-0002'));
    accepted(await payWith(alice, '4242424242424242'));
    isDeclined(await payWith(alice, NO_FUNDS));
});

test('a payer: so many cards, then none; a provider\'s own page stays open to him, and all is to others', async () => {
    for (let i = 0; i < PAYER; i++) isDeclined(await payWith(alice, newCard()));
    await isHeldBack(() => payWith(alice, '4242424242424242'));
    assert.match(accepted(await nonstopay.deposit(alice, 1504)).url, /\/nonstopay\//);
    accepted(await shop.client.deposit(alice, 1504));
    accepted(await payWith(bob, '4242424242424242'));
});

test('until the oldest is a day old; who waited may send the same request again, under its key', async () => {
    const options = { key: 'velocity-1' };
    for (let i = 0; i < PAYER; i++) {
        isDeclined(await payWith(alice, newCard()));
        if (i === 0) await age(20);
    }
    await isHeldBack(() => payWith(alice, '4242424242424242', options), 4 * 3600);
    await age(4);
    const paid = await payWith(alice, '4242424242424242', options);
    accepted(paid);
    isDeclined(await payWith(alice, newCard()));
    const again = await payWith(alice, '4242424242424242', options);
    assert.equal(again.text, paid.text, 'what has been answered is answered again, whatever came since');
});

test('who tries many at one moment: no more reach the provider than may be declined', async () => {
    await nonstopay.fault('slow', { count: 40, ms: 300 });
    const before = (await shop.sandbox.sessions()).length;
    const answers = await Promise.all(Array.from({ length: 40 }, () => payWith(alice, newCard())));
    const held = answers.filter((answer) => answer.status === 429);
    for (const answer of answers) if (!held.includes(answer)) isDeclined(answer);
    assert.ok(held.length >= 40 - PAYER, `${held.length}`);
    assert.ok((await shop.sandbox.sessions()).length - before <= PAYER);
    assert.equal(await shop.value('SELECT COUNT(*) FROM declines'), 2 * (40 - held.length), 'no try is left');
    await shop.sandbox.reset();
    await shop.rows('DELETE FROM declines');
    accepted(await payWith(alice, '4242424242424242'));
    assert.equal(await shop.value('SELECT COUNT(*) FROM declines'), 0, 'nor one that was paid');
});

test('a repeated request is no second try', async () => {
    for (let i = 0; i <= CARD; i++) isDeclined(await payWith(alice, DECLINED, { key: 'velocity-2' }));
    isDeclined(await payWith(alice, DECLINED));
});

test('Mangopay\'s cards count by their id, and so do those of an address, where that is limited', () =>
    shop.withSettings({ 'velocity.address_declines': 3 }, async () => {
        const payment = async (number) => ({ method: 'card_direct', card_id: await mangopay.card(AUTHOR, number),
            secure_mode: 'DEFAULT', browser_info: BROWSER_INFO, billing: ADDRESS });
        const body = await payment(DECLINED);
        for (let i = 0; i < CARD; i++) isDeclined(await paiement(1300, body));
        await isHeldBack(() => paiement(1300, body));
        isDeclined(await paiement(1300, await payment(DECLINED)));
        await isHeldBack(() => payWith(bob, '4242424242424242'));
        accepted(await shop.client.deposit(bob, 1504));
    }));

test('of IPv6 a network counts as one address', () =>
    shop.withSettings({ 'velocity.address_declines': 2, 'token.check_ip': 'off' }, async () => {
        const conf = `${shop.home}/nginx/nginx.conf`; // nginx takes a header's word for where calls come from
        const text = fs.readFileSync(conf, 'utf8');
        fs.writeFileSync(conf, text.replace('http {', 'http {\nset_real_ip_from 127.0.0.1;\nreal_ip_header X-Test-From;'));
        await shop.reloadNginx();
        const from = (address, number) => payWith(alice, number, { headers: { 'X-Test-From': address } });
        isDeclined(await from('2001:db8:1:2::1', newCard()));
        isDeclined(await from('2001:db8:1:2:3::4', newCard()));
        await isHeldBack(() => from('2001:db8:1:2:ffff::', newCard()));
        isDeclined(await from('2001:db8:1:3::1', newCard()));
        accepted(await from('192.0.2.1', '4242424242424242'));
        await shop.rows('DELETE FROM declines');
        // IPv4 as a socket for both shows it
        for (const last of [1, 2]) isDeclined(await from(`::ffff:192.0.2.${last}`, newCard()));
        accepted(await from('::ffff:192.0.2.3', '4242424242424242'));
    }));

test('the jobs forget what is a day old, and nothing in the table tells who it was', async () => {
    isDeclined(await payWith(alice, DECLINED));
    const rows = JSON.stringify(await shop.rows('SELECT *, HEX(subject) FROM declines'));
    assert.doesNotMatch(rows, /4000000000000002|76561198/);
    await age(25);
    await shop.restartPart('jobs'); // they look at once, then every minute
    await eventually(async () => await shop.value('SELECT COUNT(*) FROM declines') === 0);
});
