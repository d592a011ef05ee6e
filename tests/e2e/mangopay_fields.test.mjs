// What Mangopay at the sandbox takes and refuses: every field of every PayIn, required or not, each
// limit and each enumeration at its border, currencies by kind, and the documented errors.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startInstance } from './lib/instance.mjs';
import { COUNTRIES, CULTURES, DIRECT_CULTURES, PAYPAL_CULTURES } from './lib/mangolists.mjs';
import { BROWSER, IBAN, PERSON, USER, eur, makeMangopay } from './lib/mangopay.mjs';

const shop = await startInstance({ name: 'mangofields' });
const mango = makeMangopay(shop);
const { wrong } = mango;

const CARD_CURRENCIES = 'AED AUD CAD CHF DKK EUR GBP HKD JPY NOK PLN SEK USD ZAR'.split(' ');
const CURRENCIES = [...CARD_CURRENCIES, 'CZK'];
const SECURE_MODES = ['DEFAULT', 'FORCE', 'NO_CHOICE'];

const john = await mango.user();
const purse = await mango.wallet(john.Id);
const card = await mango.card(john.Id);
const { Id: MandateId } = await mango.mandate(john.Id);
const purses = new Map([['EUR', purse]]);
const purseIn = async (currency) => {
    if (!purses.has(currency)) purses.set(currency, await mango.wallet(john.Id, currency));
    return purses.get(currency).Id;
};
const funds = (Currency, Amount = 2000) =>
    ({ DebitedFunds: { Currency, Amount }, Fees: { Currency, Amount: 100 } });
const parties = {
    AuthorId: john.Id, CreditedUserId: john.Id, CreditedWalletId: purse.Id, Tag: 'a tag',
    ...funds('EUR'),
};
const authorization = {
    AuthorId: john.Id, DebitedFunds: eur(2000), CardId: card, IpAddress: '203.0.113.9',
    SecureModeReturnURL: 'https://example.org/back', BrowserInfo: BROWSER, Culture: 'EN',
    Billing: PERSON, Shipping: PERSON, StatementDescriptor: 'Example 12', Tag: 'a tag',
};
const returnUrl = (length) => `https://example.org/${'x'.repeat(length - 20)}`;

const FUNDS = ['DebitedFunds', 'DebitedFunds.Currency', 'DebitedFunds.Amount', 'Fees',
    'Fees.Currency', 'Fees.Amount'];
const PARTIES = ['AuthorId', 'CreditedWalletId', ...FUNDS];
const BROWSER_FIELDS = Object.keys(BROWSER).map((name) => `BrowserInfo.${name}`);
const PERSON_FIELDS = ['Billing', 'Shipping'].flatMap((who) => [
    `${who}.FirstName`, `${who}.LastName`, `${who}.Address`, `${who}.Address.AddressLine1`,
    `${who}.Address.City`, `${who}.Address.PostalCode`, `${who}.Address.Country`,
]);
const PERSON_LIMITS = {
    ...Object.fromEntries(['AddressLine1', 'AddressLine2', 'City', 'Region'].flatMap((line) =>
        ['Billing', 'Shipping'].map((who) => [`${who}.Address.${line}`, 255]))),
    'Billing.Address.PostalCode': 50, 'Shipping.Address.PostalCode': 50,
    'Billing.FirstName': 255, 'Billing.LastName': 255,
    'Shipping.FirstName': 100, 'Shipping.LastName': 100,
};

