import { describeSessionRepository } from '../../../../test/support/session-repository.contract.js';
import { MapSessionRepository } from './map-session-repository.js';

describeSessionRepository('MapSessionRepository', (options) => new MapSessionRepository(options));
