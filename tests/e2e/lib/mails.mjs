// The mails that an instance sent, as its sandbox shows them.
import { eventually } from './client.mjs';

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const plain = (html) => html.replace(/&(\w+|#39);/g, (_, name) => ENTITIES[name]);
const between = (html, before, after) => {
    const start = html.indexOf(before);
    if (start < 0) return null;
    const from = start + before.length;
    return plain(html.slice(from, html.indexOf(after, from)));
};

function parseMail(html) {
    const field = (label) => between(html, `<dt>${label}</dt><dd>`, '</dd>');
    return {
        name: decodeURIComponent(between(html, 'href="/mail/', '"')),
        from: field('From'),
        to: field('To'),
        subject: field('Subject'),
        date: field('Date'),
        messageId: field('Message-ID'),
        text: between(html, '<pre class="text">', '</pre>'),
    };
}

// The newest 50, newest first: {name, from, to, subject, date, messageId, text}. A header that is
// missing is '', a text null.
export async function readMails(shop) {
    const answer = await shop.sandbox.request('GET', '/mail/');
    if (answer.status !== 200) throw new Error(`mails: ${answer.status} ${answer.text}`);
    return answer.text.split('<article').slice(1).map(parseMail);
}

// Waits for mails that `matches` and returns them; `count` (1) is how many there must be at least.
export const mailsThat = (shop, matches, { count = 1, ms = 10_000 } = {}) =>
    eventually(async () => {
        const all = await readMails(shop);
        const found = all.filter(matches);
        if (found.length >= count) return found;
        throw new Error(`${found.length} of ${count}; there are ${JSON.stringify(all)}`);
    }, ms);
