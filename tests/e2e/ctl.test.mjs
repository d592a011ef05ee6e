// guichetctl on a living instance: every command in both of its forms, against the database and the
// API; what it refuses and with which exit code; texts that want to reach the terminal.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test, { describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { letRest } from './lib/chaos.mjs';
import { ABSENT, HOSTILE, MISUSED, NOBODY, WRONG, makeCtl } from './lib/ctl.mjs';
import { BIN, startInstance } from './lib/instance.mjs';
import { addItems, letExpire } from './lib/market.mjs';
import { sessionOf } from './lib/sandbox.mjs';

const shop = await startInstance({ name: 'ctl' });
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
const { ctl, text, json, refusal, get, timelineOf, paidDeposit, reviewed, byOperator, assertNoSecrets } = makeCtl(shop);

const paid = await paidDeposit(alice, 2500, { key: 'ctl-first' });
const [asset] = await addItems(shop, bob, [300], { name: 'Ключ 😀' });
const cart = await client.buy(alice, [asset]);
const bobs = await client.deposit(bob, 700);
const over = await client.deposit(alice, 1200);
await letExpire(shop, over.id);

describe('payment list', () => {
    const ids = (...words) => json('payment', 'list', ...words).payments.map((payment) => payment.id);

    test('shows what the API shows, of everybody or of one', async () => {
        const { payments } = json('payment', 'list', '--user', alice.id);
        const told = (await get(alice, '/payments')).payments;
        assert.deepEqual(payments.map(({ user, ...rest }) => {
            assert.equal(user, alice.id);
            return rest;
        }), told);
        assert.deepEqual(ids(), [over.id, bobs.id, cart.id, paid.id]);
    });

    test('narrowed by status as it is now, provider and time', () => {
        assert.deepEqual(ids('--status', 'completed'), [paid.id]);
        assert.deepEqual(ids('--status', 'expired'), [over.id]);
        assert.deepEqual(ids('--status', 'pending', '--user', alice.id), [cart.id]);
        assert.deepEqual(ids('--provider', 'mannco'), []);
        assert.deepEqual(ids('--provider', 'payviox', '--user', bob.id), [bobs.id]);
        const hourAgo = new Date(Date.now() - 3600_000);
        assert.deepEqual(ids('--since', hourAgo.toISOString()), [bobs.id, cart.id, paid.id]);
        assert.deepEqual(ids('--since', String(Math.floor(hourAgo / 1000))), [bobs.id, cart.id, paid.id]);
        assert.deepEqual(ids('--since', new Date(Date.now() + 3600_000).toISOString()), []);
    });

    test('pages by its cursor until there are no more', () => {
        const seen = [];
        for (let cursor = []; ;) {
            const page = json('payment', 'list', '--limit', '1', ...cursor);
            assert.equal(page.payments.length, 1);
            seen.push(page.payments[0].id);
            if (page.cursor === null) break;
            cursor = ['--cursor', page.cursor];
        }
        assert.deepEqual(seen, ids());
    });

    test('as text: aligned, within 120 columns, UTC, amounts with their currency, how to see more', () => {
        const lines = text('payment', 'list').trimEnd().split('\n');
        assert.match(lines[0], /^ID +CREATED +USER +AMOUNT +STATUS +PROVIDER +TYPE$/);
        assert.equal(lines.length, 5);
        const row = lines.find((line) => line.startsWith(paid.id));
        assert.match(row, /\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  \d+ +25\.00 USD  completed  payviox   balance$/);
        for (const line of lines) {
            assert(line.length <= 120, line);
            assert.equal(line.indexOf(' ', 2) < 0, false);
        }
        const status = lines[0].indexOf('STATUS');
        assert.deepEqual(lines.slice(1).map((line) => line.slice(status).split(' ')[0]),
            ['expired', 'pending', 'pending', 'completed']);
        assert.match(text('payment', 'list', '--limit', '2'),
            new RegExp(`There are more: add --cursor ${bobs.id}, or --limit up to 500\\.\n$`));
        assert.equal(text('payment', 'list', '--provider', 'mannco'), 'none\n');
    });
});

