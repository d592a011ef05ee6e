// The demo shop in a browser: carts paid both ways, deposits in other currencies, and what it says
// of a payment whose payer comes back.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { DESKTOP, PHONE, assertNoSideScroll, browse, makeShots, payByCard } from './lib/browser.mjs';
import { CARDS } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import { mailsThat } from './lib/mails.mjs';
import { makeMangopay } from './lib/mangopay.mjs';
import { makeShop } from './lib/mangoshop.mjs';

const shop = await startInstance({ name: 'shop', set: { 'mangopay.enabled': 'on' } });
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
const mangopay = makeMangopay(shop);
const { referenceOf } = makeShop(shop, mangopay);
const SHOP = `${shop.urls.guichet}/shop/`;
const HOSTED = `${shop.urls.sandbox}/payviox/secure/*`;
const shot = makeShots(shop);
const REFUSALS = /: 40[02]$|status of 40[02]/;

// As sql/demo.sql has them.
const KEY = { name: 'Mann Co. Supply Crate Key', id: '987654321', price: 1500 };
const CAPTAIN = { name: 'Team Captain', id: '987654322', price: 2500 };
const item = (n) => ({ name: `Demo item ${n}`, id: String(900000000 + n), price: 100 + ((n * 37) % 901) });

const decimal = (cents) => `${String(cents).padStart(3, '0').slice(0, -2)}.${String(cents).slice(-2).padStart(2, '0')}`;
const sum = (items) => items.reduce((total, { price }) => total + price, 0);
// 5 %, rounded down, stays with the house
const earned = (items) => sum(items.map(({ price }) => ({ price: price - Math.floor((price * 5) / 100) })));

const ownerOf = ({ id }) => shop.value('SELECT CAST(owner_id AS CHAR) FROM items WHERE asset_id = ?', [id]);
const shelf = (page, name) => page.locator('#items li', { has: page.getByRole('heading', { name, exact: true }) });
const outcome = (page) => page.locator('#outcome');
const idOf = (page) => outcome(page).locator('code').innerText();

async function logIn(page, user = 'alice') {
    await page.goto(SHOP);
    await page.getByLabel('Log in as').selectOption(user);
    // All that the page asks for then: a test may leave it at once.
    const asked = ['/payments?', '/user/notifications'].map((path) =>
        page.waitForResponse((response) => response.url().includes(path)));
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.locator('#balance', { hasText: /\d USD/ }).waitFor();
    const answers = await Promise.all(asked);
    for (const response of answers) await response.finished();
    // and what it shows of it
    const { payments } = (await answers[0].json()).content, { alertCount } = (await answers[1].json()).content;
    if (payments.length > 0) await page.locator('#payments tbody tr').nth(payments.length - 1).waitFor();
    await page.locator('#alert-count', { hasText: new RegExp(`^${alertCount}$`) }).waitFor({ state: 'attached' });
}

async function fillCart(page, items) {
    for (const { name } of items) await shelf(page, name).getByRole('button', { name: /^Add/ }).click();
    await page.locator('#cart-total', { hasText: `${decimal(sum(items))} USD` }).waitFor();
}

async function buy(page, button) {
    await page.getByLabel('I accept the terms of service').check();
    await page.getByRole('button', { name: button }).click();
}

const says = (page, status) => outcome(page).locator('.pill', { hasText: status }).waitFor();

async function payAtPayviox(page) {
    await page.waitForURL(HOSTED);
    await payByCard(page, CARDS.pays);
    await page.getByRole('link', { name: 'Return to Demo marketplace' }).click();
    await page.waitForURL(`${SHOP}**`);
}

