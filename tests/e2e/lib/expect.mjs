// What every answer must look like, whoever gave it: a handler or nginx.
import assert from 'node:assert/strict';

const shown = (answer) => `${answer.status} ${answer.text}`;

// The envelope, as JSON, under exactly one request id.
function inEnvelope(answer) {
    assert.ok(answer, 'no answer at all');
    assert.equal(answer.all('x-request-id').length, 1, `request ids of ${shown(answer)}`);
    assert.match(answer.headers['x-request-id'], /^[0-9a-f]{32}$/);
    assert.deepEqual(answer.all('content-type'), ['application/json; charset=utf-8'],
        shown(answer));
    assert.deepEqual(answer.all('cache-control'), ['no-store'], shown(answer));
    assert.deepEqual(answer.all('x-content-type-options'), ['nosniff'], shown(answer));
    assert.deepEqual(Object.keys(answer.json ?? {}), ['err', 'success', 'content'], shown(answer));
}

// A refusal with this status, and this message unless it is left out.
export function refused(answer, status, message) {
    inEnvelope(answer);
    assert.equal(answer.status, status, shown(answer));
    assert.equal(answer.json.err, true, shown(answer));
    assert.equal(answer.json.success, false, shown(answer));
    assert.equal(typeof answer.json.content, 'string', shown(answer));
    if (message !== undefined) assert.equal(answer.json.content, message, shown(answer));
    const scheme = answer.json.content === 'Unauthorized' ? 'Bearer' : undefined;
    assert.equal(answer.headers['www-authenticate'], scheme, shown(answer));
    if (status === 405) assert.ok(answer.headers.allow,
        `405 names the methods allowed: ${shown(answer)}`);
    if (status === 503 || status === 429)
        assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/,
            `Retry-After of ${shown(answer)}`);
}

// A success; returns its content.
export function accepted(answer) {
    inEnvelope(answer);
    assert.equal(answer.status, 200, shown(answer));
    assert.equal(answer.json.err, false, shown(answer));
    assert.equal(answer.json.success, true, shown(answer));
    return answer.json.content;
}
