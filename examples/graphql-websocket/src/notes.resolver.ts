import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Authenticated, CurrentSession, CurrentUser, type Session } from 'nestjs-redis-session';

/** The notes of a session. Decorators work on resolvers as on HTTP routes. */
@Resolver()
export class NotesResolver {
  @Query(() => String)
  @Authenticated()
  me(@CurrentUser('username') name: string): string {
    return name;
  }

  @Query(() => [String])
  @Authenticated()
  notes(@CurrentSession() session: Session): string[] {
    return session.getAttribute('notes') ?? [];
  }

  @Mutation(() => [String])
  @Authenticated()
  async addNote(@Args('text') text: string, @CurrentSession() session: Session): Promise<string[]> {
    return (await session.update('notes', (notes = []) => [...notes, text.slice(0, 100)])) ?? [];
  }
}

declare module 'nestjs-redis-session' {
  interface SessionAttributes {
    notes: string[];
  }
}