test('amounts change their form as text, by the digits of their currency', () =>
    browse(DESKTOP, async (page) => {
        await page.goto(SHOP);
        const got = await page.evaluate(async () => {
            const { formatMoney, parseMoney } = await import('/shop/money.js');
            return {
                formatted: [[1234, 'USD'], [5, 'USD'], [0, 'EUR'], [-50, 'USD'], [1234, 'JPY'], [0, 'JPY'],
                    [1234, 'KWD'], [7, 'KWD'], [999999999999999, 'USD']].map((row) => formatMoney(...row)),
                parsed: [['12.34', 'USD'], ['12.3', 'USD'], ['12', 'USD'], ['0.01', 'USD'], ['15.04', 'USD'],
                    ['1.1', 'USD'], ['2500', 'JPY'], ['7.123', 'KWD'], ['7.1', 'KWD'], [' 1 ', 'USD'],
                    ['99999999999.99', 'USD']].map((row) => parseMoney(...row)),
                refused: [['12.345', 'USD'], ['1.0', 'JPY'], ['1.2345', 'KWD'], ['', 'USD'], ['.5', 'USD'],
                    ['5.', 'USD'], ['1,5', 'USD'], ['1e3', 'USD'], ['-1', 'USD'], ['+1', 'USD'], ['1 000', 'USD'],
                    ['999999999999', 'USD'], ['٣', 'USD']].map((row) => parseMoney(...row)),
            };
        });
        assert.deepEqual(got.formatted, ['12.34 USD', '0.05 USD', '0.00 EUR', '-0.50 USD', '1234 JPY', '0 JPY',
            '1.234 KWD', '0.007 KWD', '9999999999999.99 USD']);
        assert.deepEqual(got.parsed, [1234, 1230, 1200, 1, 1504, 110, 2500, 7123, 7100, 100, 9999999999999]);
        assert(got.refused.every((value) => value === null), JSON.stringify(got.refused));
    }));

describe('what the gateway refuses', () => {
    test('a cart above the balance: it says so, and the cart stays', () =>
        browse(DESKTOP, async (page) => {
            const items = [KEY, CAPTAIN, ...[1, 2, 3, 4, 5, 6].map(item)];
            await logIn(page);
            await fillCart(page, items);
            await buy(page, 'Pay from balance');
            await page.getByRole('alert').filter({ hasText: 'Insufficient balance (402)' }).waitFor();
            await shot(page, 'shop-insufficient');
            assert.equal(await page.locator('#cart-lines li').count(), items.length);
            assert.equal(await client.balance(alice), 5000);
            await page.getByRole('button', { name: `Remove: ${KEY.name}` }).click();
            assert.equal(await page.locator('#cart-lines li').count(), items.length - 1);
        }, REFUSALS));

    test('items of one\'s own', () =>
        browse(DESKTOP, async (page) => {
            await logIn(page, 'bob');
            await fillCart(page, [KEY]);
            await buy(page, 'Pay with Payviox');
            await page.getByRole('alert').filter({ hasText: 'No items found (400). Something in the cart has been sold, or is your own: take it out.' }).waitFor();
        }, REFUSALS));
});

