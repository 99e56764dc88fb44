const element = (selector) => document.querySelector(selector);
let socket;

element('#login').addEventListener('click', async () => {
  await post('/login', { username: 'kim', password: 'kim' });
  // The socket of the visitor does not become one of kim. A new one sends the new cookie.
  await openSocket();
  await show();
});

element('#logout').addEventListener('click', async () => {
  await post('/logout');
  await show();
});

element('#note').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { text } = Object.fromEntries(new FormData(event.target));
  await ask('mutation ($text: String!) { addNote(text: $text) }', { text });
  await show();
});

element('#chat').addEventListener('submit', (event) => {
  event.preventDefault();
  const { text } = Object.fromEntries(new FormData(event.target));
  if (socket.readyState !== WebSocket.OPEN) return addLine('(the socket is closed)');
  socket.send(JSON.stringify({ event: 'say', data: text }));
});

await openSocket();
await show();

function openSocket() {
  socket?.close();
  socket = new WebSocket(location.origin.replace('http', 'ws'));
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data);
    // A refused message is answered by the event `exception`.
    addLine(message.event === 'said' ? message.data : `(${message.data.code})`);
  });
  // The server says why it closes the socket, such as `session-ended`.
  socket.addEventListener('close', ({ reason }) => reason && addLine(`(${reason})`));
  return new Promise((resolve) => socket.addEventListener('open', resolve));
}

async function show() {
  const { data } = await ask('{ me notes }');
  element('#user').textContent = data ? `You are ${data.me}.` : 'You are not logged in.';
  element('#notes').replaceChildren(...(data?.notes ?? []).map(lineOf));
}

async function ask(query, variables) {
  const response = await post('/graphql', { query, variables });
  return response.json();
}

function post(path, content = {}) {
  const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(content) });
}

function addLine(text) {
  element('#messages').append(lineOf(text));
}

function lineOf(text) {
  const line = document.createElement('li');
  line.textContent = text;
  return line;
}
