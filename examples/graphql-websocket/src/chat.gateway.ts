import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import { Authenticated, CurrentUser, SecuredMessages } from 'nestjs-redis-session';
import { type Server } from 'ws';

/** A chat. The user of a message is the one whose cookie the browser sent when it opened the socket. */
@SecuredMessages()
@WebSocketGateway()
export class ChatGateway {
  @WebSocketServer() private readonly server!: Server;

  @SubscribeMessage('say')
  @Authenticated()
  say(@MessageBody() text: unknown, @CurrentUser('username') name: string): void {
    const message = JSON.stringify({
      event: 'said',
      data: `${name}: ${String(text).slice(0, 100)}`,
    });
    for (const client of this.server.clients) client.send(message);
  }
}