describe('a cart', () => {
    for (const [name, options, items] of [['desktop', DESKTOP, [KEY, CAPTAIN]], ['phone', PHONE, [item(1), item(2)]]])
        test(`${name}: paid at Payviox; the items change hands, the seller is credited`, () =>
            browse(options, async (page) => {
                const [before, sellers] = [await client.balance(alice), await client.balance(bob)];
                await logIn(page);
                await fillCart(page, items);
                await shot(page, `${name}-shop-cart`);
                await assertNoSideScroll(page);
                await buy(page, 'Pay with Payviox');
                await page.waitForURL(HOSTED);
                for (const { name: shown } of items) await page.getByText(shown).waitFor();
                await payAtPayviox(page);
                await says(page, 'completed');
                await outcome(page).getByText(`Purchase of ${decimal(sum(items))} USD.`).waitFor();
                await page.locator('#cart-empty').waitFor();
                for (const { name: shown } of items)
                    assert(await shelf(page, shown).getByRole('button', { name: /^Bought/ }).isDisabled());
                for (const bought of items) assert.equal(await ownerOf(bought), alice.id);
                assert.equal(await client.balance(alice), before);
                assert.equal(await client.balance(bob), sellers + earned(items));
                const id = await idOf(page);
                const mails = await mailsThat(shop, ({ text }) => text.includes(id));
                assert.equal(mails.length, 1);
                for (const bought of items)
                    assert(mails[0].text.includes(`${bought.name}: ${decimal(bought.price)} USD`), mails[0].text);
                const row = page.locator('#payments tbody tr', { hasText: id }).filter({ hasText: 'completed' });
                assert.match(await row.innerText(), /Purchase payviox\s+\d+\.\d\d USD\s+completed/);
                await outcome(page).getByRole('button', { name: 'Timeline' }).click();
                await page.locator('#timeline li', { hasText: 'completed' }).waitFor();
                await shot(page, `${name}-shop-paid`);
                await assertNoSideScroll(page);
            }));

    test('paid from the balance, at once; the notification counts it', () =>
        browse(PHONE, async (page) => {
            const [before, sellers] = [await client.balance(alice), await client.balance(bob)];
            const items = [item(3), item(4)];
            await logIn(page);
            const alerts = Number(await page.locator('#alert-count').textContent());
            await fillCart(page, items);
            await buy(page, 'Pay from balance');
            await says(page, 'completed');
            await page.getByText('Payment processed successfully').waitFor({ state: 'attached' });
            await page.locator('#balance', { hasText: `${decimal(before - sum(items))} USD` }).waitFor();
            assert.equal(await client.balance(alice), before - sum(items));
            assert.equal(await client.balance(bob), sellers + earned(items));
            for (const bought of items) assert.equal(await ownerOf(bought), alice.id);
            await page.locator('#alert-count', { hasText: String(alerts + 1) }).waitFor();
            const bell = page.getByRole('button', { name: 'Notifications' });
            await bell.click();
            assert.equal(await bell.getAttribute('aria-expanded'), 'true');
            await page.locator('#alerts li').first().getByText('4.59 USD').waitFor();
            await shot(page, 'phone-shop-alerts');
            await assertNoSideScroll(page);
            await page.keyboard.press('Escape');
            assert(await page.locator('#alerts').isHidden());
        }));

    test('cancelled at Payviox: the shop says so, and the same cart can be paid from the balance', () =>
        browse(DESKTOP, async (page) => {
            await logIn(page);
            await fillCart(page, [item(5)]);
            await buy(page, 'Pay with Payviox');
            await page.waitForURL(HOSTED);
            await page.getByRole('button', { name: 'Cancel' }).click();
            await page.waitForURL(`${SHOP}**`);
            await says(page, 'failed');
            await page.locator('#cart-total', { hasText: `${decimal(item(5).price)} USD` }).waitFor();
            await shot(page, 'shop-cancelled');
            await buy(page, 'Pay from balance');
            await says(page, 'completed');
            assert.equal(await ownerOf(item(5)), alice.id);
        }));

    test('an answer that is lost on the way: pressing again buys once', () =>
        browse(DESKTOP, async (page) => {
            const before = await client.balance(alice);
            await logIn(page);
            await fillCart(page, [item(6)]);
            let lost = 0;
            await page.route('**/payment/mannco', async (route) => {
                if (lost++ > 0) return route.continue();
                await route.fetch();
                return route.abort();
            });
            await buy(page, 'Pay from balance');
            await page.getByRole('alert').filter({ hasText: 'No answer came. Try again in a moment: it cannot happen twice.' }).waitFor();
            assert.equal(await client.balance(alice), before - item(6).price);
            await page.getByRole('button', { name: 'Pay from balance' }).click();
            await says(page, 'completed');
            assert.equal(await client.balance(alice), before - item(6).price);
        }, /payment\/mannco: net::ERR_FAILED|Failed to load resource/));
});

