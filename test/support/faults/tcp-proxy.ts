export { startTcpProxy, type TcpProxy } from '../../../tools/servers/tcp-proxy.mjs';
