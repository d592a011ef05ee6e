// Guichet's public API: one function, and who is logged in.

let token = null;

// A request whose answer never came, or left open what happened, has the same key when it is sent
// again: then it cannot happen twice.
const keys = new Map();

function keyOf(request) {
  if (!keys.has(request)) keys.set(request, crypto.randomUUID());
  return keys.get(request);
}

const isSettled = (status) => status < 500 && status !== 409 && status !== 429;

// Every answer has the envelope: returns its content, or throws its message with `status`.
export async function call(method, path, body) {
  const request = `${path} ${JSON.stringify(body)}`;
  const headers = {};
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method === 'POST' && token !== null) headers['Idempotency-Key'] = keyOf(request);
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  if (isSettled(response.status)) keys.delete(request);
  const answer = await response.json();
  if (answer.err) {
    const error = new Error(`${answer.content} (${response.status})`);
    error.status = response.status;
    throw error;
  }
  return { ...answer.content, location: response.headers.get('Location') };
}

export async function logIn(apiKey) {
  token = null;
  token = (await call('POST', '/user/login', { apiKey })).jwt;
}

export const isLoggedIn = () => token !== null;
