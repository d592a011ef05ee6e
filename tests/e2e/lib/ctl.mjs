// guichetctl as tests call it: every call in both of its forms, each looked at for what must never be
// in it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { letRest } from './chaos.mjs';
import { eventually } from './client.mjs';
import { accepted } from './expect.mjs';
import { BIN } from './instance.mjs';

export const [FINE, WRONG, MISUSED, ABSENT] = [0, 1, 2, 3];
export const NOBODY = 'PAY_01M7WP5AWKD4KG5TY09QNPVXWS';
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
export const HOSTILE = '\x1b]0;pwned\x07\x1b[2J\x9b31m\u202egnp.exe\u200b\u061c\x7f \\ "quoted" é😀\n\rend';

// What the tests of guichetctl share, for one instance.
export function makeCtl(shop) {
    const { client } = shop;
    const { alice } = shop.users;
    const printed = [];
    const keep = (run) => (printed.push(run.stdout, run.stderr), run);
    const ctl = (...words) => keep(shop.ctl(...words));
    const ctlAs = (env, ...words) =>
        keep(spawnSync(path.join(BIN, 'guichetctl'), ['-c', shop.vars.CONF, ...words],
            { env: { ...shop.env, ...env }, encoding: 'utf8' }));

    function text(...words) {
        const { status, stdout, stderr } = ctl(...words);
        assert.deepEqual([status, stderr], [FINE, ''], words.join(' '));
        assert.doesNotMatch(stdout, UNSAFE);
        return stdout;
    }

    function json(...words) {
        const { status, stdout, stderr } = ctl(...words, '--json');
        assert.deepEqual([status, stderr], [FINE, ''], words.join(' '));
        assert.doesNotMatch(stdout, UNSAFE);
        assert.equal(stdout.split('\n').length, 2, 'one document, one line');
        return JSON.parse(stdout);
    }

    // Refused with this status, in both forms; returns the words of the error.
    function refusal(status, ...words) {
        const plain = ctl(...words);
        assert.equal(plain.status, status, words.join(' ') + plain.stderr);
        assert.equal(plain.stdout, '');
        assert.doesNotMatch(plain.stderr, UNSAFE);
        const coded = ctl(...words, '--json');
        assert.deepEqual([coded.status, coded.stdout], [status, '']);
        assert.doesNotMatch(coded.stderr, UNSAFE);
        const { error, ...rest } = JSON.parse(coded.stderr);
        assert.deepEqual(rest, {});
        assert(plain.stderr.startsWith('guichetctl: '), plain.stderr);
        return error;
    }

    const get = async (user, url) => accepted(await client.request('GET', url, { token: user.jwt }));
    const timelineOf = (id) => json('payment', 'timeline', id).timeline;

    async function paidDeposit(user, value, options) {
        const made = await client.deposit(user, value, {}, options);
        await client.pay(made.url);
        await client.paymentIs(user, made.id, 'completed');
        await eventually(async () => // to mail, and to the demo's receiver
            (await shop.value(`SELECT COUNT(*) FROM deliveries JOIN outbox USING (outbox_id)
                WHERE payment_id = ? AND state = 'done'`, [made.id])) === 2);
        return made;
    }

    // A genuine notice that comes while the payment's amount is another: it waits for a person.
    async function reviewed(value) {
        const made = await client.deposit(alice, value);
        await letRest(shop, made.id); // nobody else is to find out
        await shop.rows('UPDATE payments SET amount = amount + 1 WHERE payment_id = ?', [made.id]);
        await client.pay(made.url);
        await eventually(() => shop.value(
            'SELECT 1 FROM inbox WHERE reference = ? AND state = \'review\'', [made.id]));
        await shop.rows('UPDATE payments SET amount = amount - 1 WHERE payment_id = ?', [made.id]);
        const { notices, reviews } = json('payment', 'show', made.id);
        return { made, notice: notices[0], review: reviews[0] };
    }
    const byOperator = async (id) =>
        (await get(shop.users.olivia, `/payments/${id}`)).timeline.filter(({ source }) => source === 'operator')
            .map(({ kind, detail }) => [kind, detail]);

    // To be asked last: no secret was ever printed.
    function assertNoSecrets(calls) {
        const all = printed.join('\n');
        assert(printed.length > 2 * calls);
        for (const file of fs.readdirSync(path.join(shop.home, 'secrets')))
            assert(!all.includes(shop.secret(file)), file);
        assert.doesNotMatch(all, /eyJ[\w-]+\./);
    }

    return { ctl, ctlAs, text, json, refusal, get, timelineOf, paidDeposit, reviewed, byOperator, assertNoSecrets };
}
