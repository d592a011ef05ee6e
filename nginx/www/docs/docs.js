// Shows /openapi.json: operations, parameters, schemas, examples and refusals, with a search.
// Everything on the page is built from nodes and text; nothing of the document is taken as HTML.
'use strict';

const find = (selector) => document.querySelector(selector);
let doc;

// An element: h('a.link', {href}, 'text', node, [more]). Nothing comes of null.
function h(what, attributes, ...children) {
  const [name, ...classes] = what.split('.');
  const node = document.createElement(name || 'div');
  node.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes ?? {})) node.setAttribute(key, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

// References followed, and the parts of an allOf laid over each other.
function resolve(node) {
  if (node?.$ref !== undefined) {
    const steps = node.$ref.slice(2).split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    return { named: steps.at(-1), ...resolve(steps.reduce((value, step) => value[step], doc)) };
  }
  if (node?.allOf === undefined) return node;
  const { allOf, ...rest } = node;
  const merge = (a, b) => ({
    ...a,
    ...b,
    properties: { ...a.properties, ...b.properties },
    required: [...(a.required ?? []), ...(b.required ?? [])],
  });
  return [...allOf.map(resolve), rest].reduce(merge, {});
}

// --- text: the little of Markdown that descriptions use ---

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`')) return h('code', null, part.slice(1, -1));
    return part.startsWith('**') ? h('strong', null, part.slice(2, -2)) : part;
  });
}

function block(text) {
  const lines = text.split('\n');
  if (lines[0].startsWith('## ')) return [h('h3', null, lines[0].slice(3)), lines.length > 1 ? block(lines.slice(1).join('\n')) : null];
  const items = (mark) => lines.map((line) => h('li', null, inline(line.replace(mark, ''))));
  if (/^- /.test(text)) return h('ul', null, items(/^- /));
  if (/^\d+\. /.test(text)) return h('ol', null, items(/^\d+\. /));
  return h('p', null, inline(text));
}

const prose = (text) => (text ?? '').split('\n\n').filter((part) => part !== '').flatMap(block);

// --- schemas ---

const LIMITS = {
  minimum: (value) => `from ${value}`,
  maximum: (value) => `to ${value}`,
  minLength: (value) => `at least ${value} characters`,
  maxLength: (value) => `at most ${value} characters`,
  default: (value) => `default ${value}`,
};

function typeOf(schema) {
  if (schema.oneOf !== undefined) return schema.oneOf.map((one) => typeOf(resolve(one))).join(' or ');
  const types = [schema.type ?? 'anything'].flat();
  return types.map((type) => (type === 'array' ? `array of ${typeOf(resolve(schema.items))}` : type)).join(' or ');
}

function remarks(schema) {
  const told = (value) => (schema.description ?? '').includes(`\`${value}\``);
  const values = schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
  const limits = Object.entries(LIMITS).filter(([key]) => schema[key] !== undefined);
  return [
    prose(schema.description),
    values.every(told) ? null : h('p', null, values.length > 1 ? 'One of ' : 'Always ', values.map((value, i) => [i > 0 ? ', ' : null, h('code', null, String(value))])),
    limits.length === 0 ? null : h('p.limits', null, limits.map(([key, say]) => say(schema[key])).join(', ')),
    schema.pattern === undefined ? null : h('p.limits', null, 'looks like ', h('code', null, schema.pattern)),
  ];
}

// The rows of an object's table; members of members follow under their full name.
function memberRows(schema, prefix) {
  return Object.entries(schema.properties ?? {}).flatMap(([name, raw]) => {
    const member = resolve(raw);
    const inner = member.type === 'array' ? resolve(member.items) : member;
    const full = `${prefix}${name}`;
    const must = (schema.required ?? []).includes(name);
    const row = h('tr', null, h('td', null, h('code', null, full)), h('td', null, typeOf(member), must ? h('p.must', null, 'required') : null), h('td', null, remarks(member)));
    return [row, ...memberRows(inner, `${full}${member.type === 'array' ? '[]' : ''}.`)];
  });
}

const table = (heads, rows) => h('.wide', null, h('table', null, h('thead', null, h('tr', null, heads.map((head) => h('th', { scope: 'col' }, head)))), h('tbody', null, rows)));

