// A payer is told once of what a payment became: by an alert in the transaction itself, and by a
// mail that leaves the outbox whatever dies meanwhile.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { makeCrashes } from './lib/chaos.mjs';
import { eventually, sleep } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import { mailsThat, readMails } from './lib/mails.mjs';

const crashes = makeCrashes();
after(() => crashes.end());
const shop = await startInstance({
    name: 'mail',
    env: { GUICHET_CRASH_DIR: crashes.folder },
    set: { 'jobs.idle_wait': 50 },
});
const { client, sandbox } = shop;
const { alice } = shop.users;

async function paid(value = 1500) {
    const { id, url } = await client.deposit(alice, value);
    await client.pay(url);
    await client.paymentIs(alice, id, 'completed');
    return id;
}

const mailsOf = async (id) => (await readMails(shop)).filter(({ text }) => text.includes(id));
const deliveryOf = async (id) =>
    (await shop.rows(
        `SELECT d.state, d.tries, d.note, d.due_at FROM deliveries d JOIN outbox o USING (outbox_id)
            WHERE o.payment_id = ? AND d.receiver = 'mail'`,
        [id],
    ))[0];
const hurryMails = () =>
    shop.rows("UPDATE deliveries SET due_at = UTC_TIMESTAMP(3) WHERE state = 'waiting'");
const alerts = async () => {
    const answer = await client.request('GET', '/user/notifications', { token: alice.jwt });
    return answer.json.content;
};

test('a deposit: one mail with text and HTML, one alert', async () => {
    const id = await paid(1234);
    const [mail] = await mailsThat(shop, ({ text }) => text.includes(id));
    assert.equal(mail.to, 'alice <alice@example.test>');
    assert.equal(mail.from, '<payments@example.test>');
    assert.equal(mail.subject, '12.34 USD added to your balance');
    assert.match(mail.text, /12\.34 USD/);
    const page = await sandbox.request('GET', `/mail/${encodeURIComponent(mail.name)}`);
    assert.match(page.text, /multipart\/alternative/);
    assert.match(page.text, /text\/html/);
    const mine = (await alerts()).alerts.filter((alert) => alert.paymentId === id);
    assert.deepEqual(mine.map(({ text }) => text), ['12.34 USD were added to your balance.']);
});

test('notices come many times, the mail and the alert once', async () => {
    const id = await paid(1300);
    const before = (await alerts()).alertCount;
    await sandbox.webhook({ order_id: id, type: 'succeeded', copies: 5 });
    await sandbox.webhook({ order_id: id, type: 'succeeded', fees: 1, copies: 2 });
    await eventually(async () => (await deliveryOf(id)).state === 'done');
    await hurryMails();
    await sleep(500);
    assert.equal((await mailsOf(id)).length, 1);
    assert.equal((await alerts()).alertCount, before);
});

test('alerts are read once for all', async () => {
    assert.ok((await alerts()).alertCount > 0);
    const read = await client.request('POST', '/user/notifications/read', { token: alice.jwt });
    assert.equal(read.json.content.alertCount, 0);
    const now = await alerts();
    assert.equal(now.alertCount, 0);
    assert.deepEqual(now.alerts, []);
});

test('payments that fail or expire send no mail', async () => {
    const { id } = await client.deposit(alice, 1400);
    await sandbox.act('expire', { order_id: id });
    await client.paymentIs(alice, id, 'expired');
    assert.equal(await deliveryOf(id), undefined);
});

test('the mail server is away: the mail waits, and goes when it is back', async () => {
    await shop.killPart('mail');
    const id = await paid(1600);
    const waiting = await eventually(async () => {
        const delivery = await deliveryOf(id);
        return delivery.tries === 1 && delivery.note !== '' && delivery;
    });
    assert.equal(waiting.state, 'waiting');
    assert.deepEqual((await alerts()).alerts.map((alert) => alert.paymentId), [id]);
    await shop.startPart('mail');
    await hurryMails();
    await eventually(async () => (await deliveryOf(id)).state === 'done');
    assert.equal((await mailsOf(id)).length, 1);
    assert.ok(shop.events('jobs').some((line) => line.event === 'mail' && line.level === 'warn'));
});

test('an address that is none gives up at once, and holds nobody up', async () => {
    await shop.rows("UPDATE users SET email = 'alice@example.test>, <eve@example.test' WHERE user_id = ?",
        [alice.id]);
    const id = await paid(1700);
    const delivery = await eventually(async () => {
        const row = await deliveryOf(id);
        return row.state === 'dead' && row;
    });
    assert.equal(delivery.note, "the payer's name or address cannot stand in a mail");
    assert.equal(delivery.due_at, null);
    await shop.rows("UPDATE users SET email = 'alice@example.test' WHERE user_id = ?", [alice.id]);
    const next = await paid(1701);
    await mailsThat(shop, ({ text }) => text.includes(next));
    assert.equal((await mailsOf(id)).length, 0);
});

// Between the two the mail may be sent twice: then both copies are the same message.
for (const [point, copies] of [['mail_taken', 1], ['mail_sent', 2]])
    test(`jobs die at ${point}: the mail is sent all the same`, async () => {
        const before = shop.pids('jobs');
        crashes.arm(point);
        const id = await paid(point === 'mail_taken' ? 1800 : 1801);
        await eventually(() => crashes.happened(point));
        await eventually(() => shop.pids('jobs').some((pid) => !before.includes(pid)));
        await hurryMails(); // the lease of the dead
        await eventually(async () => (await deliveryOf(id)).state === 'done');
        const mails = await mailsOf(id);
        assert.equal(mails.length, copies);
        assert.equal(new Set(mails.map((mail) => mail.messageId + mail.text)).size, 1);
    });

test('without a server nothing is sent, and nothing piles up', async () => {
    const quiet = await startInstance({ name: 'quiet', set: { 'mail.server': '' } });
    const { id, url } = await quiet.client.deposit(quiet.users.alice, 1500);
    await quiet.client.pay(url);
    await quiet.client.paymentIs(quiet.users.alice, id, 'completed');
    await eventually(async () =>
        (await quiet.value("SELECT note FROM deliveries WHERE state = 'dead'")) === 'no mail server is configured');
    assert.equal((await readMails(quiet)).length, 0);
});