// One endpoint: a body that is right, what it must have, what it may leave out, how long texts may
// be, which words it takes. Each PayIn of the document is one row.
const ROWS = [
    {
        path: '/payins/card/web/',
        body: {
            ...parties, ReturnURL: 'https://example.org/back', CardType: 'CB_VISA_MASTERCARD',
            Culture: 'EN', SecureMode: 'DEFAULT', StatementDescriptor: 'Mar2016 x', Billing: PERSON,
            Shipping: PERSON, TemplateURLOptions: { PaylineV2: 'https://example.org/template' },
        },
        required: [...PARTIES, 'ReturnURL', 'CardType', 'Culture', ...PERSON_FIELDS],
        optional: ['Tag', 'CreditedUserId', 'SecureMode', 'TemplateURLOptions',
            'TemplateURLOptions.PaylineV2', 'StatementDescriptor', 'Billing', 'Shipping',
            'Billing.Address.Region', 'Billing.Address.AddressLine2'],
        limits: { Tag: 255, StatementDescriptor: 10, ...PERSON_LIMITS },
        urls: { ReturnURL: 220 },
        words: {
            Culture: CULTURES, SecureMode: SECURE_MODES,
            'Billing.Address.Country': COUNTRIES, 'Shipping.Address.Country': COUNTRIES,
        },
        currencies: CARD_CURRENCIES,
    },
    {
        path: '/payins/card/direct/',
        body: { ...parties, ...authorization, SecureMode: 'DEFAULT' },
        required: [...PARTIES, 'CardId', 'SecureModeReturnURL', 'IpAddress', 'BrowserInfo',
            ...BROWSER_FIELDS, ...PERSON_FIELDS],
        optional: ['Tag', 'CreditedUserId', 'SecureMode', 'StatementDescriptor', 'Culture',
            'Billing', 'Shipping'],
        limits: { Tag: 255, StatementDescriptor: 10, 'BrowserInfo.AcceptHeader': 255,
            'BrowserInfo.Language': 255, 'BrowserInfo.UserAgent': 255, ...PERSON_LIMITS },
        urls: { SecureModeReturnURL: 255 },
        words: { Culture: DIRECT_CULTURES, SecureMode: SECURE_MODES },
        currencies: CARD_CURRENCIES,
    },
    {
        path: '/payins/preauthorized/direct/',
        prepare: async () => ({
            PreauthorizationId: (await mango.post('/preauthorizations/card/direct',
                { ...authorization, MultiCapture: true, DebitedFunds: eur(10_000_000) })).Id,
        }),
        body: parties,
        required: ['CreditedWalletId', ...FUNDS, 'PreauthorizationId'],
        optional: ['Tag', 'AuthorId', 'CreditedUserId'],
        limits: { Tag: 255 },
        currencies: CARD_CURRENCIES,
    },
    {
        path: '/payins/deposit-preauthorized/direct/full-capture',
        fresh: async () => ({
            DepositId: (await mango.post('/deposit-preauthorizations/card/direct',
                authorization)).Id,
        }),
        body: parties,
        required: [...PARTIES, 'DepositId'],
        optional: ['Tag', 'CreditedUserId'],
        limits: { Tag: 255 },
        currencies: CARD_CURRENCIES,
    },
    {
        path: '/payins/bankwire/direct/',
        body: {
            AuthorId: john.Id, CreditedUserId: john.Id, CreditedWalletId: purse.Id, Tag: 'a tag',
            DeclaredDebitedFunds: eur(2000), DeclaredFees: eur(100),
        },
        required: ['AuthorId', 'CreditedWalletId', 'DeclaredDebitedFunds',
            'DeclaredDebitedFunds.Currency', 'DeclaredDebitedFunds.Amount', 'DeclaredFees',
            'DeclaredFees.Currency', 'DeclaredFees.Amount'],
        optional: ['Tag', 'CreditedUserId'],
        limits: { Tag: 255 },
        currencies: CURRENCIES,
        money: 'DeclaredDebitedFunds',
    },
    {
        path: '/clients/payins/bankwire/direct/',
        body: { CreditedWalletId: 'CREDIT_EUR', DeclaredDebitedFunds: eur(2000) },
        required: ['CreditedWalletId', 'DeclaredDebitedFunds', 'DeclaredDebitedFunds.Currency',
            'DeclaredDebitedFunds.Amount'],
        optional: [],
        words: { CreditedWalletId: ['CREDIT_EUR', 'FEES_EUR'] },
        currencies: CURRENCIES,
        money: 'DeclaredDebitedFunds',
    },
    {
        path: '/payins/directdebit/web/',
        body: { ...parties, ReturnURL: 'https://example.org/back', DirectDebitType: 'SOFORT',
            Culture: 'EN', SecureMode: 'DEFAULT' },
        required: [...PARTIES, 'ReturnURL', 'DirectDebitType', 'Culture'],
        optional: ['Tag', 'CreditedUserId', 'SecureMode'],
        limits: { Tag: 255 },
        urls: { ReturnURL: 220 },
        words: { DirectDebitType: ['SOFORT', 'GIROPAY'], Culture: CULTURES,
            SecureMode: SECURE_MODES },
        currencies: CURRENCIES,
    },
    {
        path: '/payins/directdebit/direct/',
        body: { ...parties, MandateId, StatementDescriptor: 'Example 12' },
        required: [...PARTIES, 'MandateId'],
        optional: ['Tag', 'CreditedUserId', 'StatementDescriptor'],
        limits: { Tag: 255, StatementDescriptor: 10 },
        currencies: CURRENCIES,
    },
    {
        path: '/payins/paypal/web/',
        body: {
            ...parties, ReturnURL: 'https://example.org/back', Culture: 'FR',
            StatementDescriptor: 'Example 12',
            ShippingAddress: { RecipientName: 'Alex Smith', Address: PERSON.Address },
        },
        required: [...PARTIES, 'ReturnURL', 'ShippingAddress.RecipientName',
            'ShippingAddress.Address', 'ShippingAddress.Address.AddressLine1',
            'ShippingAddress.Address.City', 'ShippingAddress.Address.PostalCode',
            'ShippingAddress.Address.Country'],
        optional: ['Tag', 'CreditedUserId', 'Culture', 'StatementDescriptor', 'ShippingAddress'],
        limits: { Tag: 255, StatementDescriptor: 10, 'ShippingAddress.RecipientName': 255,
            'ShippingAddress.Address.PostalCode': 50 },
        urls: { ReturnURL: 220 },
        words: { Culture: PAYPAL_CULTURES },
        currencies: CURRENCIES,
    },
    {
        path: '/recurringpayinregistrations',
        body: {
            AuthorId: john.Id, CardId: card, CreditedUserId: john.Id, CreditedWalletId: purse.Id,
            FirstTransactionDebitedFunds: eur(2000), FirstTransactionFees: eur(100),
            Billing: PERSON, Shipping: PERSON, EndDate: 4_000_000_000, Frequency: 'Monthly',
            FixedNextAmount: true, FractionedPayment: false, FreeCycles: 0, Migration: false,
            NextTransactionDebitedFunds: eur(1000), NextTransactionFees: eur(100),
        },
        required: ['AuthorId', 'CardId', 'CreditedWalletId', 'FirstTransactionDebitedFunds',
            'FirstTransactionDebitedFunds.Currency', 'FirstTransactionDebitedFunds.Amount',
            'FirstTransactionFees', 'FirstTransactionFees.Currency', 'FirstTransactionFees.Amount',
            'NextTransactionDebitedFunds.Currency', 'NextTransactionFees.Amount'],
        optional: ['CreditedUserId', 'Billing', 'Shipping', 'EndDate', 'Frequency',
            'FixedNextAmount', 'FractionedPayment', 'FreeCycles', 'Migration',
            'NextTransactionDebitedFunds', 'NextTransactionFees'],
        words: { Frequency: ['Daily', 'Weekly', 'TwiceAMonth', 'Monthly', 'Bimonthly', 'Quarterly',
            'Semiannual', 'Annual', 'Biannual'] },
    },
];

