/** The session attribute that holds the requests to go back to after a login. */
export const SAVED_REQUESTS_ATTRIBUTE = 'SAVED_REQUESTS';

/** The session attribute that makes a session a long-lived one. */
export const REMEMBER_ME_ATTRIBUTE = 'REMEMBER_ME';