describe('payment show and timeline', () => {
    test('a paid deposit: every row of the database that belongs to it', async () => {
        const shown = json('payment', 'show', paid.id);
        const { items, timeline, url, bankwire, card, ...told } = await get(alice, `/payments/${paid.id}`);
        assert.deepEqual(shown.items, items);
        assert.notEqual(timeline.length, 0);
        assert.deepEqual([url, bankwire, card], [null, null, null]);
        for (const [name, value] of Object.entries(told)) assert.deepEqual(shown[name], value, name);
        assert.deepEqual([shown.user, shown.storedStatus, shown.endpoint, shown.clientIp, shown.returnUrl, shown.check],
            [alice.id, 'completed', 'payment', '127.0.0.1', null, null]);
        assert.equal(shown.requestId, paid.headers['x-request-id']);

        assert.deepEqual(shown.attempts.map(({ number, provider, reference }) => [number, provider, reference]),
            [[1, 'payviox', paid.id]]);
        const [answer] = shown.answers;
        assert.deepEqual([shown.answers.length, answer.attempt, answer.outcome, answer.httpStatus, answer.reason],
            [1, 1, 'pending', 201, '']);
        assert.deepEqual([answer.providerReference, answer.url], [sessionOf(paid.url), paid.url]);

        const rows = await shop.rows(
            `SELECT effect, sequence, kind AS account, owner, amount, e.currency, balance_after AS balance
             FROM ledger_postings JOIN ledger_entries e USING (posting_id) JOIN ledger_accounts USING (account_id)
             WHERE document_id = ? ORDER BY line`, [paid.id]);
        assert.deepEqual(shown.entries.map(({ at, ...rest }) => rest), rows.map((row) => ({ ...row })));
        assert.equal(shown.entries.reduce((sum, entry) => sum + entry.amount, 0), 0);

        assert.deepEqual(shown.idempotencyKeys.map(({ createdAt, ...rest }) => rest),
            [{ path: '/payment/payviox', state: 'answered', httpStatus: 200, key: 'ctl-first' }]);
        assert.deepEqual(shown.notices.map(({ state, reference, copies }) => [state, reference, copies]),
            [['done', paid.id, 1]]);
        assert.deepEqual(shown.events.map(({ topic }) => topic), ['payment.completed']);
        assert.deepEqual(shown.deliveries.map(({ receiver, state, paymentId }) => [receiver, state, paymentId]).sort(),
            [['mail', 'done', paid.id], ['receiver_1', 'done', paid.id]]);
    });

    test('an open cart: what is held, and when the provider is asked', async () => {
        await letRest(shop, cart.id); // not while we look
        const shown = json('payment', 'show', cart.id);
        const { seller, owner, fee, held, currency, ...item } = shown.items[0];
        assert.deepEqual([item], (await get(alice, `/payments/${cart.id}`)).items);
        assert.deepEqual([seller, owner, fee, held, currency], [bob.id, bob.id, 15, true, 'USD']);
        assert.deepEqual([shown.entries, shown.notices, shown.idempotencyKeys], [[], [], []]);
        const due = await shop.value('SELECT due_at FROM payment_checks WHERE payment_id = ?', [cart.id]);
        assert.equal(shown.check.dueAt, `${due.replace(' ', 'T')}Z`);
        assert.equal(json('payment', 'show', over.id).status, 'expired');
    });

    test('as text, for people', () => {
        const shown = text('payment', 'show', paid.id);
        for (const line of [/^payment +PAY_/m, /^amount +25\.00 USD$/m, /^money$/m, /^Idempotency-Key$/m,
            / {2}20\S+ \S+Z  credit +1  user +76561198000000001 +25\.00 USD +75\.00 USD$/m])
            assert.match(shown, line);
        assert.match(text('payment', 'show', cart.id), /^ {2}800000001 .* yes +Ключ 😀$/m);
    });

    test('the timeline is the one that operators can read; the payer does not see their words', async () => {
        const told = timelineOf(paid.id);
        assert.deepEqual((await get(shop.users.olivia, `/payments/${paid.id}`)).timeline, told);
        assert.deepEqual((await get(alice, `/payments/${paid.id}`)).timeline,
            told.map((event) => (event.source === 'operator' ? { ...event, detail: '' } : event)));
        assert.match(text('payment', 'timeline', paid.id),
            /^AT +SOURCE +KIND +DETAIL\n(.*\n)+.* webhook +completed +payviox says succeeded\n$/);
    });
});

