// guichetctl and what waits: notices, messages and their receivers, providers that are switched off.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { afterEach, describe } from 'node:test';
import { superuser } from './lib/chaos.mjs';
import { eventually } from './lib/client.mjs';
import { FINE, HOSTILE, MISUSED, NOBODY, WRONG, makeCtl } from './lib/ctl.mjs';
import { startInstance } from './lib/instance.mjs';
import { mailsThat } from './lib/mails.mjs';

const shop = await startInstance({ name: 'queues' });
const { client, sandbox } = shop;
const { alice } = shop.users;
const { ctlAs, text, json, refusal, timelineOf, paidDeposit, reviewed, byOperator, assertNoSecrets } = makeCtl(shop);

// The jobs look away for a while; a test that fails meanwhile brings them back.
let jobsStopped = false;
async function stopJobs() {
    jobsStopped = true;
    await shop.stopPart('jobs');
}
async function startJobs() {
    if (jobsStopped) await shop.startPart('jobs');
    jobsStopped = false;
}
afterEach(startJobs);

const paid = await paidDeposit(alice, 2500);

describe('inbox', () => {
    test('retry: a notice in review is tried again once its cause is gone, and the timeline says by whom', async () => {
        const { made, notice } = await reviewed(1300);
        assert.equal(notice.state, 'review');
        const tried = json('inbox', 'retry', String(notice.id), '--by', 'Zoë of the night shift');
        assert.deepEqual([tried.id, tried.state, tried.reference], [notice.id, 'unmatched', made.id]);
        assert(Date.parse(tried.dueAt) <= Date.now() + 1000);
        await client.paymentIs(alice, made.id, 'completed');
        assert.deepEqual(await byOperator(made.id),
            [['retry', `notice ${notice.id} again, by Zoë of the night shift`]]);
        assert.equal(json('inbox', 'show', String(notice.id)).state, 'done');
        assert.match(refusal(WRONG, 'inbox', 'retry', String(notice.id)), /is done: there is nothing to try/);
    });

    test('who it was: --by, else whom sudo names, else the login', async () => {
        const { made, notice } = await reviewed(1400);
        await stopJobs();
        const id = String(notice.id);
        const last = () => timelineOf(made.id).at(-1).detail;
        const again = () => shop.rows('UPDATE inbox SET state = \'review\', due_at = NULL WHERE inbox_id = ?', [id]);
        assert.equal(ctlAs({ SUDO_USER: 'zoe' }, 'inbox', 'retry', id).status, FINE);
        assert.equal(last(), `notice ${id} again, by zoe`);
        const events = timelineOf(made.id).length;
        assert.equal(ctlAs({ SUDO_USER: 'zoe' }, 'inbox', 'retry', id).status, FINE);
        assert.equal(timelineOf(made.id).length, events, 'what is due already is not tried twice');
        await again();
        assert.equal(ctlAs({ SUDO_USER: 'zoe' }, 'inbox', 'retry', id, '--by', 'yves').status, FINE);
        assert.equal(last(), `notice ${id} again, by yves`);
        await again();
        assert.equal(ctlAs({ SUDO_USER: '' }, 'inbox', 'retry', id).status, FINE);
        assert.match(last(), /again, by [\w.-]+$/);
        for (const name of ['', 'x'.repeat(64), 'a\x1b[31mb', 'a\nb', 'a\u202eb'])
            assert.match(refusal(MISUSED, 'inbox', 'retry', id, '--by', name), /^say who you are: --by NAME/);
        await startJobs();
        await client.paymentIs(alice, made.id, 'completed');
    });

    test('list and show: narrowed, paged, with the body as it came', async () => {
        const session = 'x'.repeat(32);
        const body = JSON.stringify(sandbox.notice(session, NOBODY, 100));
        assert.equal((await sandbox.notify(body)).status, 200);
        assert.equal((await sandbox.notify(body)).status, 200);
        const { notices, cursor } = json('inbox', 'list');
        assert.equal(cursor, null);
        const rows = await shop.rows(`SELECT inbox_id AS id, provider, state, copies, reference, note FROM inbox
            ORDER BY inbox_id DESC`);
        assert.deepEqual(notices.map(({ id, provider, state, copies, reference, note }) =>
            ({ id, provider, state, copies, reference, note })), rows.map((row) => ({ ...row })));
        const [notice] = json('inbox', 'list', '--state', 'unmatched', '--provider', 'payviox').notices;
        assert.deepEqual([notice.reference, notice.copies], [NOBODY, 2]);
        assert.deepEqual(json('inbox', 'list', '--state', 'unmatched', '--provider', 'mannco').notices, []);
        const first = json('inbox', 'list', '--limit', '1');
        const second = json('inbox', 'list', '--limit', '1', '--cursor', first.cursor);
        assert.deepEqual([...first.notices, ...second.notices].map(({ id }) => id), rows.slice(0, 2).map(({ id }) => id));

        const shown = json('inbox', 'show', String(notice.id));
        assert.deepEqual([shown.body, shown.bodyHex], [body, null]);
        assert.match(text('inbox', 'show', String(notice.id)), /^body, as .* \(may hold a payer's personal data\)\n {2}\{"amount":100,/m);
        assert.match(text('inbox', 'list'), /^ID +RECEIVED +PROVIDER +STATE +TRIES +NAMES +NOTE\n/);
    });

    test('bodies that would speak to the terminal, or are no text, are shown harmlessly and whole', async () => {
        const bodies = [`{"a":"${HOSTILE}`, Buffer.from([0x7b, 0xff, 0x1b, 0x5b, 0x00, 0x9b])];
        for (const body of bodies) {
            assert.equal((await sandbox.notify(body, { Signature: sandbox.sign(body) })).status, 200);
            const [{ id, state }] = json('inbox', 'list').notices;
            assert.equal(state, 'review');
            const shown = json('inbox', 'show', String(id));
            if (typeof body === 'string') assert.equal(shown.body, body);
            else assert.deepEqual([shown.body, shown.bodyHex], [null, body.toString('hex')]);
            const plain = text('inbox', 'show', String(id));
            assert.match(plain, typeof body === 'string' ? /\\u001b\]0;pwned\\u0007/ : /^ {2}7bff1b5b009b$/m);
            text('inbox', 'list');
        }
    });
});

describe('outbox and its receivers', () => {
    const stateOf = async (id) => (await shop.rows('SELECT state, tries FROM deliveries WHERE delivery_id = ?', [id]))[0];
    const kill = (id) => shop.rows(
        'UPDATE deliveries SET state = \'dead\', tries = 9, due_at = NULL WHERE delivery_id = ?', [id]);
    const mailOf = (id) => json('outbox', 'list', '--payment', id, '--receiver', 'mail').deliveries[0];

    test('list: narrowed, as the database has it', async () => {
        await eventually(async () => (await shop.value("SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'")) === 0);
        const { deliveries } = json('outbox', 'list', '--limit', '500');
        const rows = await shop.rows(`SELECT delivery_id AS id, payment_id AS paymentId, topic, receiver, state, tries,
            note FROM deliveries JOIN outbox USING (outbox_id) ORDER BY delivery_id DESC`);
        assert(rows.length >= 3);
        assert.deepEqual(deliveries.map(({ createdAt, dueAt, ...rest }) => rest), rows.map((row) => ({ ...row })));
        const ids = (...words) => json('outbox', 'list', ...words).deliveries.map(({ paymentId }) => paymentId);
        assert.deepEqual(ids('--payment', paid.id), [paid.id, paid.id]);
        assert.deepEqual(ids('--payment', paid.id, '--receiver', 'mail', '--state', 'done'), [paid.id]);
        assert.deepEqual(ids('--payment', paid.id, '--state', 'dead'), []);
        assert.deepEqual(ids('--receiver', 'nobody'), []);
        assert.equal(ids('--receiver', 'mail', '--limit', '2').length, 2);
        assert.match(text('outbox', 'list'), /^ID +PAYMENT +TOPIC +RECEIVER +STATE +TRIES +DUE +NOTE\n/);
    });

    test('retry: what is over goes out again, and the timeline says so', async () => {
        const { id, state } = mailOf(paid.id);
        assert.equal(state, 'done');
        const about = (mail) => mail.text.includes(paid.id);
        for (const [times, before] of ['done', 'dead'].entries()) {
            if (before === 'dead') await kill(id);
            const tried = json('outbox', 'retry', String(id), '--by', 'zoe');
            assert.deepEqual([tried.id, tried.state, tried.paymentId], [id, 'waiting', paid.id]);
            await eventually(async () => (await stateOf(id)).state === 'done');
            assert.equal((await stateOf(id)).tries, 1, 'its tries start anew');
            await mailsThat(shop, about, { count: times + 2 });
        }
        assert.deepEqual(timelineOf(paid.id).slice(-2).map(({ source, kind, detail }) => [source, kind, detail]),
            Array(2).fill(['operator', 'retry', 'payment.completed to mail again, by zoe']));
    });

    test('retry --receiver: all that was given up for it, and nobody else\'s', async () => {
        await stopJobs();
        const idsOf = async (receiver) =>
            (await shop.rows('SELECT delivery_id AS id FROM deliveries WHERE receiver = ? ORDER BY id', [receiver]))
                .map(({ id }) => id);
        const [kept, ...dead] = await idsOf('mail');
        const [others] = await idsOf('receiver_1');
        assert(dead.length > 1);
        for (const id of [others, ...dead]) await kill(id);
        assert.deepEqual(json('outbox', 'retry', '--receiver', 'mail', '--by', 'zoe'),
            { receiver: 'mail', retried: dead.length });
        assert.equal((await stateOf(others)).state, 'dead');
        assert.equal((await stateOf(kept)).state, 'done');
        for (const id of dead) assert.deepEqual({ ...await stateOf(id) }, { state: 'waiting', tries: 0 });
        assert.match(text('outbox', 'retry', '--receiver', 'mail'), /^receiver +mail\ndue now +0\n$/);
        await startJobs();
    });

    test('a receiver that is disabled is enabled first; then it gets what it missed', async () => {
        const [{ id }] = json('outbox', 'list', '--payment', paid.id, '--receiver', 'receiver_1').deliveries;
        const row = () => json('receiver', 'list').receivers.find(({ name }) => name === 'receiver_1');
        assert.deepEqual([row().state, row().disabledAt, row().restsUntil], ['enabled', null, null]);
        assert.equal(row().url, await shop.value('SELECT url FROM receivers WHERE name = \'receiver_1\''));
        await kill(id);
        await shop.rows('UPDATE receivers SET disabled_at = UTC_TIMESTAMP(3), note = ? WHERE name = \'receiver_1\'', [HOSTILE]);
        assert.deepEqual([row().state, row().note], ['disabled', HOSTILE]);
        assert.match(text('receiver', 'list'), /^NAME +STATE +WAITING +URL +NOTE\nreceiver_1 +disabled +\d+ +https:.*\\u001b/);
        for (const words of [['outbox', 'retry', String(id)], ['outbox', 'retry', '--receiver', 'receiver_1']])
            assert.equal(refusal(WRONG, ...words), 'receiver_1 is disabled: guichetctl receiver enable receiver_1');
        assert.equal((await stateOf(id)).state, 'dead');
        assert.match(text('receiver', 'enable', 'receiver_1'), /^state +enabled$/m);
        assert.equal(json('receiver', 'enable', 'receiver_1').note, '');
        assert.equal(json('outbox', 'retry', '--receiver', 'receiver_1').retried > 0, true);
        await eventually(async () => (await stateOf(id)).state === 'done');
    });
});

test('README: what only people look back at can be removed; a notice that comes again moves no money', async () => {
    const readme = fs.readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const [, lines] = readme.match(/^```sql old\n([^]*?)^```$/m);
    const count = (what) => shop.value(`SELECT COUNT(*) FROM ${what}`);
    const kept = () => Promise.all([count('notifications WHERE read_at IS NULL'), count('reviews'),
        count("deliveries WHERE state <> 'done'"), count("inbox WHERE state <> 'done'")]);
    await shop.rows('UPDATE inbox SET received_at = received_at - INTERVAL 2 YEAR');
    await shop.rows('UPDATE outbox SET created_at = created_at - INTERVAL 2 YEAR');
    await shop.rows(`UPDATE notifications SET created_at = created_at - INTERVAL 2 YEAR,
        read_at = IF(payment_id = ?, NOW(3), NULL)`, [paid.id]);
    const young = await paidDeposit(alice, 1800);
    const before = await kept();
    assert(before[1] > 0 && before[3] > 0, 'the tests above have left some');
    for (let times = 0; times < 2; times++)
        superuser(shop, `USE ${shop.vars.DB_NAME}; ${lines}`);
    assert.deepEqual(await shop.rows(`SELECT reference FROM inbox WHERE state = 'done'
        AND inbox_id NOT IN (SELECT inbox_id FROM reviews WHERE inbox_id IS NOT NULL)`), [{ reference: young.id }]);
    const told = ({ id }) => Promise.all(['outbox', 'notifications'].map((table) => count(`${table} WHERE payment_id = '${id}'`)));
    assert.deepEqual(await told(paid), [0, 0]);
    assert.deepEqual(await told(young), [1, 1]);
    assert.deepEqual(await kept(), before, 'what is not over');
    const balance = await client.balance(alice);
    assert.deepEqual(await sandbox.webhook({ order_id: paid.id, type: 'succeeded' }), [200]);
    assert.equal(await client.balance(alice), balance);
    assert.deepEqual(await told(paid), [0, 0], 'nobody is told again');
});

describe('provider', () => {
    const row = (name) => json('provider', 'list').providers.find((provider) => provider.name === name);

    test('disable ends new payments, enable begins them again; the list tells who, when and why', async () => {
        const names = json('provider', 'list').providers.map(({ name }) => name);
        assert.ok(names.includes('mannco') && names.includes('payviox'), names.join(' '));
        assert.deepEqual(row('payviox'), {
            name: 'payviox', disabled: false, breaker: 'closed', retryAfter: null, openedAt: null, reason: null,
            switchedAt: null, switchedBy: null, why: null,
        });
        const off = json('provider', 'disable', 'payviox', '--why', 'their maintenance', '--by', 'zoe');
        assert.deepEqual([off.disabled, off.breaker, off.switchedBy, off.why], [true, 'closed', 'zoe', 'their maintenance']);
        assert.deepEqual(row('payviox'), off);
        await eventually(async () => (await client.deposit(alice, 600)).status === 503);
        assert.match(text('provider', 'list'), /^payviox +yes +closed +- +- +20\S+ \S+Z +zoe +their maintenance$/m);
        const on = json('provider', 'enable', 'payviox', '--by', 'yves');
        assert.deepEqual([on.disabled, on.switchedBy, on.why], [false, 'yves', null]);
        await eventually(async () => (await client.deposit(alice, 600)).status === 200);
    });

    test('an open breaker is shown, and closed by enable', async () => {
        await shop.rows(`UPDATE provider_health SET opened_at = UTC_TIMESTAMP(3), reason = ?,
            open_until = UTC_TIMESTAMP(3) + INTERVAL 1 HOUR WHERE provider = 'payviox'`, [HOSTILE]);
        const { breaker, retryAfter, openedAt, reason } = row('payviox');
        assert.deepEqual([breaker, reason], ['open', HOSTILE]);
        assert(retryAfter > 3000 && retryAfter <= 3600 && openedAt !== null);
        assert.match(text('provider', 'list'), /^payviox +no +open +3\d\d\d /m);
        const on = json('provider', 'enable', 'payviox', '--why', 'seen to work');
        assert.deepEqual([on.breaker, on.openedAt, on.reason, on.why], ['closed', null, null, 'seen to work']);
    });
});

test('no secret was ever printed', () => assertNoSecrets(50));