describe('what went wrong is followed by what to do about it', () => {
    for (const [status, message, advice] of [
        [401, 'Unauthorized', 'Log in again.'],
        [429, 'Rate limit exceeded', 'Try again in a moment: it cannot happen twice.'],
        [504, 'Payment outcome unknown', 'Try again in a moment: it cannot happen twice.'],
    ])
        test(`${status} ${message}`, () =>
            browse(DESKTOP, async (page) => {
                await logIn(page);
                await page.route('**/paiement/payviox', (route) => route.fulfill({ status, contentType: 'application/json',
                    body: JSON.stringify({ err: true, success: false, content: message }) }));
                await page.getByRole('button', { name: 'Pay in' }).click();
                await page.getByRole('alert').filter({ hasText: `${message} (${status}). ${advice}` }).waitFor();
            }, new RegExp(`: ${status}$|status of ${status}`)));

    test('the provider refuses: pressing again is another try, not the same answer', () =>
        browse(DESKTOP, async (page) => {
            await logIn(page);
            await sandbox.fault('refused');
            await page.getByRole('button', { name: 'Pay in' }).click();
            await page.getByRole('alert').filter({ hasText: 'Failed to process payment (502). Nothing was paid: try again' }).waitFor();
            await page.getByRole('button', { name: 'Pay in' }).click();
            await page.waitForURL(HOSTED);
        }, /paiement\/payviox: 502$|status of 502/));

    test('half an answer: pressing again sends the same key', () =>
        browse(DESKTOP, async (page) => {
            const keys = [];
            await logIn(page);
            await page.route('**/paiement/payviox', (route) => {
                keys.push(route.request().headers()['idempotency-key']);
                return keys.length > 1 ? route.continue() : route.fulfill({ contentType: 'application/json', body: '{"err":' });
            });
            await page.getByRole('button', { name: 'Pay in' }).click();
            await page.getByRole('alert').filter({ hasText: 'No answer came.' }).waitFor();
            await page.getByRole('button', { name: 'Pay in' }).click();
            await page.waitForURL(HOSTED);
            assert.deepEqual(keys, [keys[0], keys[0]]);
        }));

    test('without JavaScript there is a line that says so', () =>
        browse({ ...DESKTOP, javaScriptEnabled: false }, async (page) => {
            await page.goto(SHOP);
            const line = page.locator('noscript > p');
            await line.waitFor();
            assert.match(await line.innerText(), /^This shop needs JavaScript\./);
        }));
});

