export { eventually } from '../../../tools/servers/eventually.mjs';
