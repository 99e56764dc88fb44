/** The user that every contestant logs in: what a session typically knows. */
export const USER = {
  id: 4711,
  username: 'kim',
  email: 'kim@example.org',
  roles: ['USER', 'EDITOR'],
};

/** What a session of an authenticated visitor holds beside the user. */
export const CART = [
  { sku: 'A-1001', count: 1 },
  { sku: 'B-2002', count: 3 },
];

/** The attribute that the changing request writes. */
export const CHANGED_ATTRIBUTE = 'a07';

let changes = 0;

/** @returns {string} `bytes` characters, different at every call */
export function newText(/** @type {number} */ bytes) {
  changes += 1;
  return String(changes).padStart(bytes, '.');
}

/**
 * The attributes of a session to be seeded.
 *
 * @param {number} count
 * @param {number} bytes - of each value
 * @returns {[string, string][]}
 */
export function seedAttributes(count, bytes) {
  return Array.from({ length: count }, (_, index) => [
    `a${String(index).padStart(2, '0')}`,
    newText(bytes),
  ]);
}
