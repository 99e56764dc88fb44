export {
  type ExpressSessionOptions,
  expressSession,
  redisSession,
} from './express-session.feature.js';
export {
  type DoneCallback,
  type ExpressSession,
  type ExpressSessionCookie,
} from './express-session.js';
export { session, type SessionMiddleware } from './connect/connect-session.js';
export { type ConnectSessionOptions } from './connect/connect-session.options.js';
