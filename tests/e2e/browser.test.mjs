// A payer with a browser: the demo shop, the provider's page, and back.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { DESKTOP, PHONE, assertNoSideScroll, browse, makeShots, payByCard, sees } from './lib/browser.mjs';
import { assertBooks, letRest } from './lib/chaos.mjs';
import { CARDS } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';

const shop = await startInstance({ name: 'browser' });
const { client } = shop;
const { alice } = shop.users;
const SHOP = `${shop.urls.guichet}/shop/`;
const shot = makeShots(shop);

const idOf = async (page) => /PAY_\w{26}/.exec(await page.locator('body').innerText())[0];

async function logIn(page) {
    await page.goto(SHOP);
    await page.getByLabel('Log in as').selectOption('alice');
    // all that the page asks for then, or leaving it soon would be a request that failed
    const answers = [/\/user\/notifications$/, /\/payments\?/].map((url) => page.waitForResponse(url));
    await page.getByRole('button', { name: 'Log in' }).click();
    for (const answer of answers) await (await answer).finished();
    const balance = (await client.balance(alice)) / 100;
    await page.locator('#balance', { hasText: `${balance.toFixed(2)} USD` }).waitFor();
}

async function startDeposit(page, amount) {
    await page.getByLabel('Amount').fill(amount);
    await page.getByRole('button', { name: 'Pay in' }).click();
    await page.waitForURL(`${shop.urls.sandbox}/payviox/secure/*`);
}

for (const [name, options] of [['desktop', DESKTOP], ['phone', PHONE]])
    test(`${name}: log in, deposit, pay on the hosted page, come back to the new balance and the timeline`, () =>
        browse(options, async (page) => {
            await logIn(page);
            const before = await client.balance(alice);
            await shot(page, `${name}-shop`);
            await assertNoSideScroll(page);
            await startDeposit(page, '12.34');
            const id = await idOf(page);
            await shot(page, `${name}-hosted`);
            await assertNoSideScroll(page);
            await payByCard(page, CARDS.pays);
            await sees(page, 'Payment successful');
            await shot(page, `${name}-paid`);
            await assertNoSideScroll(page);
            await client.paymentIs(alice, id, 'completed');

            await page.getByRole('link', { name: 'Return to Demo marketplace' }).click();
            await page.waitForURL(`${SHOP}**`);
            await page.getByRole('status').filter({ hasText: `Deposit of 12.34 USD` })
                .getByText('completed', { exact: true }).waitFor();
            assert.equal(page.url(), SHOP);
            const balance = ((before + 1234) / 100).toFixed(2);
            await page.locator('#balance', { hasText: `${balance} USD` }).waitFor();
            const row = page.locator('#payments tbody tr', { hasText: id });
            assert.match(await row.innerText(), /12\.34 USD\s+completed/);
            await row.getByRole('button', { name: id }).click();
            await page.locator('#timeline li', { hasText: 'completed: payviox says succeeded' }).waitFor();
            const steps = await page.locator('#timeline li').allInnerTexts();
            const words = steps.map((step) => /created|attempt|completed/.exec(step)?.[0]);
            assert.deepEqual(words, ['created', 'attempt', 'completed']);
            await shot(page, `${name}-timeline`);
            await assertNoSideScroll(page);
            await assertBooks(shop);
        }));

describe('cards that do not simply pay', () => {
    for (const [name, card, message] of [
        ['declined', CARDS.declined, /declined/i],
        ['without funds', CARDS.noFunds, /funds/i],
    ])
        test(`${name}: the page says so, nothing is credited, and another card still pays`, () =>
            browse(PHONE, async (page) => {
                await logIn(page);
                const before = await client.balance(alice);
                await startDeposit(page, '5.00');
                const id = await idOf(page);
                await letRest(shop, id); // who asks now is told that it has failed
                await payByCard(page, card);
                const alert = page.getByRole('alert');
                await alert.waitFor();
                assert.match(await alert.innerText(), message);
                await shot(page, `card-${name.replace(' ', '-')}`);
                await assertNoSideScroll(page);
                assert.equal(await client.balance(alice), before);
                assert.equal((await client.payment(alice, id)).status, 'pending');
                await payByCard(page, CARDS.pays);
                await sees(page, 'Payment successful');
                await client.paymentIs(alice, id, 'completed');
                await assertBooks(shop);
            }));

    test('3-D Secure: the bank asks first', () =>
        browse(DESKTOP, async (page) => {
            await logIn(page);
            await startDeposit(page, '6.50');
            const id = await idOf(page);
            await payByCard(page, CARDS.challenge);
            await sees(page, 'Confirm with your bank');
            assert.equal((await client.payment(alice, id)).status, 'pending');
            await page.getByRole('button', { name: 'Approve' }).click();
            await sees(page, 'Payment successful');
            await client.paymentIs(alice, id, 'completed');
            await assertBooks(shop);
        }));

    test('a number that is no card is pointed at beside its field', async () => {
        const { url } = await client.deposit(alice, 700);
        await browse({ ...PHONE, javaScriptEnabled: false }, async (page) => {
            await page.goto(url);
            await payByCard(page, '4242 4242 4242 4243');
            const field = page.getByLabel('Card number');
            assert.equal(await field.getAttribute('aria-invalid'), 'true');
            await shot(page, 'no-card');
        }, / 4\d\d$|status of 4\d\d/);
    });
});

test('the hosted page works without JavaScript, and a reload pays nothing twice', async () => {
    const { id, url } = await client.deposit(alice, 800);
    await browse({ ...DESKTOP, javaScriptEnabled: false }, async (page) => {
        await page.goto(url);
        await payByCard(page, CARDS.pays);
        await sees(page, 'Payment successful');
        await page.reload();
        await sees(page, 'Payment successful');
    });
    await client.paymentIs(alice, id, 'completed');
    await assertBooks(shop);
});

test('the shop shows what the gateway refuses', () =>
    browse(DESKTOP, async (page) => {
        await logIn(page);
        await page.getByLabel('Amount').fill('0.50');
        await page.getByRole('button', { name: 'Pay in' }).click();
        await page.locator('#error', { hasText: 'Invalid amount (400)' }).waitFor();
        await shot(page, 'refused');
        assert.equal(page.url(), SHOP);
    }, /paiement\/payviox: 400$|status of 400/));