describe('review', () => {
    const NOTE = (dollars) => `succeeded: another amount than the payment's (${dollars}.00 USD)`;

    test('resolve --as accepted: what the provider says is booked, once, and the timeline says by whom', async () => {
        const { made, notice, review } = await reviewed(1500);
        const before = await client.balance(alice);
        assert.deepEqual([review.state, review.kind, review.paymentId, review.provider, review.says, review.note],
            ['open', 'mismatch', made.id, 'payviox', 'succeeded', NOTE('15')]);
        const id = String(review.id);
        assert.deepEqual(json('review', 'show', id), review);
        const done = json('review', 'resolve', id, '--as', 'accepted', '--why', 'seen at Payviox', '--by', 'zoe');
        assert.deepEqual([done.state, done.resolvedBy, done.resolution], ['resolved', 'zoe', 'accepted: seen at Payviox']);
        assert.equal(await client.balance(alice), before + 1500);
        assert.deepEqual(await byOperator(made.id), [
            ['completed', 'zoe says succeeded: seen at Payviox'],
            ['review_resolved', 'accepted: seen at Payviox, by zoe'],
        ]);
        assert.equal(json('inbox', 'show', String(notice.id)).state, 'done');
        const again = ['review', 'resolve', id, '--as', 'accepted', '--why', 'again'];
        assert.match(refusal(WRONG, ...again), /^not resolved: somebody has resolved it already$/);
        assert.equal(await client.balance(alice), before + 1500);
    });

    test('resolve --as dismissed: nothing else changes', async () => {
        const { made, review } = await reviewed(1600);
        const before = await client.balance(alice);
        assert.match(text('review', 'resolve', String(review.id), '--as', 'dismissed', '--why', 'a test', '--by', 'zoe'),
            /^resolution +dismissed: a test$/m);
        assert.deepEqual(await byOperator(made.id), [['review_resolved', 'dismissed: a test, by zoe']]);
        assert.equal((await client.payment(alice, made.id)).status, 'pending');
        assert.equal(await client.balance(alice), before);
    });

    test('what names no payment cannot be accepted', async () => {
        await sandbox.notify('{"no": "notice"}');
        const [{ id, kind, paymentId, notice }] = json('review', 'list').reviews;
        assert.deepEqual([kind, paymentId, json('inbox', 'show', String(notice)).body],
            ['unreadable', null, '{"no": "notice"}']);
        const resolve = (as) => ['review', 'resolve', String(id), '--as', as, '--why', 'nonsense'];
        assert.match(refusal(WRONG, ...resolve('accepted')), /^not resolved: it names no payment of ours/);
        assert.equal(json(...resolve('dismissed')).state, 'resolved');
    });

    test('list: the open ones, or all, by pages', async () => {
        const { review } = await reviewed(1700);
        const ids = (...words) => json('review', 'list', ...words).reviews.map(({ id }) => id);
        assert.deepEqual(ids(), [review.id]);
        assert.deepEqual(ids('--state', 'open'), [review.id]);
        assert.deepEqual(ids('--state', 'all'), [review.id, ...ids('--state', 'resolved')]);
        assert.equal(ids('--state', 'resolved').length, 3);
        const { cursor } = json('review', 'list', '--state', 'all', '--limit', '1');
        assert.deepEqual(ids('--state', 'all', '--limit', '1', '--cursor', cursor), ids('--state', 'all').slice(1, 2));
        const lines = text('review', 'list').split('\n');
        assert.match(lines[0], /^ID +SINCE +STATE +KIND +PAYMENT +SAYS +NOTE$/);
        assert.match(lines[1], new RegExp(`^ *${review.id} .* open +mismatch +PAY_\\w+ +succeeded +${NOTE('17').replace(/[()]/g, '\\$&')}$`));
    });
});

