import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** Instruments ioredis as OpenTelemetry does when an application loads it, and keeps the spans. */
export function traceIoredis(ioredis) {
  const exporter = new InMemorySpanExporter();
  const instrumentation = new IORedisInstrumentation({ requireParentSpan: false });
  instrumentation.setTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  const definitions = instrumentation.getModuleDefinitions();
  for (const { patch } of definitions) patch(ioredis, '6.0.0');
  return {
    takeSpans() {
      const spans = exporter.getFinishedSpans();
      exporter.reset();
      return spans.map(({ name, attributes, events }) => ({ name, attributes, events }));
    },
    stop() {
      for (const { unpatch } of definitions) unpatch(ioredis, '6.0.0');
    },
  };
}
