// NonStopPay's reads: the history and the return page when callbacks are lost, a handler that dies with
// a callback in its hands, and the sandbox that plays all this, which is as strict as the service.
import assert from 'node:assert/strict';
import test, { after, describe } from 'node:test';
import { makeCrashes } from './lib/chaos.mjs';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { makeLedger } from './lib/ledger.mjs';
import { idOf, makeNonstopay } from './lib/nonstopay.mjs';

const crashes = makeCrashes();
after(() => crashes.end());
const shop = await startInstance({
    name: 'nonstopay-reads',
    env: { GUICHET_CRASH_DIR: crashes.folder },
    set: { 'nonstopay.enabled': 'on' },
});
const { client, sandbox } = shop;
const { alice } = shop.users;
const nonstopay = makeNonstopay(shop);

const { credits, moves } = makeLedger(shop);

async function open(value) {
    const made = await nonstopay.deposit(alice, value);
    accepted(made);
    return made;
}

describe('when callbacks are lost', () => {
    // The schedule of a test: the next look is now.
    const lookNow = (id) =>
        shop.rows('UPDATE payment_checks SET due_at = NOW(3) WHERE payment_id = ?', [id]);
    const completesByChecks = (id) =>
        eventually(async () => {
            await lookNow(id);
            return (await client.payment(alice, id)).status === 'completed';
        }, 20_000, 300);

    test('F20: the history names the invoice, the infos tell about it', () =>
        moves(1600, async () => {
            await nonstopay.fault('webhook_dropped');
            const made = await open(1600);
            await client.pay(made.url);
            await completesByChecks(made.id);
            const payment = await client.payment(alice, made.id);
            assert.equal(payment.timeline.at(-1).source, 'check');
            await sandbox.reset();
        }));

    test('F40: paid at a create that was never answered: found in the history', () =>
        moves(1700, async () => {
            await nonstopay.fault('webhook_dropped');
            await nonstopay.fault('connection_reset_after_success', { call: 'create' });
            const made = await nonstopay.deposit(alice, 1700);
            refused(made, 504, 'Payment outcome unknown');
            await nonstopay.act('pay', { order_id: made.id });
            await completesByChecks(made.id);
            assert.equal(await credits(made.id), 1);
            await sandbox.reset();
        }));

    test('F22: the return page reads the provider once, and the payer sees the truth', () =>
        moves(1800, async () => {
            await nonstopay.fault('webhook_dropped');
            const made = await open(1800);
            const paid = await client.pay(made.url);
            const back = await client.request('GET', paid.headers.location);
            assert.match(back.headers.location, /status=completed$/);
            assert.equal((await client.payment(alice, made.id)).timeline.at(-1).source, 'return');
            await sandbox.reset();
        }));

    test('F36: a return address made up by hand moves no money', () =>
        moves(0, async () => {
            const made = await open(1900);
            const back = await client.request('GET',
                `/return/nonstopay?order_id=${made.id}&end=success`);
            assert.match(back.headers.location, /status=pending$/);
            refused(await client.request('GET', '/return/nonstopay?order_id=PAY_0'), 404);
            refused(await client.request('GET', '/return/nonstopay?end=success'), 404);
        }));

    test('a page of the history is fifty rows: the second page is read too', () =>
        moves(1000, async () => {
            for (let i = 0; i < 55; i++) {
                const made = (await nonstopay.invoice()).json;
                await nonstopay.act('pay', { session_id: idOf(made.redirectUrl) });
            }
            await nonstopay.fault('webhook_dropped');
            const made = await open(1000);
            await client.pay(made.url);
            await completesByChecks(made.id);
            await sandbox.reset();
        }));
});