// A copy with one member, by its dotted path, changed or (undefined) left out.
function changed(body, name, value) {
    // JSON, as Billing and Shipping may be one object here
    const copy = JSON.parse(JSON.stringify(body)), keys = name.split('.'), last = keys.pop();
    const holder = keys.reduce((object, key) => object?.[key], copy);
    assert.ok(holder !== undefined, name);
    if (value === undefined) delete holder[last];
    else holder[last] = value;
    return copy;
}

for (const row of ROWS)
    describe(row.path, async () => {
        const prepared = { ...row.body, ...await row.prepare?.() };
        const right = async () => ({ ...prepared, ...await row.fresh?.() });
        const takes = async (body, what) =>
            assert.deepEqual(await wrong(row.path, body), {}, what);
        const refuses = async (body, name) => {
            const errors = await wrong(row.path, body);
            assert.deepEqual(Object.keys(errors), [name], JSON.stringify(errors));
            return errors[name];
        };

        test('what is right goes through, with and without the last slash', async () => {
            await takes(await right());
            const bare = row.path.replace(/\/$/, '');
            assert.deepEqual(await wrong(bare, await right()), {});
            assert.deepEqual(await wrong(`${bare}/`, await right()), {});
        });

        test('each required field', async () => {
            const body = await right();
            for (const name of row.required) {
                for (const value of [undefined, null]) {
                    const message = await refuses(changed(body, name, value), name);
                    assert.equal(message, `The ${name} field is required.`);
                }
            }
        });

        test('each optional field', async () => {
            for (const name of row.optional) await takes(changed(await right(), name), name);
        });

        test('each length', async () => {
            for (const [name, limit] of Object.entries(row.limits ?? {})) {
                const body = await right();
                await refuses(changed(body, name, 'x'.repeat(limit + 1)), name);
                await takes(changed(body, name, 'x'.repeat(limit)), name);
            }
            for (const [name, limit] of Object.entries(row.urls ?? {})) {
                await takes(changed(await right(), name, returnUrl(limit)), name);
                await refuses(changed(await right(), name, returnUrl(limit + 1)), name);
                for (const url of ['example.org', 'ftp://example.org', 'https://', 'javascript:x'])
                    await refuses(changed(await right(), name, url), name);
            }
        });

        test('each enumeration', async () => {
            for (const [name, words] of Object.entries(row.words ?? {})) {
                for (const word of words)
                    await takes(changed(await right(), name, word)
                        , `${name} ${word}`);
                for (const word of ['XX', `${words[0]} `, words.join(' ')])
                    await refuses(changed(await right(), name, word), name);
                // its own library writes cultures in small letters too
                const small = changed(await right(), name, words[0].toLowerCase());
                if (name === 'Culture') await takes(small);
                else await refuses(small, name);
                await refuses(changed(await right(), name, 1), name);
            }
        });

        test('each currency of its list, and none besides', async () => {
            const money = row.money ?? 'DebitedFunds';
            if (row.currencies === undefined) return;
            for (const currency of ['EURO', 'eur', '', ...CURRENCIES, 'INR']) {
                const body = changed(await right(), `${money}.Currency`, currency);
                const answer = await mango.api('POST', row.path, body);
                const named = answer.json.errors?.[`${money}.Currency`] !== undefined;
                assert.equal(named, !row.currencies.includes(currency), `${currency} ${answer.text}`);
            }
        });

        test('amounts are whole numbers from 0', async () => {
            const name = `${row.money ?? Object.keys(row.body).find((key) =>
                key.endsWith('DebitedFunds'))}.Amount`;
            for (const value of [-1, 1.5, '2000', true])
                await refuses(changed(await right(), name, value), name);
        });

        test('several wrong fields are all named', async () => {
            const [first, second] = row.required;
            const body = changed(changed(await right(), first), second);
            assert.deepEqual(Object.keys(await wrong(row.path, body)).sort(),
                [first, second].sort());
        });
    });