describe('deposits', () => {
    for (const [currency, typed, amount, shown, hosted] of [
        ['JPY', '2500', 2500, '2500 JPY', '2603 JPY'],
        ['KWD', '7.12', 7120, '7.120 KWD', '7.356 KWD'],
        ['EUR', '25.5', 2550, '25.50 EUR', '26.54 EUR'],
    ])
        test(`${typed} ${currency}`, () =>
            browse(DESKTOP, async (page) => {
                await logIn(page);
                await page.getByLabel('Currency').selectOption(currency);
                await page.getByLabel('Amount').fill(typed);
                await page.getByRole('button', { name: 'Pay in' }).click();
                await page.waitForURL(HOSTED);
                await page.getByRole('button', { name: `Pay ${hosted}` }).waitFor();
                await payAtPayviox(page);
                await says(page, 'completed');
                await outcome(page).getByText(`Deposit of ${shown}.`).waitFor();
                await page.locator('#other-balances', { hasText: shown }).waitFor();
                const payment = await client.payment(alice, await idOf(page));
                assert.equal(payment.amount, amount);
                assert.equal(payment.currency, currency);
                await shot(page, `shop-${currency}`);
            }));

    test('by wire: there is no page to go to; the shop says where to, and hears of the money', () =>
        browse(PHONE, async (page) => {
            await logIn(page);
            await page.getByLabel('Through').selectOption('mangopay');
            await page.getByLabel('Method').selectOption('bankwire');
            await page.getByRole('button', { name: 'Pay in' }).click();
            await says(page, 'pending');
            const id = await idOf(page);
            const { wireReference, bankAccount } = (await client.payment(alice, id)).bankwire;
            await outcome(page).getByText(`account ${bankAccount.iban}, with the reference ${wireReference}.`).waitFor();
            await page.locator('#payments tbody tr', { hasText: id }).getByText('pending').waitFor();
            await shot(page, 'phone-shop-wire');
            await assertNoSideScroll(page);
            await page.setViewportSize({ width: 320, height: 640 }); // the whole number can be read there too
            assert(await outcome(page).evaluate((box) => box.scrollWidth <= box.clientWidth));
            await shot(page, 'narrow-shop-wire');
            await mangopay.act('wire', { session_id: await referenceOf(id) });
            await says(page, 'completed');
        }));

    test('the form knows the limits, and takes no digits that the currency lacks', () =>
        browse(DESKTOP, async (page) => {
            await logIn(page);
            await page.getByText('From 5.00 USD to 500.00 USD.').waitFor();
            for (const [currency, bad] of [['USD', '7.123'], ['JPY', '7.1'], ['KWD', '7.1234'], ['USD', '1,50']]) {
                await page.getByLabel('Currency').selectOption(currency);
                await page.getByLabel('Amount').fill(bad);
                await page.getByRole('button', { name: 'Pay in' }).click();
                assert.equal(await page.locator('#amount').evaluate((input) => input.checkValidity()), false, bad);
            }
            assert.equal(page.url(), SHOP);
        }));

    test('every method that the form offers can be begun with what the form asks for', () =>
        browse(DESKTOP, async (page) => {
            await logIn(page);
            await page.getByLabel('Through').selectOption('mangopay');
            const methods = await page.locator('#method option').evaluateAll((all) => all.map(({ value }) => value));
            assert(methods.includes('SOFORT') && methods.includes('bankwire'), methods.join());
            for (const method of methods.filter(Boolean)) {
                const currency = method === 'P24' ? 'PLN' : 'EUR';
                const { status } = await client.paiement(alice, { amount: 2500, currency, method }, { provider: 'mangopay' });
                assert.equal(status, 200, method);
            }
        }));

    test('through the house brand', () =>
        browse(DESKTOP, async (page) => {
            await logIn(page);
            await page.getByLabel('Through').selectOption('mannco');
            await page.getByLabel('Method').selectOption('paypal');
            await page.getByText('From 10.00 USD to 1000.00 USD.').waitFor();
            await page.getByLabel('Amount').fill('10');
            await page.getByRole('button', { name: 'Pay in' }).click();
            await page.waitForURL(`${shop.urls.sandbox}/payviox/redirect/paypal/*`);
        }));
});

