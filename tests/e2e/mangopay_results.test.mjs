// Mangopay: a pay-in that has failed bears one of some 180 result codes. Each is a decline with a
// message for whoever pays and with another for the operator, and neither is shown to the other.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { after, describe } from 'node:test';
import { refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { CHALLENGE, DECLINED, makeMangopay } from './lib/mangopay.mjs';
import { makeMangopayProxy, registerHooks } from './lib/mangoproxy.mjs';
import { BROWSER_INFO, makeShop } from './lib/mangoshop.mjs';

const proxy = await makeMangopayProxy();
after(() => proxy.end());
const shop = await startInstance({ name: 'mangoresults', set: { 'mangopay.enabled': 'on', 'jobs.silence': 600,
    'mangopay.api_url': proxy.url } });
proxy.attach(shop);
await registerHooks(shop);
const { client } = shop;
const { alice, olivia } = shop.users;
const mangopay = makeMangopay(shop);
const { paiement, deposit, credits } = makeShop(shop, mangopay);

// All that are documented, as the sandbox has them.
const SOURCE = fs.readFileSync(new URL('../../src/sandbox/mangopay_error.c', import.meta.url), 'utf8');
const CODES = [...SOURCE.matchAll(/\{"(\d{6})",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\}/g)].map(([, code, texts]) =>
    [code, [...texts.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text.replace(/\\(.)/g, '$1')).join('')]);

// What whoever pays is told; all others: that it was declined.
const DECLINE = [402, 'Payment declined'];
const WORDS = [
    [[400, 'Invalid amount'], '001010 001011 001012 001013 001014 001505'],
    [[400, 'Invalid request parameters'], '001023 001024'],
    [[400, 'Invalid shipping'], '201005'],
    [[402, 'Payment cancelled'], '001031 001832 101001 101002 201003 201004'],
    [[402, 'Payment declined: limit reached or not enough money'],
        '001830 101102 101104 101112 101113 101115 101116 201001'],
    [[402, 'Payment declined: the card cannot be used'],
        '101105 101106 101410 105101 105102 105103 105104 105202 105203 105204 105205 105206 105207 105299'],
    [[402, 'Payment declined: authentication failed'], '101301 101302 101303 101304 101305 101399'],
    [[502, 'Failed to process payment'], '001015 001999 009101 009103 009199 009499 009999'],
];
const wordsOf = (code) => WORDS.find(([, codes]) => codes.split(' ').includes(code))?.[0] ?? DECLINE;

const payIn = (ResultCode, ResultMessage) => ({ Id: `payin_m_${ResultCode}`, Tag: null, Type: 'PAYIN', Nature: 'REGULAR',
    Status: 'FAILED', ResultCode, ResultMessage, PaymentType: 'CARD', ExecutionType: 'DIRECT', SecureModeRedirectURL: null });
const fails = (card_id, answer) => {
    proxy.plan({ path: /\/payins\/card\/direct/, wants: ({ json }) => json.CardId === card_id, status: 200, body: answer });
    return paiement(2000, { method: 'card_direct', card_id, browser_info: BROWSER_INFO });
};
const shown = async (user, { id }) => client.payment(user, id);
const reason = ({ timeline }) => timeline.find(({ kind }) => kind === 'failed').detail;

// The payer's answer and payment have nothing of these words in them.
async function assertHidden(made, ...words) {
    const payment = await shown(alice, made);
    assert.equal(payment.status, 'failed');
    assert.equal(reason(payment), '');
    for (const word of words)
        assert.ok(!`${made.text}${JSON.stringify({ ...payment, id: '' })}`.includes(word), word);
    assert.equal(await credits(made.id), 0);
}

describe(`each of the ${CODES.length} result codes`, () => {
    test('there are as many as are documented', () => assert.ok(CODES.length > 175, `${CODES.length}`));

    for (let i = 0; i < CODES.length; i += 15) {
        const some = CODES.slice(i, i + 15);
        test(`${some[0][0]} to ${some.at(-1)[0]}`, () => Promise.all(some.map(async ([code, text]) => {
            if (code === '000000') return;
            const made = await fails(`card_m_${code}`, payIn(code, text));
            refused(made, ...wordsOf(code));
            await assertHidden(made, `says ${code}`, ` ${code}`, text);
            const told = reason(await shown(olivia, made)); // for operators: the code, and Mangopay's own words
            assert.ok(told.startsWith(`Mangopay says ${code}: ${text.slice(0, 60)}`), told);
        })));
    }

    test('a code that is new, one without words, and none: declines all the same', async () => {
        for (const [code, text, told] of [['777777', 'Something new', 'Mangopay says 777777: Something new'],
            ['101101', null, 'Mangopay says 101101: the bank refuses, without a reason'],
            [null, null, /^Mangopay says : Mangopay refuses, and gives no known reason$/]]) {
            const made = await fails(`card_m_${code}`, payIn(code, text));
            refused(made, ...DECLINE);
            const said = reason(await shown(olivia, made));
            if (told instanceof RegExp) assert.match(said, told);
            else assert.equal(said, told);
        }
    });
});

describe('what is only told later', () => {
    const advance = async (made, seconds) => {
        await mangopay.advance(seconds);
        mangopay.renew();
    };
    for (const [name, pay, told] of [
        ['a card that is declined', (made) => mangopay.form(made.url, mangopay.cardForm(DECLINED)), /FAILED 101\d{3}: the bank refuses/],
        ['the payer cancels', (made) => mangopay.form(made.url, { action: 'cancel' }), /FAILED 101002: the payer cancelled$/],
        ['the payer is not authenticated', async (made) => {
            const { location } = await mangopay.form(made.url, mangopay.cardForm(CHALLENGE));
            await mangopay.form(location, { challenge: 'deny' });
        }, /FAILED 101301: the payer was not authenticated \(3-D Secure\)$/],
        ['nobody comes', (made) => advance(made, 16 * 60), /FAILED \d{6}: the payer let the time run out$/],
    ])
        test(name, async () => {
            const made = await deposit(2000);
            await pay(made);
            await client.paymentIs(alice, made.id, 'failed');
            const said = reason(await shown(olivia, made));
            assert.match(said, told);
            await assertHidden(made, said.match(/\d{6}/)[0], said);
        });

    test('of a refund: for operators', async () => {
        const made = await deposit(2000);
        await mangopay.form(made.url, mangopay.cardForm());
        await client.paymentIs(alice, made.id, 'completed');
        await mangopay.fault('error_code', { call: 'create', code: 5405 });
        refused(await client.request('POST', `/payments/${made.id}/refunds`, { body: {}, token: olivia.jwt }), 409,
            'The provider refuses this refund');
        const detail = async (user) => (await shown(user, made)).timeline.at(-1).detail;
        assert.match(await detail(olivia), /^Mangopay says 005405: /);
        assert.equal(await detail(alice), '');
    });
});
