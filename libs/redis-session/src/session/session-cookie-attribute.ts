/** The session attribute that holds how long the client shall keep the id: `{"maxAgeSeconds":3600}`, null = as long as it is open. */
export const SESSION_COOKIE_ATTRIBUTE = 'SESSION_COOKIE';