describe('the sandbox is as strict as the service', () => {
    const code = async (answer) => (await answer).json.errorCode;

    test('every documented code has its cause', async () => {
        assert.equal(await code(nonstopay.invoice({}, { key: null })), 50001);
        assert.equal(await code(nonstopay.invoice({}, { key: 'another' })), 50007);
        assert.equal(await code(nonstopay.invoice({ email: '' })), 50002);
        assert.equal(await code(nonstopay.invoice({ amount: undefined })), 50003);
        assert.equal(await code(nonstopay.invoice({ amount: '15,04' })), 50003);
        assert.equal(await code(nonstopay.invoice({ devise: null })), 50004);
        assert.equal(await code(nonstopay.invoice({ email: 'nobody' })), 50005);
        assert.equal(await code(nonstopay.invoice({ devise: 'JPY' })), 50009);
        assert.equal(await code(nonstopay.invoice({ amount: '10000.01' })), 50011);
        assert.equal(await code(nonstopay.invoice({ amount: '0.99' })), 50012);
        assert.equal(await code(nonstopay.invoice({ amount: 42 })), 0);
        for (const other of [50006, 50008, 50010]) {
            await nonstopay.fault('error_code', { code: other });
            assert.equal(await code(nonstopay.invoice()), other);
        }
    });

    test('a card needs everything that is mandatory with it', async () => {
        const whole = { name: 'J S', address1: 'a', address2: 'a', city: 'b', country: 'DE',
            postcode: '1', date_of_birth: '1990-12-31', phone: '1', customer_ip: '127.0.0.1',
            card_number: '4242424242424242', card_expiry_date: '12/2040', card_ccv: '000' };
        assert.equal((await nonstopay.invoice(whole)).json.status, 'invoice:paid');
        for (const field of Object.keys(whole))
            assert.notEqual(await code(nonstopay.invoice({ ...whole, [field]: '' })), 0, field);
    });

    test('reads: whose invoice it is, and what the query must say', async () => {
        const read = (query, options) => nonstopay.api('GET', `/api/invoice/${query}`, options);
        assert.equal(await code(read('status/')), 50002);
        assert.equal(await code(read('status/?id=1', { key: null })), 50001);
        assert.equal((await read('status/?id=99999999')).status, 404);
        assert.equal(await code(read('history/?order=UP')), 50012);
        const page = (await read('history/?status=PAID&order=ASC&page=2')).json;
        assert.equal(page.page, 2);
        assert.ok(Number(page.total) > 50 && page.list.every((row) => row.status === 'PAID'));
        assert.ok(!('callbackJson' in page.list[0]));
    });
});

describe('F03: a program dies with a callback in its hands', () => {
    // The jobs take it over when the lease of the thread that answered is over: now.
    const takenOver = (id) =>
        eventually(async () => {
            await shop.rows("UPDATE inbox SET due_at = NOW(3) WHERE state = 'unmatched'"
                + ' AND reference = ?', [id]);
            return (await client.payment(alice, id)).status === 'completed';
        }, 20_000, 300);

    // Nothing of the test before is on its way any more: it would pass the point that is armed.
    const nothingWaits = () =>
        eventually(async () => (await shop.value("SELECT COUNT(*) FROM inbox WHERE state = 'unmatched'")) === 0);

    for (const [point, part, what] of [
        ['notice_stored', 'guichet', 'before it is stored: refused, and sent again'],
        ['notice_committed', 'guichet', 'when it is stored: sent again, or taken over'],
        ['notice_answered', 'guichet', 'after the answer: taken over by the jobs'],
        ['notice_read', 'guichet', 'with the truth read and nothing posted'],
        ['cart_delivered', 'guichet', 'within the posting'],
    ])
        test(`${point} of ${part}: ${what}`, () =>
            moves(1000, async () => {
                const made = await open(1000);
                await nonstopay.settled(made.id);
                await nothingWaits();
                await crashes.killAt(shop, point, part, () => nonstopay.act('pay', { order_id: made.id }));
                const told = (await nonstopay.callbacks(made.id)).filter((sent) =>
                    sent.type === 'invoice:paid');
                if (point === 'notice_answered') assert.equal(told[0].status, 200);
                if ((await nonstopay.inbox(made.id)).length < 2)
                    await nonstopay.webhook({ order_id: made.id, type: 'invoice:paid' });
                await takenOver(made.id);
                assert.equal(await credits(made.id), 1);
            }));

    test('notice_read of jobs: and another of them takes it over', () =>
        moves(1000, async () => {
            const made = await open(1000);
            await nonstopay.settled(made.id);
            await nonstopay.fault('readback_404', { order_id: made.id });
            await nonstopay.act('pay', { order_id: made.id });
            await eventually(async () => (await nonstopay.inbox(made.id)).some((row) =>
                row.state === 'unmatched' && /does not know/.test(row.note)));
            const before = shop.pids('jobs');
            crashes.arm('notice_read');
            await eventually(async () => {
                await shop.rows("UPDATE inbox SET due_at = NOW(3) WHERE state = 'unmatched'"
                    + ' AND reference = ?', [made.id]);
                return crashes.happened('notice_read');
            });
            await eventually(() => shop.pids('jobs').some((pid) => !before.includes(pid)));
            await takenOver(made.id);
            assert.equal(await credits(made.id), 1);
        }));
});
