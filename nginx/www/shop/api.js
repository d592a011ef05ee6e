// Guichet's public API: one function, and who is logged in.

let token = null;

// A request whose answer never came, or left open what happened, has the same key when it is sent
// again: then it cannot happen twice.
const keys = new Map();

function keyOf(request) {
  if (!keys.has(request)) keys.set(request, crypto.randomUUID());
  return keys.get(request);
}

// This one is said again to whoever asks again with the same key.
const REFUSED = 'Failed to process payment';
const AGAIN = 'Try again in a moment: it cannot happen twice.';

// What to do about a refusal; the others say it themselves.
const ADVICE = {
  [REFUSED]: 'Nothing was paid: try again, or pay another way.',
  'No items found': 'Something in the cart has been sold, or is your own: take it out.',
  401: 'Log in again.',
  409: AGAIN, 429: AGAIN, 502: AGAIN, 503: AGAIN, 504: AGAIN,
};

// No status: there was no answer.
const isSettled = (status, message) =>
  message === REFUSED || (status < 500 && status !== 409 && status !== 429);

function fail(text, status, message) {
  throw Object.assign(new Error(text), { isSettled: isSettled(status, message) });
}

const noAnswer = () => fail(`No answer came. ${AGAIN}`);

// Every answer has the envelope: returns its content, or throws its message; `isSettled` says that
// asking again would not change it.
export async function call(method, path, body) {
  const request = `${path} ${JSON.stringify(body)}`;
  const headers = {};
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method === 'POST' && token !== null) headers['Idempotency-Key'] = keyOf(request);
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) }).catch(noAnswer);
  const { err, content } = await response.json().catch(noAnswer);
  const { status } = response;
  if (isSettled(status, content)) keys.delete(request);
  if (err) fail([`${content} (${status})`, ADVICE[content] ?? ADVICE[status]].filter(Boolean).join('. '), status, content);
  return { ...content, location: response.headers.get('Location') };
}

export async function logIn(apiKey) {
  token = null;
  token = (await call('POST', '/user/login', { apiKey })).jwt;
}

export const isLoggedIn = () => token !== null;