describe('values', () => {
    const web = { ...ROWS[0].body };
    test('a region is needed in the US, Canada and Mexico only', async () => {
        for (const country of ['US', 'CA', 'MX', 'FR', 'DE']) {
            const body = changed(changed(web, 'Billing.Address.Region'), 'Billing.Address.Country',
                country);
            assert.deepEqual(Object.keys(await wrong('/payins/card/web', body)),
                ['US', 'CA', 'MX'].includes(country) ? ['Billing.Address.Region'] : []);
        }
    });

    test('a statement descriptor has letters, digits and spaces', async () => {
        for (const text of ['a-b', 'é', 'a_b', 'a.b', '<b>'])
            assert.deepEqual(
                Object.keys(await wrong('/payins/card/web',
                    changed(web, 'StatementDescriptor', text))), ['StatementDescriptor']);
        assert.deepEqual(
            await wrong('/payins/card/web', changed(web, 'StatementDescriptor', 'Ab 9')), {});
    });

    test('an address of the network is IPv4 or IPv6', async () => {
        const direct = { ...ROWS[1].body };
        for (const ip of ['203.0.113.9', '2001:0620:0000:0000:0211:24FF:FE80:C12C', '::1'])
            assert.deepEqual(await wrong('/payins/card/direct', { ...direct, IpAddress: ip }), {});
        for (const ip of ['203.0.113', '203.0.113.256', 'example.org', '2001:::1'])
            assert.deepEqual(
                Object.keys(await wrong('/payins/card/direct', { ...direct, IpAddress: ip })),
                ['IpAddress']);
    });

    test('an offset may be a text, as its own library sends it', async () => {
        const direct = { ...ROWS[1].body };
        for (const [offset, fine] of [[-720, true], ['+60', true], ['60', true], ['-0', true],
            ['+', false], ['', false], ['an hour', false], ['1.5', false], [true, false]])
            assert.deepEqual(
                Object.keys(await wrong('/payins/card/direct',
                    changed(direct, 'BrowserInfo.TimeZoneOffset', offset))),
                fine ? [] : ['BrowserInfo.TimeZoneOffset'], `${offset}`);
    });

    test('lengths are counted in characters', async () => {
        assert.deepEqual(await wrong('/payins/card/web', { ...web, Tag: 'é'.repeat(255) }), {});
        assert.deepEqual(
            Object.keys(await wrong('/payins/card/web', { ...web, Tag: 'é'.repeat(256) })),
            ['Tag']);
    });

    // The table at the head of the document.
    const card_money = 'EUR GBP USD CHF PLN NOK SEK DKK CAD AUD'.split(' ');
    for (const [path, name, currencies] of [
        ['/payins/card/web', { CardType: 'CB_VISA_MASTERCARD' }, card_money],
        ['/payins/card/web', { CardType: 'AMEX' }, card_money],
        ['/payins/card/web', { CardType: 'MAESTRO' }, ['EUR']],
        ['/payins/card/web', { CardType: 'DINERS' }, ['EUR']],
        ['/payins/card/web', { CardType: 'P24' }, ['PLN']],
        ['/payins/card/web', { CardType: 'IDEAL' }, ['EUR']],
        ['/payins/card/web', { CardType: 'BCMC' }, ['EUR']],
        ['/payins/directdebit/web', { DirectDebitType: 'SOFORT' }, ['EUR']],
        ['/payins/directdebit/web', { DirectDebitType: 'GIROPAY' }, ['EUR']],
        ['/payins/directdebit/direct', { MandateId }, ['EUR', 'GBP']],
    ])
        test(`currencies of ${path} ${Object.values(name)[0]}`, async () => {
            const base = ROWS.find((row) => row.path === `${path}/`).body;
            for (const currency of CARD_CURRENCIES) {
                const answer = await mango.api('POST', path, { ...base, ...name,
                    ...funds(currency), CreditedWalletId: await purseIn(currency) });
                if (currencies.includes(currency)) {
                    assert.equal(answer.status, 200, answer.text);
                } else {
                    assert.equal(answer.status, 400);
                    assert.equal(answer.json.Type, 'disabled_mean_of_payment_for_currency');
                    assert.match(answer.json.errors.error,
                        /^The method payment \w+ with the ccy \w{3} is not active for the partner /);
                }
            }
        });

    test('a functional failure is a 200 with FAILED and a code', async () => {
        for (const [amount, fees, code] of [
            [0, 0, '001012'], [100, 100, '001014'], [100, 101, '001014'],
            [100_000_001, 0, '001011'], [1, 0, null], [100_000_000, 0, null],
        ]) {
            const payIn = await mango.post('/payins/card/web',
                { ...web, DebitedFunds: eur(amount), Fees: eur(fees) });
            assert.equal(payIn.Status, code === null ? 'CREATED' : 'FAILED', `${amount} ${fees}`);
            assert.equal(payIn.ResultCode, code);
        }
    });
});

