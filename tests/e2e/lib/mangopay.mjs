// Mangopay at the sandbox: its API called by hand, its control desk, a payer's browser, and a
// receiver of hooks.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { eventually } from './client.mjs';

export const FRICTIONLESS = '4970107111111119';
export const CHALLENGE = '4970105181818183';
export const MAESTRO = '5033951000000004';
export const AMEX = '375989111111119';
export const DECLINED = '4000000000000002';
export const IBAN = 'FR7630004000031234567890143';

export const eur = (Amount) => ({ Currency: 'EUR', Amount });
// What a wire says before money has come: ISO 4217's own word for no currency.
export const NOTHING_YET = { Currency: 'X'.repeat(3), Amount: 0 };
export const PERSON = {
    FirstName: 'Alex', LastName: 'Smith',
    Address: {
        AddressLine1: '6 rue de la Cité', AddressLine2: 'Appartement 3', City: 'Paris',
        Region: 'Île-de-France', PostalCode: '75001', Country: 'FR',
    },
};
export const BROWSER = {
    AcceptHeader: 'text/html', JavaEnabled: true, Language: 'FR-FR', ColorDepth: 4,
    ScreenHeight: 1800, ScreenWidth: 400, TimeZoneOffset: 60, UserAgent: 'Mozilla/5.0',
    JavascriptEnabled: true,
};
export const USER = { FirstName: 'Jo', LastName: 'Doe', Email: 'jo@example.org' };

export function makeMangopay(shop) {
    const { sandbox } = shop;
    const provider = 'mangopay';
    const key = shop.secret('mangopay');
    const client = 'guichet';
    const fault = (name, args = {}) => sandbox.fault(name, { provider, ...args });
    const act = (action, args) => sandbox.act(action, { provider, ...args });
    const journal = (order_id) => sandbox.journal({ order_id });
    const advance = (seconds) => act('advance', { ms: seconds * 1000 });

    const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
    const authorize = ({ id = client, secret = key, body = 'grant_type=client_credentials' } = {}) =>
        sandbox.request('POST', '/mangopay/v2.01/oauth/token', {
            body,
            headers: {
                Authorization: basic(id, secret),
                'Content-Type': 'application/x-www-form-urlencoded',
            },
        });

    let token;
    // A call of the API: (method, path, body, {headers, client, token}).
    async function api(method, path, body, options = {}) {
        token ??= (await authorize()).json.access_token;
        return sandbox.request(method, `/mangopay/v2.01/${options.client ?? client}${path}`, {
            body,
            headers: {
                Authorization: `Bearer ${options.token ?? token}`,
                ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
                ...options.headers,
            },
        });
    }
    const renew = () => { token = undefined; };
    const good = async (...args) => {
        const answer = await api(...args);
        assert.equal(answer.status, 200, answer.text);
        return answer.json;
    };
    const get = (path) => good('GET', path);
    const post = (path, body, options) => good('POST', path, body, options);
    const put = (path, body) => good('PUT', path, body);

    // A param_error: the fields that are wrong, or nothing.
    async function wrong(path, body, method = 'POST') {
        const answer = await api(method, path, body);
        if (answer.status === 200) return {};
        assert.equal(answer.status, 400, answer.text);
        assert.equal(answer.json.Type, 'param_error', answer.text);
        return answer.json.errors;
    }

    const user = (changes = {}) => post('/users/natural', { ...USER, ...changes });
    const wallet = (owner, Currency = 'EUR') =>
        post('/wallets', { Owners: [owner], Description: 'A wallet', Currency });

    // What the payer's browser does with a card that is to be registered; gives the text answered.
    const tokenize = (registration, cardNumber = FRICTIONLESS, changes = {}) =>
        sandbox.request('POST', '/mangopay/webpayment/getToken', {
            body: new URLSearchParams({
                accessKeyRef: registration.AccessKey,
                data: registration.PreregistrationData,
                cardNumber,
                cardExpirationDate: '1239',
                cardCvx: cardNumber.startsWith('37') ? '1234' : '123',
                ...changes,
            }).toString(),
            headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        }).then((answer) => answer.text);

    async function card(UserId, number = FRICTIONLESS, Currency = 'EUR', CardType = 'CB_VISA_MASTERCARD') {
        const registration = await post('/cardregistrations', { UserId, Currency, CardType });
        const data = await tokenize(registration, number);
        const done = await put(`/cardregistrations/${registration.Id}`, { RegistrationData: data });
        assert.equal(done.Status, 'VALIDATED', JSON.stringify(done));
        return done.CardId;
    }

    async function mandate(UserId, status = 'ACTIVE') {
        const account = await post(`/users/${UserId}/bankaccounts/iban`,
            { OwnerName: 'Jo Doe', OwnerAddress: PERSON.Address, IBAN, BIC: 'BNPAFRPP' });
        const made = await post('/mandates/directdebit/web/',
            { BankAccountId: account.Id, Culture: 'EN', ReturnURL: 'https://example.org/back' });
        if (status !== 'CREATED') await act('mandate', { mandate_id: made.Id, status });
        return get(`/mandates/${made.Id}`);
    }

    // Posts a form to the page of that address, as a browser does; gives where it leads.
    async function form(url, fields) {
        const { pathname, search } = new URL(url);
        const answer = await sandbox.request('POST', pathname + search, {
            body: new URLSearchParams(fields).toString(),
            headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        });
        return { ...answer, location: answer.headers.location };
    }
    const page = (url) => {
        const { pathname, search } = new URL(url);
        return sandbox.request('GET', pathname + search);
    };
    const cardForm = (card_number = FRICTIONLESS) =>
        ({ card_number, expiry: '12/39', cvc: card_number.startsWith('37') ? '1234' : '123' });

    // The hooks registered so far, told to a receiver of ours; `answer` decides each reply.
    async function receiver(answer = () => 200) {
        const told = [];
        const server = http.createServer(async (request, response) => {
            const query = new URL(request.url, 'http://localhost').searchParams;
            const entry = Object.fromEntries(query);
            told.push({ ...entry, method: request.method, headers: request.headers });
            response.writeHead(await answer(entry, told.length)).end();
        });
        server.listen(0, '127.0.0.1').unref();
        await once(server, 'listening');
        const url = `http://127.0.0.1:${server.address().port}/hook`;
        const heard = (type, id) => eventually(() => {
            const found = told.filter((entry) => entry.EventType === type &&
                (id === undefined || entry.RessourceId === id));
            return found.length > 0 && found;
        });
        return { url, told, heard, close: () => new Promise((done) => server.close(done)) };
    }
    // Registers the hook, or points the one that there is to the address.
    async function hook(EventType, Url) {
        const known = (await get('/hooks?per_page=100')).find((row) => row.EventType === EventType);
        return known === undefined
            ? post('/hooks', { EventType, Url })
            : put(`/hooks/${known.Id}`, { Url, Status: 'ENABLED', Validity: 'VALID' });
    }

    return {
        key, client, fault, act, journal, advance, authorize, api, renew, get, post, put, wrong,
        user, wallet, tokenize, card, mandate, form, page, cardForm, receiver, hook,
    };
}