function schemaView(raw) {
  const schema = resolve(raw);
  if (schema.oneOf !== undefined && schema.oneOf.every((one) => resolve(one).properties !== undefined))
    return schema.oneOf.map((one, i) => [h('h5', null, i === 0 ? 'Either' : 'or', ': ', resolve(one).description ?? ''), schemaView({ ...resolve(one), description: undefined })]);
  const rows = memberRows(schema, '');
  if (rows.length === 0) return [h('p', null, typeOf(schema)), remarks(schema)];
  return [prose(schema.description), table(['Member', 'Type', 'Meaning'], rows)];
}

// --- examples ---

function code(text) {
  const button = h('button', { type: 'button' }, 'Copy');
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  });
  return h('.code', null, button, h('pre', { tabindex: '0' }, text));
}

const pretty = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
const examplesOf = (media) => Object.values(media?.examples ?? {}).map(resolve);

// The request as one would type it; what stands in for a secret is a shell variable.
function curlOf(method, path, operation, example) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) =>
    operation.parameters.map(resolve).find((parameter) => parameter.name === name).example);
  const words = [`curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}${location.origin}${filled}`];
  if (securityOf(operation).length > 0) words.push('-H "Authorization: Bearer $JWT"');
  for (const parameter of (operation.parameters ?? []).map(resolve))
    if (parameter.in === 'header') words.push(`-H '${parameter.name}: ${parameter.example}'`);
  if (example !== undefined) words.push(`--json '${JSON.stringify(example.value)}'`);
  return words.join(' \\\n  ');
}

// --- operations ---

const securityOf = (operation) => operation.security ?? doc.security ?? [];

function parametersView(operation) {
  const rows = (operation.parameters ?? []).map(resolve).map((parameter) =>
    h('tr', null,
      h('td', null, h('code', null, parameter.name)),
      h('td', null, parameter.in, parameter.required ? h('p.must', null, 'required') : null),
      h('td', null, prose(parameter.description), remarks({ ...resolve(parameter.schema), description: undefined }), h('p.limits', null, 'for example ', h('code', null, pretty(parameter.example))))));
  return rows.length === 0 ? null : [h('h4', null, 'Parameters'), table(['Name', 'Where', 'Meaning'], rows)];
}

function requestView(method, path, operation) {
  const content = resolve(operation.requestBody)?.content ?? {};
  const media = content['application/json'];
  const examples = examplesOf(media);
  return [
    media === undefined ? null : [h('h4', null, 'Request body'), h('p.limits', null, Object.keys(content).join(' or ')), schemaView(media.schema)],
    h('h4', null, 'Request'),
    examples.length === 0 ? code(curlOf(method, path, operation)) : examples.map((example) => [h('p', null, example.summary), code(curlOf(method, path, operation, example))]),
  ];
}

const headersView = (response) => {
  const rows = Object.entries(response.headers ?? {}).map(([name, raw]) => h('li', null, h('code', null, name), ' ', inline(resolve(raw).description)));
  return rows.length === 0 ? null : h('details', null, h('summary', null, 'Headers'), h('ul', null, rows));
};

function successView(status, response) {
  const [type, media] = Object.entries(response.content ?? {})[0] ?? [];
  const schema = media === undefined ? null : resolve(media.schema);
  const content = schema?.properties?.content;
  return h('section.answer', null,
    h('h4', null, h('span.status', null, status), ' ', response.description),
    headersView(response),
    content === undefined ? (type === undefined ? null : h('p.limits', null, type)) : [h('p.limits', null, 'in ', h('code', null, 'content')), schemaView(content)],
    examplesOf(media).map((example) => [h('p', null, example.summary), code(pretty(example.value))]));
}

function refusalRows(status, response) {
  return examplesOf(response.content?.['application/json']).map((example) =>
    h('tr', null, h('td', null, h('span.status.bad', null, (example['x-status'] !== undefined && status === 'default' ? example['x-status'].join(', ') : status))), h('td.message', null, h('code', null, example.value.content)), h('td', null, prose(example.description))));
}

const isRefusal = (status) => /^[45]/.test(status);
const usersOf = (response) => allOperations().filter(({ operation }) => Object.values(operation.responses).some((one) => one.$ref === response.$ref)).length;

