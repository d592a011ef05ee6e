// What a seed says: every step of every client, every fault of the provider, every kill. Pure: a
// step is a function of its number, whatever became of the steps before it. What the clock decides
// is only how far each actor gets, what meets what, and hence what the answers are.
import { hashOf, makeDice } from './dice.mjs';

export const ITEMS = 800; // that the clients know; few enough for them to meet

const TOS = 1706745600; // fixed: a repeated request has the same bytes

const ACTS = { deposit: 28, paiement: 12, cart: 18, own: 10, again: 22, look: 10 };
const PAYERS = {
    page: 26, control: 26, second_try: 8, challenge: 4, reviewed: 4, turned_down: 3, given_back: 4, late: 5,
    declined: 5, cancelled: 4, gone: 11,
};
const NOTICES = {
    fine: 60, webhook_duplicate: 10, webhook_late: 8, webhook_reordered: 7, webhook_dropped: 7, wrong_amount: 3,
    wrong_currency: 2, bad_signature: 3,
};
const NOTICE_ARGS = {
    webhook_duplicate: (dice) => ({ copies: dice.between(2, 5) }),
    webhook_late: (dice) => ({ ms: dice.between(100, 4000) }),
    webhook_reordered: (dice) => ({ ms: dice.between(500, 3000) }),
    wrong_amount: (dice) => ({ delta: dice.pick([-100, -1, 1, 100]) }),
    wrong_currency: (dice) => ({ currency: dice.pick(['EUR', 'JPY', 'GBP']) }),
};
const LOOKS = [
    '/user/balance', '/payments?limit=5', '/user/getBalanceHistory?limit=5', '/user/getTransactionHistory?limit=5',
    '/user/notifications', '/providers',
];

function makeItems(dice, most) {
    const wanted = new Set();
    const hot = dice.chance(30); // some things everybody wants
    for (let count = dice.between(1, most); count > 0; count--) wanted.add(dice.between(0, hot ? 15 : ITEMS - 1));
    return [...wanted];
}

// Path, provider and body of a create. Items are numbers here; the market knows their names.
function makeRequest(act, dice) {
    switch (act) {
        case 'paiement':
            return {
                path: `/paiement/${dice.pick(['payviox', 'payviox', 'mannco'])}`,
                body: { amount: dice.between(1000, 50000), currency: 'USD', returnUrl: 'https://yourapp.com/paid' },
            };
        case 'cart':
            return { path: '/payment/payviox', body: { type: 'items', tos_timestamp: TOS }, items: makeItems(dice, 4) };
        case 'own':
            return { path: '/payment/mannco', body: { type: 'items', tos_timestamp: TOS }, items: makeItems(dice, 2) };
        default:
            return {
                path: '/payment/payviox',
                body: { type: 'balance', value: dice.between(500, 50000), tos_timestamp: TOS },
            };
    }
}

// What the payer does with the page he is sent to.
function makePayer(dice) {
    const notice = dice.weighed(NOTICES);
    return {
        does: dice.weighed(PAYERS),
        after: dice.between(0, 600), // ms
        notice: notice === 'fine' ? null : { fault: notice, ...NOTICE_ARGS[notice]?.(dice) },
        returns: dice.weighed({ never: 40, before: 15, after: 45 }), // his browser, to our return page
        looks: dice.between(0, 2), // how often he asks what became of it
        refund: dice.chance(12) ? dice.pick(['full', 'part', 'parts', 'race']) : null,
        part: dice.between(1, 99), // percent
    };
}

// The `number`th step of a client.
export function stepOf(seed, client, number) {
    const dice = makeDice(seed, 'client', client, number);
    const act = dice.weighed(ACTS);
    if (act === 'look') return { act, path: dice.pick(LOOKS), pause: dice.between(0, 20) };
    if (act === 'again') {
        const from = number - dice.between(1, 30);
        for (let back = from; back >= 0; back--) {
            const step = stepOf(seed, client, back);
            if (step.key !== undefined && step.act !== 'again') return { ...step, act: 'again', pause: dice.between(0, 20) };
        }
    }
    const create = act === 'again' ? 'deposit' : act;
    return {
        act: create,
        ...makeRequest(create, dice),
        key: act === 'again' || dice.chance(80) ? `chaos-${seed}-${client}-${number}` : undefined,
        twin: dice.chance(6), // the same request twice at once, if it has a key
        retries: dice.between(1, 4), // after an answer that decides nothing
        patience: dice.between(50, 1500), // ms before each
        payer: makePayer(dice),
        pause: dice.between(0, 20),
    };
}

