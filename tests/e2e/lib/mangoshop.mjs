// Payments with Mangopay through Guichet.
import { ACCEPTED_AT } from './client.mjs';
import { makeLedger } from './ledger.mjs';

export const BROWSER_INFO = {
    accept_header: 'text/html', java_enabled: false, language: 'fr-FR', color_depth: 24,
    screen_height: 1080, screen_width: 1920, time_zone_offset: -60, user_agent: 'Mozilla/5.0',
    javascript_enabled: true,
};
export const ADDRESS = {
    first_name: 'Jo', last_name: 'Doe', address1: '6 rue de la Cité', city: 'Paris',
    postcode: '75001', country: 'FR',
};
export const AUTHOR = 'user_m_guichet';
export const WALLET = 'wlt_m_guichet_eur';

export function makeShop(shop, mangopay) {
    const { client } = shop;
    const { alice } = shop.users;
    const idOf = (answer) => answer.headers.location?.match(/^\/payments\/(PAY_\w+)$/)?.[1];

    async function deposit(value, extra = {}, options = {}) {
        const body = { type: 'balance', value, tos_timestamp: ACCEPTED_AT, ...extra };
        const answer = await client.request('POST', '/payment/mangopay',
            { body, token: alice.jwt, ...options });
        return Object.assign(answer, { id: idOf(answer), url: answer.json?.content?.url });
    }
    // The older endpoint, which knows currencies; in EUR unless told else.
    async function paiement(amount, extra = {}, options = {}) {
        const body = { amount, currency: 'EUR', ...extra };
        const answer = await client.request('POST', '/paiement/mangopay',
            { body, token: alice.jwt, ...options });
        return Object.assign(answer, { id: idOf(answer), url: answer.json?.content?.paymentUrl });
    }

    const referenceOf = (id) =>
        shop.value('SELECT provider_reference FROM attempt_answers JOIN attempts USING (attempt_id)'
            + ' WHERE payment_id = ? AND definite = 1', [id]);
    const payinOf = async (made) => mangopay.get(`/payins/${await referenceOf(made.id)}`);
    const { credits, moves } = makeLedger(shop);
    const reviews = (id) => shop.rows('SELECT kind, note FROM reviews WHERE payment_id = ?', [id]);
    const creates = async (id, tag = '') =>
        (await mangopay.journal(`${id} demo${tag}`)).calls.filter(({ method }) => method === 'POST');

    const notify = (type, id, date = Math.floor(Date.now() / 1000)) =>
        client.request('GET', `/webhook/mangopay?EventType=${type}&RessourceId=${id}&Date=${date}`);

    return { deposit, paiement, payinOf, referenceOf, credits, reviews, creates, moves, notify };
}