describe('the payer comes back', () => {
    const deposit = async () => {
        const made = await client.deposit(alice, 700);
        return { ...made, back: `${SHOP}?paymentId=${made.id}&status=completed` };
    };

    test('what the address claims is not believed; the page waits for the truth', async () => {
        const { id, url, back } = await deposit();
        await browse(DESKTOP, async (page) => {
            await logIn(page);
            await page.goto(back);
            await says(page, 'pending');
            assert.equal(await idOf(page), id);
            assert.equal(await outcome(page).getByRole('link', { name: 'Go on paying' }).getAttribute('href'), url);
            await shot(page, 'shop-pending');
            const before = await client.balance(alice);
            await client.pay(url);
            await says(page, 'completed');
            await page.locator('#balance', { hasText: `${decimal(before + 700)} USD` }).waitFor();
            assert(await outcome(page).getByRole('link', { name: 'Go on paying' }).isHidden());
        });
    });

    test('a question that is lost is asked again, and what has not changed is not said again', async () => {
        const { url, back } = await deposit();
        await browse(DESKTOP, async (page) => {
            let asked = 0;
            await logIn(page);
            await page.route('**/payments/PAY_*', (route) => (asked++ === 1 ? route.abort() : route.continue()));
            await page.goto(back);
            await says(page, 'pending');
            // a screen reader reads whatever is put there, even if it is the same
            await outcome(page).evaluate((element) => {
                window.changes = 0;
                new MutationObserver((list) => (window.changes += list.length))
                    .observe(element, { childList: true, characterData: true, subtree: true });
            });
            const deadline = Date.now() + 30_000;
            while (asked < 4 && Date.now() < deadline) await page.waitForTimeout(100);
            assert(asked >= 4, `asked ${asked} times`);
            assert.equal(await page.evaluate(() => window.changes), 0);
            assert(await page.getByRole('alert').isHidden());
            await client.pay(url);
            await says(page, 'completed');
        }, /PAY_\w+: net::ERR_FAILED|Failed to load resource/);
    });

    test('by the Back button and by hand: the terms are accepted anew, and what was paid has left the cart', () =>
        browse(DESKTOP, async (page) => {
            await logIn(page);
            await fillCart(page, [item(7)]);
            await buy(page, 'Pay with Payviox');
            await page.waitForURL(HOSTED);
            await page.goBack();
            await page.locator('#balance', { hasText: /\d USD/ }).waitFor();
            assert.equal(await page.getByLabel('I accept the terms of service').isChecked(), false);
            await page.waitForLoadState('networkidle');
            await buy(page, 'Pay with Payviox');
            await page.waitForURL(HOSTED);
            const [id] = /PAY_\w{26}/.exec(await page.locator('body').innerText());
            await payByCard(page, CARDS.pays);
            await client.paymentIs(alice, id, 'completed');
            await page.goto(SHOP);
            await page.locator('#cart-empty').waitFor();
            assert(await shelf(page, item(7).name).getByRole('button', { name: /^Bought/ }).isDisabled());
            await page.waitForLoadState('networkidle');
        }));

    test('a browser where nobody is logged in asks for that first', async () => {
        const { id, url, back } = await deposit();
        await client.pay(url);
        await client.paymentIs(alice, id, 'completed');
        await browse(PHONE, async (page) => {
            // whatever the address claims
            await page.goto(back);
            await outcome(page).getByText('Log in to see what became of your payment.').waitFor();
            await says(page, 'unknown');
            await page.getByRole('button', { name: 'Log in' }).click();
            await says(page, 'completed');
        });
    });

    test('somebody else\'s payment is not shown', async () => {
        const { back } = await deposit();
        await browse(DESKTOP, async (page) => {
            await logIn(page, 'bob');
            await page.goto(back);
            await page.getByRole('alert').filter({ hasText: '(404)' }).waitFor();
            assert(await outcome(page).isHidden());
        }, /payments\/PAY_\w+: 404$|status of 404/);
    });

    test('an expired payment is said to be', async () => {
        const { id, back } = await deposit();
        await sandbox.act('expire', { order_id: id });
        await client.paymentIs(alice, id, 'expired');
        await browse(DESKTOP, async (page) => {
            await logIn(page);
            await page.goto(back);
            await says(page, 'expired');
        });
    });
});

test('the list of payments goes on', () =>
    browse(DESKTOP, async (page) => {
        await logIn(page);
        const ids = page.locator('#payments tbody .id');
        assert.equal(await ids.count(), 10);
        await page.getByRole('button', { name: 'Older payments' }).click();
        await ids.nth(10).waitFor();
        const all = await ids.allInnerTexts();
        assert.deepEqual(all, [...new Set(all)].sort().reverse());
    }));

test('every control has a name, and the page works with the keyboard', () =>
    browse(DESKTOP, async (page) => {
        await logIn(page);
        const nameless = await page.locator('button, input, select, a').evaluateAll((all) =>
            all.filter((element) => element.checkVisibility() && !element.labels?.length &&
                !element.textContent.trim() && !element.ariaLabel).map((element) => element.outerHTML));
        assert.deepEqual(nameless, []);
        const add = shelf(page, 'Demo item 10').getByRole('button');
        await add.focus();
        await page.keyboard.press('Enter');
        await page.locator('#cart-lines li', { hasText: 'Demo item 10' }).waitFor();
        // the button pressed is still the one in focus, so that the next key does not start at the top
        assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Take out: Demo item 10');
    }));
