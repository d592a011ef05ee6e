// Money is an integer of minor units. Amounts change their form as text: nothing is divided or
// multiplied, so nothing is ever rounded.

// ISO 4217: most currencies have two decimals.
const PLACES = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0,
  VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
  CLF: 4, UYW: 4,
};
const DIGITS_MAX = 11;

export const placesOf = (currency) => PLACES[currency] ?? 2;

// 1234, 'KWD' → '1.234 KWD'
export function formatMoney(minorUnits, currency) {
  const places = placesOf(currency);
  const sign = minorUnits < 0 ? '-' : '';
  const digits = String(minorUnits).replace('-', '').padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = places > 0 ? `.${digits.slice(-places)}` : '';
  return `${sign}${whole}${fraction} ${currency}`;
}

// '12.5', 'USD' → 1250; null for what is no amount of that currency.
export function parseMoney(text, currency) {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (match === null) return null;
  const [, whole, fraction = ''] = match;
  const places = placesOf(currency);
  if (fraction.length > places || whole.length > DIGITS_MAX) return null;
  return Number(whole + fraction.padEnd(places, '0'));
}

// What an input takes: the pattern attribute, and the words beside it.
export function moneyPattern(currency) {
  const places = placesOf(currency);
  return places === 0 ? '[0-9]{1,11}' : `[0-9]{1,11}([.][0-9]{1,${places}})?`;
}

export function moneyTitle(currency) {
  const places = placesOf(currency);
  return places === 0 ? `${currency} has no decimals` : `Up to ${places} digits after the point`;
}