describe('payment settle', () => {
    const settle = (id, as, ...more) => ['payment', 'settle', id, '--as', as, '--why', 'the dashboard', '--by', 'zoe', ...more];

    test('an operator\'s word is booked like the provider\'s own, however often it is said', async () => {
        const made = await client.deposit(alice, 2000);
        const before = await client.balance(alice);
        for (let i = 0; i < 2; i++) {
            assert.equal(json(...settle(made.id, 'succeeded')).status, 'completed');
            assert.equal(await client.balance(alice), before + 2000);
        }
        assert.match(text(...settle(made.id, 'partly_refunded', '--amount', '300', '--reference', 're_1')), /^refunded +3\.00 USD$/m);
        assert.equal(json(...settle(made.id, 'partly_refunded', '--amount', '300', '--reference', 're_1')).refunded, 300);
        assert.equal(json(...settle(made.id, 'disputed', '--amount', '500', '--reference', 'dp_1')).dispute, 'opened');
        assert.equal(await client.balance(alice), before + 1200);
        assert.equal(json(...settle(made.id, 'dispute_won', '--amount', '500', '--reference', 'dp_1')).dispute, 'won');
        assert.equal(await client.balance(alice), before + 1700);
        const shown = json('payment', 'show', made.id);
        assert.deepEqual(shown.refunds.map(({ amount, via, reference }) => [amount, via, reference]), [[300, 'reported', 're_1']]);
        assert.deepEqual(shown.disputes.map(({ amount, state, reference }) => [amount, state, reference]), [[500, 'won', 'dp_1']]);
        const told = (await get(alice, `/payments/${made.id}`));
        assert.deepEqual(shown.refunds.map(({ id, amount, via, reason, createdAt }) => ({ id, amount, via, reason, createdAt })),
            told.refunds.map(({ state, ...refund }) => refund));
        assert.deepEqual([shown.status, shown.refunded, shown.dispute], [told.status, told.refunded, told.dispute]);
        assert.match((await byOperator(made.id))[0][1], /^zoe says succeeded: the dashboard$/);
    });

    test('what cannot be is not booked', async () => {
        const [one] = await addItems(shop, bob, [100]);
        const bought = await client.buy(alice, [one], {}, { provider: 'mannco' });
        assert.equal(bought.status, 200);
        assert.match(refusal(WRONG, ...settle(bought.id, 'refunded')), /^not booked: it was paid from the balance/);
        assert.match(refusal(WRONG, ...settle(paid.id, 'partly_refunded', '--amount', '2501', '--reference', 'x')), /^not booked: /);
        assert.equal(json('payment', 'show', paid.id).refunded, 0);
    });
});

test('payment show: refunds that the provider was asked for and has not made', async () => {
    const [made, none] = [await paidDeposit(alice, 900), json('payment', 'show', bobs.id)];
    assert.deepEqual(none.refundOrders, []);
    await shop.rows(`INSERT INTO refund_orders (refund_id, payment_id, attempt, amount, reason, operator_id, state, reference, note, due_at)
        VALUES (CONCAT('REF_', REPEAT('0', 25), '1'), :id, 1, 300, 'broken', :olivia, 'pending', NULL, '', NOW(3) + INTERVAL 1 DAY),
            (CONCAT('REF_', REPEAT('0', 25), '2'), :id, 1, 200, '', :olivia, 'failed', 'ref_2', 'mangopay says FAILED', NULL),
            (CONCAT('REF_', REPEAT('0', 25), '3'), :id, 1, 100, '', :olivia, 'done', 'ref_3', '', NULL)`
        .replaceAll(':id', `'${made.id}'`).replaceAll(':olivia', shop.users.olivia.id));
    const { refundOrders } = json('payment', 'show', made.id);
    assert.deepEqual(refundOrders.map(({ amount, currency, state, reference, note, reason, tries, operator, dueAt }) =>
        [amount, currency, state, reference, note, reason, tries, operator, dueAt !== null]), [
        [300, 'USD', 'pending', null, '', 'broken', 0, shop.users.olivia.id, true],
        [200, 'USD', 'failed', 'ref_2', 'mangopay says FAILED', '', 0, shop.users.olivia.id, false]]);
    assert.match(text('payment', 'show', made.id), /^refunds that the provider has not made$/m);
    await shop.rows('UPDATE refund_orders SET state = \'failed\', due_at = NULL WHERE payment_id = ?', [made.id]);
});

