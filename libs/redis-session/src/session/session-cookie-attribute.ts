/** The session attribute that holds what is special about its cookie: `{"maxAgeSeconds":3600,"secure":true}`, null = as long as the client is open. */
export const SESSION_COOKIE_ATTRIBUTE = 'SESSION_COOKIE';