// --- the provider's faults: whom they hit is whoever calls next ---

const MISCHIEF = {
    slow: 12, timeout_after_success: 5, connection_reset: 8, connection_reset_after_success: 8, error_5xx: 8,
    garbage: 8, rate_limited: 4, unauthorized: 2, refused: 4, payment_error: 6, webhook_before_answer: 12,
    readback_404: 8, readback_pending: 4, slow_read: 5, broken_read: 6,
    spell: 1, // nothing works for a while: the breaker opens
};
const MISCHIEF_ARGS = {
    slow: (dice) => ({ call: 'create', ms: dice.between(200, 1500) }),
    timeout_after_success: () => ({ ms: 4000 }), // longer than provider.timeout
    connection_reset: () => ({ call: 'create' }),
    error_5xx: (dice) => ({ call: 'create', status: dice.pick([500, 502, 503]) }),
    garbage: () => ({ call: 'create' }),
    rate_limited: () => ({ call: 'create', retry_after: 1 }),
    unauthorized: () => ({ call: 'create' }),
    spell: (dice) => ({ fault: 'connection_reset', call: 'create', count: dice.between(20, 60) }),
    readback_404: (dice) => ({ count: dice.between(1, 3) }),
    slow_read: (dice) => ({ fault: 'slow', call: 'read', ms: dice.between(200, 1500) }),
    broken_read: (dice) => ({ fault: dice.pick(['connection_reset', 'error_5xx', 'garbage']), call: 'read' }),
};

export function mischiefOf(seed, number) {
    const dice = makeDice(seed, 'mischief', number);
    const fault = dice.weighed(MISCHIEF);
    return { gap: dice.between(30, 300), fault, ...MISCHIEF_ARGS[fault]?.(dice) };
}

// --- kills ---

export const VICTIMS = ['guichet', 'jobs', 'mariadb'];
// ms from one to the next, and to the first; how long MariaDB stays away.
const GAPS = { guichet: [300, 2000], jobs: [2500, 7000], mariadb: [15_000, 40_000] };
const FIRST = { guichet: [500, 1500], jobs: [1000, 3000], mariadb: [5000, 9000] };

// Which: of the processes that are there, counted on.
export function killOf(seed, victim, number) {
    const dice = makeDice(seed, 'kill', victim, number);
    return {
        gap: dice.between(...(number === 0 ? FIRST : GAPS)[victim]),
        which: dice.between(0, 99),
        away: dice.between(0, 1500),
    };
}

// --- the market ---

// A tick of what sellers do: put on sale again what was sold, raise a price, take something away
// that is held, and bring it back.
export function tickOf(seed, number) {
    const dice = makeDice(seed, 'market', number);
    return {
        gap: dice.between(200, 600),
        relist: dice.between(20, 120),
        reprice: dice.chance(30) ? dice.between(0, ITEMS - 1) : null,
        price: dice.between(100, 900),
        withdraw: dice.chance(15) ? dice.between(0, ITEMS - 1) : null,
    };
}

// A word for the whole plan: a replay shows the same.
export function digestOf(seed) {
    const first = (count, fn) => Array.from({ length: count }, (_, number) => fn(number));
    const plan = [
        first(200, (number) => stepOf(seed, number % 16, number)),
        first(100, (number) => mischiefOf(seed, number)),
        VICTIMS.map((victim) => first(50, (number) => killOf(seed, victim, number))),
        first(50, (number) => tickOf(seed, number)),
    ];
    return hashOf(JSON.stringify(plan)).toString(16).padStart(8, '0');
}
