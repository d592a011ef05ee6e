// Small helpers for the page's elements. Text goes in as text, never as HTML.

export const find = (selector) => document.querySelector(selector);

// make('li', { className: 'line' }, 'text', element…)
export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `icons.svg#${name}`);
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(use);
  return svg;
}

// Times come as Unix seconds or as RFC 3339 text.
export function moment(value) {
  const date = new Date(/^\d+$/.test(value) ? Number(value) * 1000 : value);
  return make('time', { dateTime: date.toISOString(), textContent: date.toLocaleString() });
}

export const statusWords = (status) => status.replaceAll('_', ' ');

export function showError(message) {
  find('#error').textContent = message;
  find('#error').hidden = message === '';
  if (message !== '') find('#error').scrollIntoView({ block: 'nearest' });
}

// Runs what an element asks for, one at a time, and shows what went wrong.
export function on(element, type, action) {
  let running = false;
  element.addEventListener(type, async (event) => {
    event.preventDefault();
    if (running) return;
    running = true;
    showError('');
    element.setAttribute('aria-busy', 'true');
    try {
      await action(event);
    } catch (error) {
      showError(error.message);
    } finally {
      running = false;
      element.removeAttribute('aria-busy');
    }
  });
}