describe('migrate, ledger, users and keys', () => {
    test('as JSON', async () => {
        assert.deepEqual(json('migrate'), { report: [] });
        const verified = json('ledger', 'verify');
        assert.equal(verified.wrong, 0);
        assert.match(verified.report[0], / 0 wrong$/);
        await shop.rows('UPDATE balances SET balance = balance + 1 LIMIT 1');
        const wrong = ctl('ledger', 'verify', '--json');
        await shop.rows('UPDATE balances SET balance = balance - 1 LIMIT 1');
        assert.deepEqual([wrong.status, JSON.parse(wrong.stdout).wrong], [WRONG, 1]);

        const id = '76561198000000088';
        const file = path.join(shop.home, 'secrets/ctl_key');
        fs.writeFileSync(file, 'c'.repeat(40), { mode: 0o600 });
        const added = json('user', 'add', '--id', id, '--name', HOSTILE, '--email', 'e@example.test');
        const { createdAt, ...rest } = added;
        assert.deepEqual(rest, { id, name: HOSTILE, email: 'e@example.test', role: 'user', bannedAt: null });
        assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        for (const word of ['ban', 'unban', 'revoke']) {
            const { bannedAt } = json('user', word, '--id', id);
            assert.equal(bannedAt === null, word === 'unban', word);
        }
        assert.equal(json('user', 'unban', '--id', id).bannedAt, null);
        assert.deepEqual([json('key', 'add', '--user', id, '--key-file', file).user,
            json('key', 'revoke', '--key-file', file).user], [id, id]);
        assert.equal(text('user', 'ban', '--id', id), '', 'no news is good news');
        assert.match(refusal(WRONG, 'key', 'add', '--user', id, '--key-file', file), /has been revoked/);
    });
});

