import { describeSessionRepository } from '../testing/contract/session-repository.contract.js';
import { MapSessionRepository } from './map-session-repository.js';

describeSessionRepository('MapSessionRepository', (options) => new MapSessionRepository(options));
