import { BlockList, isIP, isIPv6 } from 'node:net';
import { hostNameOf } from '../../http/host-field.ts';
import { isLoopback, tellsOfForwarding } from '../../model/forwarding.ts';
import type { RequestHead } from '../../http/request-head.ts';
import { kind } from '../../http/known-fields.ts';

/** Which peers are believed when they say who the client is: CIDRs or addresses. */
export class TrustedProxies {
  private readonly list = new BlockList();
  private readonly isEmpty: boolean;

  constructor(cidrs: readonly string[]) {
    this.isEmpty = cidrs.length === 0;
    for (const cidr of cidrs) {
      const slash = cidr.indexOf('/');
      const address = slash < 0 ? cidr : cidr.slice(0, slash);
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (slash < 0) this.list.addAddress(address, family);
      else this.list.addSubnet(address, Number(cidr.slice(slash + 1)), family);
    }
  }

  includes(address: string): boolean {
    if (this.isEmpty) return false;
    const version = isIP(address);
    return version !== 0 && this.list.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }
}

/**
 * Who is at the other end of one client connection, and the fields that tell an upstream: X-Forwarded-* and
 * Forwarded (RFC 7239). What an untrusted peer sends of them is replaced; a trusted proxy's is added to.
 */
export class ClientIdentity {
  readonly peer: string;
  readonly isTrusted: boolean;
  readonly scheme: 'http' | 'https';
  private readonly proxies: TrustedProxies;
  private readonly port: number;
  // One connection mostly asks for one host: what follows from the last one is kept.
  hostValue = '';
  /** As routes match it: see hostNameOf. */
  hostName = '';
  private knownHost = '';
  private knownFields: Uint8Array = new Uint8Array(0);

  constructor(peer: string, scheme: 'http' | 'https', port: number, proxies: TrustedProxies) {
    this.peer = peer;
    this.scheme = scheme;
    this.port = port;
    this.proxies = proxies;
    this.isTrusted = proxies.includes(peer);
  }

  /** Reads the Host field into hostValue and hostName; '' where there is none. */
  readHost({ bytes, fields, host }: RequestHead): void {
    const value = this.hostValue;
    if (host < 0) {
      this.hostValue = '';
      this.hostName = '';
      return;
    }
    const start = fields.valueStart[host]!;
    const end = fields.valueEnd[host]!;
    let same = end - start === value.length;
    for (let at = start, index = 0; same && at < end; at++, index++) same = bytes[at] === value.charCodeAt(index);
    if (same) return;
    this.hostValue = fields.value(host);
    this.hostName = hostNameOf(this.hostValue);
  }

  /** The client's address: the peer's, or what trusted proxies say: the last address that is not one of theirs. */
  clientAddress(head: RequestHead): string {
    if (!this.isTrusted) return this.peer;
    const forwarded = head.fields.valueOfKind(kind.xForwardedFor) ?? '';
    if (forwarded === '') return this.peer;
    const addresses = forwarded.split(',').map((each) => each.trim());
    for (let index = addresses.length - 1; index >= 0; index--) {
      const address = addresses[index]!;
      if (isIP(address) === 0) return this.peer;
      if (index === 0 || !this.proxies.includes(address)) return address;
    }
    return this.peer;
  }

  /**
   * Whether a program on this very machine asks by itself: a loopback peer that no setting calls a proxy, and nothing in the
   * request says that somebody forwarded it. HTTP/1.0 is what nginx speaks to whom it forwards to when it says nothing else.
   */
  isDirectLoopback(head: RequestHead): boolean {
    if (this.isTrusted || head.minor === 0 || !isLoopback(this.peer)) return false;
    const { fields } = head;
    for (let index = 0; index < fields.count; index++) if (tellsOfForwarding(fields.name(index))) return false;
    return true;
  }

  /** The forwarded fields for a request to `host` (the value of its Host field), each with its line end. */
  forwardedFields(head: RequestHead, host: string): Uint8Array {
    if (this.isTrusted) return this.trustedFields(head, host);
    if (host !== this.knownHost || this.knownFields.length === 0) {
      this.knownHost = host;
      this.knownFields = fieldsOf(this.peer, this.scheme, host, String(this.port), forwardedElement(this.peer, this.scheme, host));
    }
    return this.knownFields;
  }

  private trustedFields(head: RequestHead, host: string): Uint8Array {
    const before = head.fields.valueOfKind(kind.xForwardedFor) ?? '';
    const proto = (head.fields.valueOfKind(kind.xForwardedProto) ?? '').toLowerCase();
    const scheme = proto === 'http' || proto === 'https' ? proto : this.scheme;
    const forwardedHost = head.fields.valueOfKind(kind.xForwardedHost) ?? '';
    const port = head.fields.valueOfKind(kind.xForwardedPort) ?? '';
    const forwarded = head.fields.valueOfKind(kind.forwarded) ?? '';
    const element = forwardedElement(this.peer, this.scheme, host);
    return fieldsOf(
      before === '' ? this.peer : `${before}, ${this.peer}`,
      scheme,
      forwardedHost === '' ? host : forwardedHost,
      /^\d{1,5}$/.test(port) ? port : String(this.port),
      forwarded === '' ? element : `${forwarded}, ${element}`,
    );
  }
}

function fieldsOf(forwardedFor: string, scheme: string, host: string, port: string, forwarded: string): Uint8Array {
  const hostField = host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`;
  const fields = `X-Forwarded-For: ${forwardedFor}\r\nX-Forwarded-Proto: ${scheme}\r\n${hostField}X-Forwarded-Port: ${port}\r\nForwarded: ${forwarded}\r\n`;
  return Buffer.from(fields, 'latin1');
}

function forwardedElement(peer: string, scheme: string, host: string): string {
  const node = peer.includes(':') ? `"[${peer}]"` : peer;
  return host === '' ? `for=${node};proto=${scheme}` : `for=${node};host="${host}";proto=${scheme}`;
}
