import { forgetToken, get, post } from './api.js';

const element = (selector) => document.querySelector(selector);
const fieldsOf = (form) => Object.fromEntries(new FormData(form));

element('#login').addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    await post('/api/login', fieldsOf(event.target));
    forgetToken();
    await show();
  } catch (error) {
    showLogin(error.status === 401 ? 'Wrong name or password.' : 'The server does not answer.');
  }
});

element('#note').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  await orLogin(async () => showNotes(await post('/api/notes', fieldsOf(form))));
  form.reset();
});

element('#logout').addEventListener('click', () =>
  orLogin(async () => {
    await post('/api/logout');
    forgetToken();
    showLogin('You are logged out.');
  }),
);

await show();

/** Shows the notes, or the login form to a visitor. */
async function show() {
  await orLogin(async () => {
    const { username } = await get('/api/me');
    element('#user').textContent = username;
    showNotes(await get('/api/notes'));
    element('#login').hidden = true;
    element('main').hidden = false;
  });
}

/** Shows the login form if the session has ended: a GET gets 401 then, and a POST 403 because its token is gone, too. */
async function orLogin(action) {
  try {
    await action();
  } catch (error) {
    if (error.status !== 401 && error.status !== 403) throw error;
    forgetToken();
    showLogin('');
  }
}

function showLogin(message) {
  element('[role=alert]').textContent = message;
  element('main').hidden = true;
  element('#login').hidden = false;
}

function showNotes(notes) {
  const items = notes.map((note) => {
    const item = document.createElement('li');
    item.textContent = note;
    return item;
  });
  element('#notes').replaceChildren(...items);
}
