// Mangopay's official Node library against the sandbox, unchanged but for its base URL: every
// PayIn method, cards, authorizations, mandates, hooks, events, refunds, disputes, idempotency.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import Mangopay from 'mangopay4-nodejs-sdk';
import { eventually } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import {
    BROWSER, CHALLENGE, DECLINED, FRICTIONLESS, IBAN, NOTHING_YET, PERSON, USER, eur, makeMangopay,
} from './lib/mangopay.mjs';

const shop = await startInstance({ name: 'mangosdk' });
const mango = makeMangopay(shop);
const sdk = new Mangopay({
    clientId: mango.client,
    clientApiKey: mango.key,
    baseUrl: `${shop.urls.sandbox}/mangopay`,
    errorHandler() {},
});
sdk.httpsAgent.options.ca = shop.ca; // it trusts the demo's authority
after(() => sdk.httpsAgent.destroy());

const keyed = (key) => ({ headers: { 'Idempotency-Key': key } });
// The library keeps the header for its later calls: here it goes again.
const unkeyed = () => delete sdk.requestOptions.headers['Idempotency-Key'];
const refusal = (promise) => promise.then(
    (data) => assert.fail(`it went through: ${JSON.stringify(data)}`),
    (body) => body,
);

const john = await sdk.Users.create({ ...USER, PersonType: 'NATURAL', Address: PERSON.Address });
const purse = await sdk.Wallets.create(
    { Owners: [john.Id], Currency: 'EUR', Description: 'Purse' });

