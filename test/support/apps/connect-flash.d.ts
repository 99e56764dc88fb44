declare module 'connect-flash' {
  import { type IncomingMessage } from 'node:http';

  /** Gives requests `flash(type, message)`, which keeps messages in `req.session.flash` until `flash(type)` shows them. */
  export default function flash(): (
    request: IncomingMessage,
    response: unknown,
    next: () => void,
  ) => void;
}
