import type { ClientConnection } from './client-connection.ts';

/** Idle connections to one upstream, last in first out: the one most lately used is the least likely to be stale. */
export class IdleConnections {
  private last: ClientConnection | null = null;
  size = 0;

  push(connection: ClientConnection): void {
    connection.idlePrevious = this.last;
    connection.idleNext = null;
    if (this.last !== null) this.last.idleNext = connection;
    this.last = connection;
    this.size++;
  }

  pop(): ClientConnection | null {
    const connection = this.last;
    if (connection !== null) this.remove(connection);
    return connection;
  }

  /** Takes out a connection that is in the list. */
  remove(connection: ClientConnection): void {
    const { idlePrevious: previous, idleNext: next } = connection;
    if (previous !== null) previous.idleNext = next;
    if (next !== null) next.idlePrevious = previous;
    else this.last = previous;
    connection.idlePrevious = null;
    connection.idleNext = null;
    this.size--;
  }
}