async function registerCard(number = FRICTIONLESS) {
    const registration = await sdk.CardRegistrations.create({ UserId: john.Id, Currency: 'EUR' });
    assert.equal(registration.Status, 'CREATED');
    const data = await sdk.method('post', null, {
        url: registration.CardRegistrationURL,
        data: {
            data: registration.PreregistrationData,
            accessKeyRef: registration.AccessKey,
            cardNumber: number,
            cardExpirationDate: '1239',
            cardCvx: '123',
        },
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    registration.RegistrationData = data;
    const done = await sdk.CardRegistrations.update(registration);
    assert.equal(done.Status, 'VALIDATED');
    assert.equal(done.ResultCode, '000000');
    return done.CardId;
}

const parties = () => ({
    AuthorId: john.Id, CreditedUserId: john.Id, CreditedWalletId: purse.Id,
    DebitedFunds: eur(2000), Fees: eur(100),
});
const cardWeb = (changes = {}) => sdk.PayIns.create({
    ...parties(), PaymentType: 'CARD', ExecutionType: 'WEB', CardType: 'CB_VISA_MASTERCARD',
    ReturnURL: 'https://example.org/back?a=1', Culture: 'EN', SecureMode: 'DEFAULT', Tag: 'web',
    Billing: PERSON, Shipping: PERSON, StatementDescriptor: 'Example123', ...changes,
});
const cardDirect = (CardId, changes = {}) => sdk.PayIns.create({
    ...parties(), PaymentType: 'CARD', ExecutionType: 'DIRECT', CardId, IpAddress: '2001:620::1',
    SecureModeReturnURL: 'https://example.org/back', BrowserInfo: BROWSER, Billing: PERSON,
    ...changes,
});
const view = (id) => sdk.PayIns.get(id);

function assertPaid(payIn, amount = 2000, fees = 100) {
    assert.equal(payIn.Status, 'SUCCEEDED', JSON.stringify(payIn));
    assert.equal(payIn.ResultCode, '000000');
    assert.equal(payIn.ResultMessage, 'Success');
    assert.deepEqual({ ...payIn.DebitedFunds }, eur(amount));
    assert.deepEqual({ ...payIn.CreditedFunds }, eur(amount - fees));
    assert.equal(typeof payIn.ExecutionDate, 'number');
}
function assertOpen(payIn) {
    assert.equal(payIn.Status, 'CREATED', JSON.stringify(payIn));
    for (const name of ['ResultCode', 'ResultMessage', 'ExecutionDate'])
        assert.equal(payIn[name], null, name);
}

describe('tokens', () => {
    test('two of them differ', async () => {
        const first = await sdk.authorize(), second = await sdk.authorize();
        assert.notEqual(first.access_token, second.access_token);
        assert.equal(first.token_type, 'bearer');
        assert.equal(first.expires_in, 1200);
    });

    test('four rate limits are told', async () => {
        await sdk.Users.get(john.Id);
        assert.equal(sdk.rateLimits.length, 4);
        assert.ok(sdk.rateLimits.every((limit) => limit.callsMade > 0 && limit.callsRemaining > 0));
        assert.deepEqual(sdk.rateLimits.map((limit) => limit.minutesInterval), [15, 30, 60, 24 * 60]);
    });

    test('and are told apart later too: by how far away their ends are', async () => {
        const { now } = await mango.act('advance', { ms: 16 * 60 * 1000 });
        const ends = (await mango.api('GET', '/hooks')).all('X-RateLimit-Reset');
        assert.deepEqual(ends.map((end) => Math.round((end - now) / 60)), [15, 30, 60, 24 * 60]);
    });
});

describe('PayIns', () => {
    test('card web: page, payment, extended view', async () => {
        const payIn = await cardWeb();
        assertOpen(payIn);
        assert.match(payIn.Id, /^wt_[0-9a-f-]{36}$/);
        const seen = await view(payIn.Id);
        assert.equal(seen.ReturnURL, `https://example.org/back?a=1&transactionId=${payIn.Id}`);
        const paid = await mango.form(payIn.RedirectURL, mango.cardForm());
        assert.equal(paid.status, 303);
        assert.equal(paid.location, `https://example.org/back?a=1&transactionId=${payIn.Id}`);
        assertPaid(await view(payIn.Id));
        const card = await sdk.PayIns.getCardWebPayInExtendedDetails(payIn.Id);
        assert.equal(card.Alias, '497010XXXXXX1119');
        assert.equal(card.ExpirationDate, '1239');
        assert.equal(card.CardType, 'CB_VISA_MASTERCARD');
        assert.equal(card.Country, 'FRA');
        assert.match(card.Fingerprint, /^[0-9a-f]{32}$/);
    });

    test('card direct: without a question, with one, refused', async () => {
        const paid = await cardDirect(await registerCard());
        assertPaid(paid);
        assert.equal(paid.SecureModeNeeded, false);
        assert.equal(paid.SecureModeRedirectURL, null);
        assert.equal(paid.CardInfo.BIN, '497010');

        const asked = await cardDirect(await registerCard(CHALLENGE));
        assertOpen(asked);
        assert.equal(asked.SecureModeNeeded, true);
        const done = await mango.form(asked.SecureModeRedirectURL, { challenge: 'approve' });
        assert.equal(done.location, `https://example.org/back?transactionId=${asked.Id}`);
        assertPaid(await view(asked.Id));

        const refused = await cardDirect(await registerCard(DECLINED));
        assert.equal(refused.Status, 'FAILED');
        assert.equal(refused.ResultCode, '101101');
    });

    test('preauthorization: created, captured twice, no more than is left, cancelled', async () => {
        const preauth = await sdk.CardPreAuthorizations.create({
            AuthorId: john.Id, DebitedFunds: eur(5000), CardId: await registerCard(),
            SecureModeReturnURL: 'https://example.org/back', IpAddress: '203.0.113.9',
            BrowserInfo: BROWSER, MultiCapture: true,
        });
        assert.equal(preauth.Status, 'SUCCEEDED');
        assert.equal(preauth.PaymentStatus, 'WAITING');
        const capture = (amount) => sdk.PayIns.create({
            ...parties(), PaymentType: 'PREAUTHORIZED', ExecutionType: 'DIRECT',
            DebitedFunds: eur(amount), PreauthorizationId: preauth.Id,
        });
        assertPaid(await capture(2000));
        const tooMuch = await capture(3001);
        assert.equal(tooMuch.Status, 'FAILED');
        assert.equal(tooMuch.ResultCode, '001505');
        assertPaid(await capture(3000), 3000);
        const over = await sdk.CardPreAuthorizations.get(preauth.Id);
        assert.equal(over.PaymentStatus, 'VALIDATED');
        assert.equal(over.RemainingFunds.Amount, 0);
        const error = await refusal(capture(100));
        assert.deepEqual(error.errors,
            { PaymentStatus: 'The PreAuthorization PaymentStatus value has to be WAITING' });
    });

    test('deposit: full capture', async () => {
        const deposit = await sdk.Deposits.create({
            AuthorId: john.Id, DebitedFunds: eur(5000), CardId: await registerCard(),
            SecureModeReturnURL: 'https://example.org/back', IpAddress: '203.0.113.9',
            BrowserInfo: BROWSER,
        });
        assert.equal(deposit.Status, 'SUCCEEDED');
        const payIn = await sdk.PayIns.createCardPreAuthorizedDepositPayIn({
            AuthorId: john.Id, CreditedWalletId: purse.Id, DebitedFunds: eur(2000),
            Fees: eur(100), DepositId: deposit.Id,
        });
        assertPaid(payIn);
        const after_ = await sdk.Deposits.get(deposit.Id);
        assert.equal(after_.PaymentStatus, 'VALIDATED');
        assert.equal(after_.PayinsLinked.PayinCaptureId, payIn.Id);
        const cards = await sdk.Deposits.getAllForUser(john.Id);
        assert.ok(cards.length > 0);
        const moved = await sdk.Deposits.getTransactions(deposit.Id);
        assert.deepEqual(moved.map((row) => row.Id), [payIn.Id]);
    });

    test('bankwire direct: account and reference, then the money', async () => {
        const payIn = await sdk.PayIns.create({
            AuthorId: john.Id, CreditedWalletId: purse.Id, PaymentType: 'BANK_WIRE',
            ExecutionType: 'DIRECT', DeclaredDebitedFunds: eur(2000), DeclaredFees: eur(100),
        });
        assertOpen(payIn);
        assert.deepEqual(payIn.DebitedFunds, NOTHING_YET);
        assert.match(payIn.WireReference, /^MG\w{8}$/);
        assert.equal(payIn.BankAccount.OwnerAddress.AddressLine1, '2 Avenue Amélie');
        await mango.act('wire', { session_id: payIn.Id, amount: 2000 });
        const paid = await view(payIn.Id);
        assertPaid(paid);
        const [bank] = paid.TransactionDetails;
        assert.equal(bank.RemittanceInformationLine1, payIn.WireReference);
        assert.deepEqual(bank.References, [{ Type: 'EndToEndId', Value: payIn.Id }]);
    });

    test('bankwire to the client wallet', async () => {
        const payIn = await sdk.Clients.createBankWireDirectPayIn(
            { CreditedWalletId: 'CREDIT_EUR', DeclaredDebitedFunds: eur(1000) });
        assert.equal(payIn.Status, 'CREATED');
        assert.equal(payIn.AuthorId, mango.client);
        assert.equal(payIn.CreditedWalletId, 'CREDIT_EUR');
    });

    test('bankwire external instruction: made by the bank, seen by its id', async () => {
        const alias = await sdk.BankingAliases.create(
            { WalletId: purse.Id, OwnerName: 'Jo', Type: 'IBAN', Country: 'LU' });
        assert.equal(alias.Active, true);
        const { id } = await mango.act('external_instruction', { alias: alias.Id, amount: 14654 });
        const payIn = await view(id);
        assertPaid(payIn, 14654, 0);
        assert.equal(payIn.ExecutionType, 'EXTERNAL_INSTRUCTION');
        assert.equal(payIn.BankingAliasId, alias.Id);
        assert.equal(payIn.DebitedBankAccount.IBAN, IBAN);
    });

    for (const DirectDebitType of ['SOFORT', 'GIROPAY'])
        test(`direct debit web: ${DirectDebitType}`, async () => {
            const payIn = await sdk.PayIns.create({
                ...parties(), PaymentType: 'DIRECT_DEBIT', ExecutionType: 'WEB', DirectDebitType,
                ReturnURL: 'https://example.org/back', Culture: 'DE',
            });
            assertOpen(payIn);
            const paid = await mango.form(payIn.RedirectURL, { action: 'pay' });
            assert.equal(paid.location, `https://example.org/back?transactionId=${payIn.Id}`);
            assertPaid(await view(payIn.Id));
        });

    test('direct debit direct: mandate, days, money', async () => {
        const account = await sdk.Users.createBankAccount(john.Id, {
            OwnerName: 'Jo Doe', OwnerAddress: PERSON.Address,
            Details: new sdk.models.BankAccountDetailsIBAN({ IBAN, BIC: 'BNPAFRPP' }),
            Type: 'IBAN', IBAN, BIC: 'BNPAFRPP',
        });
        const mandate = await sdk.Mandates.create(
            { BankAccountId: account.Id, Culture: 'EN', ReturnURL: 'https://example.org/back' });
        assert.equal(mandate.Status, 'CREATED');
        const debit = () => sdk.PayIns.create({
            ...parties(), PaymentType: 'DIRECT_DEBIT', ExecutionType: 'DIRECT',
            MandateId: mandate.Id, StatementDescriptor: 'Example123',
        });
        const early = await debit();
        assert.equal(early.Status, 'FAILED');
        assert.equal(early.ResultCode, '001833');
        const confirmed = await mango.form(mandate.RedirectURL, { action: 'pay' });
        assert.equal(confirmed.location, `https://example.org/back?MandateId=${mandate.Id}`);
        assert.equal((await sdk.Mandates.get(mandate.Id)).Status, 'ACTIVE');
        const payIn = await debit();
        assertOpen(payIn);
        assert.equal(typeof payIn.ChargeDate, 'number');
        await mango.act('pay', { session_id: payIn.Id });
        assertPaid(await view(payIn.Id));
    });

    test('PayPal web', async () => {
        const payIn = await sdk.PayIns.create({
            ...parties(), PaymentType: 'PAYPAL', ExecutionType: 'WEB',
            ReturnURL: 'https://example.org/back', Culture: 'FR', StatementDescriptor: 'Example123',
            ShippingAddress: { RecipientName: 'Alex Smith', Address: PERSON.Address },
        });
        assertOpen(payIn);
        const cancelled = await mango.form(payIn.RedirectURL, { action: 'cancel' });
        assert.equal(cancelled.location, `https://example.org/back?transactionId=${payIn.Id}`);
        const failed = await view(payIn.Id);
        assert.equal(failed.Status, 'FAILED');
        assert.equal(failed.ResultCode, '201004');
    });

    test('recurring: registration, CIT with 3-D Secure, MIT, update, end', async () => {
        const registration = await sdk.PayIns.createRecurringPayment({
            AuthorId: john.Id, CardId: await registerCard(), CreditedUserId: john.Id,
            CreditedWalletId: purse.Id, FirstTransactionDebitedFunds: eur(1000),
            FirstTransactionFees: eur(100), Billing: PERSON, Shipping: PERSON,
            Frequency: 'Monthly', FixedNextAmount: true, FractionedPayment: false,
        });
        assert.equal(registration.Status, 'CREATED');
        const id = registration.Id;
        const cit = await sdk.PayIns.createRecurringPayInRegistrationCIT({
            RecurringPayinRegistrationId: id, BrowserInfo: BROWSER, IpAddress: '203.0.113.9',
            SecureModeReturnURL: 'https://example.org/back', StatementDescriptor: 'Example123',
            Tag: 'cit',
        });
        assert.equal(cit.Status, 'CREATED');
        assert.equal(cit.SecureModeNeeded, true);
        await mango.form(cit.SecureModeRedirectURL, { challenge: 'approve' });
        assertPaid(await view(cit.Id), 1000);
        let seen = await sdk.PayIns.getRecurringPayin(id);
        assert.equal(seen.Status, 'IN_PROGRESS');
        assert.equal(seen.CurrentState.PayinsLinked, 1);
        assert.equal(seen.CurrentState.LastPayinId, cit.Id);

        const mit = await sdk.PayIns.createRecurringPayInRegistrationMIT({
            RecurringPayinRegistrationId: id, DebitedFunds: eur(1200), Fees: eur(100), Tag: 'mit',
        });
        assertPaid(mit, 1200);
        seen = await sdk.PayIns.getRecurringPayin(id);
        assert.deepEqual(seen.CurrentState.CumulatedDebitedAmount, eur(2200));

        const updated = await sdk.PayIns.updateRecurringPayin(id,
            { CardId: await registerCard(), Billing: PERSON });
        assert.equal(updated.Status, 'AUTHENTICATION_NEEDED');
        const error = await refusal(sdk.PayIns.createRecurringPayInRegistrationMIT(
            { RecurringPayinRegistrationId: id, DebitedFunds: eur(1200), Fees: eur(100) }));
        assert.deepEqual(error.errors, { SecureModeReturnUrl:
            'RecurringRegistration is in AUTHENTICATION_NEEDED state. A valid value must be provided.' });
        const ended = await sdk.PayIns.updateRecurringPayin(id, { Status: 'ENDED' });
        assert.equal(ended.Status, 'ENDED');
    });
});

describe('money back', () => {
    test('refunds: part, more than is left, the rest, once more', async () => {
        const payIn = await cardDirect(await registerCard());
        const part = await sdk.PayIns.createRefund(payIn.Id,
            { AuthorId: john.Id, DebitedFunds: eur(500), Fees: eur(-25) });
        assert.equal(part.Status, 'SUCCEEDED');
        assert.deepEqual({ ...part.CreditedFunds }, eur(525));
        assert.equal(part.Type, 'PAYOUT');
        assert.equal(part.Nature, 'REFUND');
        assert.equal(part.InitialTransactionId, payIn.Id);
        const more = await sdk.PayIns.createRefund(payIn.Id,
            { AuthorId: john.Id, DebitedFunds: eur(1401), Fees: eur(0) });
        assert.equal(more.Status, 'FAILED');
        assert.equal(more.ResultCode, '005403');
        const rest = await sdk.PayIns.createRefund(payIn.Id, { AuthorId: john.Id });
        assert.deepEqual({ ...rest.DebitedFunds }, eur(1400));
        assert.deepEqual({ ...rest.Fees }, eur(-75));
        const again = await sdk.PayIns.createRefund(payIn.Id, { AuthorId: john.Id });
        assert.equal(again.ResultCode, '001401');
        const list = await sdk.PayIns.getRefunds(payIn.Id);
        assert.equal(list.length, 4);
        assert.equal((await sdk.Refunds.get(part.Id)).Id, part.Id);
    });

    test('20 refunds at the same time give back what there is, once', async () => {
        const payIn = await cardDirect(await registerCard());
        const answers = await Promise.all(Array.from({ length: 20 },
            () => mango.post(`/payins/${payIn.Id}/refunds`, { AuthorId: john.Id })));
        const done = answers.filter((refund) => refund.Status === 'SUCCEEDED');
        assert.deepEqual(done.map((refund) => refund.DebitedFunds.Amount), [1900]);
        const failed = answers.filter((refund) => refund.Status === 'FAILED');
        assert.ok(failed.every((refund) => refund.ResultCode === '001401'));
        assert.equal(failed.length, 19);
    });

    test('20 captures at the same time take no more than is set aside', async () => {
        const preauth = await sdk.CardPreAuthorizations.create({
            AuthorId: john.Id, DebitedFunds: eur(5000), CardId: await registerCard(),
            SecureModeReturnURL: 'https://example.org/back', IpAddress: '203.0.113.9',
            BrowserInfo: BROWSER, MultiCapture: true,
        });
        const answers = await Promise.all(Array.from({ length: 20 },
            () => mango.api('POST', '/payins/preauthorized/direct',
                { ...parties(), PreauthorizationId: preauth.Id })));
        const done = answers.filter(({ json }) => json.Status === 'SUCCEEDED');
        assert.equal(done.length, 2);
        assert.equal((await sdk.CardPreAuthorizations.get(preauth.Id)).RemainingFunds.Amount, 1000);
    });

    test('a dispute: opened by the bank, contested, decided', async () => {
        const payIn = await cardDirect(await registerCard());
        await mango.act('chargeback', { session_id: payIn.Id });
        const [dispute] = await sdk.Disputes.getDisputesForPayIn(payIn.Id);
        assert.equal(dispute.Status, 'PENDING_CLIENT_ACTION');
        assert.equal(dispute.DisputeType, 'CONTESTABLE');
        assert.equal(dispute.InitialTransactionId, payIn.Id);
        assert.deepEqual({ ...dispute.DisputedFunds }, eur(2000));
        const repudiation = await sdk.Disputes.getRepudiation(dispute.RepudiationId);
        assert.equal(repudiation.Nature, 'REPUDIATION');
        const error = await refusal(sdk.PayIns.createRefund(payIn.Id, { AuthorId: john.Id }));
        assert.deepEqual(error.errors, { DebitedFunds:
            'Due to repudiations against this transaction, you can not refund this amount' });
        const contested = await sdk.Disputes.contestDispute(dispute.Id, eur(2000));
        assert.equal(contested.Status, 'SUBMITTED');
        await mango.act('dispute', { session_id: payIn.Id, result: 'WON' });
        const closed = await sdk.Disputes.get(dispute.Id);
        assert.equal(closed.Status, 'CLOSED');
        assert.equal(closed.ResultCode, 'WON');
    });
});

describe('hooks and events', () => {
    test('one hook per type; a GET tells of a payment; the event is listed', async () => {
        const receiver = await mango.receiver();
        const hook = await sdk.Hooks.create(
            { EventType: 'PAYIN_NORMAL_SUCCEEDED', Url: receiver.url });
        assert.equal(hook.Status, 'ENABLED');
        assert.equal(hook.Validity, 'VALID');
        const error = await refusal(sdk.Hooks.create(
            { EventType: 'PAYIN_NORMAL_SUCCEEDED', Url: receiver.url }));
        assert.deepEqual(error.errors,
            { EventType: 'A hook has already been registered for this EventType' });
        const started = Math.floor(Date.now() / 1000) - 2;
        const payIn = await cardDirect(await registerCard());
        const [told] = await receiver.heard('PAYIN_NORMAL_SUCCEEDED', payIn.Id);
        assert.equal(told.method, 'GET');
        assert.match(told.Date, /^\d{10}$/);
        const events = await sdk.Events.getAll(null, { parameters: {
            EventType: 'PAYIN_NORMAL_SUCCEEDED', AfterDate: started, per_page: 100 } });
        const event = events.find((row) => row.ResourceId === payIn.Id);
        assert.equal(event.EventType, 'PAYIN_NORMAL_SUCCEEDED');
        assert.equal((await sdk.Hooks.getAll()).length, 1);
        const off = await sdk.Hooks.update({ Id: hook.Id, Status: 'DISABLED', Url: hook.Url });
        assert.equal(off.Status, 'DISABLED');
        assert.equal((await sdk.Hooks.get(hook.Id)).Status, 'DISABLED');
        await receiver.close();
    });
});

describe('idempotency', () => {
    test('a key is burnt by its first call, and its answer can be read', async () => {
        const key = randomUUID();
        const body = {
            ...parties(), PaymentType: 'CARD', ExecutionType: 'WEB', Culture: 'EN',
            CardType: 'CB_VISA_MASTERCARD', ReturnURL: 'https://example.org/back',
        };
        const payIn = await sdk.PayIns.create({ ...body }, null, keyed(key));
        const error = await refusal(sdk.PayIns.create({ ...body }, null, keyed(key)));
        unkeyed();
        assert.equal(error.Type, 'idempotent_creation_conflict');
        assert.equal(error.Message,
            'A resource has already been created with this Idempotency Key');
        assert.equal(error.errors, null);
        assert.match(error.Id, /^[0-9a-f-]{36}#\d+$/);
        const kept = await sdk.Idempotency.get(key);
        assert.equal(kept.StatusCode, '200');
        assert.equal(kept.ContentType, 'application/json; charset=utf-8');
        assert.equal(kept.Resource.Id, payIn.Id);
        assert.match(kept.RequestURL, /\/payins\/card\/web/);
    });

    test('of a refused call too', async () => {
        const key = randomUUID();
        await refusal(sdk.Wallets.create({ Currency: 'EUR' }, null, keyed(key)));
        const error = await refusal(sdk.Wallets.create(
            { Owners: [john.Id], Currency: 'EUR', Description: 'x' }, null, keyed(key)));
        unkeyed();
        assert.equal(error.Type, 'idempotent_creation_conflict');
        const kept = await sdk.Idempotency.get(key);
        assert.equal(kept.StatusCode, '400');
        assert.equal(kept.Resource.Type, 'param_error');
    });
});

test('a wallet has what was credited', async () => {
    const own = await sdk.Wallets.create(
        { Owners: [john.Id], Currency: 'EUR', Description: 'Another' });
    await cardDirect(await registerCard(), { CreditedWalletId: own.Id });
    assert.equal((await sdk.Wallets.get(own.Id)).Balance.Amount, 1900);
    const moved = await sdk.Wallets.getTransactions(own.Id);
    assert.equal(moved.length, 1);
});

test('every charge is in the journal of /control once', async () => {
    const Tag = `PAY_${randomUUID()}`;
    await cardDirect(await registerCard(), { Tag });
    const { sessions } = await eventually(() => mango.journal(Tag));
    assert.deepEqual(sessions.map((row) => [row.status, row.charges, row.amount, row.currency]),
        [['succeeded', 1, 2000, 'EUR']]);
});
