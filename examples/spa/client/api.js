/** The token that each POST sends. It belongs to one session, and a login or logout ends it. */
let csrfToken;

/** Asks the server. The browser sends the session cookie by itself, and no script can read it. */
export function get(path) {
  return ask(path);
}

/** Sends JSON with the token. */
export async function post(path, content = {}) {
  csrfToken ??= (await get('/api/csrf')).token;
  return ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-TOKEN': csrfToken },
    body: JSON.stringify(content),
  });
}

/** To call after a login or logout. */
export function forgetToken() {
  csrfToken = undefined;
}

async function ask(path, init) {
  const response = await fetch(path, {
    ...init,
    headers: { Accept: 'application/json', ...init?.headers },
  });
  if (!response.ok) throw Object.assign(new Error(path), { status: response.status });
  return response.status === 204 ? undefined : response.json();
}
