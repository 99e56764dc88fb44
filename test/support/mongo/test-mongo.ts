import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { type Db, MongoClient } from 'mongodb';

/** A database of one test file. */
export class TestMongo {
  readonly name = `test_${randomUUID().slice(0, 8)}`;
  private client: MongoClient | undefined;

  async start(): Promise<void> {
    this.client = await MongoClient.connect(process.env['TEST_MONGODB_URL'] ?? '');
  }

  async stop(): Promise<void> {
    await this.db.dropDatabase();
    await this.client?.close();
  }

  get db(): Db {
    if (!this.client) throw new Error('MongoDB is not connected yet.');
    return this.client.db(this.name);
  }

  /** Of the server, with the name of the database. */
  get url(): string {
    return this.urlAt(this.port);
  }

  get port(): number {
    return Number(new URL(process.env['TEST_MONGODB_URL'] ?? '').port || 27_017);
  }

  /** @param port - of 127.0.0.1, such as that of a proxy */
  urlAt(port: number): string {
    const url = new URL(process.env['TEST_MONGODB_URL'] ?? '');
    url.port = String(port);
    url.pathname = this.name;
    return url.href;
  }
}

/** Connects to MongoDB before the tests of this file, and drops what they have written after them. */
export function useTestMongo(): TestMongo {
  const mongo = new TestMongo();
  beforeAll(() => mongo.start());
  afterAll(() => mongo.stop());
  return mongo;
}