describe('documented errors', () => {
    const web = { ...ROWS[0].body };
    const refused = async (status, type, ...call) => {
        const answer = await mango.api(...call);
        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.json.Type, type);
        assert.equal(typeof answer.json.Date, 'number');
        return answer.json;
    };

    test('currencies that differ', async () => {
        const wallet = await refused(400, 'currency_incompatibility', 'POST', '/payins/card/web',
            { ...web, CreditedWalletId: await purseIn('GBP') });
        assert.equal(wallet.Message, 'Error: multi-currency usage is not authorized');
        assert.equal(wallet.errors.currency,
            "The Wallet's currency GBP and the DebitedFunds's currency EUR must be the same");
        const other = await refused(400, 'currency_incompatibility', 'POST', '/payins/card/direct',
            { ...ROWS[1].body, CardId: await mango.card(john.Id, undefined, 'GBP') });
        assert.equal(other.errors.currency,
            "The card's currency GBP and the debitedAmount's currency EUR must be the same");
        await refused(400, 'currency_incompatibility', 'POST', '/payins/card/web',
            { ...web, Fees: { Currency: 'USD', Amount: 1 } });
    });

    test('ids that do not exist', async () => {
        for (const name of ['AuthorId', 'CreditedWalletId'])
            assert.deepEqual(
                Object.keys(await wrong('/payins/card/web', { ...web, [name]: 'nobody' })), [name]);
        assert.deepEqual(Object.keys(await wrong('/payins/card/direct',
            { ...ROWS[1].body, CardId: 'none' })), ['CardId']);
        assert.deepEqual(Object.keys(await wrong('/payins/directdebit/direct',
            { ...ROWS[7].body, MandateId: 'none' })), ['MandateId']);
        const missing = await refused(404, 'ressource_not_found', 'GET', '/payins/none');
        assert.deepEqual(missing.errors,
            { RessourceNotFound: 'Cannot found the ressource PayIn with the id=none' });
        for (const path of ['/wallets/x', '/users/x', '/hooks/x', '/cards/x', '/refunds/x',
            '/disputes/x', '/mandates/x', '/recurringpayinregistrations/x', '/preauthorizations/x',
            '/payins/card/web/x/extended', '/responses/0123456789abcdef', '/nothing'])
            await refused(404, 'ressource_not_found', 'GET', path);
    });

    test('a card and a mandate of somebody else', async () => {
        const other = await mango.user();
        const direct = await mango.post('/payins/card/direct',
            { ...ROWS[1].body, CardId: await mango.card(other.Id) });
        assert.equal(direct.ResultCode, '001023');
        const debit = await mango.post('/payins/directdebit/direct',
            { ...ROWS[7].body, MandateId: (await mango.mandate(other.Id)).Id });
        assert.equal(debit.ResultCode, '001024');
    });

    test('deposits are for the one who made them', async () => {
        const deposit = await mango.post('/deposit-preauthorizations/card/direct', authorization);
        const other = await mango.user();
        const error = await refused(400, 'invalid_action', 'POST',
            '/payins/deposit-preauthorized/direct/full-capture',
            { ...parties, CreditedUserId: other.Id, DepositId: deposit.Id });
        assert.equal(error.Message,
            `CreditedUserExternalId:${other.Id} must be Equal to authorId:${john.Id}.`);
        assert.equal(error.errors, null);
    });

    test('captures of what is not authorized', async () => {
        const asked = await mango.post('/preauthorizations/card/direct',
            { ...authorization, SecureMode: 'FORCE' });
        assert.equal(asked.SecureModeNeeded, true);
        const capture = { ...parties, PreauthorizationId: asked.Id };
        assert.deepEqual(await wrong('/payins/preauthorized/direct', capture),
            { Status: 'The PreAuthorization Status value has to be up to SUCCEEDED' });
        const back = await mango.form(asked.SecureModeRedirectURL, { challenge: 'approve' });
        assert.equal(back.location,
            `https://example.org/back?preAuthorizationId=${asked.Id}`);
        await mango.put(`/preauthorizations/${asked.Id}`, { PaymentStatus: 'CANCELED' });
        assert.deepEqual(await wrong('/payins/preauthorized/direct', capture),
            { PaymentStatus: 'The PreAuthorization PaymentStatus value has to be WAITING' });
    });

    test('refunds', async () => {
        const open = await mango.post('/payins/card/web', web);
        const early = await mango.api('POST', `/payins/${open.Id}/refunds`, { AuthorId: john.Id });
        assert.equal(early.status, 400);
        assert.equal(early.json.Type, 'original_transaction_must_be_succeeded');
        assert.equal(early.json.Message,
            'The original transaction must have a SUCCEEDED Status to be refunded');
        assert.deepEqual(early.json.Errors, {});

        const payIn = await mango.post('/payins/card/direct', ROWS[1].body);
        const refund = (changes) => wrong(`/payins/${payIn.Id}/refunds`,
            { AuthorId: john.Id, ...changes });
        assert.deepEqual(await refund({ DebitedFunds: eur(10) }),
            { Fees: 'if DebitedFunds are defined, Fees must be defined' });
        assert.deepEqual(await refund({ AuthorId: (await mango.user()).Id }),
            { AuthorId: 'Author of the refund is not the author of the initial payin' });
        assert.deepEqual(await refund({ DebitedFunds: eur(1901), Fees: eur(0) }), { DebitedFunds:
            'DebitedFunds cannot be superior the CreditedFunds of the initial PayIn' });
        assert.deepEqual(await refund({ DebitedFunds: eur(1900), Fees: eur(-100) }), {});
        await refused(404, 'ressource_not_found', 'POST', '/payins/none/refunds',
            { AuthorId: john.Id });

        const wire = await mango.post('/payins/bankwire/direct', ROWS[4].body);
        await mango.act('wire', { session_id: wire.Id, amount: 2000 });
        await refused(400, 'invalid_action', 'POST', `/payins/${wire.Id}/refunds`,
            { AuthorId: john.Id });
    });

    test('mandates: languages', async () => {
        const account = await mango.post(`/users/${john.Id}/bankaccounts/iban`,
            { OwnerName: 'Jo', IBAN });
        const body = { BankAccountId: account.Id, ReturnURL: 'https://example.org/back' };
        assert.deepEqual(await wrong('/mandates/directdebit/web', { ...body, Culture: 'XX' }),
            { Culture: 'The requested language is not supported' });
        assert.deepEqual(Object.keys(await wrong(`/users/${john.Id}/bankaccounts/iban`,
            { OwnerName: 'Jo', IBAN: `${IBAN.slice(0, -1)}4` })), ['IBAN']);
    });

    test('free cycles of a recurring payment cost nothing', async () => {
        const { Id } = await mango.post('/recurringpayinregistrations',
            { ...ROWS[9].body, FreeCycles: 1 });
        const cit = {
            RecurringPayinRegistrationId: Id, BrowserInfo: BROWSER, IpAddress: '203.0.113.9',
            SecureModeReturnURL: 'https://example.org/back',
        };
        const path = '/payins/recurring/card/direct';
        assert.deepEqual(await wrong(path, { ...cit, DebitedFunds: eur(10), Fees: eur(1) }),
            { DebitedFunds: 'must not be specified for a free cycle.' });
        const free = await mango.post(path, cit);
        assert.equal(free.DebitedFunds.Amount, 0);
        await mango.form(free.SecureModeRedirectURL, { challenge: 'approve' });
        const next = await mango.post(path, { RecurringPayinRegistrationId: Id });
        assert.equal(next.Status, 'SUCCEEDED');
        assert.equal(next.DebitedFunds.Amount, 1000);
    });

    test('a first recurring payment wants the payer: lengths and fields', async () => {
        const { Id } = await mango.post('/recurringpayinregistrations', ROWS[9].body);
        const cit = {
            RecurringPayinRegistrationId: Id, BrowserInfo: BROWSER, IpAddress: '203.0.113.9',
            SecureModeReturnURL: 'https://example.org/back', Tag: 't', StatementDescriptor: 'a',
        };
        const path = '/payins/recurring/card/direct';
        for (const name of ['IpAddress', 'BrowserInfo', ...BROWSER_FIELDS])
            assert.deepEqual(Object.keys(await wrong(path, changed(cit, name))), [name]);
        assert.deepEqual(Object.keys(await wrong(path, changed(cit, 'SecureModeReturnURL'))),
            ['SecureModeReturnUrl']);
        for (const name of ['Tag', 'StatementDescriptor']) {
            assert.deepEqual(Object.keys(await wrong(path, changed(cit, name, 'x'.repeat(101)))),
                [name]);
            assert.deepEqual(await wrong(path, changed(cit, name, 'x'.repeat(100))), {});
        }
        assert.deepEqual(Object.keys(await wrong(path,
            { ...cit, SecureModeReturnURL: returnUrl(101) })), ['SecureModeReturnURL']);
    });

    for (const [line, code] of [['01100', '101101'], ['01116', '101199'], ['01125', '101106'],
        ['01131', '101305'], ['03022', '101301']])
        test(`the amount 33501 and the address ${line} make ${code}`, async () => {
            const Billing = { ...PERSON, Address: { ...PERSON.Address, AddressLine2: line } };
            const { Id } = await mango.post('/recurringpayinregistrations',
                { ...ROWS[9].body, Billing, FirstTransactionDebitedFunds: eur(33501) });
            const payIn = await mango.post('/payins/recurring/card/direct', {
                RecurringPayinRegistrationId: Id, BrowserInfo: BROWSER, IpAddress: '203.0.113.9',
                SecureModeReturnURL: 'https://example.org/back',
            });
            assert.equal(payIn.Status, 'FAILED');
            assert.equal(payIn.ResultCode, code);
        });

    test('users and wallets', async () => {
        for (const name of Object.keys(USER))
            assert.deepEqual(Object.keys(await wrong('/users/natural', changed(USER, name))),
                [name]);
        for (const currency of CURRENCIES) await purseIn(currency);
        assert.deepEqual(Object.keys(await wrong('/wallets',
            { Owners: ['nobody'], Description: 'x', Currency: 'EUR' })), ['Owners']);
        assert.deepEqual(Object.keys(await wrong('/wallets', { Owners: [] })).sort(),
            ['Currency', 'Description', 'Owners']);
    });
});