describe('what is refused', () => {
    const absent = [
        ['payment', 'show', NOBODY], ['payment', 'timeline', NOBODY], ['inbox', 'show', '999999'],
        ['inbox', 'retry', '999999'], ['outbox', 'retry', '999999'], ['user', 'ban', '--id', '5'],
        ['user', 'unban', '--id', '5'],
        ['review', 'show', '999999'], ['review', 'resolve', '999999', '--as', 'dismissed', '--why', 'x'],
        ['payment', 'settle', NOBODY, '--as', 'succeeded', '--why', 'x'],
        ['outbox', 'retry', '--receiver', 'nobody'], ['receiver', 'enable', 'nobody'],
        ['provider', 'disable', 'nobody', '--why', 'x'], ['provider', 'enable', 'nobody'],
    ];
    for (const words of absent)
        test(`what is not there ends with 3: ${words.join(' ')}`, () => {
            assert.match(refusal(ABSENT, ...words), /^there is no (payment|notice|delivery|user|review|receiver|provider) \w+$/);
        });

    const bad = [
        ['payment', 'list', '--nonsense'], ['payment', 'list', '--user'], ['payment', 'list', '--user', 'alice'],
        ['payment', 'list', '--user', '-5'], ['payment', 'list', '--status', 'paid'],
        ['payment', 'list', '--provider', 'nobody'], ['payment', 'list', '--since', 'yesterday'],
        ['payment', 'list', '--limit', '0'], ['payment', 'list', '--limit', '501'], ['payment', 'list', '--limit', 'x'],
        ['payment', 'list', '--cursor', 'x'], ['payment', 'list', '--limit', '1', '--limit', '1'],
        ['payment', 'list', 'more'], ['payment', 'list', '--by', 'me'],
        ['payment', 'show'], ['payment', 'show', 'x'], ['payment', 'show', NOBODY, NOBODY],
        ['payment', 'show', NOBODY.toLowerCase()], ['payment', 'show', NOBODY.slice(0, -1)],
        ['payment', 'show', `${NOBODY} `], ['payment', 'show', ''], ['payment', 'show', 'x\x1b[31m\xff'],
        ['payment', 'timeline'], ['payment', 'timeline', '1'], ['payment', 'nonsense'],
        ['payment', 'settle', paid.id, '--as', 'succeeded'], ['payment', 'settle', paid.id, '--why', 'x'],
        ['payment', 'settle', paid.id, '--as', 'paid', '--why', 'x'], ['payment', 'settle', 'x', '--as', 'failed', '--why', 'x'],
        ['payment', 'settle', paid.id, '--as', 'failed', '--why', ''],
        ['payment', 'settle', paid.id, '--as', 'failed', '--why', 'x'.repeat(121)],
        ['payment', 'settle', paid.id, '--as', 'failed', '--why', 'a\x1bb'],
        ['payment', 'settle', paid.id, '--as', 'refunded', '--why', 'x', '--amount', '-1'],
        ['payment', 'settle', paid.id, '--as', 'refunded', '--why', 'x', '--amount', '1.00'],
        ['payment', 'settle', paid.id, '--as', 'refunded', '--why', 'x', '--reference', 'é'],
        ['payment', 'settle', paid.id, '--as', 'refunded', '--why', 'x', '--reference', 'x'.repeat(129)],
        ['review'], ['review', 'list', '--state', 'closed'], ['review', 'list', '--cursor', 'x'],
        ['review', 'show'], ['review', 'show', 'x'], ['review', 'resolve', '1'], ['review', 'resolve', '1', '--as', 'accepted'],
        ['review', 'resolve', '1', '--as', 'wrong', '--why', 'x'], ['review', 'resolve', 'x', '--as', 'dismissed', '--why', 'x'],
        ['inbox', 'list', '--state', 'open'], ['inbox', 'list', '--state', ''], ['inbox', 'list', '--state', 'done|review'],
        ['inbox', 'list', '--provider', 'x'], ['inbox', 'list', '--cursor', 'x'], ['inbox', 'list', '--limit', '1e3'],
        ['inbox', 'show'], ['inbox', 'show', 'x'], ['inbox', 'show', '0'], ['inbox', 'show', '99999999999999999999'],
        ['inbox', 'retry'], ['inbox', 'retry', 'x'], ['inbox', 'retry', '1', '--by'],
        ['outbox', 'list', '--state', 'review'], ['outbox', 'list', '--payment', 'x'], ['outbox', 'list', '--receiver', 'é'],
        ['outbox', 'list', '--cursor', '-1'], ['outbox', 'list', '--limit', ''],
        ['outbox', 'retry'], ['outbox', 'retry', 'x'], ['outbox', 'retry', '1', '--receiver', 'mail'],
        ['outbox', 'retry', '--receiver', 'é'], ['outbox', 'retry', '--by', 'me'],
        ['receiver'], ['receiver', 'list', 'x'], ['receiver', 'enable'], ['receiver', 'enable', 'é'],
        ['receiver', 'enable', 'receiver_1', '--by', 'me'], ['provider', 'list', '--limit', '1'], ['provider', 'disable'],
        ['provider', 'disable', 'payviox'], ['provider', 'disable', 'payviox', '--why', ''],
        ['provider', 'enable', 'payviox', '--why', 'a\nb'], ['provider', 'enable', 'payviox', '--by', ''],
        ['ledger', 'verify', '--limit', '1'], ['migrate', '--by', 'me'], ['nonsense'],
    ];
    for (const words of bad)
        test(`called wrongly ends with 2: ${JSON.stringify(words.join(' '))}`, () => {
            assert.notEqual(refusal(MISUSED, ...words), '');
        });

    test('a wrong ID is told what to do', () => {
        assert.match(refusal(MISUSED, 'payment', 'show', 'x'), /^x is no payment's ID: .* guichetctl payment list$/);
        assert.match(refusal(MISUSED, 'inbox', 'show', 'x'), /^x is no number: take it from guichetctl inbox list$/);
        assert.match(ctl('payment', 'show').stderr, /\nusage: guichetctl \[-c FILE\] payment show ID \[--json\]\n$/);
    });

    test('a provider that cannot be asked: there is nothing to ask, or what the settings lack', () => {
        const bare = path.join(shop.home, 'bare.conf');
        const conf = fs.readFileSync(shop.vars.CONF, 'utf8');
        fs.writeFileSync(bare, conf.replace(/^\[mangopay\]\n([^[].*\n|\n)*/m, ''), { mode: 0o600 });
        for (const words of [['check', 'NAME'], ['payin', 'NAME', '--payin', 'x'],
            ['wire', 'NAME', '--wallet', 'CREDIT_EUR', '--amount', '1', '--currency', 'EUR']]) {
            const about = (name) => ['provider', ...words.map((word) => (word === 'NAME' ? name : word))];
            assert.equal(refusal(ABSENT, ...about('nobody')), 'there is no provider nobody');
            assert.equal(refusal(WRONG, ...about('payviox')), 'payviox has no such thing');
            const run = spawnSync(path.join(BIN, 'guichetctl'), ['-c', bare, ...about('mangopay')],
                { env: shop.env, encoding: 'utf8' });
            assert.equal(run.status, WRONG);
            assert.match(run.stderr, /^guichetctl: these settings lack the secrets of mangopay: add its section /);
        }
    });

    test('an answer that cannot be written is no success', () => {
        const full = fs.openSync('/dev/full', 'w');
        const run = spawnSync(path.join(BIN, 'guichetctl'), ['-c', shop.vars.CONF, 'payment', 'list'],
            { env: shop.env, encoding: 'utf8', stdio: ['ignore', full, 'pipe'] });
        fs.closeSync(full);
        assert.equal(run.status, WRONG);
        assert.match(run.stderr, /^guichetctl: cannot write: /);
    });
});

test('hostile texts in every column never reach the terminal raw, and survive as JSON', async () => {
    const made = await client.deposit(alice, 3100);
    const one = (sql) => shop.rows(sql, [HOSTILE, made.id]);
    await one('UPDATE attempt_answers SET reason = ? WHERE attempt_id IN (SELECT attempt_id FROM attempts WHERE payment_id = ?)');
    await one('INSERT INTO events (detail, payment_id, kind, source) VALUES (?, ?, \'test\', \'test\')');
    await one('INSERT INTO inbox (provider, body_hash, body, state, note, reference) VALUES (\'payviox\', REPEAT(\'h\', 32), \'x\', \'review\', ?, ?)');
    await one('INSERT INTO payment_items (payment_id, asset_id, seller_id, price, fee, name) SELECT payment_id, 1, user_id, 1, 0, v FROM (SELECT ? AS v) t, payments WHERE payment_id = ?');
    await shop.rows('INSERT INTO outbox (payment_id, topic) VALUES (?, \'payment.test\')', [made.id]);
    await one('INSERT INTO deliveries (outbox_id, receiver, state, due_at, note) SELECT outbox_id, \'x\', \'dead\', NULL, v FROM (SELECT ? AS v) t, outbox WHERE payment_id = ?');
    const shown = json('payment', 'show', made.id);
    assert.deepEqual([shown.answers[0].reason, shown.items[0].name, shown.notices[0].note, shown.deliveries[0].note],
        Array(4).fill(HOSTILE));
    assert.deepEqual(timelineOf(made.id).map(({ detail }) => detail), ['payviox', `pending: ${HOSTILE}`, HOSTILE]);
    for (const words of [['payment', 'show', made.id], ['payment', 'timeline', made.id], ['inbox', 'list'],
        ['outbox', 'list'], ['inbox', 'show', String(shown.notices[0].id)]])
        assert.match(text(...words), /\\u001b\]0;pwned\\u0007\\u001b\[2J\\u009b31m\\u202egnp\.exe\\u200b\\u061c\\u007f \\ "quoted" é😀\\u000a\\u000dend/);
});

test('every command is in the manual, with its options, and nothing else is', () => {
    const help = ctl('--help').stdout;
    const called = [...help.matchAll(/^ {2}((?:[a-z]+ )?[a-z]+)(?= |$)/gm)].map(([, words]) => words);
    const manual = fs.readFileSync(fileURLToPath(new URL('../../nginx/man/guichetctl.8', import.meta.url)), 'utf8');
    const described = [...manual.matchAll(/^\.It Ic ([a-z ]+?)(?= Ar| Fl| Oo|$)/gm)].map(([, words]) => words);
    assert(called.length > 10);
    assert.deepEqual([...new Set(described)].sort(), [...new Set(called)].sort());
    for (const [option] of help.matchAll(/--[a-z-]+/g))
        assert(manual.includes(`Fl -${option.slice(2)}`), option);
});

test('without the database every command ends with 1 and says why', async () => {
    await shop.stopPart('mariadb');
    try {
        for (const words of [['payment', 'list'], ['payment', 'show', NOBODY], ['inbox', 'retry', '1'],
            ['outbox', 'retry', '--receiver', 'mail'], ['ledger', 'verify'], ['user', 'ban', '--id', '5']])
            assert.match(refusal(WRONG, ...words), /connect/);
        assert.equal(ctl('migrate', '--json').status, WRONG);
    } finally {
        await shop.startPart('mariadb');
        await shop.ready();
    }
});

test('no secret was ever printed', () => assertNoSecrets(100));