// Refusals of an operation: its own and its kind's open to the eye, those of most others folded away.
function refusalsView(operation) {
  const all = Object.entries(operation.responses).filter(([status]) => isRefusal(status));
  const common = all.filter(([, response]) => response.$ref !== undefined && usersOf(response) > 3);
  const own = all.filter((one) => !common.includes(one));
  const rows = (list) => list.flatMap(([status, response]) => refusalRows(status, resolve(response)));
  const heads = ['Status', 'Message', 'When, and what to do'];
  const compatible = operation.responses['300'];
  return [
    own.length === 0 ? null : [h('h4', null, 'Refusals'), table(heads, rows(own))],
    compatible === undefined ? null : h('p.limits', null, '300: ', inline(compatible.description)),
    common.length === 0 ? null : h('details', null, h('summary', null, 'Refusals that it shares with most others'), table(heads, rows(common))),
    operation.responses.default === undefined ? null : h('p.limits', null, 'And those ', h('a', { href: '#anywhere' }, 'of any path'), '.'),
  ];
}

function operationView(method, path, operation, isWebhook) {
  const success = Object.entries(operation.responses).filter(([status]) => /^2|^30[1-9]/.test(status));
  return h('article', { id: operation.operationId },
    h('h3', null, h('a', { href: `#${operation.operationId}` }, operation.summary)),
    h('p.path', null, h(`span.method.${method}`, null, method.toUpperCase()), ' ', h('code', null, path), ' ', h('span.auth', null, securityOf(operation).length > 0 ? 'needs a token' : 'open')),
    prose(operation.description),
    parametersView(operation),
    isWebhook ? [h('h4', null, 'Body'), schemaView(operation.requestBody.content['application/json'].schema), examplesOf(operation.requestBody.content['application/json']).map((example) => [h('p', null, example.summary), code(pretty(example.value))])]
      : requestView(method, path, operation),
    isWebhook ? null : [success.map(([status, response]) => successView(status, resolve(response))), refusalsView(operation)]);
}

function allOperations() {
  const from = (group, isWebhook) => Object.entries(group ?? {}).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path: isWebhook ? operation['x-path'] ?? `/webhook/${path}` : path, method, operation, isWebhook })));
  return [...from(doc.paths, false), ...from(doc.webhooks, true)];
}

// --- the page ---

function show() {
  const list = allOperations();
  for (const one of list) one.view = operationView(one.method, one.path, one.operation, one.isWebhook);
  const groups = doc.tags.map((tag) => ({ ...tag, members: list.filter((one) => one.operation.tags.includes(tag.name)) }));
  find('#main').replaceChildren(
    h('header', null, h('h1', null, doc.info.title), h('p', null, doc.info.summary, ' · version ', doc.info.version, ' · ', h('a', { href: '/openapi.json' }, 'openapi.json')), prose(doc.info.description)),
    ...groups.map((group) => h('section.group', null, h('h2', null, group.name), prose(group.description), group.members.map((one) => one.view))),
    h('section.group', { id: 'anywhere' }, h('h2', null, 'Refusals of any path'), prose(doc.components.responses.Refusal.description), table(['Status', 'Message', 'When, and what to do'], refusalRows('default', doc.components.responses.Refusal))));
  find('#index').replaceChildren(...groups.map((group) => h('section.group', null, h('h2', null, group.name), h('ul', null, group.members.map((one) => {
    one.link = h('li', null, h('a', { href: `#${one.operation.operationId}` }, h(`span.method.${one.method}`, null, one.method.toUpperCase()), ' ', one.path));
    return one.link;
  })))));
  find('#search').addEventListener('input', () => search(list));
  // The address may name an operation that has only now come to be.
  if (location.hash !== '') document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function search(list) {
  const words = find('#search').value.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const fits = (one) => words.every((word) => one.view.textContent.toLowerCase().includes(word));
  for (const one of list) one.view.hidden = one.link.hidden = !fits(one);
  for (const group of document.querySelectorAll('section.group:not(#anywhere)'))
    group.hidden = group.querySelector('article:not([hidden]), nav li:not([hidden])') === null;
  find('#main header').hidden = words.length > 0;
  find('#found').textContent = words.length === 0 ? '' : `${list.filter(fits).length} of ${list.length} operations`;
}

fetch('/openapi.json')
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`/openapi.json: ${answer.status}`))))
  .then((json) => {
    doc = json;
    show();
  })
  .catch((error) => find('#main').replaceChildren(h('p.error', { role: 'alert' }, `The description cannot be shown: ${error.message}`)));
