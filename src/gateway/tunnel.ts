import { randomBytes } from 'node:crypto';
import type { ClientConnection } from '../http/client-connection.ts';
import type { ServerConnection } from '../http/server-connection.ts';
import type { WorkerCounters } from '../telemetry/shared-counters.ts';
import { FrameCounter } from './frame-counter.ts';

/**
 * A WebSocket on its way through, from the 101 on: bytes are relayed as they come, each side paused while the other is slower, and
 * frames are counted by the way. One object per tunnel.
 */
export class Tunnel {
  readonly fromClient = new FrameCounter();
  readonly fromUpstream = new FrameCounter();
  private readonly client: ServerConnection;
  private readonly upstream: ClientConnection;
  private readonly counters: WorkerCounters;

  constructor(client: ServerConnection, upstream: ClientConnection, counters: WorkerCounters) {
    this.client = client;
    this.upstream = upstream;
    this.counters = counters;
    counters.tunnelOpened();
  }

  relayToUpstream(bytes: Buffer, start: number, end: number): void {
    const { upstream, fromClient } = this;
    const before = fromClient.frames;
    fromClient.count(bytes, start, end);
    this.counters.tunnelReceived(end - start, fromClient.frames - before);
    upstream.output.lend(bytes, start, end);
    if (!upstream.send()) this.client.pauseRequest();
  }

  relayToClient(bytes: Buffer, start: number, end: number): void {
    const { client, fromUpstream } = this;
    const before = fromUpstream.frames;
    fromUpstream.count(bytes, start, end);
    this.counters.tunnelSent(end - start, fromUpstream.frames - before);
    client.output.lend(bytes, start, end);
    if (!client.send()) this.upstream.pause();
  }

  /**
   * Ends both sides because the gateway wants it: with a close frame 1001 (RFC 6455 section 7.4.1, going away) where the relay stands
   * between two frames and all that came before is sent; else with a reset, so that half a frame is not taken for an orderly end.
   */
  goAway(): void {
    const { client, upstream } = this;
    if (this.fromUpstream.isBetweenFrames && !client.isBlocked) {
      if (!this.fromUpstream.closing) client.output.copy(goingAway, 0, goingAway.length);
      client.send();
      client.endTunnel();
    } else {
      client.abort(true);
    }
    if (this.fromClient.isBetweenFrames && !upstream.isBlocked) {
      if (!this.fromClient.closing) {
        const frame = maskedGoingAway();
        upstream.output.copy(frame, 0, frame.length);
      }
      upstream.send();
      upstream.endTunnel();
    } else {
      upstream.reset();
    }
  }

  /** Both sides are closed, or will be without us. Once. */
  closed(): void {
    this.counters.tunnelClosed();
  }
}

const goingAway = Buffer.from('880203e9', 'hex');

// Frames of a client are masked (RFC 6455 section 5.3), those towards an upstream too.
function maskedGoingAway(): Buffer {
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from('8882', 'hex'), mask, Buffer.from([0x03 ^ mask[0]!, 0xe9 ^ mask[1]!])]);
}
