// What is measured: a load of wrk's, how slow the provider is, and how many requests at a time.
const ALL = [1, 16, 64, 256, 1000];

// `kind` names the load (wrk/KIND.lua) and what must be in the database beforehand and afterwards.
// `background`: so many payments wait for the provider meanwhile.
export const JOBS = {
    create0: { kind: 'create', delay: 0, concurrency: ALL, title: 'create, provider 0 ms' },
    create300: { kind: 'create', delay: 300, concurrency: [64, 256, 1000], title: 'create, provider 300 ms' },
    create2000: { kind: 'create', delay: 2000, concurrency: [2000], title: 'create, provider 2 s' },
    webhook: { kind: 'webhook', delay: 0, concurrency: ALL, title: 'webhook, credit once' },
    busy: { kind: 'webhook', delay: 2000, background: 1000, concurrency: [16],
        title: 'webhook while 1000 payments wait for the provider' },
    items: { kind: 'items', delay: 0, concurrency: ALL, title: 'items from balance' },
    balance: { kind: 'balance', delay: 0, concurrency: ALL, title: 'balance read' },
    replay: { kind: 'replay', delay: 0, concurrency: ALL, title: 'replay of a known key' },
};

export const concurrencyOf = (job, asked, short) => {
    if (asked === null || job.background) return job.concurrency;
    return short && job.delay > 0 ? [64] : asked;
};

// A thousand that wait for a slow provider are answered in waves, and a run's first one comes upon cold caches, its last one is
// not asked again: of a short run that is a large part.
export const secondsOf = ({ job, concurrency }, { seconds, waves = 0 }) =>
    job.delay > 0 && !job.background && concurrency >= 1000 ? Math.max(seconds, waves) : seconds;

// Seconds that the last answers may take.
export const drainOf = (job, concurrency) => 1 + (1.5 * job.delay) / 1000 + concurrency / 200;
